"""Model versions with the decisions about them, and moves of the champion by hand."""

import getpass
from collections.abc import Sequence

from appraiser_cli.errors import CliError, NotThereError
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_schema import Alias, AliasMove, Decision, DecisionKind, ModelDetail, ModelVersion, MoveKind, utc_now
from appraiser_store import Ledger


def all_models(home: Home, settings: Settings) -> list[ModelVersion]:
    """Every version, the newest first, each with the decision about it."""
    with open_ledger(home, settings) as ledger:
        decisions = _decisions(ledger)
        found = open_registry(home, settings).versions()
    return [model.model_copy(update={"decision": decisions.get(model.version)}) for model in found]


def one_model(home: Home, settings: Settings, version: int) -> ModelDetail:
    """One version with its card and the decision about it."""
    registry = open_registry(home, settings)
    model, card = registry.version(version), registry.card(version)
    with open_ledger(home, settings) as ledger:
        decision = _decisions(ledger).get(version)
    facts = {name: getattr(model, name) for name in ModelVersion.model_fields if name != "decision"}
    return ModelDetail(**facts, decision=decision, card=card.model_dump(mode="json"))


def promote(home: Home, settings: Settings, version: int, why: str) -> str:
    """Make a version the champion.

    Returns:
        What happened, in one sentence.
    """
    return _move(home, settings, version, MoveKind.MANUAL, why)


def rollback(home: Home, settings: Settings, why: str) -> str:
    """Make the champion before the present one champion again.

    Returns:
        What happened, in one sentence.

    Raises:
        NotThereError: There was none before it.
    """
    with open_ledger(home, settings) as ledger:
        before = previous_champion(ledger.moves(Alias.CHAMPION))
    if before is None:
        raise NotThereError(
            "no champion came before the present one; choose a version from './appraiser models list' and name it "
            "with './appraiser models promote VERSION --why REASON'."
        )
    return _move(home, settings, before, MoveKind.ROLLBACK, why)


def previous_champion(moves: Sequence[AliasMove]) -> int | None:
    """The champion that the present one followed. A rollback takes back what it undid: a second goes further back."""
    line: list[int] = []
    for move in moves:
        if move.kind is MoveKind.ROLLBACK and move.to_version in line:
            del line[line.index(move.to_version) + 1 :]
        elif not line or line[-1] != move.to_version:
            line.append(move.to_version)
    return line[-2] if len(line) > 1 else None


def _move(home: Home, settings: Settings, version: int, kind: MoveKind, why: str) -> str:
    if not why.strip():
        raise CliError("a reason is needed: --why REASON")
    registry = open_registry(home, settings)
    with open_ledger(home, settings) as ledger:
        if registry.champion() == version:
            return _note_champion(ledger, version, kind, why)
        move = registry.move(Alias.CHAMPION, version, kind=kind, who=_who(), why=why)
        ledger.record_move(move)
    before = "none" if move.from_version is None else f"version {move.from_version}"
    return f"the champion is version {version} now; before it was {before}. The API follows by itself."


def _note_champion(ledger: Ledger, version: int, kind: MoveKind, why: str) -> str:
    """Record the move to the present champion where that was cut off between the move and its record."""
    moves = ledger.moves(Alias.CHAMPION)
    known = moves[-1].to_version if moves else None
    if known == version:
        return f"version {version} is the champion already; nothing changed"
    ledger.record_move(
        AliasMove(
            at=utc_now(),
            kind=kind,
            alias=Alias.CHAMPION,
            from_version=known,
            to_version=version,
            who=_who(),
            why=why,
        )
    )
    return f"version {version} is the champion already, but the history did not say so; now it does"


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return "unknown"


def _decisions(ledger: Ledger) -> dict[int, Decision]:
    found = ledger.decisions(DecisionKind.PROMOTION)
    return {decision.model_version: decision for decision in found if decision.model_version is not None}
