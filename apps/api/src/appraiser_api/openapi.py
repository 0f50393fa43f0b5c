"""The OpenAPI document."""

import json
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from appraiser_api.refusals import add_refusals
from appraiser_schema import Problem

TITLE: Final = "Appraiser API"
SUMMARY: Final = "What houses are worth, why, and which model says so."
DESCRIPTION: Final = """Send what is known of a house to `POST /predict`; only the state is needed.
The answer is a price with an interval and the version of the model that gave it; `POST /explain` adds the reasons in
dollars. The model in production is replaced while requests are served; none of them fails for it.

Errors are problem documents (RFC 9457, `application/problem+json`) that name each field, its rule and its value.
Every answer carries `X-Request-ID`: the one that was sent, or a new one.
"""
TAGS: Final = [
    {"name": "appraisals", "description": "What a house is worth, and why."},
    {"name": "feedback", "description": "What houses sold for, and how appraisals compare with that."},
    {"name": "models", "description": "The model in production, and those before it."},
    {"name": "history", "description": "Batches and decisions, from the ledger."},
    {"name": "service", "description": "Health, metrics, and the ways back."},
]


def install(app: FastAPI) -> None:
    """Let the application describe itself by this module, the way that FastAPI documents."""
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]


def describe(app: FastAPI) -> dict[str, Any]:
    """Build the document once and keep it, as FastAPI does; add the problem documents, which FastAPI does not know."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
            tags=TAGS,
        )
        _, problems = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= problems["$defs"]
        add_refusals(document)
        app.openapi_schema = document
    return app.openapi_schema


def to_text(app: FastAPI) -> str:
    """The document as text with sorted keys, so that two versions of it can be compared line by line."""
    return json.dumps(describe(app), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
