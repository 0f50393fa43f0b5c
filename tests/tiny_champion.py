"""A made-up market and a model trained on it in a second, for the tests of whatever serves or reads models."""

import datetime as dt
from typing import Any, Final

import numpy as np
import polars as pl

from appraiser_model import Bundle, Card, Registry, TrainingConfig, train
from appraiser_schema import Alias, MoveKind

PLACES: Final = (
    ("Connecticut", "East Windsor", "06016", 200.0),
    ("Connecticut", "Hartford", "06103", 150.0),
    ("Massachusetts", "Boston", "02108", 700.0),
    ("Massachusetts", "Agawam", "01001", 190.0),
    ("Texas", "Houston", "77002", 160.0),
    ("Texas", "Houston", "77005", 300.0),
    ("Puerto Rico", "Aguada", "00602", 90.0),
)
"""State, city, zip code and price per square foot of the market."""

STATUSES: Final = ("for_sale", "sold", "ready_to_build")
CONFIG: Final = TrainingConfig(max_rounds=20, max_depth=4, threads=1)


def build_market(rows: int = 400, seed: int = 0, batch_number: int = 0) -> pl.DataFrame:
    """Clean listings in a few real places, with the columns of the lake's table clean.listings; some are unknown."""
    rng = np.random.default_rng(seed)
    size = rng.integers(500, 4000, rows).astype(float)
    splits = rng.choice(["train", "validation", "test"], rows, p=[0.7, 0.15, 0.15])
    return pl.DataFrame([_row(i, size[i], str(splits[i]), rng) for i in range(rows)], infer_schema_length=None).select(
        pl.lit(batch_number, pl.Int64).alias("batch_number"),
        pl.int_range(1, rows + 1, dtype=pl.Int64).alias("row_number"),
        pl.Series("row_hash", rng.integers(0, 2**62, rows)),
        pl.all(),
    )


def _row(index: int, size: float, split: str, rng: np.random.Generator) -> dict[str, Any]:
    state, city, zip_code, per_sqft = PLACES[index % len(PLACES)]
    unknown = rng.random(4) < 0.2
    sold = dt.date(1980, 1, 1) + dt.timedelta(days=int(rng.integers(0, 15_000)))
    return {
        "split": split,
        "brokered_by": "1",
        "status": STATUSES[int(rng.integers(0, 3))],
        "price": round(size * per_sqft * float(rng.uniform(0.8, 1.25)), 2),
        "bed": None if unknown[0] else float(np.ceil(size / 700)),
        "bath": float(np.ceil(size / 1000)),
        "acre_lot": None if unknown[1] else round(float(rng.uniform(0, 2)), 2),
        "street": str(index),
        "city": city,
        "state": state,
        "zip_code": zip_code,
        "house_size": None if unknown[2] else size,
        "prev_sold_date": None if unknown[3] else sold,
    }


def train_tiny(seed: int = 0, batch_number: int = 0) -> Bundle:
    """A bundle with a model of a few trees. Another seed is another market and so another model."""
    market = build_market(seed=seed, batch_number=batch_number)
    rows = {name: market.filter(pl.col("split") == name) for name in ("train", "validation")}
    model = train(rows["train"], rows["validation"], CONFIG)
    card = Card.of(
        model,
        rows["train"],
        config=CONFIG,
        source="made-up market",
        simulated_data=True,
        batch_number=batch_number,
        snapshot_id=seed + 1,
    )
    return Bundle(model, card)


def promote(registry: Registry, version: int) -> None:
    """Make a version the champion."""
    registry.move(Alias.CHAMPION, version, kind=MoveKind.MANUAL, who="test", why="test")
