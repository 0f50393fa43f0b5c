"""A small market, and a model trained on it."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from appraiser_model import Bundle, Card, TrainingConfig, ValuationModel, measure, train
from appraiser_schema.frames import to_columns

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

CONFIG = TrainingConfig(max_rounds=60, patience=10, max_depth=4, threads=1)


@dataclass(frozen=True)
class Market:
    """Clean listings, divided."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame


def build_listings(rows: int, seed: int) -> pl.DataFrame:
    """Clean listings of a market in a few real places; some values are unknown."""
    rng = np.random.default_rng(seed)
    places = [PLACES[i] for i in rng.integers(0, len(PLACES), rows)]
    size = rng.integers(500, 4000, rows).astype(float)
    price = size * [place[3] for place in places] * np.exp(rng.normal(0, 0.2, rows))
    sold = [dt.date(2000, 1, 1) + dt.timedelta(days=days) for days in rng.integers(0, 8000, rows).tolist()]
    return pl.DataFrame(
        {
            "batch_number": rng.integers(0, 3, rows),
            "row_number": np.arange(1, rows + 1),
            "row_hash": rng.integers(0, 2**63 - 1, rows),
            "split": ["train"] * rows,
            "brokered_by": ["1"] * rows,
            "status": [("for_sale", "sold", "ready_to_build")[i] for i in rng.integers(0, 3, rows).tolist()],
            "price": price.clip(10_000, 5_000_000).round(),
            "bed": np.ceil(size / 700),
            "bath": np.ceil(size / 1000),
            "acre_lot": [None if rng.random() < 0.2 else round(rng.uniform(0, 2), 2) for _ in range(rows)],
            "street": ["1"] * rows,
            "city": [place[1] for place in places],
            "state": [place[0] for place in places],
            "zip_code": [None if rng.random() < 0.1 else place[2] for place in places],
            "house_size": [None if rng.random() < 0.2 else value for value in size.tolist()],
            "prev_sold_date": [None if rng.random() < 0.3 else day for day in sold],
        }
    )


def build_bundle(model: ValuationModel, market: Market, batch_number: int = 2) -> Bundle:
    """A model with its card."""
    columns = to_columns(market.validation)
    card = Card.of(
        model,
        market.train,
        config=CONFIG,
        source="market.csv",
        simulated_data=True,
        batch_number=batch_number,
        snapshot_id=7_000_000_000_000_000_000,
        code_version="abc",
        metrics=measure(market.validation["price"], model.appraise(columns)),
    )
    return Bundle(model, card)


@pytest.fixture(scope="session")
def market() -> Market:
    """Listings to train on, to stop and calibrate by, and to test with."""
    listings = build_listings(3000, seed=1)
    return Market(listings[:1500], listings[1500:2500], listings[2500:])


@pytest.fixture(scope="session")
def config() -> TrainingConfig:
    """Few and small trees."""
    return CONFIG


@pytest.fixture(scope="session")
def model(market: Market, config: TrainingConfig) -> ValuationModel:
    """Trained on the market."""
    return train(market.train, market.validation, config)


@pytest.fixture(scope="session")
def bundle(model: ValuationModel, market: Market) -> Bundle:
    """The model with its card."""
    return build_bundle(model, market)
