"""Who was in production when, and where an appraisal comes from."""

from pydantic import AwareDatetime, Field

from appraiser_schema.answers import ModelVersion
from appraiser_schema.predictions import Prediction
from appraiser_schema.records import AliasMove, Batch, Evaluation, MoveKind, Record


class Reign(Record):
    """One version was the champion from one move of the alias to the next."""

    version: int
    since: AwareDatetime = Field(description="When the alias came to it.")
    until: AwareDatetime | None = Field(description="When the alias left it; null while it is the champion.")
    kind: MoveKind = Field(description="What brought it: the pipeline's promotion, a person's choice, a rollback.")
    who: str = Field(description="Who brought it: the pipeline, or a person's name.")
    why: str = Field(description="The reason that was given.")


class ModelLineage(Record):
    """Where a model version comes from, and what became of it."""

    model: ModelVersion = Field(description="Run, digest of its file, code, snapshot, and the decision about it.")
    batches: tuple[Batch, ...] = Field(
        description="The batches that it was trained on: digest and path of the bytes as received, and when they came."
    )
    batches_unknown: tuple[int, ...] = Field(default=(), description="Batches that the ledger does not know.")
    evaluation: Evaluation | None = Field(description="How it did on the test rows, beside the champion of that time.")
    moves: tuple[AliasMove, ...] = Field(description="Every move of an alias to it or away from it.")


class Lineage(Record):
    """One appraisal and the model that gave it."""

    prediction: Prediction
    reign: Reign | None = Field(
        description="The version's reign at the moment of the appraisal, by the ledger; null where another version "
        "was the champion then, as in the seconds before a service follows a move."
    )
    origin: ModelLineage
