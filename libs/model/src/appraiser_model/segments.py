"""How models do on parts of the test listings: a better average must not hide a worse part."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from appraiser_model.metrics import measure
from appraiser_model.valuation import Appraised
from appraiser_schema import SegmentScore

BANDS_USD: Final = (100_000, 200_000, 300_000, 500_000, 1_000_000)
"""Bounds of the price bands; a price on a bound belongs to the band above it."""

type Kind = Literal["batch", "state", "price_band"]


def segment_scores(
    test: pl.DataFrame, challenger: Appraised | ArrayLike, champion_usd: ArrayLike | None = None
) -> tuple[SegmentScore, ...]:
    """Errors, and coverage of the interval, by batch, by state and by band of the true price.

    Args:
        test: Clean listings with batch_number, state and price.
        challenger: Appraisals of one model; prices alone [USD], shape (n,), have no coverage.
        champion_usd: Appraisals of the other; None where there is no champion.

    Returns:
        The parts that have listings: batches by number, states by name, price bands from below.
    """
    unknown = pl.lit(None, pl.Float64)
    champion = unknown if champion_usd is None else _series(champion_usd)
    ours = _series(challenger.price_usd if isinstance(challenger, Appraised) else challenger)
    scored = test.select(
        pl.col("batch_number").alias("batch"),
        pl.col("state"),
        pl.Series("price_band", np.searchsorted(BANDS_USD, test["price"].to_numpy(), side="right")),
        challenger_mae=(ours - pl.col("price")).abs(),
        champion_mae=(champion - pl.col("price")).abs(),
        challenger_mdape=(ours / pl.col("price") - 1).abs() * 100,
        challenger_coverage=_inside(challenger) * 100 if isinstance(challenger, Appraised) else unknown,
    )
    return (*_by("batch", scored), *_by("state", scored), *_by("price_band", scored))


def ratio_studies(test: pl.DataFrame, appraised: Appraised) -> pl.DataFrame:
    """Every figure of `measure` for all test listings and for each part of them.

    Args:
        test: Clean listings with batch_number, state and price.
        appraised: Appraisals of one model, in the same order.

    Returns:
        kind ('all', 'batch', 'state' or 'price_band'), name, rows, and a column per figure; the parts in the order of
        `segment_scores`, after the whole. Figures of a part with few rows are as uncertain as its rows are few.
    """
    price = test["price"].to_numpy()
    rows = [{"kind": "all", "name": "all", "rows": test.height} | measure(price, appraised)]
    for kind, name, part in _parts(test):
        some = Appraised(appraised.price_usd[part], appraised.lower_usd[part], appraised.upper_usd[part])
        rows.append({"kind": kind, "name": name, "rows": len(part)} | measure(price[part], some))
    return pl.DataFrame(rows)


def _parts(test: pl.DataFrame) -> Iterator[tuple[Kind, str, np.ndarray]]:
    """Kind, name and row indices of every part."""
    columns = {
        "batch": test["batch_number"],
        "state": test["state"],
        "price_band": pl.Series(np.searchsorted(BANDS_USD, test["price"].to_numpy(), side="right")),
    }
    kinds: tuple[Kind, ...] = ("batch", "state", "price_band")
    for kind in kinds:
        grouped = pl.DataFrame({"key": columns[kind]}).with_row_index().group_by("key").agg("index").sort("key")
        for key, index in grouped.iter_rows():
            yield kind, band_name(key) if kind == "price_band" else str(key), np.array(index)


def band_name(band: int) -> str:
    """Name of a price band, such as '300,000 to 500,000 USD'."""
    if band == 0:
        return f"below {BANDS_USD[0]:,} USD"
    if band == len(BANDS_USD):
        return f"from {BANDS_USD[-1]:,} USD"
    return f"{BANDS_USD[band - 1]:,} to {BANDS_USD[band]:,} USD"


def _inside(appraised: Appraised) -> pl.Expr:
    return pl.col("price").is_between(_series(appraised.lower_usd), _series(appraised.upper_usd)).cast(pl.Float64)


def _series(values: ArrayLike) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64))


def _by(kind: Kind, scored: pl.DataFrame) -> list[SegmentScore]:
    parts = scored.group_by(kind).agg(
        pl.len().alias("rows"),
        pl.col("challenger_mae", "champion_mae", "challenger_coverage").mean(),
        pl.col("challenger_mdape").median(),
    )
    return [
        SegmentScore(
            kind=kind,
            name=band_name(part[kind]) if kind == "price_band" else str(part[kind]),
            rows=part["rows"],
            challenger_mae=part["challenger_mae"],
            champion_mae=part["champion_mae"],
            challenger_mdape=part["challenger_mdape"],
            challenger_coverage=part["challenger_coverage"],
        )
        for part in parts.sort(kind).to_dicts()
    ]
