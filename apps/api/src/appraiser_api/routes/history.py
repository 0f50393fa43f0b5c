"""GET /models/history: which version was in production when, and who put it there."""

from typing import Annotated

from fastapi import APIRouter, Query

from appraiser_api.errors import MomentError, NobodyThenError
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_schema import Alias, Reign, utc_now
from appraiser_store import InstantError, NoChampionThenError, parse_instant, reign_at, reigns

router = APIRouter(tags=["models"])


@router.get("/models/history", summary="Who was in production when", responses=problems(404, 422, 503))
def list_reigns(
    services: Shared,
    at: Annotated[
        str | None,
        Query(
            description="Only the version at this instant of the past; with its zone.",
            examples=["2026-11-24T10:00Z"],
            max_length=64,
        ),
    ] = None,
) -> list[Reign]:
    """Every version's time as the champion, the first one first: from, to, who, and why. With `at`, exactly one."""
    moves = services.stores.ledger.read(lambda ledger: ledger.moves(Alias.CHAMPION))
    if at is None:
        return reigns(moves)
    try:
        return [reign_at(moves, parse_instant(at), utc_now())]
    except InstantError as error:
        raise MomentError(error) from None
    except NoChampionThenError as error:
        raise NobodyThenError(error) from None
