"""Appraises the listings of a file with a registered model."""

from pathlib import Path
from typing import Final

import polars as pl

from appraiser_cli.errors import DataFileError, NotThereError, UsageError
from appraiser_cli.home import Home
from appraiser_cli.listing_file import read_listings
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_registry
from appraiser_model import ValuationModel
from appraiser_schema.frames import ROW_NUMBER, clean_unpriced, to_columns

ANSWERS: Final = ("price_usd", "lower_usd", "upper_usd", "problem")


def appraise_file(home: Home, settings: Settings, path: Path, out: Path, version: int | None) -> str:
    """Appraise a file and write the answers beside its columns.

    Args:
        home: State folder.
        settings: Where the registry is.
        path: CSV, Parquet or JSON file with listings.
        out: CSV or Parquet file to write.
        version: Which model; None is the champion.

    Returns:
        What was done, in one sentence.

    Raises:
        NotThereError: There is no champion yet.
    """
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"the output {str(out)!r} is neither .csv nor .parquet; give one of those.")
    frame = read_listings(path)
    registry = open_registry(home, settings)
    chosen = version or registry.champion()
    if chosen is None:
        raise NotThereError("there is no champion yet; take a batch with './appraiser pipeline run' first.")
    answers = appraise(registry.load(chosen, home.model_cache).model, frame)
    answered = frame.drop(*ANSWERS, strict=False).join(answers, on=ROW_NUMBER, how="left", maintain_order="left")
    _write(answered.drop(ROW_NUMBER), out)
    priced = answers["price_usd"].count()
    return f"appraised {priced:,} of {frame.height:,} rows with model {chosen}; the answers are in {out}"


def appraise(model: ValuationModel, frame: pl.DataFrame) -> pl.DataFrame:
    """Prices of numbered listings.

    Returns:
        row_number, price_usd, lower_usd, upper_usd [USD], and for a row without a price the problem with it.
    """
    clean = clean_unpriced(frame)
    appraised = model.appraise(to_columns(clean.good))
    prices = clean.good.select(ROW_NUMBER).with_columns(
        price_usd=pl.Series(appraised.price_usd, dtype=pl.Float64),
        lower_usd=pl.Series(appraised.lower_usd, dtype=pl.Float64),
        upper_usd=pl.Series(appraised.upper_usd, dtype=pl.Float64),
    )
    problems = (
        clean.failures.group_by(ROW_NUMBER)
        .agg(pl.format("{} must be {}, not {}", "column", "rule", pl.col("value").fill_null("nothing")).str.join("; "))
        .rename({"column": "problem"})
    )
    return pl.concat([prices, problems], how="diagonal").select(ROW_NUMBER, *ANSWERS)


def _write(frame: pl.DataFrame, out: Path) -> None:
    try:
        if out.suffix.lower() == ".parquet":
            frame.write_parquet(out)
        else:
            frame.write_csv(out)
    except OSError as error:
        raise DataFileError(out, f"cannot be written: {error.strerror or error}") from error
