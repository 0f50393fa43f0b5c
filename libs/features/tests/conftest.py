"""A small market to learn from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appraiser_features import FeatureEncoder

type Market = tuple[dict[str, Any], NDArray[np.float64], NDArray[np.int64]]

PLACES = (
    ("Connecticut", "East Windsor", "06016", 200.0),
    ("Connecticut", "Hartford", "06103", 150.0),
    ("Massachusetts", "Boston", "02108", 700.0),
    ("Massachusetts", "Agawam", "01001", 190.0),
    ("Texas", "Houston", "77002", 160.0),
    ("Texas", "Houston", "77005", 300.0),
    ("Puerto Rico", "Aguada", "00602", 90.0),
)
"""State, city, zip code and price per square foot of the market."""


def build_market(rows: int = 210, seed: int = 0) -> Market:
    """Columns, prices and folds of a market in a few real places; some values are unknown."""
    rng = np.random.default_rng(seed)
    places = [PLACES[i % len(PLACES)] for i in range(rows)]
    house_size = rng.integers(500, 4000, rows).astype(float)
    prices = house_size * [place[3] for place in places] * rng.uniform(0.8, 1.25, rows)
    columns: dict[str, Any] = {
        "bed": np.ceil(house_size / 700),
        "bath": np.ceil(house_size / 1000),
        "acre_lot": np.where(rng.random(rows) < 0.2, np.nan, rng.uniform(0, 2, rows).round(2)),
        "house_size": np.where(rng.random(rows) < 0.2, np.nan, house_size),
        "prev_sold_date": np.where(rng.random(rows) < 0.3, np.nan, rng.integers(3650, 19000, rows)),
        "status": [("for_sale", "sold", "ready_to_build")[i] for i in rng.integers(0, 3, rows).tolist()],
        "state": [place[0] for place in places],
        "city": [place[1] for place in places],
        "zip_code": [place[2] for place in places],
    }
    return columns, prices, rng.integers(0, 5, rows)


@pytest.fixture(scope="session")
def market() -> Market:
    """The market that the encoder was fitted on."""
    return build_market()


@pytest.fixture(scope="session")
def encoder(market: Market) -> FeatureEncoder:
    """Fitted on the market."""
    return FeatureEncoder.fit(*market)[0]


@pytest.fixture(scope="session")
def reread(encoder: FeatureEncoder) -> FeatureEncoder:
    """The same encoder, written and read again."""
    return FeatureEncoder.from_json(encoder.to_json())


@pytest.fixture(scope="session")
def features(encoder: FeatureEncoder) -> Callable[..., dict[str, float]]:
    """Features by name of one listing, given what is known of it."""

    def of(**known: Any) -> dict[str, float]:
        listing: dict[str, Any] = {name: np.array([np.nan]) for name in ("bed", "bath", "acre_lot", "house_size")}
        listing |= {"prev_sold_date": np.array([np.nan]), "status": ["for_sale"]}
        listing |= {"state": [None], "city": [None], "zip_code": [None]}
        listing |= {
            name: [value] if isinstance(value, str) else np.array([value], dtype=float) for name, value in known.items()
        }
        return dict(zip(encoder.names, encoder.transform(listing)[0].tolist(), strict=True))

    return of
