"""A disk that is full or fails."""

import errno
import os
import resource
from pathlib import Path

import pytest
from log_stand import MemorySink, append, drain, figure

from appraiser_api.errors import LogFullError
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics, PredictionLog, SyncPolicy


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
