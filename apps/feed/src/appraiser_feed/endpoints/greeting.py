"""GET /: what is served here."""

from fastapi import APIRouter

from appraiser_feed.endpoints.parameters import Served

router = APIRouter()


@router.get("/")
async def greeting(feed: Served) -> dict[str, str | bool]:
    """Say what this is, where the listings come from and whether they are made up."""
    return {
        "message": "Listings in batches. GET /data?group_number=1&day=Tuesday gives the next one.",
        "source": feed.source,
        "simulated": feed.simulated,
    }
