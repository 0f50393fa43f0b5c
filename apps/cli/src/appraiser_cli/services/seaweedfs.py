"""An object store of the state folder's own: SeaweedFS, on the loopback address only."""

import json
import shutil
import sysconfig
from contextlib import suppress
from typing import Final

from pyarrow.fs import FileType, S3FileSystem

from appraiser_cli.errors import CliError
from appraiser_cli.home import Home
from appraiser_cli.running.ports import LOOPBACK, free_port, is_free
from appraiser_cli.running.service import Service
from appraiser_cli.services.store_credentials import BUCKETS, StoreCredentials, write_secret
from appraiser_cli.services.stores import S3, Stores, bucket_of

_ABOVE: Final = 10_000
"""Beside each of its ports SeaweedFS listens at one so much higher."""

_ACTIONS: Final = ("Read", "Write", "List", "Tagging")


def seaweedfs(home: Home, credentials: StoreCredentials, port: int, stores: Stores) -> Service:
    """The server; it is ready when its buckets are there, and ended after those who use it.

    Raises:
        CliError: It is not installed.
    """
    home.seaweedfs.mkdir(parents=True, exist_ok=True)
    identities = home.secrets / "s3.json"
    write_secret(identities, json.dumps({"identities": [_identity(credentials, bucket) for bucket in BUCKETS]}) + "\n")
    master, volume, filer, admin = _inner_ports(port)
    options = {
        "dir": home.seaweedfs,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "s3.port": port,
        "master.port": master,
        "volume.port": volume,
        "filer.port": filer,
        "admin.port": admin,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": identities,
        "bucket": ",".join(BUCKETS),
        # A bucket that a slip of the pen names is refused, nothing is told to its makers, and nobody else administers.
        "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
        "master.telemetry": "false",
        "admin.ui": "false",
        "webdav": "false",
    }
    return Service(
        name="seaweedfs",
        command=(program(), "mini", *(f"-{name}={value}" for name, value in options.items())),
        port=port,
        probe=lambda: all(_has(stores.s3(bucket), bucket) for bucket in BUCKETS),
        store=True,
    )


def make_given(stores: Stores) -> None:
    """Make the buckets in somebody else's object store, unless they are there.

    Raises:
        CliError: It does not answer, or does not let us.
    """
    for place in (stores.settings.lake_warehouse, stores.settings.mlflow_artifacts):
        bucket = bucket_of(place)
        s3 = stores.s3(bucket)
        try:
            if not _has(s3, bucket):
                files(s3).create_dir(bucket)
        except OSError as error:
            raise CliError(
                f"the bucket {bucket!r} at {s3.endpoint} is missing and cannot be made: {error}. Check the address, "
                "the keys and their rights, or make the bucket."
            ) from None


def _has(s3: S3, bucket: str) -> bool:
    with suppress(OSError):
        return bool(files(s3).get_file_info(bucket).type is FileType.Directory)
    return False


def files(s3: S3) -> S3FileSystem:
    """The object store as a file system."""
    return S3FileSystem(
        access_key=s3.access_key or None,
        secret_key=s3.secret_key or None,
        endpoint_override=s3.endpoint,
        region=s3.region,
        connect_timeout=2,
        request_timeout=10,
        allow_bucket_creation=True,
    )


def _identity(credentials: StoreCredentials, bucket: str) -> dict[str, object]:
    """Who may do what: each in a bucket of its own."""
    key = credentials.keys[bucket]
    return {
        "name": bucket,
        "credentials": [{"accessKey": key.access_key, "secretKey": key.secret_key}],
        "actions": [f"{action}:{bucket}" for action in _ACTIONS],
    }


def _inner_ports(port: int) -> tuple[int, int, int, int]:
    found: list[int] = []
    while len(found) < 4:
        candidate = free_port(0, {port, port + _ABOVE, *found, *(other + _ABOVE for other in found)})
        # The upper one must exist, be free, and be nobody's that was chosen.
        for low in (candidate, candidate - _ABOVE):
            if low > 1_024 and low + _ABOVE < 65_536 and is_free(low) and is_free(low + _ABOVE):
                found.append(low)
                break
    return found[0], found[1], found[2], found[3]


def program() -> str:
    """Path of SeaweedFS.

    Raises:
        CliError: It is not installed.
    """
    found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if found is None:
        raise CliError(
            "SeaweedFS is not installed: there is no program 'weed'. Run ./appraiser again, which brings it, or name "
            "an object store with AWS_ENDPOINT_URL_S3."
        )
    return found
