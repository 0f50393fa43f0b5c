"""Training: from clean listings to a valuation model."""

import time
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_features import Columns, FeatureEncoder
from appraiser_model.config import TrainingConfig
from appraiser_model.domain import Domain
from appraiser_model.engine import alone, predict_margin, xgboost
from appraiser_model.errors import TrainingError
from appraiser_model.gaps import FROM_NUMBERS, blank, is_copied, without_gaps
from appraiser_model.interval import ConformalInterval, Held, kinds_of, least_rows
from appraiser_model.shares import share
from appraiser_model.trees import Trees
from appraiser_model.valuation import TrainingLog, ValuationModel, to_usd

FOLD_SALT: Final = 1
HALF_SALT: Final = 2

type Rows = tuple[NDArray[np.float32], NDArray[np.float64]]
"""Features, shape (n, k), and natural logarithms of the prices less their median, shape (n,)."""


def train(train: pl.DataFrame, validation: pl.DataFrame, config: TrainingConfig | None = None) -> ValuationModel:
    """Train a model.

    Half of the validation listings, by their hash, say when to stop; the other half calibrates the interval. Were it
    the same half, the model would have been chosen to fit it and the interval would be too narrow.

    Args:
        train: Clean listings, with the columns price [USD, > 0] and row_hash beside those of a listing.
        validation: Other clean listings, from the same snapshot.
        config: How to train. The same rows and configuration give the same model, byte for byte.

    Raises:
        TrainingError: There are too few listings, a price is not above 0, or a listing is in both tables.
    """
    config = config or TrainingConfig()
    started = time.perf_counter()
    stopping, calibration = _halve(validation)
    _check(train, stopping, calibration, config)
    columns, prices = _columns(train), _prices(train)
    encoder, matrix = FeatureEncoder.fit(
        columns, prices, share(train["row_hash"].to_numpy(), config.folds, FOLD_SALT), config.features
    )
    fields = without_gaps(columns)
    log_price = np.log(prices)
    centre = float(np.median(log_price))
    rows = _with_gaps((matrix, log_price - centre), columns, train["row_hash"].to_numpy(), encoder, fields)
    held_out = encoder.transform(_columns(stopping)), np.log(_prices(stopping)) - centre
    booster, curve = _boost(rows, held_out, encoder.names, config)
    usual = _held(booster, centre, *_usual_rows(stopping, encoder, fields))
    unseen = _held(booster, centre, encoder.transform(_columns(calibration)), _prices(calibration))
    interval = ConformalInterval.calibrate(usual, unseen, config.coverage)
    log = TrainingLog(time.perf_counter() - started, train.height, stopping.height, calibration.height, curve)
    return ValuationModel(encoder, Trees.trained(booster), centre, interval, Domain.of(columns, prices), log)


def _with_gaps(
    rows: Rows, columns: Columns, row_hash: NDArray[np.int64], encoder: FeatureEncoder, fields: tuple[str, ...]
) -> Rows:
    """Add copies of some training listings, in which some of these fields are unknown."""
    copied = is_copied(row_hash)
    if not fields or not copied.any():
        return rows
    matrix, log_price = rows
    copies = matrix[copied]
    # The place keeps its out-of-fold statistics; the encoder knows the prices of these very listings.
    copies[:, FROM_NUMBERS] = encoder.transform(blank(columns, row_hash, fields))[copied][:, FROM_NUMBERS]
    return np.concatenate([matrix, copies]), np.concatenate([log_price, log_price[copied]])


def _usual_rows(
    stopping: pl.DataFrame, encoder: FeatureEncoder, fields: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Features and prices of the listings that say when to stop and, where they have no gaps, of copies with some."""
    columns, price = _columns(stopping), _prices(stopping)
    matrix = encoder.transform(columns)
    if not fields:
        return matrix, price
    copies = encoder.transform(blank(columns, stopping["row_hash"].to_numpy(), fields))
    return np.concatenate([matrix, copies]), np.concatenate([price, price])


def _halve(validation: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    first = share(validation["row_hash"].to_numpy(), 2, HALF_SALT) == 0
    return validation.filter(first), validation.filter(~first)


def _check(train: pl.DataFrame, stopping: pl.DataFrame, calibration: pl.DataFrame, config: TrainingConfig) -> None:
    least = least_rows(config.coverage)
    if train.height < 2 * config.folds or stopping.height < 1 or calibration.height < least:
        raise TrainingError(
            f"there are {train.height} training listings, {stopping.height} to stop by and {calibration.height} to "
            f"calibrate the interval on, where {2 * config.folds}, 1 and {least} are needed; wait for more batches"
        )
    validation = pl.concat([stopping["row_hash"], calibration["row_hash"]])
    if shared := len(set(train["row_hash"].to_list()).intersection(validation.to_list())):
        raise TrainingError(f"{shared} validation listings are training listings too, by their row_hash")
    if not all((_prices(part) > 0).all() for part in (train, stopping, calibration)):
        raise TrainingError("a price is unknown or not above 0; keep such rows out of the clean table")


def _columns(frame: pl.DataFrame) -> Columns:
    # pandera takes two seconds to import and is of no use to those who only serve.
    from appraiser_schema.frames import to_columns  # noqa: PLC0415

    return to_columns(frame)


def _prices(frame: pl.DataFrame) -> NDArray[np.float64]:
    return frame["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _boost(
    train: Rows, stopping: Rows, names: tuple[str, ...], config: TrainingConfig
) -> tuple[Any, tuple[float, ...]]:
    """Grow trees until the validation error has stopped falling, and cut off those grown after its least value."""
    data = xgboost().QuantileDMatrix(*train, feature_names=list(names), nthread=config.threads)
    held_out = xgboost().QuantileDMatrix(*stopping, feature_names=list(names), nthread=config.threads, ref=data)
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost().train(
        config.booster_parameters(),
        data,
        config.max_rounds,
        evals=[(held_out, "validation")],
        early_stopping_rounds=config.patience,
        evals_result=history,
        verbose_eval=False,
    )
    # A prediction uses every tree there is, whatever the best iteration was.
    best = booster[: booster.best_iteration + 1]
    best.set_attr(best_iteration=None, best_score=None)
    return alone(best), tuple(history["validation"]["mae"])


def _held(booster: Any, centre_log: float, matrix: NDArray[np.float32], price_usd: NDArray[np.float64]) -> Held:
    return Held(price_usd, to_usd(predict_margin(booster, matrix) + centre_log), kinds_of(matrix))
