"""What the report is made of: both models on the same test rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from appraiser_model import Appraised, ValuationModel
from appraiser_model.segments import ratio_studies
from appraiser_schema import Evaluation
from appraiser_schema.frames import to_columns

type Floats = NDArray[np.float64]

EXPLAINED_ROWS: Final = 240
"""Test rows that are explained, evenly spread over the batches: enough for a mean, and a second of two cores."""


@dataclass(frozen=True, eq=False)
class Study:
    """Challenger and champion on the test rows.

    Attributes:
        evaluation: How they did, as stored.
        test: The test rows.
        model: The challenger.
        appraised: Its appraisals of the test rows.
        champion: The champion; None where there is none that can be used.
        champion_appraised: Its appraisals of the same rows.
        least_segment: Test rows that a part of the market needs to count in the promotion policy.
    """

    evaluation: Evaluation
    test: pl.DataFrame
    model: ValuationModel
    appraised: Appraised
    champion: ValuationModel | None
    champion_appraised: Appraised | None
    least_segment: int

    @property
    def price_usd(self) -> Floats:
        """True prices. [USD], shape (n,)."""
        price: Floats = self.test["price"].to_numpy()
        return price

    @property
    def title(self) -> str:
        """The version and its test rows, for the head of a picture."""
        return f"Version {self.evaluation.challenger_version}, {self.test.height:,} test listings"

    @cached_property
    def table(self) -> pl.DataFrame:
        """Ratio study of the whole and of every part; beside it the champion's, in columns that start so."""
        ours = ratio_studies(self.test, self.appraised)
        if self.champion_appraised is None:
            return ours
        theirs = ratio_studies(self.test, self.champion_appraised).drop("kind", "name", "rows")
        return ours.hstack(theirs.rename(lambda name: f"champion_{name}"))

    @cached_property
    def sample(self) -> pl.DataFrame:
        """The test rows that are explained."""
        rows = min(EXPLAINED_ROWS, self.test.height)
        return self.test[np.linspace(0, self.test.height - 1, rows).astype(int)]

    @cached_property
    def effects(self) -> Floats:
        """The challenger's SHAP values of the sample, in logarithms of the price, shape (rows, features)."""
        return self.model.explain(to_columns(self.sample)).effect_log

    @cached_property
    def importance(self) -> dict[str, float]:
        """By how much a feature moves the challenger's price on average, in percent."""
        return _importance(self.model, self.effects)

    @cached_property
    def champion_importance(self) -> dict[str, float]:
        """The same of the champion, on the same listings; empty without one."""
        if self.champion is None:
            return {}
        return _importance(self.champion, self.champion.explain(to_columns(self.sample)).effect_log)


def _importance(model: ValuationModel, effects: Floats) -> dict[str, float]:
    means = np.expm1(np.abs(effects).mean(axis=0)) * 100
    return dict(zip(model.encoder.names, means.tolist(), strict=True))
