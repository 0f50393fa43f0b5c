"""The ratio study of every part of the test listings."""

import numpy as np
import polars as pl
import pytest

from appraiser_model import Appraised, measure
from appraiser_model.segments import ratio_studies, segment_scores


@pytest.fixture
def test_rows() -> pl.DataFrame:
    """Listings of two batches, three states and all price bands."""
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "batch_number": rng.choice([0, 10, 2], 300),
            "state": rng.choice(["Ohio", "Utah", "Texas"], 300),
            "price": np.exp(rng.normal(12.6, 0.9, 300)),
        }
    )


@pytest.fixture
def appraised(test_rows: pl.DataFrame) -> Appraised:
    """Appraisals about right."""
    price = test_rows["price"].to_numpy() * np.random.default_rng(2).uniform(0.7, 1.4, 300)
    return Appraised(price, price * 0.75, price * 1.25)


class TestRatioStudies:
    """A table with a line per part."""

    def test_whole(self, test_rows: pl.DataFrame, appraised: Appraised) -> None:
        """The first line is all test listings, with every figure of `measure`."""
        whole = ratio_studies(test_rows, appraised).row(0, named=True)
        assert {"kind": "all", "name": "all", "rows": 300} | measure(test_rows["price"], appraised) == whole

    def test_parts(self, test_rows: pl.DataFrame, appraised: Appraised) -> None:
        """The parts, their rows and their mean absolute errors are those that decisions compare."""
        parts = ratio_studies(test_rows, appraised)[1:]
        scores = segment_scores(test_rows, appraised.price_usd)
        assert [(row["kind"], row["name"], row["rows"]) for row in parts.to_dicts()] == [
            (score.kind, score.name, score.rows) for score in scores
        ]
        assert parts["mae"].to_list() == pytest.approx([score.challenger_mae for score in scores])

    def test_part(self, test_rows: pl.DataFrame, appraised: Appraised) -> None:
        """A part has the figures of its own rows alone."""
        utah = (test_rows["state"] == "Utah").to_numpy()
        own = Appraised(appraised.price_usd[utah], appraised.lower_usd[utah], appraised.upper_usd[utah])
        expected = measure(test_rows["price"].to_numpy()[utah], own)
        found = ratio_studies(test_rows, appraised).filter(name="Utah").row(0, named=True)
        assert {name: found[name] for name in expected} == pytest.approx(expected)
