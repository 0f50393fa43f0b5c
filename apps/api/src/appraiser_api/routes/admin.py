"""POST /admin/reload: look for the champion now, in every worker."""

import asyncio
import time
from typing import Final

from fastapi import APIRouter, Response, status

from appraiser_api.services import Shared
from appraiser_schema import Reloaded

PATIENCE_SECONDS: Final = 20.0
"""A model is loaded in a second, and downloaded in some."""

_LOOK_SECONDS: Final = 0.05

router = APIRouter(prefix="/admin", tags=["service"])


@router.post(
    "/reload",
    summary="Look for the champion now",
    responses={202: {"model": Reloaded, "description": "Some workers have not looked yet; they will."}},
)
async def reload(services: Shared, response: Response) -> Reloaded:
    """Ask every worker to look for the champion, and say what each of them serves after it has.

    A version that could not be loaded is tried again. Workers look by themselves as well, every few seconds.
    """
    workers = services.workers
    generation = workers.ask_to_look()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        states = workers.states()
        complete = all(state.generation >= generation for state in states)
        if complete or time.monotonic() > deadline:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    if not complete:
        response.status_code = status.HTTP_202_ACCEPTED
    return Reloaded(complete=complete, workers=tuple(state.ready() for state in states))
