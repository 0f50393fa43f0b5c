"""GET /metrics: what was sent, for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from appraiser_feed.endpoints.parameters import Counted

router = APIRouter()


@router.get("/metrics", response_class=Response)
async def metrics(counted: Counted) -> Response:
    """Give batches, rows and bytes that were sent, answers by outcome, and the last batch; no cursor moves."""
    return Response(counted.expose(), media_type=CONTENT_TYPE_LATEST)
