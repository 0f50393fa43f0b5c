"""The calls that the page makes: a method, a path and the type of the answer, in one table."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from appraiser_schema import (
    Appraisal,
    Batch,
    BatchDetail,
    Comparables,
    Decision,
    Explanation,
    LiveError,
    Market,
    ModelDetail,
    ModelStudy,
    ModelVersion,
    Ready,
    Reign,
    RolledBack,
    ServiceState,
    StateMarket,
)

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"
ARROW: Final = "application/vnd.apache.arrow.stream"


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
PREDICT: Final = Endpoint("POST", "/predict", TypeAdapter(Appraisal))
COMPARABLES: Final = Endpoint("POST", "/comparables", TypeAdapter(Comparables))
PLACES: Final = Endpoint("GET", "/places", TypeAdapter(Market))
STATE_PLACES: Final = Endpoint("GET", "/places/{state}", TypeAdapter(StateMarket))
MODELS: Final = Endpoint("GET", "/models", TypeAdapter(tuple[ModelVersion, ...]))
MODEL_VERSION: Final = Endpoint("GET", "/models/{version}", TypeAdapter(ModelDetail))
MODEL_CARD: Final = Endpoint("GET", "/models/{version}/card", TypeAdapter(str), media=MARKDOWN)
BATCHES: Final = Endpoint("GET", "/batches", TypeAdapter(tuple[Batch, ...]))
DECISIONS: Final = Endpoint("GET", "/decisions", TypeAdapter(tuple[Decision, ...]))
BATCH: Final = Endpoint("GET", "/batches/{batch_number}", TypeAdapter(BatchDetail))
MODEL_REPORT: Final = Endpoint("GET", "/models/{version}/report", TypeAdapter(ModelStudy))
HISTORY: Final = Endpoint("GET", "/models/history", TypeAdapter(tuple[Reign, ...]))
LIVE_ERRORS: Final = Endpoint("GET", "/feedback/summary", TypeAdapter(tuple[LiveError, ...]))
SERVICE: Final = Endpoint("GET", "/service", TypeAdapter(ServiceState))
ROLLBACK: Final = Endpoint("POST", "/admin/rollback", TypeAdapter(RolledBack))
PREDICT_BATCH: Final = Endpoint("POST", "/predict/batch", TypeAdapter(bytes), media=ARROW)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    READY,
    EXPLAIN,
    PREDICT,
    COMPARABLES,
    PLACES,
    STATE_PLACES,
    MODELS,
    MODEL_VERSION,
    MODEL_CARD,
    BATCHES,
    BATCH,
    DECISIONS,
    MODEL_REPORT,
    HISTORY,
    LIVE_ERRORS,
    SERVICE,
    ROLLBACK,
    PREDICT_BATCH,
)
"""Every call that the page makes; a test holds them against the API's published description."""
