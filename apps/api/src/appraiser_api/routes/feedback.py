"""POST /feedback: what a house sold for. GET /feedback/summary: how appraisals compare with sales."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, status
from fastapi.exceptions import RequestValidationError

from appraiser_api.body import JsonRoute
from appraiser_api.errors import PredictionError
from appraiser_api.examples import SALES
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_schema import Feedback, LiveError, Sale, latest_day, utc_now
from appraiser_store import Ledger, UnknownPredictionError

router = APIRouter(tags=["feedback"])
_reports = APIRouter(route_class=JsonRoute)

_FUTURE: Final = "must not be in the future: a sale is reported once it is made"


@_reports.post(
    "/feedback",
    status_code=status.HTTP_201_CREATED,
    summary="Report what a house sold for",
    responses=problems(404, 413, 415, 422, 503),
)
def report(sale: Annotated[Sale, Body(openapi_examples=SALES)], services: Shared) -> Feedback:
    """Keep what a house sold for that was appraised before, by the `request_id` of the appraisal.

    An appraisal that was answered a moment ago counts, whether or not its record has reached the ledger. Several
    reports about one appraisal are all kept, and the last one counts.
    """
    now = utc_now()
    if sale.sold_at > latest_day(now):
        raise RequestValidationError([_future(sale)])
    feedback = Feedback(**sale.model_dump(), received_at=now)
    _save(feedback, services)
    return feedback


@router.get("/feedback/summary", summary="How appraisals compare with sales", responses=problems(503))
def summarise(services: Shared) -> list[LiveError]:
    """The live error of each model version of which a sale is known, the newest first."""
    return services.stores.ledger.read(Ledger.live_errors)


def _save(feedback: Feedback, services: Services) -> None:
    ledger = services.stores.ledger
    try:
        ledger.read(lambda records: records.save_feedback(feedback))
    except UnknownPredictionError:
        on_its_way = services.log.holds(feedback.request_id, feedback.row)
        try:
            # Where it is no longer on its way, it may have arrived between the two looks.
            ledger.read(lambda records: records.save_feedback(feedback, on_its_way=on_its_way))
        except UnknownPredictionError:
            raise PredictionError(feedback.request_id, feedback.row) from None


def _future(sale: Sale) -> dict[str, object]:
    place = ("body", "sold_at")
    return {"type": "value_error", "loc": place, "msg": _FUTURE, "ctx": {"error": _FUTURE}, "input": str(sale.sold_at)}


router.include_router(_reports)
