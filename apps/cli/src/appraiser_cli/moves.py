"""Moves of the champion by hand: the version is tried first, and what happened is recorded with who and why."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import Field

from appraiser_cli.errors import CliError, NotThereError, RefusedError
from appraiser_cli.history import disagreement
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_model import ModelError, RegistryUnreachableError, UnknownVersionError
from appraiser_model.trial import HeldOut, Trial, median_error, try_out
from appraiser_schema import LISTING_COLUMNS, Alias, AliasMove, MoveKind, Record, Split, utc_now
from appraiser_store import Ledger, StoreError, Table, previous_champion

if TYPE_CHECKING:
    from appraiser_model import Bundle, Registry

SAMPLE: Final = 2000
"""Test rows that a version is asked about: their median error is known to about a point, in a tenth of a second."""


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


def promote(home: Home, settings: Settings, version: int, why: str, who: str | None, *, force: bool) -> Moved:
    """Make a version the champion.

    Raises:
        RefusedError: It cannot be loaded, or its appraisals are absurd and `force` is not given. Nothing moved.
        UnknownVersionError: There is no such version.
    """
    return _Mover(home, settings, why, who, force=force).move(version, MoveKind.MANUAL)


def rollback(home: Home, settings: Settings, version: int | None, why: str, who: str | None, *, force: bool) -> Moved:
    """Make a version the champion again; without a version, the one before the present champion.

    Raises:
        NotThereError: None came before it.
        RefusedError, UnknownVersionError: As for `promote`.
    """
    return _Mover(home, settings, why, who, force=force).move(version, MoveKind.ROLLBACK)


class _Mover:
    """One move, from the question which version to its record."""

    def __init__(self, home: Home, settings: Settings, why: str, who: str | None, *, force: bool) -> None:
        if not why.strip():
            raise CliError("a reason is needed: --why REASON")
        self.home, self.settings, self.force = home, settings, force
        self.why, self.who = why, who or _who()
        self.registry = open_registry(home, settings)
        self.notes: list[str] = []

    def move(self, version: int | None, kind: MoveKind) -> Moved:
        with open_ledger(self.home, self.settings) as ledger:
            moves, present = ledger.moves(Alias.CHAMPION), self.registry.champion()
            recorded = moves[-1].to_version if moves else None
            if present != recorded:
                self.notes.append(disagreement(present, recorded))
            wanted = version or self._before(moves, present)
            if wanted == present:
                return self._note_champion(ledger, wanted, recorded, kind)
            trial, champion_mdape = self._trial(wanted, present)
            if present is not None and present != recorded:
                ledger.record_move(self._unrecorded(recorded, present))
            move = self.registry.move(Alias.CHAMPION, wanted, kind=kind, who=self.who, why=self.why)
            ledger.record_move(move)
        return Moved(
            version=wanted,
            moved=True,
            move=move,
            trial=trial,
            champion_mdape=champion_mdape,
            notes=tuple(self.notes),
        )

    def _before(self, moves: list[AliasMove], present: int | None) -> int:
        """The champion before the one that serves, whether or not the ledger knows of the last move."""
        if present is None and moves:
            return moves[-1].to_version
        recorded = moves[-1].to_version if moves else None
        if present is not None and present != recorded:
            moves = [*moves, self._unrecorded(recorded, present)]
        before = previous_champion(moves)
        if before is None:
            raise NotThereError(
                "no champion came before the present one; choose a version from './appraiser models list' and name "
                "it: './appraiser models rollback VERSION --why REASON'."
            )
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

    def _note_champion(self, ledger: Ledger, version: int, recorded: int | None, kind: MoveKind) -> Moved:
        """Record the move to the present champion where that was cut off between the move and its record."""
        if recorded == version:
            return Moved(version=version, moved=False, move=None, trial=None)
        found = self._unrecorded(recorded, version)
        move = found.model_copy(update={"kind": kind, "who": self.who, "why": self.why})
        ledger.record_move(move)
        return Moved(version=version, moved=False, move=move, trial=None, notes=tuple(self.notes))

    def _trial(self, version: int, present: int | None) -> tuple[Trial, float | None]:
        """Load the version as a service would and ask it; nothing is moved yet."""
        test = self._test_rows()
        bundle = _load(self.registry, version)
        try:
            trial = try_out(bundle, version, test)
        except Exception as error:
            raise RefusedError(version, f"it does not appraise ({type(error).__name__}: {error})") from error
        if trial.faults and not self.force:
            raise RefusedError(version, "; ".join(trial.faults), forced="--force")
        if trial.faults:
            self.notes.append(f"Forced, although {'; '.join(trial.faults)}.")
        return trial, self._champion_error(present, test)

    def _champion_error(self, present: int | None, test: HeldOut | None) -> float | None:
        if present is None or test is None:
            return None
        try:
            return median_error(self.registry.load(present), test)
        except ModelError as error:
            self.notes.append(f"The champion so far, version {present}, cannot be loaded: {error}")
            return None

    def _test_rows(self) -> HeldOut | None:
        """Test rows of the latest data, evenly over all of it; None where the lake is not here or has none."""
        if not (self.home.lake / "catalog.db").exists():
            self.notes.append("There is no lake here, so the version was not asked about test rows.")
            return None
        try:
            return _read_test_rows(self.home.lake)
        except (StoreError, OSError) as error:
            self.notes.append(f"The version was not asked about test rows: {error}")
            return None


def _load(registry: "Registry", version: int) -> "Bundle":
    try:
        return registry.load(version)
    except (UnknownVersionError, RegistryUnreachableError):
        raise
    except ModelError as error:
        raise RefusedError(version, f"it cannot be loaded: {error}") from error


def _read_test_rows(lake: Path) -> HeldOut | None:
    from contextlib import closing  # noqa: PLC0415 - the lake brings Iceberg, which a refused version needs not

    import numpy as np  # noqa: PLC0415

    from appraiser_schema.frames import to_columns  # noqa: PLC0415
    from appraiser_store import Lake  # noqa: PLC0415

    with closing(Lake.open(lake)) as tables:
        rows = tables.read(Table.CLEAN, columns=("price", *LISTING_COLUMNS), split=Split.TEST)
    if rows.is_empty():
        return None
    some = rows[np.linspace(0, rows.height - 1, min(SAMPLE, rows.height)).astype(int)]
    return HeldOut(to_columns(some), some["price"].to_numpy())


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return "unknown"
