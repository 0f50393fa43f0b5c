"""GET /batches: what came in, and what became of it."""

from fastapi import APIRouter

from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_schema import Batch
from appraiser_store import Ledger

router = APIRouter(tags=["history"])


@router.get("/batches", summary="Batches that came in", responses=problems(503))
def list_batches(services: Shared) -> list[Batch]:
    """Every batch by number: how many rows came, were refused, were repeats, and went to which split."""
    return services.stores.ledger.read(Ledger.batches)
