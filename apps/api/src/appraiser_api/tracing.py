"""Traces by OpenTelemetry, imported only where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to send them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appraiser_api import __version__, spans
from appraiser_api.asked import Asked

_QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def start() -> TracerProvider:
    """Send traces from now on; OpenTelemetry reads its own variables. Shutting the provider down sends the last."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "appraiser-api", SERVICE_VERSION: __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    spans.use(partial(_span, provider.get_tracer("appraiser_api")))
    return provider


@contextmanager
def _span(tracer: Tracer, name: str, **options: Any) -> Iterator[Span]:
    """Trace a part; of an error that ends it, only the kind: its message can hold the house."""
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False, **options) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


class Tracing:
    """Middleware inside the envelope: a span per request, within the trace that the client is in.

    Args:
        app: What answers.
        provider: Where spans go.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self.app = app
        self._tracer = provider.get_tracer("appraiser_api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Trace one request. Nothing of what was asked stands in it but route, status, id and model version."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self.app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        context = _PROPAGATOR.extract(carrier)
        with _span(self._tracer, scope["method"], context=context, kind=SpanKind.SERVER) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self.app(scope, receive, send_and_note)
            finally:
                asked = Asked.of(scope)
                route = getattr(scope.get("route"), "path", None)
                if route:
                    span.update_name(f"{scope['method']} {route}")
                    span.set_attribute("http.route", route)
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("appraiser.request_id", asked.request_id)
                if asked.model_version is not None:
                    span.set_attribute("appraiser.model_version", asked.model_version)
