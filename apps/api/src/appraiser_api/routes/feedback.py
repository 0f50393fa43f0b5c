"""POST /feedback: what a house sold for. GET /feedback/summary: how appraisals compare with sales."""

from functools import partial
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body, status
from fastapi.exceptions import RequestValidationError

from appraiser_api.body import JsonRoute
from appraiser_api.errors import PredictionError
from appraiser_api.examples import SALES
from appraiser_api.prediction_log.sink import recent_errors
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_api.stores import Stores
from appraiser_schema import Feedback, LiveError, Sale, latest_day, utc_now
from appraiser_store import UnknownPredictionError

router = APIRouter(tags=["feedback"])
_reports = APIRouter(route_class=JsonRoute)

_LOOKS: Final = CapacityLimiter(1)
"""A look into the log reads all of its backlog: one at a time, so that a client who guesses ids slows down itself."""

_FUTURE: Final = "must not be in the future: a sale is reported once it is made"


@_reports.post(
    "/feedback",
    status_code=status.HTTP_201_CREATED,
    summary="Report what a house sold for",
    responses=problems(404, 413, 415, 422, 503),
)
async def report(sale: Annotated[Sale, Body(openapi_examples=SALES)], services: Shared) -> Feedback:
    """Keep what a house sold for that was appraised before, by the `request_id` of the appraisal.

    An appraisal that was answered a moment ago counts, whether or not its record has reached the ledger. Several
    reports about one appraisal are all kept, and the last one counts.
    """
    now = utc_now()
    if sale.sold_at > latest_day(now):
        raise RequestValidationError([_future(sale)])
    feedback = Feedback(**sale.model_dump(), received_at=now)
    await _save(feedback, services)
    return feedback


@router.get("/feedback/summary", summary="How appraisals compare with sales", responses=problems(503))
def summarise(services: Shared) -> list[LiveError]:
    """The live error of each model version over the sales reported in the last 90 days, the newest version first.

    Of more than 20,000 such sales the latest 20,000 count.
    """
    return services.stores.ledger.read(recent_errors)


async def _save(feedback: Feedback, services: Services) -> None:
    save = partial(to_thread.run_sync, partial(_record, services.stores))
    if await save(feedback):
        return
    # Whoever waits for a look holds no thread.
    on_its_way = await to_thread.run_sync(services.log.holds, feedback.request_id, feedback.row, limiter=_LOOKS)
    # Where it is no longer on its way, it may have arrived between the two looks.
    if not await save(feedback, on_its_way):
        raise PredictionError(feedback.request_id, feedback.row)


def _record(stores: Stores, feedback: Feedback, on_its_way: bool = False) -> bool:  # noqa: FBT001, FBT002 - of a thread
    try:
        stores.ledger.read(lambda records: records.save_feedback(feedback, on_its_way=on_its_way))
    except UnknownPredictionError:
        return False
    return True


def _future(sale: Sale) -> dict[str, object]:
    place = ("body", "sold_at")
    return {"type": "value_error", "loc": place, "msg": _FUTURE, "ctx": {"error": _FUTURE}, "input": str(sale.sold_at)}


router.include_router(_reports)
