"""GET /decisions: what was decided, and why."""

from typing import Annotated

from fastapi import APIRouter, Query

from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_schema import Decision, DecisionKind

router = APIRouter(tags=["history"])


@router.get("/decisions", summary="Decisions and their reasons", responses=problems(422, 503))
def list_decisions(
    services: Shared,
    kind: Annotated[DecisionKind | None, Query(description="Only decisions of this kind.")] = None,
) -> list[Decision]:
    """Every decision by batch: whether a model was trained, whether it was promoted, and the rules that said so."""
    return services.stores.ledger.read(lambda ledger: ledger.decisions(kind))
