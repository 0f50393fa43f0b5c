"""Who was in production when, as the ledger has it, and whether the registry agrees."""

import datetime as dt

from appraiser_cli.errors import NotThereError
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_model.errors import RegistryUnreachableError
from appraiser_model.moving import disagreement
from appraiser_schema import Alias, MoveKind, Reign, utc_now
from appraiser_store import reign_at, reigns


def history(home: Home, settings: Settings) -> tuple[list[Reign], str]:
    """Every version's time as the champion, the first one first.

    Returns:
        The reigns, and in a sentence where the registry does not agree with them; empty where it does.
    """
    with open_ledger(home, settings) as ledger:
        found = reigns(ledger.moves(Alias.CHAMPION))
    recorded = found[-1].version if found else None
    try:
        present = open_registry(home, settings).champion()
    except (NotThereError, RegistryUnreachableError) as error:
        return found, f"The registry could not be asked whether it agrees: {error}"
    return found, "" if present == recorded else disagreement(present, recorded)


def history_at(home: Home, settings: Settings, at: dt.datetime) -> Reign:
    """The one reign at an instant.

    Raises:
        InstantError: The instant lies in the future.
        NoChampionThenError: No version was the champion yet.
    """
    with open_ledger(home, settings) as ledger:
        return reign_at(ledger.moves(Alias.CHAMPION), at, utc_now())


def told(kind: MoveKind, who: str, why: str) -> str:
    """Who moved the champion and why; of the pipeline's reasons, which stand with the decision, the first sentence."""
    first, more, _ = why.partition(". ")
    return f"{who}: {first}." if more and kind in (MoveKind.PROMOTION, MoveKind.REJECTION) else f"{who}: {why}"
