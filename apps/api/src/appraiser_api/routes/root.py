"""GET /: where to go from here."""

from fastapi import APIRouter

from appraiser_api import __version__
from appraiser_schema.records import Record

router = APIRouter(tags=["service"])


class Greeting(Record):
    """What this service is, and where it describes itself."""

    name: str = "Appraiser API"
    version: str = __version__
    docs: str = "/docs"
    openapi: str = "/openapi.json"
    ready: str = "/health/ready"


@router.get("/", summary="What this service is")
async def greet() -> Greeting:
    """Name and version of the service, and the addresses of its documentation and its state."""
    return Greeting()
