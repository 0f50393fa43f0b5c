"""The endpoints, one group per file."""

from fastapi import APIRouter

from appraiser_api import docs
from appraiser_api.routes import batches, decisions, explain, health, metrics, models, predict, predict_batch, root

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (root, predict, predict_batch, explain, models, batches, decisions, health, metrics, docs)
)
