"""Moves of the champion by hand, with test rows of the lake to try the version on."""

import getpass
from pathlib import Path
from typing import Final

from appraiser_cli.errors import CliError, NotThereError, RefusedError
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_model.errors import MoveRefusedError, NoChampionBeforeError
from appraiser_model.moving import Moved, Mover
from appraiser_model.trial import HeldOut
from appraiser_schema import LISTING_COLUMNS, MoveKind, Split
from appraiser_store import StoreError, Table, previous_champion

__all__ = ["Moved", "promote", "rollback"]

SAMPLE: Final = 2000
"""Test rows that a version is asked about: their median error is known to about a point, in a tenth of a second."""


def promote(home: Home, settings: Settings, version: int, why: str, who: str | None, *, force: bool) -> Moved:
    """Make a version the champion.

    Raises:
        RefusedError: It cannot be loaded, or its appraisals are absurd and `force` is not given. Nothing moved.
        UnknownVersionError: There is no such version.
    """
    return _move(home, settings, version, (why, who), MoveKind.MANUAL, force=force)


def rollback(home: Home, settings: Settings, version: int | None, why: str, who: str | None, *, force: bool) -> Moved:
    """Make a version the champion again; without a version, the one before the present champion.

    Raises:
        NotThereError: None came before it.
        RefusedError, UnknownVersionError: As for `promote`.
    """
    return _move(home, settings, version, (why, who), MoveKind.ROLLBACK, force=force)


def _move(
    home: Home, settings: Settings, version: int | None, told: tuple[str, str | None], kind: MoveKind, *, force: bool
) -> Moved:
    why, who = told
    if not why.strip():
        raise CliError("a reason is needed: --why REASON")
    registry = open_registry(home, settings)
    with open_ledger(home, settings) as ledger:
        mover = Mover(
            registry, ledger, previous_champion, who or _who(), why, lambda: _test_rows(home.lake), force=force
        )
        try:
            return mover.move(version, kind)
        except MoveRefusedError as error:
            forced = "--force" if error.can_be_forced else ""
            raise RefusedError(error.version, error.problem, forced) from error
        except NoChampionBeforeError:
            raise NotThereError(
                "no champion came before the present one; choose a version from './appraiser models list' and name "
                "it: './appraiser models rollback VERSION --why REASON'."
            ) from None


def _test_rows(lake: Path) -> HeldOut | str:
    """Test rows of the latest data, evenly over all of it, or why there are none."""
    if not (lake / "catalog.db").exists():
        return "There is no lake here, so the version was not asked about test rows."
    try:
        return _read_test_rows(lake)
    except (StoreError, OSError) as error:
        return f"The version was not asked about test rows: {error}"


def _read_test_rows(lake: Path) -> HeldOut | str:
    from contextlib import closing  # noqa: PLC0415 - the lake brings Iceberg, which a refused version needs not

    import numpy as np  # noqa: PLC0415

    from appraiser_schema.frames import to_columns  # noqa: PLC0415
    from appraiser_store import Lake  # noqa: PLC0415

    with closing(Lake.open(lake)) as tables:
        rows = tables.read(Table.CLEAN, columns=("price", *LISTING_COLUMNS), split=Split.TEST)
    if rows.is_empty():
        return "The lake has no test rows, so the version was not asked about any."
    some = rows[np.linspace(0, rows.height - 1, min(SAMPLE, rows.height)).astype(int)]
    return HeldOut(to_columns(some), some["price"].to_numpy())


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return "unknown"
