"""Made-up listings, files of them, and the application on a free port."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import uvicorn

from appraiser_feed.app import create_app
from appraiser_feed.feed import Feed, open_feed
from appraiser_feed.main import configuration
from appraiser_feed.settings import Settings

LISTING: dict[str, Any] = {
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

ONE_PER_BATCH: list[dict[str, Any]] = [
    {"price": 500_001.0},
    {"house_size": 1500.0},
    {"price": 300_001.0},
    {"status": "sold"},
    {"house_size": 1499.0},
    {"state": "Massachusetts", "city": "Agawam", "zip_code": 1001.0},
]
"""Changes to `LISTING` that put one row into each batch of the plan, not in the order of the plan."""

type Table = Callable[..., pl.DataFrame]
type Serve = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def table() -> Table:
    """Build a table with the example listing, once per set of changes."""

    def build(*changes: dict[str, Any]) -> pl.DataFrame:
        return pl.DataFrame([LISTING | change for change in changes], infer_schema_length=None)

    return build


@pytest.fixture
def listing_file(tmp_path: Path, table: Table) -> Path:
    """Give a file with one row per batch of the plan."""
    path = tmp_path / "listings.csv"
    table(*ONE_PER_BATCH).write_csv(path)
    return path


@contextmanager
def served(feed: Feed) -> Iterator[httpx.Client]:
    """Run the application as the command does, in a thread, and give a client of it."""
    server = uvicorn.Server(configuration(create_app(feed)))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start applications with the given feed or settings; all end with the test."""
    with ExitStack() as stack:

        def start(feed: Feed | None = None, **settings: Any) -> httpx.Client:
            return stack.enter_context(served(feed or open_feed(Settings(**settings))))

        yield start
