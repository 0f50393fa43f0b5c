"""The one idea of the product: training and serving cannot disagree.

Any listing, through the API as JSON or through the pipeline as a row of a batch, has the same price, bit for bit.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running_api import serves, wait_for
from starlette.testclient import TestClient
from tiny_champion import train_tiny

from appraiser_api.cache import ModelCache, Pointer
from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Appraised, Bundle
from appraiser_schema import STATES, ModelVersion, Status
from appraiser_schema.frames import check_clean, check_raw, coerce, normalise, to_columns

REST = {"brokered_by": 101640.0, "price": 289900.0, "street": 1758218.0}
"""What a row of a batch has and a house that is asked about has not."""

KNOWN_CITIES = st.sampled_from(["Boston", "houston", " Hartford ", "Aguada"])
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
LISTINGS = st.fixed_dictionaries(
    {
        "status": st.sampled_from([status.value for status in Status]),
        "bed": st.none() | st.floats(0, 50) | st.just(-0.0),
        "bath": st.none() | st.floats(0, 50),
        "acre_lot": st.none() | st.floats(0, 10_000),
        "house_size": st.none() | st.floats(100, 50_000),
        "city": st.none() | KNOWN_CITIES | NAMES,
        "state": st.sampled_from(STATES),
        "zip_code": st.none() | st.integers(1, 99_999).map(float) | st.sampled_from([6016.0, 2108.0, 602.0]),
        "prev_sold_date": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)).map(str),
    }
)
TINY = 5e-324
SMALLEST = {
    "status": "sold", "bed": TINY, "bath": 50.0, "acre_lot": TINY, "house_size": 100.0,
    "city": None, "state": "Guam", "zip_code": 1.0, "prev_sold_date": "1900-01-01",
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """A model as the pipeline has it, in memory after training."""
    return train_tiny()


@pytest.fixture(scope="module")
def api(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API over the same model, read from its files."""
    folder = tmp_path_factory.mktemp("api")
    _keep(bundle, ModelCache(folder / "models"))
    settings = Settings(
        model_cache=folder / "models",
        ledger_url=f"sqlite:///{folder / 'ledger.db'}",
        tracking_uri=f"sqlite:///{folder / 'no-such-folder' / 'mlflow.db'}",
        poll_seconds=3600,
    )
    with TestClient(create_app(settings)) as client:
        wait_for(lambda: serves(client) == 1)
        yield client


def _keep(bundle: Bundle, cache: ModelCache) -> None:
    bundle.save(cache.root / bundle.digest)
    known = {name: value for name, value in bundle.card.to_dict().items() if name in ModelVersion.model_fields}
    facts = ModelVersion.model_validate({**known, "version": 1, "aliases": (), "run_id": "1"})
    cache.point_to(Pointer(digest=bundle.digest, facts=facts))


def through_the_pipeline(bundle: Bundle, rows: list[dict[str, Any]]) -> Appraised:
    """Appraise listings as rows of one batch."""
    raw = check_raw(coerce(pl.DataFrame([REST | row for row in rows], infer_schema_length=None)).good)
    clean = check_clean(normalise(raw.good))
    assert clean.good.height == len(rows)
    return bundle.model.appraise(to_columns(clean.good))


class TestAgreement:
    """API and pipeline."""

    @settings(deadline=None, max_examples=60)
    @given(st.lists(LISTINGS, min_size=1, max_size=5))
    @example([SMALLEST, SMALLEST | {"bed": -0.0}])
    def test_bit_for_bit(self, api: TestClient, bundle: Bundle, rows: list[dict[str, Any]]) -> None:
        """The price in the API's JSON, and both bounds of its interval, are those of the row in a batch, to the bit."""
        batch = through_the_pipeline(bundle, rows)
        for i, row in enumerate(rows):
            answer = api.post("/predict", json=row)
            assert answer.status_code == 200, answer.text
            interval = answer.json()["interval"]
            served = (answer.json()["price_usd"], interval["lower_usd"], interval["upper_usd"])
            assert served == (batch.price_usd[i], batch.lower_usd[i], batch.upper_usd[i])
