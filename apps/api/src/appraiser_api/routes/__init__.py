"""The endpoints, one group per file."""

from fastapi import APIRouter

from appraiser_api import docs
from appraiser_api.routes import (
    admin,
    batches,
    decisions,
    explain,
    feedback,
    health,
    history,
    lineage,
    metrics,
    models,
    predict,
    predict_batch,
    root,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        root,
        predict,
        predict_batch,
        explain,
        feedback,
        history,
        models,
        lineage,
        batches,
        decisions,
        health,
        admin,
        metrics,
        docs,
    )
)
