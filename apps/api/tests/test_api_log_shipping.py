"""Records on their way to the ledger while the process lives."""

import fcntl
import threading
from pathlib import Path

import polars as pl
import pytest
from log_stand import AT, MODEL, MemorySink, a_shipper, a_table, abandoned, append, drain, figure, records

from appraiser_api.errors import AwayError
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics, PredictionLog, new_request_id, reading
from appraiser_api.prediction_log.frames import frame
from appraiser_api.prediction_log.position import Position, read_position, write_position
from appraiser_api.prediction_log.source import Source
from appraiser_api.prediction_log.stream import Stream
from appraiser_store.lock import exclusive


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

    def test_tables_wait_while_more_of_them_comes(
        self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Many rows of a table leave the processors to those after them; what others left is shipped meanwhile."""
        sink, now = MemorySink(), [1e9]
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=sink)
        monkeypatch.setattr("appraiser_api.prediction_log.log.time.monotonic", lambda: now[0])
        shipper = log._shipper
        assert shipper is not None
        listings, appraised = a_table(600)
        log.append_table("7" * 32, listings, appraised, at=AT, model=MODEL, latency_seconds=0.1)
        abandoned(tmp_path, records(tmp_path, ["a"]))
        shipper.work()
        assert sink.order == ["a"]
        now[0] += 0.6
        shipper.work()
        assert len(sink.rows) == 601
        log.stop()

    def test_tables_do_not_wait_for_ever(
        self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where more and more comes, tables are shipped all the same after ten seconds."""
        sink, now = MemorySink(), [1e9]
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=sink)
        monkeypatch.setattr("appraiser_api.prediction_log.log.time.monotonic", lambda: now[0])
        listings, appraised = a_table(600)
        shipper = log._shipper
        assert shipper is not None
        for part in range(40):
            shipper.work()
            assert bool(sink.order) is (part > 25)
            log.append_table(f"{part:032x}", listings, appraised, at=AT, model=MODEL, latency_seconds=0.1)
            now[0] += 0.4
        log.stop()

    def test_tables_are_shipped_without_rests(
        self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One piece of a table is one record and many rows: the thread goes on with the next piece at once."""
        sink, stop = MemorySink(), threading.Event()
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=sink)
        for part in range(5):
            listings, appraised = a_table(600)
            log.append_table(f"{part:032x}", listings, appraised, at=AT, model=MODEL, latency_seconds=0.1)
        shipper = log._shipper
        assert shipper is not None
        monkeypatch.setattr("appraiser_api.prediction_log.source.CHUNK_BYTES", 1)
        monkeypatch.setattr(shipper, "_can_wait", lambda: False)
        monkeypatch.setattr(shipper, "_stop", stop)
        rests: list[int] = []

        def rest(_: float) -> None:
            rests.append(len(sink.rows))
            stop.set()

        monkeypatch.setattr(stop, "wait", rest)
        shipper._run()
        assert rests == [3_000]
        log.stop()

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
        log._stream.close()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["a"]

    def test_holds(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """It is known of single houses and of rows of tables that they are on their way, until they have come."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        single, table, client = (letter * 32 for letter in "abc")
        append(log, single, client_request_id=client)
        log.append_table(table, *a_table(2), at=AT, model=MODEL, latency_seconds=0.1, rows=pl.Series([4, 6]))
        on_its_way = [(single, 0), (table, 4), (table, 6)]
        others = [(single, 1), (table, 5), (client, 0), ("a" * 31, 0), ("Texas", 0), ("", 0)]
        assert [log.holds(*one) for one in on_its_way] == [True] * 3
        assert [log.holds(*one) for one in others] == [False] * 6
        log.stop()
        drain(tmp_path, MemorySink(), log_metrics)
        assert not log.holds(single)

    @pytest.mark.parametrize("foreign", ["never", "A" * 32, "a" * 33, "a" * 32 + "\n"])
    def test_foreign_id(
        self, tmp_path: Path, log_metrics: LogMetrics, monkeypatch: pytest.MonkeyPatch, foreign: str
    ) -> None:
        """For an id that the service never gives, the backlog is not read."""
        log = PredictionLog(tmp_path, metrics=log_metrics)
        append(log, foreign)
        monkeypatch.setattr(Path, "read_bytes", pytest.fail)
        assert not log.holds(foreign)
        log.stop()

    def test_large_backlog(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """Neither the first answer nor the end of a process waits while another counts what a dead one left."""
        abandoned(tmp_path, records(tmp_path, ["a", "b"]))
        free: list[bool] = []
        count = reading.count_records

        def watched(folder: Path, position: Position) -> int:
            free.append(_is_free(tmp_path / "folders.lock"))
            return count(folder, position)

        log = PredictionLog(tmp_path, metrics=log_metrics)
        append(log, "c")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("appraiser_api.prediction_log.source.count_records", watched)
            log.stop()
            assert free == []
            sink = MemorySink()
            sink.away = True
            shipper = a_shipper(tmp_path, sink, log_metrics)
            with pytest.raises(AwayError):
                shipper.work()
            shipper.measure()
        assert free == [True, True]
        assert figure(metrics, "prediction_backlog_records") == 3

    def test_folder_at_start(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A started log has its folder, so that the first answer waits for nothing; an unused one goes with it."""
        log = PredictionLog(tmp_path, metrics=log_metrics, sink=MemorySink())
        log.start()
        assert len(list(tmp_path.glob("*-*/lock"))) == 1
        with exclusive(tmp_path / "folders.lock"):
            append(log, "a")
        log.stop()
        assert not list(tmp_path.glob("*-*"))

    def test_start_without_a_folder(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics) -> None:
        """A log whose folder cannot be made starts, and keeps records once it can."""
        (tmp_path / "log").write_text("in the way")
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        log.start()
        assert figure(metrics, "prediction_log_failures_total", reason="append") == 1
        (tmp_path / "log").unlink()
        append(log, "a")
        log.stop()
        sink = MemorySink()
        drain(tmp_path / "log", sink, log_metrics)
        assert sink.order == ["a"]

    def test_position(self, tmp_path: Path) -> None:
        """A position comes back as it was written; where there is none it is the start."""
        assert read_position(tmp_path) == Position(0, 0)
        write_position(tmp_path, Position(3, 10**10))
        assert read_position(tmp_path) == Position(3, 10**10)


def _is_free(lock: Path) -> bool:
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
