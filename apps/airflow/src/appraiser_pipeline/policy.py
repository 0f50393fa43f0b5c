"""The written policies: when a batch is stopped, a model trained or promoted, retraining asked for, what is kept."""

from pydantic import BaseModel, ConfigDict, Field


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ValidationPolicy(_Policy):
    """When a batch is no batch of listings any more."""

    most_refused: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Largest share of rows that the raw schema may refuse. In the real batches it is under 1 %; "
        "a fifth means that the source has changed.",
    )


class TrainingPolicy(_Policy):
    """When a new batch calls for a new model. One rule is enough."""

    most_drift: float = Field(
        default=0.2,
        gt=0,
        description="Population stability index, of a feature or of the price, above which the market has shifted. "
        "Siddiqi, Credit Risk Scorecards (2006): under .1 is stable, over .25 is a shift; .2 is the usual alarm. "
        "Where a batch is so small that chance alone exceeds it, the level of chance takes its place.",
    )
    most_error_growth: float = Field(
        default=1.2,
        gt=1,
        description="Champion's median error on the new rows over its median error on its own test rows. The rule "
        "speaks where the whole 95 % bootstrap interval lies above, not where the figure alone does.",
    )
    least_new_rows: int = Field(
        default=30, ge=1, description="New rows without which the champion's error on them is no reason for anything."
    )
    least_growth: float = Field(
        default=0.2, gt=0, description="New training rows, as a share of those that the champion was trained on."
    )
    least_rows: int = Field(default=200, ge=2, description="Training rows without which no model is trained.")
    least_category: int = Field(
        default=30, ge=1, description="Rows of a new state or status that count as a new category and not as an oddity."
    )


class PromotionPolicy(_Policy):
    """When a challenger takes the champion's place. Every rule must pass; both see the same test rows."""

    least_mae_gain: float = Field(default=0.03, ge=0, description="How much smaller the mean absolute error must be.")
    most_rmse_loss: float = Field(default=0.01, ge=0, description="How much larger the root mean squared error may be.")
    most_segment_loss: float = Field(
        default=0.10, ge=0, description="How much larger the mean absolute error of any part of the market may be."
    )
    least_segment: int = Field(default=200, ge=1, description="Test rows that a part of the market needs to count.")
    most_beyond: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of test rows priced outside the span that the champion learned from, above which the market "
        "has widened. Parts by price and by batch are not held against the challenger then.",
    )
    least_coverage: float = Field(
        default=85.0, ge=0, le=100, description="Prices inside the 90 % interval, at least. [percent]"
    )
    most_coverage: float = Field(
        default=95.0,
        ge=0,
        le=100,
        description="Prices inside the 90 % interval, at most: wider says nothing. [percent]",
    )
    most_engine_difference: float = Field(
        default=1e-5,
        gt=0,
        description="Largest relative difference, over the test rows, between the engine that appraises single houses "
        "and the trees that were evaluated. Both add up the leaves in single precision: in the same order they give "
        "the same price, in another order 7e-6 was measured. 1e-5 is 3 USD of 300,000.",
    )


class MonitoringPolicy(_Policy):
    """When the houses that people ask about call for retraining."""

    most_live_drift: float = Field(
        default=0.25,
        gt=0,
        description="Population stability index of a field above which the houses asked about have shifted (Siddiqi, "
        "Credit Risk Scorecards, 2006), as the alert InputDrift has it. Where so few were asked about that chance "
        "alone exceeds it, the level of chance takes its place.",
    )
    least_predictions: int = Field(
        default=200, ge=1, description="Appraisals without which nothing is said, as in the service's own metric."
    )
    window_days: int = Field(default=7, ge=1, description="Appraisals of so many days count. [days]")
    tables_ask: bool = Field(
        default=False,
        description="Whether tables of houses ask for retraining too. One portfolio of one place is no change of what "
        "people ask about; their drift is measured and told all the same.",
    )
    days_between_requests: int = Field(
        default=7, ge=1, description="How long no second retraining is asked for, whatever became of the first. [days]"
    )


class RetentionPolicy(_Policy):
    """What is cleaned up. Bytes as received, batches, decisions, moves and model versions are kept for good."""

    snapshot_days: int = Field(
        default=30,
        ge=1,
        description="Age of a snapshot of the lake that nothing names, from which it is expired. One that a batch, a "
        "decision, an evaluation or a model version names is kept for good. [days]",
    )
    prediction_days: int | None = Field(
        default=None,
        ge=1,
        description="Age of an appraisal from which it is forgotten, and the sale of its house with it; empty keeps "
        "all. [days]",
    )
    mlflow_days: int = Field(
        default=30,
        ge=1,
        description="How long what a person has deleted in MLflow stays there to be restored, before `mlflow gc` "
        "removes it for good. [days]",
    )
