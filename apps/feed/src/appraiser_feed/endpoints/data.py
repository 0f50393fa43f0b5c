"""GET /data: the next batch."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import orjson
import structlog
from fastapi import APIRouter, HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from appraiser_feed.cursors import Day
from appraiser_feed.encoding import EncodedRows
from appraiser_feed.endpoints.parameters import Counted, Group, OptionalDay, Served

EXHAUSTED: Final = "Ya se recolectó toda la información mínima necesaria"

log = structlog.stdlib.get_logger()
router = APIRouter()


@router.get("/data", response_class=Response)
async def data(feed: Served, counted: Counted, group_number: Group, day: OptionalDay = None) -> Response:
    """Send the next batch of this group and day and move the cursor on, whether or not the response arrives."""
    number = feed.cursors.take(group_number, day)
    if number is None:
        counted.exhausted()
        log.info("exhausted", group_number=group_number, day=day)
        raise HTTPException(400, EXHAUSTED)
    if feed.faults.repeats(number):
        feed.cursors.back(group_number, day)
    batch = feed.batches[number]
    rows = await asyncio.to_thread(batch.encoded)
    await feed.faults.wait()
    dropped = feed.faults.drops(number)
    body = Body(envelope(group_number, day, number), rows)
    counted.sent(number, batch.rows, body.size_bytes, dropped=dropped)
    log.info(
        "batch_sent",
        group_number=group_number,
        day=day,
        batch_number=number,
        rows=batch.rows,
        size_bytes=body.size_bytes,
        dropped_on_purpose=dropped,
    )
    return BrokenResponse(body) if dropped else WholeResponse(body)


def envelope(group_number: int, day: Day | None, batch_number: int) -> bytes:
    """Give the JSON object around the rows, its list of rows empty; without a day it has no such field."""
    fields: dict[str, Any] = {"group_number": group_number, "day": day, "batch_number": batch_number, "data": []}
    return orjson.dumps({name: value for name, value in fields.items() if value is not None})


class Body:
    """A batch in its envelope.

    Attributes:
        size_bytes: Length of the whole.
    """

    def __init__(self, around: bytes, rows: EncodedRows) -> None:
        self._head, self._tail = around[:-2], around[-2:]
        self._rows = rows
        self.size_bytes = len(around) + rows.size_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Give the bytes part by part."""
        yield self._head
        yield from self._rows
        yield self._tail

    def first_half(self) -> Iterator[bytes]:
        """Give the bytes up to the middle."""
        left = self.size_bytes // 2
        for part in self:
            yield part[:left]
            left -= len(part)
            if left <= 0:
                return


class WholeResponse(StreamingResponse):
    """A body whose length is told first; its parts are unpacked in threads, so that other requests go on."""

    media_type = "application/json"

    def __init__(self, body: Body) -> None:
        super().__init__(iter(body), headers={"content-length": str(body.size_bytes)})


class BrokenResponse(StreamingResponse):
    """A body that promises its whole length, stops in the middle and closes the connection."""

    media_type = "application/json"

    def __init__(self, body: Body) -> None:
        super().__init__(body.first_half(), headers={"content-length": str(body.size_bytes)})

    async def stream_response(self, send: Send) -> None:
        """Send all but the end, at which the server closes the connection."""

        async def all_but_the_end(message: Message) -> None:
            if message["type"] == "http.response.start" or message.get("more_body"):
                await send(message)

        await super().stream_response(all_but_the_end)
