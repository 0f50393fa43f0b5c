"""What the API answers: appraisals, explanations, models and problems."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from appraiser_schema.records import Alias, Decision, Record


class Interval(Record):
    """Where the price lies with the stated probability."""

    lower_usd: float
    upper_usd: float
    coverage: float = Field(gt=0, lt=1, description="Share of houses whose price falls inside, on held-out listings.")


class ModelRef(Record):
    """Which model answered."""

    name: str
    version: int
    simulated_data: bool = Field(description="True where the model was trained on simulated listings.")


class Appraisal(Record):
    """What a house is worth."""

    price_usd: float
    interval: Interval | None
    model: ModelRef
    warnings: tuple[str, ...] = Field(default=(), description="What makes this appraisal less certain, in words.")
    request_id: str


class Contribution(Record):
    """What one feature adds to the typical price. The contributions and the base sum to the price."""

    feature: str
    group: str = Field(description="place, size, land or sale.")
    label: str
    value: float | str | None = Field(description="What the house has; None where it is unknown.")
    typical: float | str | None = Field(description="What a typical house of the training data has.")
    effect_usd: float
    effect_log: float = Field(description="The exact SHAP value, in units of the natural logarithm of the price.")
    text: str = Field(description="The effect in words.")


class CautionCode(StrEnum):
    """In what a house is unlike the training listings."""

    FEW_IN_STATE = "few_in_state"
    PLACE_UNKNOWN = "place_unknown"
    ZIP_UNSEEN = "zip_unseen"
    CITY_UNSEEN = "city_unseen"
    SIZE_UNKNOWN = "size_unknown"
    NUMBER_OUTSIDE = "number_outside"
    PRICE_AT_EDGE = "price_at_edge"


class Caution(Record):
    """One thing that makes an appraisal less certain, with its figures, so that it can be said in any language."""

    code: CautionCode
    text: str = Field(description="In words, as in `Appraisal.warnings`.")
    place: str | None = Field(default=None, description="The place that it is about.")
    around: str | None = Field(default=None, description="The place around it.")
    field: str | None = Field(default=None, description="The field of the listing that it is about.")
    figure: float | None = Field(default=None, description="What the house has, or how many listings there are.")
    span: tuple[float, float] | None = Field(default=None, description="What the model has learned from.")


class Explanation(Record):
    """Why a house is worth what it is worth: base_usd plus every effect_usd is price_usd."""

    appraisal: Appraisal
    base_usd: float = Field(description="The model's expected price before anything is known of the house.")
    contributions: tuple[Contribution, ...]
    cautions: tuple[Caution, ...] = Field(default=(), description="The warnings of the appraisal, with their figures.")


class ModelVersion(Record):
    """One trained model: on what, how good, and what was decided about it."""

    version: int
    aliases: tuple[Alias, ...]
    created_at: AwareDatetime
    run_id: str
    batches: tuple[int, ...] = Field(description="Batch numbers that it was trained on.")
    rows_train: int
    simulated_data: bool
    snapshot_id: int
    code_version: str
    features_fingerprint: str
    bundle_digest: str | None = Field(default=None, description="SHA-256 of the model's file, hexadecimal.")
    metrics: dict[str, float] = Field(
        description="Test metrics: rmse, mae, r2, mape, mdape, ppe10, cod, prd, prb, coverage."
    )
    decision: Decision | None = None
    served: bool | None = Field(
        default=None,
        description="Whether the ledger records that it was put in service, by the pipeline or a person; "
        "null where the ledger was not asked.",
    )


class ModelDetail(ModelVersion):
    """A model version with its card."""

    card: dict[str, Any]


class FieldProblem(Record):
    """One thing that is wrong with a request."""

    field: str = Field(description="Path of the field, such as 'bed'.")
    rule: str = Field(description="What the field must be.")
    value: Any = Field(description="What it was.")


class Problem(Record):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = ""
    request_id: str = ""
    errors: tuple[FieldProblem, ...] = ()


class WorkerReady(Record):
    """What one process of the API serves."""

    pid: int
    model: ModelRef | None
    detail: str


class Ready(Record):
    """Whether the API can appraise, and with what."""

    ready: bool
    model: ModelRef | None
    detail: str
    workers: tuple[WorkerReady, ...] = Field(default=(), description="Every process that answers at this address.")
    draining: bool = Field(default=False, description="True once it was told to stop: it finishes what it took.")
    mismatches: tuple[str, ...] = Field(
        default=(), description="Versions that do not fit each other, as far as they are known, and what to do."
    )


class Reloaded(Record):
    """What every process of the API serves after it has looked for the champion."""

    complete: bool = Field(description="False where a process has not looked yet; it will.")
    workers: tuple[WorkerReady, ...]
