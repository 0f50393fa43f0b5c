"""How good the valuations are: the original's recipe and ours, side by side on the same listings and folds."""

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import own_split
import polars as pl
from numpy.typing import NDArray
from quality_report import render

from appraiser_features import FEATURES, FeatureError, FeatureGroup
from appraiser_model import Appraised, ModelError, TrainingConfig, measure, train
from appraiser_model.engine import xgboost
from appraiser_model.segments import BANDS_USD, band_name
from appraiser_model.shares import share
from appraiser_pipeline.splitting import hash_rows
from appraiser_schema import RAW_COLUMNS, SchemaError
from appraiser_schema.frames import ROW_NUMBER, check_clean, check_raw, coerce, normalise, to_columns
from appraiser_schema.listing import PRICE_CEILING_USD, PRICE_FLOOR_USD

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDS: Final = 5
SEED: Final = 1
LEAST_LISTINGS: Final = 300
"""Fewer leave too few to calibrate an interval on, in some folds."""

LEAST_IN_SEGMENT: Final = 200
"""Of fewer listings, a coverage of 90 % is off by more than 2 points (one standard error) by chance alone."""

MEASURES: Final = ("bed", "bath", "acre_lot", "house_size")
"""All that the original's recipe knows of a house; a listing that states them all is called complete."""

ORIGINAL: Final = {
    "n_estimators": 200,
    "learning_rate": 0.08,
    "max_depth": 6,
    "subsample": 0.9,
    "colsample_bytree": 0.9,
    "random_state": 31_102_025,
}
"""The original's parameters, by the names of `xgboost.XGBRegressor`."""

CONFIG: Final = TrainingConfig()
VALIDATION_SALT: Final = 9
"""Not one of the salts by which training divides its rows again."""

type Floats = NDArray[np.float64]
type Recipe = Callable[[pl.DataFrame, pl.DataFrame], Appraised]
"""From the listings of four folds, and those of the fifth, to appraisals of the fifth."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The listings that both recipes are measured on.

    Attributes:
        name: Name of the file.
        listings: Listings within the span of prices, in the order of the file, no two alike; with row_hash, and
            usable: false where the schema would refuse one, such as for 102 bedrooms in one house.
    """

    name: str
    listings: pl.DataFrame

    @property
    def price_usd(self) -> Floats:
        """True prices, shape (n,), in USD."""
        return self.listings["price"].to_numpy()

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which listings state all of `MEASURES`, shape (n,)."""
        known = self.listings.select(pl.all_horizontal(pl.col(MEASURES).is_not_null()))
        return known.to_series().to_numpy()


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Every listing, appraised by a model that has not seen it.

    Attributes:
        appraised: In the order of the listings; a recipe without intervals gives NaN as their bounds.
        seconds: How long training and appraising took, over all folds.
    """

    appraised: Appraised
    seconds: float


def read_sample(path: Path) -> Sample:
    """Read a CSV or Parquet file and keep what can be measured on.

    Raises:
        ShapeError: It lacks columns of a listing.
        PolarsError: It is no table.
    """
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    typed = coerce(frame, extra_ok=True).good
    priced = typed.filter(pl.col("price").is_between(PRICE_FLOOR_USD, PRICE_CEILING_USD))
    distinct = priced.unique(RAW_COLUMNS, keep="first", maintain_order=True)
    # Two rows may have differed in a blank only.
    listings = normalise(check_raw(distinct).good).unique(RAW_COLUMNS, keep="first", maintain_order=True)
    refused = check_clean(listings).failures[ROW_NUMBER]
    usable = ~listings[ROW_NUMBER].is_in(refused.implode())
    return Sample(path.name, listings.with_columns(usable.alias("usable"), hash_rows(listings)).drop(ROW_NUMBER))


def divide(rows: int) -> NDArray[np.int64]:
    """Which fold each row is held out in, shape (n,): the folds of scikit-learn's shuffled `KFold` with this seed."""
    order = np.arange(rows)
    np.random.RandomState(SEED).shuffle(order)
    fold = np.empty(rows, dtype=np.int64)
    for number, members in enumerate(np.array_split(order, FOLDS)):
        fold[members] = number
    return fold


def original(train_listings: pl.DataFrame, held_out: pl.DataFrame) -> Appraised:
    """The original's recipe: four measures, medians of the training listings where they are unknown, raw prices."""
    medians = [pl.col(name).fill_null(train_listings[name].median()) for name in MEASURES]
    regressor = xgboost().XGBRegressor(**ORIGINAL, n_jobs=CONFIG.threads)
    regressor.fit(train_listings.select(medians).to_numpy(), train_listings["price"].to_numpy())
    price = regressor.predict(held_out.select(medians).to_numpy()).astype(np.float64)
    unknown = np.full_like(price, np.nan)
    return Appraised(price, unknown, unknown)


def ours(train_listings: pl.DataFrame, held_out: pl.DataFrame) -> Appraised:
    """Our recipe as the pipeline trains it: on what the schema lets through, 15 of 85 to validate, by their hash."""
    usable = train_listings.filter("usable")
    validates = share(usable["row_hash"].to_numpy(), 17, VALIDATION_SALT) < 3
    model = train(usable.filter(~validates), usable.filter(validates), CONFIG)
    return model.appraise(to_columns(held_out))


def cross_validate(name: str, listings: pl.DataFrame, recipe: Recipe) -> Result:
    """Appraise every listing by a model of the other folds. Tells on the error output how far it is."""
    fold = divide(listings.height)
    out = np.empty((3, listings.height))
    began = time.perf_counter()
    for number in range(FOLDS):
        sys.stderr.write(f"{name}: fold {number + 1} of {FOLDS}\n")
        held_out = fold == number
        found = recipe(listings.filter(~held_out), listings.filter(held_out))
        out[:, held_out] = found.price_usd, found.lower_usd, found.upper_usd
    return Result(Appraised(*out), time.perf_counter() - began)


def figures(price_usd: Floats, appraised: Appraised) -> dict[str, float | None]:
    """What `appraiser_model.measure` says; None where a figure cannot be taken."""
    # A recipe may appraise a house at less than nothing, of which there is no logarithm.
    with np.errstate(invalid="ignore"):
        measured = measure(price_usd, appraised)
    if np.isnan(appraised.lower_usd).all():
        del measured["coverage"], measured["interval_width"]
    return {name: value if math.isfinite(value) else None for name, value in measured.items()}


def both(sample: Sample, result: Result) -> dict[str, Any]:
    """Figures over all listings and over the complete ones."""
    parts = {"all": np.ones(sample.listings.height, dtype=bool), "complete": sample.complete}
    scored = {name: figures(sample.price_usd[rows], _only(result.appraised, rows)) for name, rows in parts.items()}
    return {**scored, "seconds": round(result.seconds, 1)}


def coverage(sample: Sample, appraised: Appraised) -> dict[str, Any]:
    """Percentage of prices inside the interval, over all and by segment; and its width beside that of plain ones.

    Bands are of the true price, which nobody knows before the sale: a house that went for far more than houses like
    it stands in a high band because it was appraised too low.
    """
    price = sample.price_usd
    inside = (price >= appraised.lower_usd) & (price <= appraised.upper_usd)
    width = (appraised.upper_usd - appraised.lower_usd) / appraised.price_usd
    band = np.searchsorted(BANDS_USD, price, side="right")
    bands = _segments(inside, width, band, band_name)
    states = _segments(inside, width, sample.listings["state"].to_numpy(), str)
    known = figures(price, appraised)
    return {
        "overall": known["coverage"],
        "worst_band": _worst(bands),
        "worst_state": _worst(states),
        "median_width": known["interval_width"],
        "bands": bands,
        "states": states,
        "plain": {
            name: _plain(price, appraised, relative=relative) for name, relative in (("usd", False), ("percent", True))
        },
    }


def _segments(
    inside: NDArray[np.bool_], width: Floats, segment: NDArray[Any], name: Callable[[Any], str]
) -> list[dict[str, Any]]:
    counted = [(value, segment == value) for value in np.unique(segment)]
    return [
        {
            "name": name(value),
            "rows": int(rows.sum()),
            "coverage": float(inside[rows].mean()) * 100,
            "width": float(np.median(width[rows])) * 100,
        }
        for value, rows in counted
        if rows.sum() >= LEAST_IN_SEGMENT
    ]


def _worst(segments: Sequence[Mapping[str, Any]]) -> float | None:
    return min((segment["coverage"] for segment in segments), default=None)


def _plain(price_usd: Floats, appraised: Appraised, *, relative: bool) -> dict[str, Any]:
    """The interval without any thought: for every house the same residual, in dollars or as a ratio to the appraisal.

    The residual is the quantile of those of the other folds, so that no listing has a part in its own interval.
    """
    estimate = appraised.price_usd
    miss = np.abs(np.log(price_usd / estimate)) if relative else np.abs(price_usd - estimate)
    fold = divide(len(miss))
    half = np.array([np.quantile(miss[fold != number], CONFIG.coverage) for number in range(FOLDS)])[fold]
    bounds = (estimate * np.exp(-half), estimate * np.exp(half)) if relative else (estimate - half, estimate + half)
    inside = (price_usd >= bounds[0]) & (price_usd <= bounds[1])
    width = (bounds[1] - bounds[0]) / estimate
    bands = _segments(inside, width, np.searchsorted(BANDS_USD, price_usd, side="right"), band_name)
    known = figures(price_usd, Appraised(estimate, *bounds))
    return {
        "overall": known["coverage"],
        "worst_band": _worst(bands),
        "median_width": known["interval_width"],
    }


def without(listings: pl.DataFrame, group: FeatureGroup) -> pl.DataFrame:
    """Hide the fields that a group of features comes from: unknown, or the commonest value where one must be known."""
    fields = sorted({feature.listing_field for feature in FEATURES if feature.group is group})
    hidden = {name: listings[name].mode().sort()[0] if name in ("state", "status") else None for name in fields}
    return listings.with_columns(
        pl.lit(value, dtype=listings.schema[name]).alias(name) for name, value in hidden.items()
    )


def ablate(sample: Sample, everything: Result) -> list[dict[str, Any]]:
    """Figures of our recipe when one group of features is left out at a time."""
    rows = [{"without": "nothing", **both(sample, everything)}]
    for group in FeatureGroup:
        result = cross_validate(f"ours without {group}", without(sample.listings, group), ours)
        rows.append({"without": group.value, **both(sample, result)})
    return rows


def compare(sample: Sample, *, ablation: bool, own: Path | None) -> dict[str, Any]:
    """The whole report, as JSON values; percent as percent.

    Args:
        sample: What is measured on.
        ablation: Whether groups of features are left out as well.
        own: Folder of the original's own split, where that is measured as well.
    """
    theirs = cross_validate("original", sample.listings, original)
    mine = cross_validate("ours", sample.listings, ours)
    report = {
        "data": {
            "name": sample.name,
            "listings": sample.listings.height,
            "complete": int(sample.complete.sum()),
            "refused": int((~sample.listings["usable"]).sum()),
            "folds": FOLDS,
            "seed": SEED,
        },
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "xgboost": xgboost().__version__},
        "original": both(sample, theirs),
        "ours": both(sample, mine),
        "coverage": coverage(sample, mine.appraised),
    }
    if own:
        sys.stderr.write("the original's own split\n")
        report["own_split"] = own_split.compare(own, original, figures, CONFIG)
    return {**report, "ablation": ablate(sample, mine)} if ablation else report


def _only(appraised: Appraised, rows: NDArray[np.bool_]) -> Appraised:
    return Appraised(appraised.price_usd[rows], appraised.lower_usd[rows], appraised.upper_usd[rows])


def _sample_folder() -> Path:
    return (ROOT / os.environ.get("APPRAISER_SAMPLE_DATA", "../shared/data")).resolve()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="appraiser bench quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for programs instead of tables")
    parser.add_argument("--data", type=Path, metavar="FILE", help="CSV or Parquet file; the sample data by default")
    parser.add_argument("--ablation", action="store_true", help="also leave out one group of features at a time")
    parser.add_argument("--original", action="store_true", help="also on the original's own split, four features only")
    parsed = parser.parse_args(arguments)
    parsed.data = parsed.data or _sample_folder() / "listings" / "us_sample.csv"
    if not parsed.data.is_file():
        parser.error(
            f"there is no data file {str(parsed.data)!r}; name a CSV or Parquet file of listings with --data FILE, "
            "or set APPRAISER_SAMPLE_DATA to the folder of the sample data"
        )
    parsed.own = _sample_folder() / "original" if parsed.original else None
    if parsed.own and not own_split.available(parsed.own):
        parser.error(
            f"the original's own split is not in {str(parsed.own)!r}; leave --original out, or set "
            "APPRAISER_SAMPLE_DATA to the folder of the sample data"
        )
    return parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        Exit code: 1 where the file is no good. Wrong usage ends the process with 2.
    """
    parsed = _arguments(arguments)
    try:
        sample = read_sample(parsed.data)
        if (usable := int(sample.listings["usable"].sum())) < LEAST_LISTINGS:
            return _fail(
                f"{sample.name} has {usable} usable listings, and {LEAST_LISTINGS} are needed; "
                "bring a larger file, or see './appraiser check-data FILE' for why others are refused."
            )
        report = compare(sample, ablation=parsed.ablation, own=parsed.own)
    except (SchemaError, FeatureError, ModelError, pl.exceptions.PolarsError) as error:
        return _fail(str(error))
    sys.stdout.write(json.dumps(report, indent=2, allow_nan=False) + "\n" if parsed.json else render(report))
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"appraiser bench quality: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
