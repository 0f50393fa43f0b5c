"""GET /health: whether this answers."""

from fastapi import APIRouter

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """Say OK; the listings are read before the first request is taken."""
    return {"status": "OK"}
