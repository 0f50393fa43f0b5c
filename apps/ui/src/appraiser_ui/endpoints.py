"""The calls that the page makes: a method, a path and the type of the answer, in one table."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from appraiser_schema import Batch, Decision, Explanation, ModelDetail, ModelVersion, Ready

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"


@dataclass(frozen=True, slots=True)
class Endpoint[Answer]:
    """One call of the API.

    Attributes:
        method: HTTP method.
        path: Path with `{names}` for its parameters, as in the API's description.
        answer: Reads the body of the answer.
        media: Media type of the answer.
        also: Statuses besides 2xx whose body is the same kind of answer.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: TypeAdapter[Answer]
    media: str = JSON
    also: frozenset[int] = frozenset()


READY: Final = Endpoint("GET", "/health/ready", TypeAdapter(Ready), also=frozenset({503}))
EXPLAIN: Final = Endpoint("POST", "/explain", TypeAdapter(Explanation))
MODELS: Final = Endpoint("GET", "/models", TypeAdapter(tuple[ModelVersion, ...]))
MODEL_VERSION: Final = Endpoint("GET", "/models/{version}", TypeAdapter(ModelDetail))
MODEL_CARD: Final = Endpoint("GET", "/models/{version}/card", TypeAdapter(str), media=MARKDOWN)
BATCHES: Final = Endpoint("GET", "/batches", TypeAdapter(tuple[Batch, ...]))
DECISIONS: Final = Endpoint("GET", "/decisions", TypeAdapter(tuple[Decision, ...]))

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (READY, EXPLAIN, MODELS, MODEL_VERSION, MODEL_CARD, BATCHES, DECISIONS)
"""Every call that the page makes; a test holds them against the API's published description."""
