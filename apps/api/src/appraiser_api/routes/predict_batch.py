"""POST /predict/batch: what many houses are worth."""

import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from appraiser_api.asked import Asked
from appraiser_api.batch.errors import BatchBusyError
from appraiser_api.batch.kinds import Kind, sent_kind, wanted_kind
from appraiser_api.batch.process import Answer
from appraiser_api.batch.spool import spool
from appraiser_api.batch.wire import IGNORED, MODEL, RECORD, Job
from appraiser_api.cache import Pointer
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_schema import LISTING_COLUMNS, example_listing

router = APIRouter(tags=["appraisals"])

_ROWS: Final[dict[str, Any]] = {"type": "array", "items": {"$ref": "#/components/schemas/Listing"}}
_COLUMNS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {name: {"type": "array", "items": {}} for name in LISTING_COLUMNS},
    "required": ["state"],
}
_FILE: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    Kind.JSON.value: {"schema": {"anyOf": [_ROWS, _COLUMNS]}, "example": [example_listing(), {"state": "Texas"}]},
    **{kind.value: _FILE for kind in Kind if kind is not Kind.JSON},
}
_OK: Final[dict[str, Any]] = {
    "description": "One line per row that was sent, by its number.",
    "content": {Kind.JSON.value: {"schema": {"type": "object"}}}
    | {kind.value: _FILE for kind in Kind if kind is not Kind.JSON},
    "headers": {
        MODEL: {"description": "Name and version of the model that answered.", "schema": {"type": "string"}},
        RECORD: {
            "description": "The service's own id of the request: `request_id` for feedback and lineage.",
            "schema": {"type": "string"},
        },
        IGNORED: {"description": "Columns that say nothing about a house.", "schema": {"type": "string"}},
    },
}


@router.post(
    "/predict/batch",
    summary="Appraise many houses",
    response_class=StreamingResponse,
    responses={200: _OK, **problems(406, 413, 415, 422, 503)},
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
)
async def predict_batch(request: Request, services: Shared) -> StreamingResponse:
    """A price with an interval for each row of a table, or what is wrong with that row.

    The table comes as JSON (a list of listings, or an object with a list per column), JSON lines, CSV, Parquet or an
    Arrow stream, as `Content-Type` says, and goes out the same way unless `Accept` names another. Rows are numbered
    from 1. Only the state is needed. A table may have other columns, which are not looked at and are named in
    `X-Appraiser-Ignored-Columns`; a JSON object with a field that a listing has not is refused, as by `/predict`.

    One model answers the whole request, however long it takes. Where the body turns out to be damaged after the answer
    has begun, the connection is broken off: an answer that ends as it should is whole.
    """
    sent = sent_kind(request.headers.get("content-type"))
    wanted = wanted_kind(request.headers.get("accept"), sent)
    champion = services.holder.champion()
    settings = services.settings
    if services.tables.borrowed_tokens >= settings.batch_waiting:
        raise BatchBusyError(settings.batch_waiting)
    place = object()
    services.tables.acquire_on_behalf_of_nowait(place)
    asked = Asked.of(request.scope)
    began = time.perf_counter()
    try:
        file = await spool(request, settings.batch_folder, settings.batch_bytes)
        job = Job(
            model=Pointer(digest=champion.bundle.digest, facts=champion.facts),
            sent=sent,
            wanted=wanted,
            record_id=asked.record_id,
            client_id=asked.client_id,
            began=began,
        )
        answer = await Answer.ask(services.table_process, job, file)
    except BaseException:
        services.tables.release_on_behalf_of(place)
        raise
    return StreamingResponse(_stream(services, answer, place), media_type=wanted.value, headers=answer.headers)


async def _stream(services: Services, answer: Answer, place: object) -> AsyncGenerator[bytes]:
    """The answer, piece by piece; the process is let go however it ends."""
    try:
        async for piece in answer.parts():
            yield piece
    finally:
        services.tables.release_on_behalf_of(place)
        answer.close()
