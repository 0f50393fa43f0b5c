"""Two versions beside each other: on the same test listings where they were tested together, else each on its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from appraiser_schema import Evaluation, ModelStudy

LEAST_ROWS: Final = 30
"""Test listings that a part of the market needs to be compared: of fewer an error says little."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the market and the mean absolute error of both versions on it.

    Attributes:
        kind: batch, state or price_band.
        name: Which.
        rows: Test listings; where both have their own, the smaller number.
        champion_usd: Error of the version in service. [USD]
        other_usd: Error of the other. [USD]
    """

    kind: str
    name: str
    rows: int
    champion_usd: float
    other_usd: float

    @property
    def change(self) -> float:
        """By how many percent the other errs more than the version in service; below 0 it errs less."""
        return (self.other_usd / self.champion_usd - 1) * 100


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions.

    Attributes:
        same: Whether the figures are of the same test listings.
        rows: How many these are, where they are the same.
        champion: Figures of the version in service, by name.
        other: Figures of the other.
        parts: Parts of the market that both were tested on.
    """

    same: bool
    rows: int | None
    champion: Mapping[str, float]
    other: Mapping[str, float]
    parts: tuple[Part, ...]


def pair_of(champion: ModelStudy, other: ModelStudy) -> Pair:
    """Put the version in service and another one beside each other."""
    ours, theirs = champion.evaluation, other.evaluation
    if theirs and theirs.champion and theirs.champion_version == champion.model.version:
        parts = tuple(_tested(theirs, turned=True))
        return Pair(same=True, rows=theirs.rows_test, champion=theirs.champion, other=theirs.challenger, parts=parts)
    if ours and ours.champion and ours.champion_version == other.model.version:
        parts = tuple(_tested(ours, turned=False))
        return Pair(same=True, rows=ours.rows_test, champion=ours.challenger, other=ours.champion, parts=parts)
    parts = tuple(_own(ours, theirs))
    return Pair(same=False, rows=None, champion=champion.model.metrics, other=other.model.metrics, parts=parts)


def moved(pair: Pair) -> list[Part]:
    """Parts with enough listings, the one where the other version fares worst beside the one in service first."""
    known = [part for part in pair.parts if part.rows >= LEAST_ROWS and part.champion_usd > 0]
    return sorted(known, key=lambda part: -part.change)


def _tested(evaluation: Evaluation, *, turned: bool) -> Iterator[Part]:
    """Parts of one evaluation; turned where the version in service now was the champion of it."""
    for part in evaluation.segments:
        if part.champion_mae is not None:
            pair = part.challenger_mae, part.champion_mae
            yield Part(part.kind, part.name, part.rows, *(reversed(pair) if turned else pair))


def _own(ours: Evaluation | None, theirs: Evaluation | None) -> Iterator[Part]:
    """Parts that both were tested on, each on the listings that were known at its time."""
    known = {(part.kind, part.name): part for part in (theirs.segments if theirs else ())}
    for part in ours.segments if ours else ():
        if (match := known.get((part.kind, part.name))) is not None:
            yield Part(part.kind, part.name, min(part.rows, match.rows), part.challenger_mae, match.challenger_mae)
