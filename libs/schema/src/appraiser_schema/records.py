"""What the system remembers: fetches, batches, evaluations, decisions with their reasons, and moves of an alias."""

import datetime as dt
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of what is stored and sent: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FetchOutcome(StrEnum):
    """How one question for the next batch ended.

    New is the batch that was due. Gap repaired is that too, after a replay. Seen was landed before. Ahead is a batch
    after the one that was due, which was missed. Exhausted is the end of the source. Lost: no answer was landed.
    """

    NEW = "new"
    GAP_REPAIRED = "gap_repaired"
    SEEN = "seen"
    AHEAD = "ahead"
    EXHAUSTED = "exhausted"
    LOST = "lost"


class Fetch(Record):
    """One question for the next batch. It is recorded as lost before it is asked, and rewritten by the answer."""

    at: AwareDatetime
    outcome: FetchOutcome
    batch_number: int | None = Field(default=None, description="None where no batch came.")
    digest: str | None = Field(default=None, description="SHA-256 of the response body, hexadecimal.")
    detail: str = Field(default="", description="What happened, in one sentence.")


class BatchStatus(StrEnum):
    """How far a batch has come. A batch moves down this list, or stops."""

    LANDED = "landed"
    VALIDATED = "validated"
    CLEANED = "cleaned"
    STOPPED = "stopped"


class Batch(Record):
    """One batch of the source and what became of its rows. Counts are rows; None until the step has run."""

    source: str = Field(description="Name of the source, such as a file name or 'simulator'.")
    group_number: int
    day: str | None
    batch_number: int = Field(ge=0)
    digest: str = Field(description="SHA-256 of the response body, hexadecimal.")
    size_bytes: int = Field(ge=0)
    received_at: AwareDatetime
    simulated: bool = Field(description="True where the rows come from the built-in simulator.")
    landing_path: str = Field(description="Where the body lies, relative to the landing area.")
    status: BatchStatus = BatchStatus.LANDED
    rows_received: int | None = None
    rows_quarantined: int | None = Field(default=None, description="Rows refused by the raw or the clean schema.")
    rows_duplicate: int | None = Field(default=None, description="Exact repeats of a row of this or an earlier batch.")
    rows_train: int | None = None
    rows_validation: int | None = None
    rows_test: int | None = None
    clean_snapshot_id: int | None = Field(
        default=None, description="Snapshot of clean.listings that ends with this batch."
    )
    stop_reason: str | None = None


class Split(StrEnum):
    """What a clean row is used for. The row's own hash decides, so that it never moves."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class SegmentScore(Record):
    """How two models did on one part of the test rows."""

    kind: Literal["batch", "state", "price_band"]
    name: str = Field(description="Which part, such as '4', 'Texas' or '300,000 to 500,000 USD'.")
    rows: int = Field(gt=0)
    challenger_mae: float = Field(description="Mean absolute error. [USD]")
    champion_mae: float | None = None
    challenger_mdape: float | None = Field(default=None, description="Median absolute percentage error. [%]")
    challenger_coverage: float | None = Field(
        default=None, description="Prices inside the challenger's interval; null where it was not measured. [%]"
    )


class Evaluation(Record):
    """Challenger and champion on the same test rows, which neither has seen."""

    batch_number: int = Field(ge=0)
    snapshot_id: int
    evaluated_at: AwareDatetime
    rows_test: int
    challenger_version: int
    champion_version: int | None
    challenger: dict[str, float] = Field(description="Metrics by name, as in `ModelVersion.metrics`.")
    champion: dict[str, float] | None
    champion_prices_usd: tuple[float, float] | None = Field(
        default=None, description="Span of the prices that the champion was trained on. [USD]"
    )
    rows_beyond_champion: int = Field(default=0, ge=0, description="Test rows whose price lies outside that span.")
    segments: tuple[SegmentScore, ...] = ()
    mae_difference_usd: tuple[float, float] | None = Field(
        default=None,
        description="95 % bootstrap interval of the challenger's mean absolute error less the champion's, paired by "
        "row. [USD]",
    )
    mae_change: tuple[float, float] | None = Field(
        default=None, description="The same as a share of the champion's mean absolute error; below 0 is better."
    )
    engine_difference: float | None = Field(
        default=None,
        description="Largest relative difference, over the test rows, between the engine for single houses and the "
        "trees that were evaluated; None where it was not measured.",
    )


class DecisionKind(StrEnum):
    """What was decided."""

    TRAINING = "training"
    PROMOTION = "promotion"


class Outcome(StrEnum):
    """How a decision went."""

    TRAIN = "train"
    SKIP = "skip"
    PROMOTE = "promote"
    REJECT = "reject"


class ReasonPart(Record):
    """What a rule saw in one feature or in one part of the market."""

    name: str = Field(description="Which, such as 'bath', 'Utah' or 'price band below 100,000 USD'.")
    figure: float
    threshold: float = Field(description="What this figure was held against.")


class Reason(Record):
    """One rule of a policy, with what it saw."""

    rule: str = Field(description="Name of the rule, such as 'target_drift'.")
    passed: bool = Field(description="True where the rule speaks for training, or lets a promotion pass.")
    figure: float | None = Field(default=None, description="What was measured.")
    threshold: float | None = Field(default=None, description="What it was held against.")
    text: str = Field(description="The rule and the figures in one sentence.")
    interval: tuple[float, float] | None = Field(
        default=None, description="95 % bootstrap interval of the figure, in its unit; None where there is none."
    )
    parts: tuple[ReasonPart, ...] = Field(
        default=(), description="Every figure that the rule looked at, where it looked at several; the worst first."
    )


class Decision(Record):
    """A decision and why it went that way. One of each kind per batch."""

    batch_number: int = Field(ge=0)
    kind: DecisionKind
    outcome: Outcome
    summary: str = Field(description="The decisive reasons in one or two sentences.")
    reasons: tuple[Reason, ...]
    decided_at: AwareDatetime
    snapshot_id: int | None = Field(default=None, description="Snapshot of clean.listings that was looked at.")
    model_version: int | None = Field(default=None, description="The challenger, for a promotion.")
    champion_version: int | None = Field(default=None, description="The champion at that moment, if there was one.")
    dry_run: bool = Field(
        default=False, description="True where it was only told what would be decided; no alias was moved."
    )


class Alias(StrEnum):
    """The names a model version can carry in the registry."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class MoveKind(StrEnum):
    """Why an alias moved."""

    PROMOTION = "promotion"
    REJECTION = "rejection"
    MANUAL = "manual"
    ROLLBACK = "rollback"


class AliasMove(Record):
    """An alias went from one version to another: who did it, when and why."""

    at: AwareDatetime
    kind: MoveKind
    alias: Alias
    from_version: int | None
    to_version: int
    who: str
    why: str


def utc_now() -> dt.datetime:
    """The present instant, aware, to the second: what records carry."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
