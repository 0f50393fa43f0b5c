"""GET /lineage/{request_id}: from an appraisal back to model, snapshot, batches and commit."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from appraiser_api.errors import PredictionError, VersionError
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_model import UnknownVersionError
from appraiser_schema import Lineage
from appraiser_store import lineage

router = APIRouter(tags=["history"])


@router.get("/lineage/{request_id}", summary="Where an appraisal comes from", responses=problems(404, 422, 503))
def show_lineage(
    request_id: Annotated[
        str,
        Path(description="`request_id` of the answer.", min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$"),
    ],
    services: Shared,
    row: Annotated[
        int, Query(ge=0, le=2**31 - 1, description="Row of the table that was sent, from 1; 0 is a single house.")
    ] = 0,
) -> Lineage:
    """The appraisal as it was given, the version that gave it, and what that version was made from.

    An appraisal given just now may take seconds to be on record.
    """
    stores = services.stores
    prediction = stores.ledger.read(lambda ledger: ledger.prediction(request_id, row))
    if prediction is None:
        raise PredictionError(request_id, row)
    version = prediction.model_version
    try:
        model = stores.registry.read(lambda registry: registry.version(version))
    except UnknownVersionError:
        raise VersionError(version) from None
    return stores.ledger.read(lambda ledger: lineage(ledger, prediction, model))
