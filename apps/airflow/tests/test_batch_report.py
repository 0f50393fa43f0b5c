"""What people want to see of a batch."""

import polars as pl
import pytest
from pipeline_stand import Land, rows

from appraiser_pipeline.batch_report import keep_refusals, shifts_of
from appraiser_pipeline.context import Context
from appraiser_pipeline.policy import TrainingPolicy
from appraiser_pipeline.steps.clean_and_split import clean_and_split
from appraiser_pipeline.steps.decide_training import drift_reasons
from appraiser_pipeline.steps.validate import validate
from appraiser_schema import Refusal


class TestRefusals:
    """Refused rows by rule."""

    def test_both_doors(self, context: Context, land: Land) -> None:
        """Rows are counted by rule over both checks, with values of that column only, the commonest rule first."""
        listings = rows(40)
        for place, price in ((1, 1.0), (2, 1.0), (3, 99.0)):
            listings[place]["price"] = price
        listings[6] |= {"bed": "three"}
        land(0, listings)
        validate(context, 0)
        clean_and_split(context, 0)
        report = context.ledger.batch_report(0)
        assert report is not None
        assert report.refusals == (
            Refusal(stage="clean", column="price", rule="at least 10000.0", rows=3, examples=("1.0", "99.0")),
            Refusal(stage="read", column="bed", rule="a number", rows=1, examples=("three",)),
        )

    def test_costs_nothing(self, context: Context) -> None:
        """A report that cannot be kept, as of a batch that is not known, is no error of the step."""
        keep_refusals(context, 7, pl.DataFrame())
        assert context.ledger.batch_report(7) is None


class TestShifts:
    """How a batch is spread beside what the champion learned from."""

    def test_shares(self) -> None:
        """Each column has shares that sum up to 1 on both sides, the unknown last, and the decision's figures."""
        old = pl.DataFrame(
            {
                **{name: [float(n % 50) for n in range(1000)] for name in ("price", "bed", "bath", "house_size")},
                "acre_lot": [None if n % 4 == 0 else float(n % 50) for n in range(1000)],
                "status": ["sold"] * 1000,
                "state": ["Texas"] * 900 + ["Utah"] * 100,
            }
        )
        new = old.with_columns(pl.col("bed") + 25, state=pl.lit("Ohio"))
        reasons = tuple(drift_reasons(old, new, TrainingPolicy()))
        shifts = {shift.column: shift for shift in shifts_of(old, new, reasons)}
        assert list(shifts) == ["price", "bed", "bath", "acre_lot", "house_size", "status", "state"]
        for shift in shifts.values():
            assert sum(shift.before) == pytest.approx(1)
            assert sum(shift.after) == pytest.approx(1)
            assert len(shift.before) == len(shift.after) == len(shift.edges or shift.values) + 2
        assert shifts["bed"].after[-2] > 0.5 > shifts["bed"].threshold
        assert shifts["bed"].index == {part.name: part.figure for part in reasons[1].parts}["bed"]
        assert shifts["acre_lot"].before[-1] == 0.25
        assert shifts["state"].values == ("Ohio", "Texas", "Utah")
        assert shifts["state"].before[:3] == (0.0, 0.9, 0.1)
