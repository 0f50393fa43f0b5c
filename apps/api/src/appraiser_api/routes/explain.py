"""POST /explain: why a house is worth what it is worth."""

from typing import Annotated

from fastapi import APIRouter, Body

from appraiser_api.body import JsonRoute
from appraiser_api.examples import LISTINGS
from appraiser_api.responses import problems
from appraiser_api.services import RequestId, Shared
from appraiser_schema import Explanation, Listing

router = APIRouter(tags=["appraisals"], route_class=JsonRoute)


@router.post("/explain", summary="Explain an appraisal", responses=problems(413, 415, 422, 503))
async def explain(
    listing: Annotated[Listing, Body(openapi_examples=LISTINGS)], services: Shared, request_id: RequestId
) -> Explanation:
    """The appraisal, and what each thing that is known of the house adds to the price.

    `base_usd` is what the model expects before it knows anything of the house; it and the `effect_usd` of all
    contributions sum to the price. The effects are exact SHAP values of the model that answers.
    """
    return services.holder.champion().explain(listing, request_id)
