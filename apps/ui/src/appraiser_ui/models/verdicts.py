"""What became of a version, in words."""

from enum import StrEnum

from appraiser_schema import Alias, ModelVersion, Outcome


class Verdict(StrEnum):
    """Where a version stands."""

    IN_SERVICE = "In service"
    REPLACED = "Promoted, since replaced"
    REJECTED = "Rejected"
    OVERRULED = "Rejected, promoted by hand, since replaced"
    TRIED = "Dry run, nothing was moved"
    OPEN = "Not decided yet"


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
    if model.decision is None:
        return "No decision is recorded."
    return model.decision.summary
