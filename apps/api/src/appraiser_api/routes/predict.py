"""POST /predict: what a house is worth."""

from typing import Annotated

from fastapi import APIRouter, Body

from appraiser_api.appraising import appraise, count
from appraiser_api.asked import Inquiry
from appraiser_api.body import JsonRoute
from appraiser_api.examples import APPRAISAL, LISTINGS
from appraiser_api.responses import answer, problems
from appraiser_api.services import Shared
from appraiser_schema import Appraisal, Listing

router = APIRouter(tags=["appraisals"], route_class=JsonRoute)


@router.post("/predict", summary="Appraise a house", responses=answer(APPRAISAL) | problems(413, 415, 422, 503))
async def predict(
    listing: Annotated[Listing, Body(openapi_examples=LISTINGS)], services: Shared, asked: Inquiry
) -> Appraisal:
    """The price of one house, the interval in which it lies, and what makes the appraisal less certain.

    Only the state is needed; whatever else is left out counts as unknown, as it did when the model was trained.
    """
    (appraisal,) = appraise(services, [(listing, asked)])
    count(services, listing, appraisal)
    return appraisal
