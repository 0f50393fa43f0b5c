"""The endpoints, one per file."""

from appraiser_feed.endpoints import data, greeting, health, metrics, restart

ROUTERS = (greeting.router, health.router, data.router, restart.router, metrics.router)

__all__ = ["ROUTERS"]
