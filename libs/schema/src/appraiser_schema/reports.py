"""What is kept of a batch and of a model for people: refused rows by rule, drift by column, effects by feature."""

from typing import Final

from pydantic import Field

from appraiser_schema.answers import ModelVersion
from appraiser_schema.records import AliasMove, Batch, Decision, Evaluation, Record

EXAMPLES: Final = 5
"""Examples that are kept of the values that broke a rule."""


class Refusal(Record):
    """The rows of a batch that broke one rule."""

    stage: str = Field(description="At which door: read, raw or clean.")
    column: str
    rule: str = Field(description="What the column must be, after the words 'must be'.")
    rows: int = Field(gt=0)
    examples: tuple[str | None, ...] = Field(
        max_length=EXAMPLES,
        description="Different values of that column, the commonest first; null is an empty cell. Nothing else of the "
        "rows is kept.",
    )


class ColumnShift(Record):
    """How the listings of a batch are spread over a column, beside those that the champion learned from."""

    column: str
    index: float = Field(description="Population stability index; 0 is the same distribution.")
    threshold: float = Field(description="Index above which the column has moved.")
    edges: tuple[float, ...] = Field(
        default=(),
        description="Of a number, ascending: bin i holds values up to and with edge i, the last others.",
    )
    values: tuple[str, ...] = Field(default=(), description="Of a category, the commonest first; then all others.")
    before: tuple[float, ...] = Field(
        description="Share of the listings that the champion learned from in each bin; the unknown last."
    )
    after: tuple[float, ...] = Field(description="The same of the batch.")


class BatchReport(Record):
    """What is kept of a batch beside its counts."""

    batch_number: int = Field(ge=0)
    refusals: tuple[Refusal, ...] = Field(default=(), description="The rule that most rows broke first.")
    champion_version: int | None = Field(default=None, description="The champion whose listings were compared with.")
    rows_before: int | None = Field(default=None, description="Listings that it learned from.")
    rows_after: int | None = Field(default=None, description="Listings of the batch that a model may learn from.")
    shifts: tuple[ColumnShift, ...] = Field(default=(), description="Empty where there was no champion yet.")


class BatchDetail(Record):
    """A batch with what was refused, how it differs, and what was decided after it."""

    batch: Batch
    report: BatchReport | None = Field(description="Null for a batch that came before reports were kept.")
    decisions: tuple[Decision, ...]


class FeatureEffect(Record):
    """By how much a feature moves the prices of test listings: SHAP values, as a share of the price."""

    feature: str
    label: str
    mean_percent: float = Field(description="Mean size of its effect. [%]")
    champion_mean_percent: float | None = Field(
        default=None, description="The same of the champion of that time, on the same listings. [%]"
    )
    effects_percent: tuple[float, ...] = Field(
        default=(), description="Its effect on each of some listings; empty for features that move little. [%]"
    )
    ranks: tuple[float | None, ...] = Field(
        default=(), description="Rank of the feature's value among these listings, 0 lowest, 1 highest; null unknown."
    )


class CoverageBin(Record):
    """How often the price lay inside the interval, among listings of about the same appraisal."""

    rows: int = Field(gt=0)
    appraised_usd: float = Field(description="Median appraisal.")
    inside: float = Field(description="Prices inside the interval. [%]")
    low: float = Field(description="Lower end of the 95 % interval of that share (Wilson). [%]")
    high: float = Field(description="Upper end. [%]")
    width: float = Field(description="Median width of the interval, of the appraisal. [%]")


class ModelReport(Record):
    """How a version works on the test listings that it was evaluated on."""

    version: int
    champion_version: int | None = Field(description="The champion of that time, where it could be used.")
    rows_test: int
    rows_explained: int = Field(description="Test listings whose effects were taken, evenly over all of them.")
    stated_coverage: float = Field(description="Share of prices that the interval states. [%]")
    features: tuple[FeatureEffect, ...] = Field(description="The one that moves prices most first.")
    coverage: tuple[CoverageBin, ...] = Field(description="By tenths of the appraisal, the cheapest first.")


class ModelStudy(Record):
    """What is known of a version beyond its card: how it did and works, and every move of an alias to it or away."""

    model: ModelVersion
    evaluation: Evaluation | None
    report: ModelReport | None = Field(description="Null for a version that came before reports were kept.")
    moves: tuple[AliasMove, ...]
