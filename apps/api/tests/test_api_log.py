"""The prediction log, attacked: cut, damaged, killed between any two steps, with a full disk and without a ledger."""

import datetime as dt
import errno
import json
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_api.errors import AwayError, LogFullError
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LoggedModel, LogMetrics, PredictionLog, SyncPolicy, new_request_id
from appraiser_api.prediction_log.frames import frame, frame_end, payload_of, pieces
from appraiser_api.prediction_log.position import Position, read_position, write_position
from appraiser_api.prediction_log.shipper import Shipper
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_api.prediction_log.source import Source
from appraiser_api.prediction_log.stream import Stream
from appraiser_model import Appraised
from appraiser_schema import LiveError, Prediction, PredictionKind
from appraiser_store import Ledger, PredictionRow, RefusedPredictionError

MODEL = LoggedModel("house-price", 3, "f" * 64)
LISTING = b'{"state": "Texas", "city": "Ca\xc3\xb1on", "bed": 3}'
AT = 1_795_570_200.123456


class Killed(BaseException):
    """Stands for a SIGKILL: nothing after it is done."""


class MemorySink:
    """A ledger in memory that can be away, refuse, or die before or after it has saved."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], PredictionRow] = {}
        self.order: list[str] = []
        self.away = False
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def save(self, rows: Sequence[PredictionRow]) -> int:
        """Keep what is new."""
        if self.away:
            raise AwayError("ledger", "APPRAISER_LEDGER_URL")
        self.before()
        if any(row[7] < 0 for row in rows):
            raise RefusedPredictionError("a price is negative")
        new = [row for row in rows if (row[0], row[1]) not in self.rows]
        self.rows |= {(row[0], row[1]): row for row in new}
        self.order += [row[0] for row in new]
        self.after()
        return len(new)

    def live_errors(self) -> list[LiveError]:
        """None."""
        return []

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of their own."""
    return Metrics()


@pytest.fixture
def log_metrics(metrics: Metrics) -> LogMetrics:
    """Those of the log among them."""
    return LogMetrics(metrics)


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    """The value of a metric."""
    value = metrics.registry.get_sample_value(f"appraiser_{name}", labels)
    assert value is not None
    return value


def append(log: PredictionLog, request_id: str, **changes: Any) -> str:
    """Put a single house on record."""
    facts: dict[str, Any] = {
        "at": AT, "price_usd": 300_000.1, "lower_usd": 250_000.2, "upper_usd": float("nan"), "model": MODEL,
        "latency_seconds": 0.00025,
    }  # fmt: skip
    log.append(request_id, LISTING, **facts | changes)
    return request_id


def a_table(rows: int) -> tuple[pl.DataFrame, Appraised]:
    """Houses with their appraisals; of some something is unknown."""
    price = np.arange(rows, dtype=float) + 100_000
    frame = pl.DataFrame(
        {
            "state": ["Texas"] * rows,
            "bed": [None if row % 3 else float(row) for row in range(rows)],
            "prev_sold_date": [dt.date(1999, 9, 30)] * rows,
        }
    )
    return frame, Appraised(price, price - 1, price + 1)


def a_shipper(root: Path, sink: MemorySink | LedgerSink, metrics: LogMetrics, own: Sequence[Source] = ()) -> Shipper:
    """One that finds the streams of the dead at once."""
    return Shipper(root, own, sink, metrics)


def drain(root: Path, sink: MemorySink | LedgerSink, metrics: LogMetrics) -> None:
    """Do what the next process does: adopt and ship all."""
    shipper = a_shipper(root, sink, metrics)
    while shipper.work():
        pass


def abandoned(root: Path, payloads: Sequence[bytes], *, segment_bytes: int = 1 << 20) -> list[Path]:
    """Leave a stream behind as a process does that was killed.

    Returns:
        Its segments.
    """
    stream = Stream(root, "dead-single", always_sync=False, segment_bytes=segment_bytes)
    for payload in payloads:
        stream.append(payload)
    stream.close()
    return sorted(stream.folder.glob("*.log"))


def records(root: Path, ids: Sequence[str], **changes: Any) -> list[bytes]:
    """The payloads of single houses."""
    log = PredictionLog(root / "aside", metrics=LogMetrics(Metrics()))
    for request_id in ids:
        append(log, request_id, **changes)
    log.stop()
    (segment,) = (root / "aside").glob("*-single/*.log")
    content = segment.read_bytes()
    shutil.rmtree(root / "aside")
    return [payload_of(content, piece) for piece in pieces(content, 0, len(content))]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for each example of a property."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


class TestRecord:
    """What is on record of an answer."""

    def test_single(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A single house comes into the ledger as it was asked and answered, to the last bit and the microsecond."""
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        request_id = append(log, new_request_id(), client_request_id="mine")
        log.stop()
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        drain(tmp_path / "log", LedgerSink(f"sqlite:///{tmp_path / 'ledger.db'}"), log_metrics)
        assert ledger.prediction(request_id) == Prediction(
            request_id=request_id, at=dt.datetime(2026, 11, 25, 1, 30, 0, 123456, tzinfo=dt.UTC),
            client_request_id="mine", listing=json.loads(LISTING), features_fingerprint="f" * 64,
            price_usd=300_000.1, lower_usd=250_000.2, upper_usd=None, model_name="house-price", model_version=3,
            latency_seconds=0.00025,
        )  # fmt: skip
        ledger.close()

    def test_table(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """Each row of a table comes into the ledger under its number in the table that was sent, without gaps in it."""
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        listings, appraised = a_table(5_000)
        log.append_table("a-table", listings, appraised, at=AT, model=MODEL, latency_seconds=0.5)
        log.append_table("a-table", *a_table(2), at=AT, model=MODEL, latency_seconds=0.5, rows=[7_000, 9_001])
        log.append_table("nothing", *a_table(0), at=AT, model=MODEL, latency_seconds=0.5)
        log.stop()
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        drain(tmp_path / "log", LedgerSink(f"sqlite:///{tmp_path / 'ledger.db'}"), log_metrics)
        found = ledger.predictions(limit=10_000)
        assert [one.row for one in found] == [*range(1, 5_001), 7_000, 9_001]
        assert {one.kind for one in found} == {PredictionKind.BATCH}
        assert [one.price_usd for one in found[:5_000]] == appraised.price_usd.tolist()
        assert found[3].listing == {"state": "Texas", "bed": 3.0, "prev_sold_date": "1999-09-30"}
        assert found[4].listing["bed"] is None
        ledger.close()

    def test_ids(self) -> None:
        """Ids are new each time, of one length, and sorted by the time at which they were made, to the millisecond."""
        ids = [new_request_id() for _ in range(10_000)]
        assert len(set(ids)) == 10_000
        assert {len(one) for one in ids} == {32}
        assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


class TestFrames:
    """Cutting and damaging, at every byte."""

    @given(payloads=st.lists(st.binary(max_size=40), max_size=6), data=st.data())
    def test_cut(self, payloads: list[bytes], data: st.DataObject) -> None:
        """A segment that is cut anywhere gives every record that is whole, in order, and none besides."""
        content = b"".join(frame(payload) for payload in payloads)
        cut = content[: data.draw(st.integers(0, len(content)))]
        found = [payload_of(cut, piece) for piece in pieces(cut, 0, len(cut)) if piece.whole]
        assert found == payloads[: len(found)]
        assert len(cut) - sum(len(frame(payload)) for payload in found) < len(frame(b"" * 40)) + 40

    @given(payloads=st.lists(st.binary(max_size=40), min_size=1, max_size=6), data=st.data())
    def test_flipped(self, payloads: list[bytes], data: st.DataObject) -> None:
        """Wherever bits are flipped, every record but the damaged one is found, and none is invented."""
        frames = [frame(payload) for payload in payloads]
        content = bytearray(b"".join(frames))
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        buffer = bytes(content)
        hit = next(i for i in range(len(frames)) if place < sum(map(len, frames[: i + 1])))
        found = [payload_of(buffer, piece) for piece in pieces(buffer, 0, len(buffer)) if piece.whole]
        assert found == payloads[:hit] + payloads[hit + 1 :]

    @given(content=st.binary(max_size=200))
    def test_any_bytes(self, content: bytes) -> None:
        """Bytes of any kind are divided without a gap, and hold no record."""
        parts = list(pieces(content, 0, len(content)))
        assert b"".join(content[part.start : part.stop] for part in parts) == content
        assert not any(part.whole for part in parts)

    def test_before_the_beginning(self) -> None:
        """What begins before the segment is no frame."""
        assert frame_end(frame(b"x"), -1, 13) is None


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


class TestShipping:
    """A process that lives."""

    def test_own_records(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """Records are shipped in order over several segments, and those of which all was shipped are deleted."""
        sink = MemorySink()
        stream = Stream(tmp_path, "mine-single", always_sync=False, segment_bytes=1_000)
        ids = [f"{number:032x}" for number in range(20)]
        payloads = records(tmp_path, ids)
        shipper = a_shipper(tmp_path, sink, log_metrics, [Source(stream.folder, stream)])
        for payload in payloads[:10]:
            stream.append(payload)
        shipper.measure()
        assert figure(metrics, "prediction_backlog_records") == 10
        assert figure(metrics, "prediction_backlog_bytes") == sum(len(frame(payload)) for payload in payloads[:10])
        while shipper.work():
            pass
        for payload in payloads[10:]:
            stream.append(payload)
        while shipper.work():
            pass
        shipper.measure()
        assert sink.order == ids
        assert len(list(stream.folder.glob("*.log"))) == 1
        assert figure(metrics, "prediction_backlog_records") == figure(metrics, "prediction_backlog_bytes") == 0
        assert figure(metrics, "predictions_shipped_total") == 20
        stream.close()

    def test_away(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """While the ledger is away records wait, with their number and age told; when it is back all are shipped."""
        sink = MemorySink()
        sink.away = True
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=sink)
        ids = [append(log, new_request_id(), at=AT - 1e6) for _ in range(10)]
        shipper = log._shipper
        assert shipper is not None
        with pytest.raises(AwayError):
            shipper.work()
        shipper.measure()
        assert figure(metrics, "prediction_backlog_records") == 10
        assert figure(metrics, "prediction_backlog_age_seconds") > 0
        sink.away = False
        log.stop()
        assert sink.order == []
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ids

    def test_threads(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A started log ships by itself; stopped, it ships what is left and leaves no folder behind."""
        sink = MemorySink()
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=sink)
        log.start()
        ids = [append(log, new_request_id()) for _ in range(200)]
        log.append_table("table", *a_table(3), at=AT, model=MODEL, latency_seconds=0.1)
        log.stop()
        assert [one for one in sink.order if one != "table"] == ids
        assert sink.order.count("table") == 3
        assert not list(tmp_path.glob("*-*"))

    def test_alive_is_left_alone(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """The stream of a process that lives is not taken over; once it is dead, it is."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        append(log, "a")
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == []
        log._singles.close()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a"]

    def test_holds(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """It is known of single houses and of rows of tables that they are on their way, until they have come."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        append(log, "single", client_request_id="client")
        log.append_table("table", *a_table(2), at=AT, model=MODEL, latency_seconds=0.1, rows=[4, 6])
        on_its_way = [("single", 0), ("table", 4), ("table", 6)]
        others = [("single", 1), ("table", 5), ("client", 0), ("sing", 0), ("Texas", 0), ("", 0)]
        assert [log.holds(*one) for one in on_its_way] == [True] * 3
        assert [log.holds(*one) for one in others] == [False] * 6
        log.stop()
        drain(tmp_path, MemorySink(), log_metrics)
        assert not log.holds("single")

    def test_position(self, tmp_path: Path) -> None:
        """A position comes back as it was written; where there is none it is the start."""
        assert read_position(tmp_path) == Position(0, 0)
        write_position(tmp_path, Position(3, 10**10))
        assert read_position(tmp_path) == Position(3, 10**10)


class TestDisk:
    """A disk that is full or fails."""

    @pytest.mark.parametrize("policy", SyncPolicy)
    def test_full(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics, policy: SyncPolicy) -> None:
        """A record that does not fit is refused with what to do, nothing of it stays, and the next goes on behind."""
        log = PredictionLog(tmp_path, policy, metrics=log_metrics)
        append(log, "a")
        (segment,) = tmp_path.glob("*-single/*.log")
        before = segment.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
        try:
            with pytest.raises(LogFullError, match=r"Make room on the disk of APPRAISER_PREDICTION_LOG") as caught:
                append(log, "b")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert caught.value.retry_after == 10
        assert segment.read_bytes() == before
        append(log, "c")
        assert figure(metrics, "prediction_log_failures_total", reason="append") == 1
        log.stop()
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a", "c"]

    def test_fails_for_good(self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where not even the half record can be taken back, the next one begins a segment of its own."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        append(log, "a")
        write = os.write

        def half(descriptor: int, data: bytes) -> int:
            write(descriptor, data[:20])
            raise OSError(errno.EIO, "Input/output error")

        def broken(*_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", half)
            patch.setattr(os, "ftruncate", broken)
            with pytest.raises(LogFullError, match="Input/output error"):
                append(log, "b")
        append(log, "c")
        log.stop()
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a", "c"]
        assert len(list(tmp_path.glob("damaged/*.bin"))) == 1

    def test_not_synced(self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
        """Under `always` a record that does not reach the disk is not on record, and its answer is not given."""
        log = PredictionLog(tmp_path, SyncPolicy.ALWAYS, metrics=log_metrics)
        append(log, "a")

        def broken(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", broken)
            with pytest.raises(LogFullError):
                append(log, "b")
        log.stop()
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a"]

    def test_folder_unusable(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A folder that cannot be made refuses answers until it can."""
        (tmp_path / "log").write_text("in the way")
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        with pytest.raises(LogFullError):
            append(log, "a")
        (tmp_path / "log").unlink()
        append(log, "b")
        log.stop()
