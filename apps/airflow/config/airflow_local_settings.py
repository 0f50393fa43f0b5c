"""What Airflow imports when it starts; this folder has to be on PYTHONPATH.

LocalExecutor forks its workers from the scheduler, and each task from a worker: what the scheduler has imported, no
task imports again. The pipeline's libraries take ten seconds of one core, so that a batch of eight tasks gains a
minute. They are imported only, never used, before the fork: a started thread pool would not survive it.
"""  # noqa: INP001 - Airflow imports it by its file name

import os
from importlib import import_module

PIPELINE = (
    *(f"appraiser_pipeline.steps.{step}" for step in ("fetch_batch", "validate", "clean_and_split", "decide_training")),
    *(
        f"appraiser_pipeline.steps.{step}"
        for step in ("train_model", "evaluate", "decide_promotion", "promote", "reject")
    ),
    "appraiser_store.lake",
    "appraiser_model.mlflow_model",
    "mlflow.artifacts",
    "mlflow.pyfunc",
    "mlflow.store.artifact.local_artifact_repo",
    "scipy.spatial",
    "xgboost",
)
"""Modules that the steps use, some of them only when they are called."""

if os.environ.get("APPRAISER_PRELOAD"):
    for module in PIPELINE:
        import_module(module)
