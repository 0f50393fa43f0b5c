"""Reading a JSON body: its size, its declared type and its syntax, before anything looks at what it says."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from appraiser_api.errors import MEBIBYTE, BodyTooLargeError, ContentTypeError, JsonError

BODY_LIMIT_BYTES: Final = MEBIBYTE
"""A listing has some 300 bytes; the limit keeps a mistake from filling the memory."""

_EXCERPT: Final = 60


class JsonRequest(Request):
    """A request whose body was read and found to be JSON."""

    parsed: Any = None

    async def json(self) -> Any:
        """The value in the body."""
        return self.parsed


class JsonRoute(APIRoute):
    """A route that reads its JSON body by our rules, so that every fault of it is named in our words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read the body before the endpoint's own checks."""
        handle = super().get_route_handler()

        async def read_first(request: Request) -> Response:
            return await handle(await read_json(request))

        return read_first


async def read_json(request: Request) -> JsonRequest:
    """Read and parse the body.

    Raises:
        BodyTooLargeError: It has more than BODY_LIMIT_BYTES.
        ContentTypeError: It is not declared as JSON.
        JsonError: It is not JSON.
    """
    _check_content_type(request.headers.get("content-type"))
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_LIMIT_BYTES:
        raise BodyTooLargeError(BODY_LIMIT_BYTES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise BodyTooLargeError(BODY_LIMIT_BYTES)
    return _as_json(request, bytes(body))


def _check_content_type(content_type: str | None) -> None:
    if content_type == "application/json":
        return
    message = Message()
    message["content-type"] = content_type or ""
    kind, subtype = message.get_content_maintype(), message.get_content_subtype()
    if not content_type or kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise ContentTypeError(content_type)


def _as_json(request: Request, body: bytes) -> JsonRequest:
    # An empty body is no syntax error to a person: it is a listing that is missing.
    read = JsonRequest(request.scope, _replay(body))
    try:
        # NaN and Infinity are let through to the fields, which refuse them by name.
        read.parsed = from_json(body) if body.strip() else None
    except ValueError as error:
        raise JsonError(str(error), body[:_EXCERPT].decode("utf-8", "replace")) from None
    return read


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
