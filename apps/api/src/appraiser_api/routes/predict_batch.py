"""POST /predict/batch: what many houses are worth."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from appraiser_api.asked import Asked
from appraiser_api.batch.errors import BatchBusyError
from appraiser_api.batch.kinds import Kind, sent_kind, wanted_kind
from appraiser_api.batch.spool import spool
from appraiser_api.champion import Champion
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_schema import LISTING_COLUMNS, example_listing

if TYPE_CHECKING:
    import polars as pl

    from appraiser_model import Appraised

MODEL: Final = "X-Appraiser-Model"
RECORD: Final = "X-Appraiser-Request-ID"
IGNORED: Final = "X-Appraiser-Ignored-Columns"

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
    try:
        file = await spool(request, settings.batch_folder, settings.batch_bytes)
        work = Work(services, champion, Asked.of(request.scope), file, sent, wanted, place)
        first = await work.begin()
    except BaseException:
        services.tables.release_on_behalf_of(place)
        raise
    return StreamingResponse(work.stream(first), media_type=wanted.value, headers=work.headers)


@dataclass(slots=True)
class Work:
    """One request in the threads that it is worked on in; one part at a time, so that batches take turns."""

    services: Services
    champion: Champion
    asked: Asked
    file: IO[bytes]
    sent: Kind
    wanted: Kind
    place: object
    began: float = field(default_factory=time.perf_counter)
    headers: dict[str, str] = field(default_factory=dict)
    parts: Iterator[bytes] = field(default_factory=lambda: iter(()))

    async def begin(self) -> bytes | None:
        """Read the beginning and appraise the first chunk.

        Raises:
            ApiError: The body is no table of listings.
        """
        try:
            return await self._in_turn(self._begin)
        except BaseException:
            self.services.batches.submit(self._end)
            raise

    async def _in_turn(self, work: Callable[[], bytes | None]) -> bytes | None:
        """Do a piece of work in a thread. Whoever leaves meanwhile waits for its end: it reads the file."""
        done = asyncio.get_running_loop().run_in_executor(self.services.batches, work)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise

    def _begin(self) -> bytes | None:
        # Table libraries take a second to import: whoever appraises single houses never waits for them.
        from appraiser_api.batch.session import Session  # noqa: PLC0415

        session = Session.open(self.file, self.sent, self.wanted, self.champion)
        reference = self.champion.reference
        self.headers = {MODEL: f"{reference.name}/{reference.version}", RECORD: self.asked.record_id}
        if session.ignored:
            self.headers[IGNORED] = ", ".join(session.ignored).encode("ascii", "replace").decode()[:1000]
        self.parts = session.answer(self._record)
        return self._next()

    def _next(self) -> bytes | None:
        return next(self.parts, None)

    def _record(self, numbered: "pl.DataFrame", appraised: "Appraised") -> None:
        """Put a chunk on record before its part of the answer leaves."""
        listings = numbered.clone()
        rows = listings.drop_in_place("row_number")
        self.services.log.append_table(
            self.asked.record_id,
            listings,
            appraised,
            model=self.champion.logged,
            at=time.time(),
            latency_seconds=time.perf_counter() - self.began,
            client_request_id=self.asked.client_id,
            rows=rows,
        )

    async def stream(self, first: bytes | None) -> AsyncGenerator[bytes]:
        """The answer, part by part; the file is closed however it ends."""
        try:
            part = first
            while part is not None:
                # Some parts are empty: what is sent of them would mark the end.
                if part:
                    yield part
                part = await self._in_turn(self._next)
        finally:
            self.services.tables.release_on_behalf_of(self.place)
            # In a thread: another one may be in the middle of the next chunk, and is waited for.
            self.services.batches.submit(self._end)

    def _end(self) -> None:
        if isinstance(self.parts, Generator):
            self.parts.close()
        self.file.close()
