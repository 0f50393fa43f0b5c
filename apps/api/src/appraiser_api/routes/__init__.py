"""The endpoints, one group per file."""

from fastapi import APIRouter

from appraiser_api import docs
from appraiser_api.routes import batches, decisions, explain, health, metrics, models, predict, root

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router for module in (root, predict, explain, models, batches, decisions, health, metrics, docs)
)
