"""What a listing, a batch, an appraisal and a decision are."""

from importlib.metadata import version

from appraiser_schema.answers import (
    Appraisal,
    Caution,
    CautionCode,
    Contribution,
    Explanation,
    FieldProblem,
    Interval,
    ModelDetail,
    ModelRef,
    ModelVersion,
    Problem,
    Ready,
    Reloaded,
    WorkerReady,
)
from appraiser_schema.audit import Lineage, ModelLineage, Reign
from appraiser_schema.errors import SchemaError, ShapeError
from appraiser_schema.keys import ApiKey, KeyFile, Scope, hash_key, new_key
from appraiser_schema.listing import (
    LISTING_COLUMNS,
    PRICE_CEILING_USD,
    PRICE_FLOOR_USD,
    RAW_COLUMNS,
    Listing,
    PricedListing,
    Status,
    example_listing,
)
from appraiser_schema.market import Comparable, Comparables, Market, SeenCity, SeenPlace, SeenZip, StateMarket
from appraiser_schema.places import STATE_CODES, STATES
from appraiser_schema.predictions import Feedback, LiveError, Prediction, PredictionKind, Sale, latest_day
from appraiser_schema.records import (
    Alias,
    AliasMove,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    Evaluation,
    Fetch,
    FetchOutcome,
    MoveKind,
    Outcome,
    Reason,
    ReasonPart,
    Record,
    SegmentScore,
    Split,
    utc_now,
)
from appraiser_schema.reports import (
    BatchDetail,
    BatchReport,
    ColumnShift,
    CoverageBin,
    FeatureEffect,
    ModelReport,
    ModelStudy,
    Refusal,
)
from appraiser_schema.service import (
    Backlog,
    Part,
    PartName,
    PartState,
    RollbackOrder,
    RolledBack,
    RouteTraffic,
    ServiceState,
)

__version__ = version("appraiser-schema")

__all__ = [  # noqa: RUF022 - grouped by what they are
    # a listing
    "Listing",
    "PricedListing",
    "Status",
    "LISTING_COLUMNS",
    "RAW_COLUMNS",
    "PRICE_FLOOR_USD",
    "PRICE_CEILING_USD",
    "STATES",
    "STATE_CODES",
    "example_listing",
    # what is remembered
    "Record",
    "Fetch",
    "FetchOutcome",
    "Batch",
    "BatchStatus",
    "Split",
    "Evaluation",
    "SegmentScore",
    "Decision",
    "DecisionKind",
    "Outcome",
    "Reason",
    "ReasonPart",
    "Alias",
    "AliasMove",
    "MoveKind",
    "utc_now",
    # what was answered, and what came of it
    "Prediction",
    "PredictionKind",
    "Sale",
    "Feedback",
    "LiveError",
    "latest_day",
    # who was in production, and where an appraisal comes from
    "Reign",
    "ModelLineage",
    "Lineage",
    # what is kept of batches and models for people
    "BatchDetail",
    "BatchReport",
    "Refusal",
    "ColumnShift",
    "ModelStudy",
    "ModelReport",
    "FeatureEffect",
    "CoverageBin",
    # how the service stands
    "ServiceState",
    "Part",
    "PartName",
    "PartState",
    "RouteTraffic",
    "Backlog",
    "RollbackOrder",
    "RolledBack",
    # what is answered
    "Appraisal",
    "Contribution",
    "Caution",
    "CautionCode",
    "Explanation",
    "FieldProblem",
    "Interval",
    "ModelDetail",
    "ModelRef",
    "ModelVersion",
    "Problem",
    "Ready",
    "WorkerReady",
    "Reloaded",
    # what the model has learned from
    "Market",
    "StateMarket",
    "SeenPlace",
    "SeenCity",
    "SeenZip",
    "Comparable",
    "Comparables",
    # who may ask
    "ApiKey",
    "KeyFile",
    "Scope",
    "new_key",
    "hash_key",
    # errors
    "SchemaError",
    "ShapeError",
]
