"""POST /explain: why a house is worth what it is worth."""

from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body

from appraiser_api.appraising import count, put_on_record
from appraiser_api.asked import Inquiry
from appraiser_api.body import JsonRoute
from appraiser_api.examples import LISTINGS
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_schema import Explanation, Listing

_TURNS: Final = CapacityLimiter(1)
"""One explanation at a time, in a thread: milliseconds in which single houses keep the event loop."""

router = APIRouter(tags=["appraisals"], route_class=JsonRoute)


@router.post("/explain", summary="Explain an appraisal", responses=problems(413, 415, 422, 503))
async def explain(
    listing: Annotated[Listing, Body(openapi_examples=LISTINGS)], services: Shared, asked: Inquiry
) -> Explanation:
    """The appraisal, and what each thing that is known of the house adds to the price.

    `base_usd` is what the model expects before it knows anything of the house; it and the `effect_usd` of all
    contributions sum to the price. The effects are exact SHAP values of the model that answers.
    """
    champion = services.holder.champion()
    explanation = await to_thread.run_sync(champion.explain, listing, asked.record_id, limiter=_TURNS)
    put_on_record(services, champion, [(listing, asked)], [explanation.appraisal])
    count(services, listing, explanation.appraisal)
    return explanation
