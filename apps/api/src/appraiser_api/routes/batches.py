"""GET /batches and /batches/{batch_number}: what came in, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Path

from appraiser_api.errors import BatchError
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_schema import Batch, BatchDetail
from appraiser_store import Ledger

router = APIRouter(tags=["history"])


@router.get("/batches", summary="Batches that came in", responses=problems(503))
def list_batches(services: Shared) -> list[Batch]:
    """Every batch by number: how many rows came, were refused, were repeats, and went to which split."""
    return services.stores.ledger.read(Ledger.batches)


@router.get("/batches/{batch_number}", summary="One batch", responses=problems(404, 422, 503))
def show_batch(
    batch_number: Annotated[int, Path(ge=0, le=2**31 - 1, description="Number, as GET /batches lists it.")],
    services: Shared,
) -> BatchDetail:
    """Refused rows by rule, with values of the column at fault; drift by column; and what was decided after it."""
    found = services.stores.ledger.read(lambda ledger: _detail(ledger, batch_number))
    if found is None:
        raise BatchError(batch_number)
    return found


def _detail(ledger: Ledger, batch_number: int) -> BatchDetail | None:
    batch = ledger.batch(batch_number)
    if batch is None:
        return None
    decisions = tuple(decision for decision in ledger.decisions() if decision.batch_number == batch_number)
    return BatchDetail(batch=batch, report=ledger.batch_report(batch_number), decisions=decisions)
