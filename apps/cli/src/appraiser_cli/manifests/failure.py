"""What a check of the manifests has to say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """One thing that must be changed.

    Attributes:
        policy: Name of the check that found it.
        file: Where, relative to the repository.
        problem: What is wrong, with the value.
        cure: What to do.
    """

    policy: str
    file: str
    problem: str
    cure: str
