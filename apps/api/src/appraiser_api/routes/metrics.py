"""GET /metrics: counters and timings for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from appraiser_api.services import Shared

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text."}},
)
def expose(services: Shared) -> Response:
    """Requests, times, appraised prices and the state of the champion, in Prometheus's text format, of all workers."""
    return Response(services.metrics.expose(), media_type=CONTENT_TYPE_LATEST)
