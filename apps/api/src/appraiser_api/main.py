"""The application: settings in, FastAPI out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from anyio import to_thread
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from appraiser_api import __version__, docs, openapi, problems
from appraiser_api.admission import Admission
from appraiser_api.batch.process import TableProcess
from appraiser_api.batch.wire import Setup
from appraiser_api.cache import ModelCache
from appraiser_api.envelope import Envelope
from appraiser_api.guard import Guard, cors
from appraiser_api.holder import Holder
from appraiser_api.keyring import Keyring
from appraiser_api.live import DriftCollector, LiveInputs
from appraiser_api.loader import Loader
from appraiser_api.logs import configure_logs
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LogMetrics, PredictionLog
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_api.routes import ROUTERS
from appraiser_api.services import Services
from appraiser_api.settings import Settings
from appraiser_api.short_way import ShortWay
from appraiser_api.stores import Stores
from appraiser_api.watcher import Watcher
from appraiser_api.workers import Workers

_BEGIN_SECONDS: Final = 20.0
"""How long a new worker waits for the last good model before it takes requests."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Nothing is opened and no thread runs before it is started.

    Args:
        settings: Those of the environment where None.
    """
    settings = settings or Settings()
    workers = Workers(settings.worker_folder)
    metrics = Metrics(workers.pids)
    holder = Holder(metrics, settings.poll_seconds)
    metrics.add(DriftCollector(holder, workers))
    app = FastAPI(
        title=openapi.TITLE,
        version=__version__,
        summary=openapi.SUMMARY,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    log_metrics = LogMetrics(metrics)
    log = PredictionLog(
        settings.prediction_log,
        settings.prediction_log_sync,
        metrics=log_metrics,
        sink=LedgerSink(settings.ledger_url),
    )
    tables = TableProcess(Setup.of(settings), metrics, log_metrics)
    app.state.services = Services(settings, metrics, holder, Stores(settings), log, workers, LiveInputs(), tables)
    for router in ROUTERS:
        app.include_router(router)
    docs.mount_assets(app)
    problems.install(app)
    admission = Admission(settings, None if settings.api_keys is None else Keyring(settings.api_keys))
    app.add_middleware(Guard, settings=settings, metrics=metrics, admission=admission)
    origins = bool(settings.api_cors_origins)
    app.state.short_way = ShortWay(app.state.services, admission, origins=origins)
    app.state.traces = None
    if settings.otlp_endpoint:
        from appraiser_api import tracing  # noqa: PLC0415 - it takes half a second to import

        app.state.traces = tracing.start()
        # A trace is begun and ended on the careful way.
        app.state.short_way = None
        app.add_middleware(tracing.Tracing, provider=app.state.traces)
    if origins:
        app.add_middleware(CORSMiddleware, **cors(settings.api_cors_origins))
    app.add_middleware(Envelope, metrics=metrics)
    openapi.install(app)
    return app


def serve() -> FastAPI:
    """What a server process imports: logs set up, settings from the environment."""
    configure_logs()
    return create_app()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    settings = services.settings
    loader = Loader(services.stores.registry, ModelCache(settings.model_cache), settings.api_alias)
    watcher = Watcher(
        services.holder, loader, services.metrics, services.workers, services.live, poll_seconds=settings.poll_seconds
    )
    watcher.start()
    if services.workers.several:
        # Whoever took the place of a worker that died takes requests once it can answer them.
        await to_thread.run_sync(watcher.began.wait, _BEGIN_SECONDS)
    services.log.start()
    yield
    services.table_process.begin_to_stop()
    watcher.stop()
    services.log.stop()
    await to_thread.run_sync(services.table_process.stop)
    services.parts.close()
    services.versions.close()
    services.stores.close()
    if app.state.traces is not None:
        await to_thread.run_sync(app.state.traces.shutdown)
