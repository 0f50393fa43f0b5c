"""The application: settings in, FastAPI out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from appraiser_api import __version__, docs, openapi, problems
from appraiser_api.cache import ModelCache
from appraiser_api.envelope import Envelope
from appraiser_api.holder import Holder
from appraiser_api.loader import Loader
from appraiser_api.logs import configure_logs
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import PredictionLog
from appraiser_api.routes import ROUTERS
from appraiser_api.services import Services
from appraiser_api.settings import Settings
from appraiser_api.stores import Stores
from appraiser_api.watcher import Watcher


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Nothing is opened and no thread runs before it is started.

    Args:
        settings: Those of the environment where None.
    """
    settings = settings or Settings()
    metrics = Metrics()
    holder = Holder(metrics, settings.poll_seconds)
    app = FastAPI(
        title=openapi.TITLE,
        version=__version__,
        summary=openapi.SUMMARY,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    log = PredictionLog(settings.prediction_log, settings.prediction_log_sync)
    app.state.services = Services(settings, metrics, holder, Stores(settings), log)
    for router in ROUTERS:
        app.include_router(router)
    docs.mount_assets(app)
    problems.install(app)
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
    loader = Loader(services.stores.registry, ModelCache(settings.model_cache))
    watcher = Watcher(services.holder, loader, services.metrics, settings.poll_seconds)
    watcher.start()
    services.log.start()
    yield
    watcher.stop()
    services.log.stop()
    services.stores.close()
