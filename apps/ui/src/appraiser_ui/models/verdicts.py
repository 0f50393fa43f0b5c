"""What became of a version."""

from enum import StrEnum

from appraiser_schema import Alias, ModelVersion, Outcome
from appraiser_ui.reasons import decision_in_words
from appraiser_ui.words import say


class Verdict(StrEnum):
    """Where a version stands; `models.verdict` in the words says it."""

    IN_SERVICE = "in_service"
    REPLACED = "replaced"
    REJECTED = "rejected"
    OVERRULED = "overruled"
    TRIED = "tried"
    OPEN = "open"

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        return say(f"models.verdict.{self}")


def verdict(model: ModelVersion) -> Verdict:
    """Where the version stands. The alias counts more than the decision: a person may have moved it since."""
    if Alias.CHAMPION in model.aliases:
        return Verdict.IN_SERVICE
    if model.decision is None:
        return Verdict.OPEN
    if model.decision.dry_run and not model.served:
        return Verdict.TRIED
    if model.decision.outcome is Outcome.PROMOTE:
        return Verdict.REPLACED
    return Verdict.OVERRULED if model.served else Verdict.REJECTED


def why(model: ModelVersion) -> str:
    """Why it was promoted or rejected, in words."""
    return say("models.undecided") if model.decision is None else decision_in_words(model.decision)
