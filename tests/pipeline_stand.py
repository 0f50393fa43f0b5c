"""What tests of the pipeline stand on: made listings, settings whose stores lie in a folder, the real feed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from appraiser_pipeline.settings import Settings
from appraiser_schema import Batch

type Row = dict[str, Any]
type Land = Callable[[int, Sequence[Row]], Batch]

ROW: Row = {
    "brokered_by": 101640.0,
    "status": "for_sale",
    "price": 289900.0,
    "bed": 4.0,
    "bath": 2.0,
    "acre_lot": 0.38,
    "street": 1758218.0,
    "city": "East Windsor",
    "state": "Connecticut",
    "zip_code": 6016.0,
    "house_size": 1617.0,
    "prev_sold_date": "1999-09-30",
}


def rows(count: int, **changed: Any) -> list[Row]:
    """Listings that differ in their street."""
    return [ROW | {"street": 1.0 + i, "price": 200_000.0 + 100 * i} | changed for i in range(count)]


def settings_in(folder: Path, url: str = "http://127.0.0.1:1", **changed: Any) -> Settings:
    """Settings whose stores lie in a folder."""
    return Settings(
        feed_url=url,
        lake=folder / "lake",
        ledger_url=f"sqlite:///{folder / 'ledger.db'}",
        mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        code_version="test",
        **changed,
    )


@contextmanager
def running_feed(variables: Mapping[str, str]) -> Iterator[str]:
    """The real feed on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"APPRAISER_FEED_PORT": str(port), "APPRAISER_FEED_ROWS": "600"} | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "appraiser_feed"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the feed ended by itself"
        try:
            httpx.get(f"{url}/health", timeout=2, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the feed did not come up")
