"""The model as MLflow's python_function: raw listings in a pandas frame to prices and intervals."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from appraiser_model.bundle import Bundle
from appraiser_model.errors import ListingsError
from appraiser_model.valuation import ValuationModel
from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER, clean_unpriced, to_columns

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]


class HousePriceModel:
    """What `mlflow.pyfunc.load_model` and `mlflow models serve` call."""

    def __init__(self, model: ValuationModel) -> None:
        self._model = model

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> "pd.DataFrame":  # noqa: ARG002 - MLflow's signature
        """Appraise raw listings.

        Args:
            model_input: Columns by the names of the listing API. Missing columns and values are unknown, a missing
                status is for_sale; zip codes are numbers or text; further columns are not looked at.
            params: Not used.

        Returns:
            price_usd, lower_usd, upper_usd, with the index of the input.

        Raises:
            ListingsError: A row is no listing.
        """
        import pandas as pd  # noqa: PLC0415 - MLflow brings it; nothing else here needs it

        appraised = self._model.appraise(to_columns(clean_listings(_to_polars(model_input))))
        prices = {name: getattr(appraised, name) for name in ("price_usd", "lower_usd", "upper_usd")}
        return pd.DataFrame(prices, index=model_input.index)


def clean_listings(frame: pl.DataFrame) -> pl.DataFrame:
    """Clean raw listings without a price, by the doors that batches go through, refusing the table for one bad row.

    Args:
        frame: Columns of a listing in any types, as `appraiser_schema.frames.clean_unpriced` takes them.

    Raises:
        ListingsError: A row is no listing.
    """
    checked = clean_unpriced(frame)
    if checked.failures.is_empty():
        return checked.good
    rows = checked.failures.iter_rows(named=True)
    raise ListingsError(
        tuple(f"row {r[ROW_NUMBER]}: {r['column']} must be {r['rule']}, it is {r['value']!r}" for r in rows)
    )


def _to_polars(frame: "pd.DataFrame") -> pl.DataFrame:
    """Cell by cell, because a column of objects may hold numbers, texts, dates and several kinds of nothing."""
    return pl.DataFrame([_series(name, frame[name].tolist()) for name in LISTING_COLUMNS if name in frame.columns])


def _series(name: str, values: list[Any]) -> pl.Series:
    import pandas as pd  # noqa: PLC0415

    cells = [None if pd.isna(value) else value for value in values]
    if all(cell is None or isinstance(cell, int | float) for cell in cells):
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    texts = [None if c is None else c.isoformat()[:10] if hasattr(c, "isoformat") else str(c) for c in cells]
    return pl.Series(name, texts, dtype=pl.String)


def _load_pyfunc(path: str) -> HousePriceModel:
    """MLflow's entry point: `path` is the bundle's folder."""
    return HousePriceModel(Bundle.load(Path(path)).model)
