"""What the next process makes of what a dead one left: torn, damaged, or killed between any two steps."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_stand import AT, MODEL, Killed, MemorySink, a_table, abandoned, append, drain, figure, records

from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics, PredictionLog
from appraiser_api.prediction_log.position import write_position


class TestRecovery:
    """What the next process makes of what a dead one left."""

    @settings(max_examples=60)
    @given(kept=st.floats(0, 1), data=st.data())
    def test_torn(self, kept: float, data: st.DataObject) -> None:
        """A tail that is torn anywhere is cut off and kept aside; all before it is in the ledger once, in order."""
        with tempfile.TemporaryDirectory() as name:
            root, sink, metrics = Path(name), MemorySink(), LogMetrics(Metrics())
            ids = [f"{number:032x}" for number in range(data.draw(st.integers(1, 5)))]
            (segment,) = abandoned(root, records(root, ids))
            size = segment.stat().st_size
            os.truncate(segment, round(kept * size))
            drain(root, sink, metrics)
            whole = round(kept * size) // (size // len(ids))
            assert sink.order == ids[:whole]
            torn = b"".join(file.read_bytes() for file in root.glob("damaged/*.bin"))
            assert len(torn) == round(kept * size) % (size // len(ids))
            assert not list(root.glob("dead-*"))

    def test_damaged_in_the_middle(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """A record with a flipped bit is kept aside and counted; those before and after it are in the ledger."""
        ids = [f"{number:032x}" for number in range(3)]
        (segment,) = abandoned(tmp_path, records(tmp_path, ids))
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == [ids[0], ids[2]]
        assert figure(metrics, "prediction_log_failures_total", reason="damaged") == 1
        (aside,) = tmp_path.glob("damaged/*.bin")
        assert aside.read_bytes() == content[len(content) // 3 : 2 * len(content) // 3]

    def test_refused(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """What the ledger will never take is kept aside, single house or table, and holds up nothing behind it."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        for number, price in enumerate((1.0, -1.0, 2.0)):
            append(log, str(number), price_usd=price)
            listings, appraised = a_table(1)
            appraised.price_usd[:] = price
            log.append_table(f"table {number}", listings, appraised, at=AT, model=MODEL, latency_seconds=0.1)
        log.stop()
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sorted(sink.order) == ["0", "2", "table 0", "table 2"]
        assert figure(metrics, "prediction_log_failures_total", reason="refused") == 2
        assert len(list(tmp_path.glob("damaged/*.bin"))) == 2

    def test_of_another_version(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """A record that is whole but of a kind that this version does not know is kept aside, not misread."""
        (known,) = records(tmp_path, ["a"])
        abandoned(tmp_path, [b"\x09" + known[1:], b"", known])
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a"]
        assert figure(metrics, "prediction_log_failures_total", reason="damaged") == 2

    @settings(max_examples=60)
    @given(data=st.data())
    def test_killed_anywhere(self, data: st.DataObject) -> None:
        """Killed before or after a save, a position, a deletion, over and over: each record is in the ledger once."""
        with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
            root, sink, metrics = Path(name), MemorySink(), LogMetrics(Metrics())
            ids = [f"{number:032x}" for number in range(9)]
            abandoned(root, records(root, ids), segment_bytes=700)
            patch.setattr("appraiser_api.prediction_log.source.CHUNK_BYTES", 1)
            budget = [0]

            def step(do: Callable[..., Any]) -> Callable[..., Any]:
                def maybe_killed(*args: Any, **kwargs: Any) -> Any:
                    for action in (None, lambda: do(*args, **kwargs)):
                        result = action() if action else None
                        budget[0] -= 1
                        if budget[0] == 0:
                            raise Killed
                    return result

                return maybe_killed

            patch.setattr("appraiser_api.prediction_log.source.write_position", step(write_position))
            patch.setattr(Path, "unlink", step(Path.unlink))
            patch.setattr(Path, "rename", step(Path.rename))
            patch.setattr(sink, "save", step(sink.save))
            for kills in range(1, 100):
                budget[0] = data.draw(st.integers(1, 12)) if kills < 8 else 0
                owners: list[int] = []
                patch.setattr("appraiser_api.prediction_log.source.own", _remembering(owners))
                try:
                    drain(root, sink, metrics)
                    break
                except Killed:
                    for owner in owners:
                        os.close(owner)
            assert sink.order == ids
            assert not list(root.glob("dead-*"))
            assert not list(root.glob("damaged/*"))

    def test_unreadable_position(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A position that cannot be read ships everything again, and the ledger has each record once all the same."""
        abandoned(tmp_path, records(tmp_path, ["a", "b"]))
        (tmp_path / "dead-single" / "position").write_bytes(b"\x00\x00")
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a", "b"]


def _remembering(owners: list[int]) -> Callable[[Path], int | None]:
    from appraiser_api.prediction_log.stream import own

    def remember(folder: Path) -> int | None:
        owner = own(folder)
        if owner is not None:
            owners.append(owner)
        return owner

    return remember
