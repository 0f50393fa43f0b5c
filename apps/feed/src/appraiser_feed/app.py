"""The listing API as an ASGI application."""

from importlib.metadata import version

from fastapi import FastAPI

from appraiser_feed.endpoints import ROUTERS
from appraiser_feed.feed import Feed
from appraiser_feed.metrics import FeedMetrics


def create_app(feed: Feed) -> FastAPI:
    """Build the application that serves these batches.

    It must run in one process: the cursors are not shared.
    """
    app = FastAPI(title="Appraiser feed", version=version("appraiser-feed"), summary="Listings, batch by batch.")
    app.state.feed = feed
    app.state.metrics = FeedMetrics(feed)
    for router in ROUTERS:
        app.include_router(router)
    return app
