"""Moves of the champion by hand: the version is tried first, and what happened is recorded with who and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import Field

from appraiser_model.bundle import Bundle
from appraiser_model.errors import (
    ModelError,
    MoveRefusedError,
    NoChampionBeforeError,
    RegistryUnreachableError,
    UnknownVersionError,
)
from appraiser_model.registry import Registry
from appraiser_model.trial import HeldOut, Trial, median_error, try_out
from appraiser_schema import Alias, AliasMove, MoveKind, Record, utc_now


class History(Protocol):
    """What remembers moves: a ledger."""

    def moves(self, alias: Alias | None = None) -> list[AliasMove]:
        """Every move of an alias, in the order in which they were recorded."""

    def record_move(self, move: AliasMove) -> None:
        """Record a move."""


class Moved(Record):
    """What a move by hand came to.

    Attributes:
        version: The champion now.
    """

    version: int
    moved: bool = Field(description="False where the version was the champion already.")
    move: AliasMove | None = Field(description="What was recorded; null where nothing was.")
    trial: Trial | None = Field(description="How the version did before the alias moved; null where nothing moved.")
    champion_mdape: float | None = Field(default=None, description="Median error of the champion before it. [%]")
    notes: tuple[str, ...] = Field(default=(), description="What else is to be known, in sentences.")


@dataclass(slots=True)
class Mover:
    """Moves the champion, from the question which version to the record of the move.

    Attributes:
        registry: Where the alias is.
        history: Where moves are recorded.
        previous: Gives the champion before the present one out of the moves, None where there was none.
        who: Who decided it.
        why: The reason.
        test_rows: Gives test rows of the latest data, or in a sentence why there are none.
        force: Whether absurd appraisals are no reason to stay; what cannot be loaded never serves.
    """

    registry: Registry
    history: History
    previous: Callable[[Sequence[AliasMove]], int | None]
    who: str
    why: str
    test_rows: Callable[[], HeldOut | str]
    force: bool = False
    _notes: list[str] = field(default_factory=list)

    def move(self, version: int | None, kind: MoveKind) -> Moved:
        """Make a version the champion; without a version, the one before the present champion.

        Raises:
            MoveRefusedError: It cannot be loaded, or its appraisals are absurd and `force` is not given. Nothing moved.
            NoChampionBeforeError: No version was named, and none came before.
            UnknownVersionError: There is no such version.
            RegistryError: The registry does not answer, or does not let itself be written to.
        """
        moves, present = self.history.moves(Alias.CHAMPION), self.registry.champion()
        recorded = moves[-1].to_version if moves else None
        if present != recorded:
            self._notes.append(disagreement(present, recorded))
        wanted = version or self._before(moves, present)
        if wanted == present:
            return self._note_champion(wanted, recorded, kind)
        trial, champion_mdape = self._trial(wanted, present)
        if present is not None and present != recorded:
            self.history.record_move(self._unrecorded(recorded, present))
        move = self.registry.move(Alias.CHAMPION, wanted, kind=kind, who=self.who, why=self.why)
        self.history.record_move(move)
        return Moved(
            version=wanted,
            moved=True,
            move=move,
            trial=trial,
            champion_mdape=champion_mdape,
            notes=tuple(self._notes),
        )

    def _before(self, moves: list[AliasMove], present: int | None) -> int:
        """The champion before the one that serves, whether or not the ledger knows of the last move."""
        if present is None and moves:
            return moves[-1].to_version
        recorded = moves[-1].to_version if moves else None
        if present is not None and present != recorded:
            moves = [*moves, self._unrecorded(recorded, present)]
        before = self.previous(moves)
        if before is None:
            raise NoChampionBeforeError
        return before

    def _unrecorded(self, recorded: int | None, present: int) -> AliasMove:
        return AliasMove(
            at=utc_now(),
            kind=MoveKind.MANUAL,
            alias=Alias.CHAMPION,
            from_version=recorded,
            to_version=present,
            who="unknown",
            why=f"Found by {self.who}: the registry had version {present} as the champion, and no record said so.",
        )

    def _note_champion(self, version: int, recorded: int | None, kind: MoveKind) -> Moved:
        """Record the move to the present champion where that was cut off between the move and its record."""
        if recorded == version:
            return Moved(version=version, moved=False, move=None, trial=None)
        found = self._unrecorded(recorded, version)
        move = found.model_copy(update={"kind": kind, "who": self.who, "why": self.why})
        self.history.record_move(move)
        return Moved(version=version, moved=False, move=move, trial=None, notes=tuple(self._notes))

    def _trial(self, version: int, present: int | None) -> tuple[Trial, float | None]:
        """Load the version as a service would and ask it; nothing is moved yet."""
        test = self._test_rows()
        bundle = self._load(version)
        try:
            trial = try_out(bundle, version, test)
        except Exception as error:
            raise MoveRefusedError(version, f"it does not appraise ({type(error).__name__}: {error})") from error
        if trial.faults and not self.force:
            raise MoveRefusedError(version, "; ".join(trial.faults), can_be_forced=True)
        if trial.faults:
            self._notes.append(f"Forced, although {'; '.join(trial.faults)}.")
        return trial, self._champion_error(present, test)

    def _champion_error(self, present: int | None, test: HeldOut | None) -> float | None:
        if present is None or test is None:
            return None
        try:
            return median_error(self.registry.load(present), test)
        except ModelError as error:
            self._notes.append(f"The champion so far, version {present}, cannot be loaded: {error}")
            return None

    def _test_rows(self) -> HeldOut | None:
        found = self.test_rows()
        if isinstance(found, str):
            self._notes.append(found)
            return None
        return found

    def _load(self, version: int) -> Bundle:
        try:
            return self.registry.load(version)
        except (UnknownVersionError, RegistryUnreachableError):
            raise
        except ModelError as error:
            raise MoveRefusedError(version, f"it cannot be loaded: {error}") from error


def disagreement(present: int | None, recorded: int | None) -> str:
    """What the registry and the ledger say of the champion, where they say two things."""
    serves = "no champion" if present is None else f"version {present} as the champion"
    last = "no champion yet" if recorded is None else f"version {recorded} as the last one"
    return (
        f"The registry has {serves}, and the history {last}: the alias was moved without a record, by a command that "
        "was cut off or in MLflow itself. The registry is what serves."
    )
