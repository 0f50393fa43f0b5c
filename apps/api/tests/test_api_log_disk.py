"""A disk that is full or fails."""

import errno
import os
import resource
from pathlib import Path

import pytest
from log_stand import MemorySink, append, drain, figure, payloads

from appraiser_api.errors import LogFullError
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics, PredictionLog, SyncPolicy
from appraiser_api.prediction_log.stream import Stream, segment_file


class Disk:
    """Remembers what was synced, and fails for files whose name matches `broken`."""

    def __init__(self) -> None:
        self.synced: set[Path] = set()
        self.broken = ""

    def sync(self, descriptor: int) -> None:
        """Stands for fsync and fdatasync."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if self.broken and path.match(self.broken):
            raise OSError(errno.EIO, "Input/output error")
        self.synced.add(path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk whose syncs are watched."""
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr(os, "fdatasync", disk.sync)
    return disk


class TestDisk:
    """A disk that is full or fails."""

    @pytest.mark.parametrize("policy", SyncPolicy)
    def test_full(self, tmp_path: Path, metrics: Metrics, log_metrics: LogMetrics, policy: SyncPolicy) -> None:
        """A record that does not fit is refused with what to do, nothing of it stays, and the next goes on behind."""
        log = PredictionLog(tmp_path, policy, metrics=log_metrics)
        append(log, "a")
        (segment,) = tmp_path.glob("*-log/*.log")
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


class TestSync:
    """What is on the disk itself, and what a sync that failed leads to."""

    @pytest.mark.parametrize("policy", SyncPolicy)
    def test_entries(self, tmp_path: Path, log_metrics: LogMetrics, disk: Disk, policy: SyncPolicy) -> None:
        """Before the first record leaves, every folder that was made is entered on the disk in the one above it."""
        root = tmp_path / "made" / "log"
        log = PredictionLog(root, policy, metrics=log_metrics)
        append(log, "a")
        assert {tmp_path, tmp_path / "made", root} <= disk.synced
        log.stop()
        assert next(root.glob("*-log")) in disk.synced

    def test_entry_fails(self, tmp_path: Path, log_metrics: LogMetrics, disk: Disk) -> None:
        """Under `always` a segment that could not be entered on the disk takes no record until it is."""
        log = PredictionLog(tmp_path, SyncPolicy.ALWAYS, metrics=log_metrics)
        disk.broken = "*-log"
        for _ in range(2):
            with pytest.raises(LogFullError):
                append(log, "a")
        disk.broken = ""
        append(log, "b")
        log.stop()
        sink = MemorySink()
        drain(tmp_path, sink, log_metrics)
        assert sink.order == ["b"]

    def test_tried_again(self, tmp_path: Path, disk: Disk) -> None:
        """Under `group` what a failed sync had not come to is synced by the next one."""
        stream = Stream(tmp_path, "mine-log", always_sync=False, segment_bytes=1)
        for _ in range(3):
            stream.append(b"record")
        for broken in ("mine-log", "00000001.log"):
            disk.broken = broken
            with pytest.raises(OSError, match="Input/output error"):
                stream.sync()
        disk.broken = ""
        stream.sync()
        assert {stream.folder, *(segment_file(stream.folder, number) for number in (2, 3))} <= disk.synced
        assert segment_file(stream.folder, 1) not in disk.synced
        stream.close()

    @pytest.mark.parametrize("policy", SyncPolicy)
    def test_new_segment(self, tmp_path: Path, disk: Disk, policy: SyncPolicy) -> None:
        """After a failed sync records go into a new segment: of the old one no sync proves anything any more."""
        stream = Stream(tmp_path, "mine-log", always_sync=policy is SyncPolicy.ALWAYS)
        stream.append(b"a")
        stream.sync()
        disk.broken = "00000001.log"
        with pytest.raises(OSError, match="Input/output error"):
            _append_and_sync(stream)
        _append_and_sync(stream)
        stream.close()
        assert [payload for file in sorted(stream.folder.glob("*.log")) for payload in payloads(file)] == [
            b"a", *([b"b"] if policy is SyncPolicy.GROUP else []), b"b",
        ]  # fmt: skip
        assert segment_file(stream.folder, 2) in disk.synced
        assert len(list(stream.folder.glob("*.log"))) == 2

    def test_no_flood(self, tmp_path: Path, disk: Disk) -> None:
        """A disk that fails for long does not fill up with empty segments."""
        stream = Stream(tmp_path, "mine-log", always_sync=True)
        stream.append(b"a")
        disk.broken = "*.log"
        for _ in range(10):
            with pytest.raises(OSError, match="Input/output error"):
                stream.append(b"b")
        assert len(list(stream.folder.glob("*.log"))) <= 2
        stream.close()


def _append_and_sync(stream: Stream) -> None:
    stream.append(b"b")
    stream.sync()
