"""POST /admin/rollback: a person takes the champion back, with a key and a reason."""

import threading
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Body

from appraiser_api.asked import Inquiry
from appraiser_api.body import JsonRoute
from appraiser_api.errors import (
    AwayError,
    KeysNeededError,
    NoneBeforeError,
    RegistryRefusesError,
    VersionError,
    VersionRefusedError,
)
from appraiser_api.examples import ROLLBACKS
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_api.watcher import outside
from appraiser_model.errors import (
    BundleError,
    ModelError,
    MoveRefusedError,
    NoChampionBeforeError,
    RegistryUnreachableError,
    UnknownVersionError,
)
from appraiser_model.moving import Moved, Mover
from appraiser_schema import MoveKind, RollbackOrder, RolledBack
from appraiser_store import Ledger, previous_champion

_ONE: Final = threading.Lock()
"""Two at a time would each try a version against the same champion."""

_NO_ROWS: Final = "This service does not read the listings, so the version was not asked about test rows."

logger = structlog.get_logger("appraiser_api")

router = APIRouter(prefix="/admin", tags=["service"], route_class=JsonRoute)


@router.post("/rollback", summary="Take the champion back", responses=problems(403, 404, 409, 413, 415, 422, 503))
def rollback(
    order: Annotated[RollbackOrder, Body(openapi_examples=ROLLBACKS)], services: Shared, inquiry: Inquiry
) -> RolledBack:
    """Put a version in service again: without one, the champion before the present one.

    The version is loaded and asked about a few houses first; what cannot be loaded, or answers absurdly, is refused and
    nothing moves. The move is recorded with the name of the key and the reason, and every worker looks at once.

    The service needs keys for it (`APPRAISER_API_KEYS`), for nobody is on record without a name; and it needs to be let
    write to MLflow's registry.
    """
    if inquiry.key_name is None:
        raise KeysNeededError
    with _ONE:
        moved = _moved(services, order, inquiry.key_name)
    services.workers.ask_to_look()
    return RolledBack(version=moved.version, moved=moved.moved, move=moved.move, notes=moved.notes)


def _moved(services: Services, order: RollbackOrder, who: str) -> Moved:
    registry = services.stores.registry.read(lambda found: found)

    def attempt(ledger: Ledger) -> Moved | ModelError:
        # What the registry or the version says is nothing against the ledger.
        try:
            mover = Mover(registry, ledger, previous_champion, who, order.why, lambda: _NO_ROWS)
            return mover.move(order.version, MoveKind.ROLLBACK)
        except ModelError as error:
            return error

    outcome = services.stores.ledger.read(attempt)
    if isinstance(outcome, Moved):
        return outcome
    match outcome:
        case MoveRefusedError():
            cause = outcome.__cause__
            problem = f"it cannot be loaded. {outside(cause)}" if isinstance(cause, BundleError) else outcome.problem
            raise VersionRefusedError(outcome.version, problem) from outcome
        case NoChampionBeforeError():
            raise NoneBeforeError from outcome
        case UnknownVersionError():
            raise VersionError(outcome.version) from outcome
        case RegistryUnreachableError():
            raise AwayError("registry", "MLFLOW_TRACKING_URI") from outcome
        case _:
            logger.warning("rollback_failed", version=order.version, error=f"{type(outcome).__name__}: {outcome}")
            raise RegistryRefusesError from outcome
