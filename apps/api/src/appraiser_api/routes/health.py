"""GET /health/live and /health/ready: for whoever restarts the service, and whoever sends it requests."""

from typing import Literal

from fastapi import APIRouter, Response, status

from appraiser_api.draining import DRAINING
from appraiser_api.services import Shared
from appraiser_schema import Ready
from appraiser_schema.records import Record

router = APIRouter(prefix="/health", tags=["service"])


class Live(Record):
    """The process answers."""

    status: Literal["live"] = "live"


@router.get("/live", summary="Whether the process answers")
async def live() -> Live:
    """Always 200: a service without a model waits for one and gains nothing from a restart."""
    return Live()


@router.get(
    "/ready",
    summary="Whether it can appraise",
    responses={
        503: {"model": Ready, "description": "No model is loaded, or it is ending; `detail` says why and what to do."}
    },
)
async def ready(services: Shared, response: Response) -> Ready:
    """200 with the model that serves, also while the registry is away or a newer version cannot be loaded.

    `workers` tells what each process at this address serves; they differ for a moment when a champion changes. All of
    them must have a model, for nobody knows which of them the next request meets. `mismatches` names versions that do
    not fit, which makes nothing unready: MLflow is asked for its own aside.
    """
    workers = tuple(state.ready() for state in services.workers.states())
    state = services.holder.ready()
    everywhere = state.ready and (not services.workers.several or all(worker.model for worker in workers))
    mismatches = services.versions.mismatches(services.holder.current)
    state = state.model_copy(
        update={"ready": everywhere, "workers": workers, "draining": DRAINING.on, "mismatches": mismatches}
    )
    if not state.ready or state.draining:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return state
