"""The endpoints, one per file."""

from appraiser_feed.endpoints import data, greeting, health, restart

ROUTERS = (greeting.router, health.router, data.router, restart.router)

__all__ = ["ROUTERS"]
