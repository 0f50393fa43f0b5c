"""Training: from clean listings to a valuation model."""

import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from appraiser_model.boosting import EXTERNAL_ROWS, boost, cache_below
from appraiser_model.config import TrainingConfig
from appraiser_model.domain import Domain
from appraiser_model.engine import predict_margin
from appraiser_model.errors import TrainingError
from appraiser_model.gaps import COPIED, without_gaps
from appraiser_model.inputs import Inputs
from appraiser_model.interval import ConformalInterval, Held, kinds_of, least_rows
from appraiser_model.kept import Gathered, Pages
from appraiser_model.metrics import measure
from appraiser_model.trees import Trees
from appraiser_model.valuation import Appraised, TrainingLog, ValuationModel, to_usd
from appraiser_schema import Split

type Chunks = Iterable[tuple[Split, pl.DataFrame]]
"""Clean listings of the splits train and validation, with the columns price [USD, > 0] and row_hash beside those of a
listing."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came of a training.

    Attributes:
        model: The model.
        metrics: On the validation listings, as `measure` gives them, without those of the interval: half of the
            listings calibrated it. The other half said when to stop.
        inputs: What the training listings look like.
    """

    model: ValuationModel
    metrics: dict[str, float]
    inputs: Inputs


def train(train: pl.DataFrame, validation: pl.DataFrame, config: TrainingConfig | None = None) -> ValuationModel:
    """Train a model on listings that fit into memory, as `train_from` does.

    Args:
        train: Clean listings, with the columns price [USD, > 0] and row_hash beside those of a listing.
        validation: Other clean listings, from the same snapshot.
        config: How to train. The same rows and configuration give the same model, byte for byte.

    Raises:
        TrainingError: There are too few listings, a price is not above 0, or a listing is in both tables.
    """
    return train_from([(Split.TRAIN, train), (Split.VALIDATION, validation)], config).model


def train_from(
    chunks: Chunks,
    config: TrainingConfig | None = None,
    folder: Path | None = None,
    external_rows: int = EXTERNAL_ROWS,
) -> Trained:
    """Train a model on listings that come chunk by chunk. How they are cut changes nothing, their order does.

    They are read once and kept small on disk until XGBoost asks for their features, page by page. So memory holds the
    bins, a byte or so for each feature, and a page; above `external_rows` not even the bins.

    Half of the validation listings, by their hash, say when to stop; the other half calibrates the interval. Were it
    the same half, the model would have been chosen to fit it and the interval would be too narrow.

    Args:
        chunks: The listings.
        config: How to train. The same rows and configuration give the same model, byte for byte.
        folder: Where the disk is used, 62 bytes a listing, and while XGBoost looks for bins 120 more, for copies with
            gaps too; None is the system's folder for such files. Nothing is left there.
        external_rows: Of more rows, copies with gaps among them, the bins too are kept on disk: slower by a fifth, to
            the same trees.

    Raises:
        TrainingError: There are too few listings, a price is not above 0, or a listing is in both splits.
    """
    config = config or TrainingConfig()
    started = time.perf_counter()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    gathered = Gathered(config, folder)
    for split, frame in chunks:
        gathered.add(split, frame)
    _check(gathered, config)
    encoder, rows = gathered.fit.finish()
    fields = without_gaps(gathered.fit.rows)
    counted = {"status": gathered.fit.rows.count_statuses(), "state": encoder.listings_by_state}
    inputs = Inputs.measured(gathered.fit.rows.number, counted, len(rows))
    domain = Domain.measured(gathered.fit.rows.number, gathered.train.price_usd())
    centre = float(np.median(np.log(gathered.train.price_usd())))
    pages = Pages(rows, gathered.train, fields, copies="some")
    stopping, calibration = (
        Pages(encoder.encode(listings), prices) for listings, prices in (gathered.stopping, gathered.calibration)
    )
    many = len(rows) * (1 + 1 / COPIED if fields else 1) > external_rows
    with cache_below(folder) if many else nullcontext() as cache:
        booster, curve = boost(pages, stopping, centre, config, folder=folder, cache_folder=cache)
    stopped, unseen = _held(booster, centre, stopping), _held(booster, centre, calibration)
    gaps = Pages(stopping.rows, stopping.prices, fields, copies="all")
    usual = _held(booster, centre, gaps) if fields else stopped
    interval = ConformalInterval.calibrate(usual, unseen, config.coverage)
    metrics = _measured(stopped, unseen)
    log = TrainingLog(time.perf_counter() - started, len(rows), len(stopping.rows), len(calibration.rows), curve)
    return Trained(ValuationModel(encoder, Trees.trained(booster), centre, interval, domain, log), metrics, inputs)


def _check(gathered: Gathered, config: TrainingConfig) -> None:
    train, stopping, calibration = gathered.train, gathered.stopping[1], gathered.calibration[1]
    least = least_rows(config.coverage)
    if len(train) < 2 * config.folds or len(stopping) < 1 or len(calibration) < least:
        raise TrainingError(
            f"there are {len(train)} training listings, {len(stopping)} to stop by and {len(calibration)} to "
            f"calibrate the interval on, where {2 * config.folds}, 1 and {least} are needed; wait for more batches"
        )
    learned, validation = (
        pl.DataFrame({"row_hash": np.concatenate([part.row_hash() for part in parts])})
        for parts in ([train], [stopping, calibration])
    )
    if shared := validation.unique().join(learned, on="row_hash", how="semi").height:
        raise TrainingError(f"{shared} validation listings are training listings too, by their row_hash")


def _held(booster: Any, centre_log: float, pages: Pages) -> Held:
    prices, appraised, kinds = zip(*(_appraised(booster, centre_log, *page) for page in pages), strict=True)
    return Held(np.concatenate(prices), np.concatenate(appraised), np.concatenate(kinds))


def _appraised(booster: Any, centre_log: float, matrix: Any, price_usd: Any) -> tuple[Any, Any, Any]:
    return price_usd, to_usd(predict_margin(booster, matrix) + centre_log), kinds_of(matrix)


def _measured(*parts: Held) -> dict[str, float]:
    true, appraised = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("price_usd", "appraised_usd")
    )
    found = measure(true, Appraised(appraised, appraised, appraised))
    return {name: figure for name, figure in found.items() if name not in ("coverage", "interval_width")}
