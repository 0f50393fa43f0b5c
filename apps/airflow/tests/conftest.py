"""A pipeline over stores of its own, a batch that was landed, and the real feed."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from pipeline_stand import Land, Row, running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_schema import Batch


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A pipeline over empty stores and without a source."""
    context = Context(settings_in(tmp_path))
    yield context
    context.close()


@pytest.fixture
def land(context: Context) -> Land:
    """Lands rows as the body of a batch, as the fetch does."""

    def of(batch_number: int, listings: Sequence[Row]) -> Batch:
        body = {"group_number": 1, "day": "Tuesday", "batch_number": batch_number, "data": listings}
        landed = context.landing.land([json.dumps(body).encode()])
        batch = Batch(
            source="made",
            group_number=1,
            day="Tuesday",
            batch_number=batch_number,
            digest=landed.digest,
            size_bytes=landed.size_bytes,
            received_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
            simulated=False,
            landing_path=landed.path,
        )
        context.ledger.save_batch(batch)
        return batch

    return of


@pytest.fixture(scope="session")
def shared_feed() -> Iterator[str]:
    """Address of a feed over 600 simulated listings."""
    with running_feed({}) as url:
        yield url


@pytest.fixture
def feed(shared_feed: str) -> str:
    """Address of a feed whose cursors are at the first batch."""
    parameters = {"group_number": 1, "day": "Tuesday"}
    httpx.get(f"{shared_feed}/restart_data_generation", params=parameters, trust_env=False).raise_for_status()
    return shared_feed
