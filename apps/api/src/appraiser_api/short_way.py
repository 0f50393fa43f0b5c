"""POST /predict without detours: a listing that is in order is answered before the router is asked.

Whatever is unusual about a request takes the careful way, through FastAPI: it alone says what is wrong, and it alone
stands in the OpenAPI document. A listing that is in order gets the same answer on both.
"""

from typing import Any, Final

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appraiser_api.appraising import appraise
from appraiser_api.asked import Asked
from appraiser_api.body import BODY_LIMIT_BYTES
from appraiser_api.errors import ApiError
from appraiser_api.routes import predict
from appraiser_api.services import Services
from appraiser_schema import Appraisal, Listing

PATH: Final = "/predict"

_JSON: Final = (b"content-type", b"application/json")
_VALIDATE: Final = Listing.__pydantic_validator__.validate_python
_TO_JSON: Final = Appraisal.__pydantic_serializer__.to_json


class ShortWay:
    """Middleware next to the router.

    Args:
        app: The careful way.
        services: What it answers from.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self._services = services
        (self._route,) = [route for route in predict.router.routes if getattr(route, "path", None) == PATH]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the careful way do so."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        message = await receive()
        body = self._answer(scope, message)
        if body is None:
            await self.app(scope, _again(message, receive), send)
            return
        scope["route"] = self._route
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length), _JSON]})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope, message: Message) -> bytes | None:
        """The answer to a request that is in order; None where something is unusual."""
        body: bytes = message.get("body", b"")
        if message.get("more_body") or len(body) > BODY_LIMIT_BYTES or _JSON not in scope["headers"]:
            return None
        listing = _listing(body)
        if listing is None:
            return None
        try:
            return _TO_JSON(appraise(self._services, listing, Asked.of(scope)))
        except ApiError:
            return None


def _listing(body: bytes) -> Listing | None:
    """Read a listing as the careful way does."""
    try:
        parsed: Any = from_json(body)
        return _VALIDATE(parsed) if type(parsed) is dict else None
    except ValueError:
        return None


def _again(message: Message, receive: Receive) -> Receive:
    """Give a message that was taken once more, then what follows."""
    taken = False

    async def receive_again() -> Message:
        nonlocal taken
        if taken:
            return await receive()
        taken = True
        return message

    return receive_again
