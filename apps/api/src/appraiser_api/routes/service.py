"""GET /service: health of every part, what the service is asked, and what waits."""

import datetime as dt

from fastapi import APIRouter

from appraiser_api import __version__
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_api.traffic import read_figures
from appraiser_schema import ServiceState

router = APIRouter(tags=["service"])


@router.get("/service", summary="How the service stands", responses=problems(503))
def show_service(services: Shared) -> ServiceState:
    """The parts of the system as this service sees them, and counts since it began, of all workers.

    Two answers make a rate: requests, and how many of them were answered within which time. Where the feed and Airflow
    are it knows from `APPRAISER_FEED_URL` and `APPRAISER_AIRFLOW_URL`.
    """
    figures = read_figures(services.metrics.registry)
    return ServiceState(
        at=dt.datetime.now(dt.UTC),
        software=__version__,
        workers=len(services.workers.states()),
        keys_needed=services.settings.api_keys is not None,
        in_flight=figures.in_flight,
        bounds_seconds=figures.bounds_seconds,
        routes=figures.routes,
        backlog=figures.backlog,
        parts=services.parts.look(),
    )
