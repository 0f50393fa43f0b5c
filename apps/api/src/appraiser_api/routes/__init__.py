"""The endpoints, one group per file."""

from fastapi import APIRouter

from appraiser_api import docs
from appraiser_api.routes import (
    admin,
    batches,
    comparables,
    decisions,
    explain,
    feedback,
    health,
    history,
    lineage,
    metrics,
    models,
    places,
    predict,
    predict_batch,
    rollback,
    root,
    service,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        root,
        predict,
        predict_batch,
        explain,
        comparables,
        places,
        feedback,
        history,
        models,
        lineage,
        batches,
        decisions,
        health,
        service,
        admin,
        rollback,
        metrics,
        docs,
    )
)
