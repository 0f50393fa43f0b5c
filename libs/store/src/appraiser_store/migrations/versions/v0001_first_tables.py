"""The tables as they were when changes of them began to be counted.

A ledger from before has some of them or all, and no number: what it has stays, and what it lacks is made.
"""

from alembic import context, op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Unicode,
    inspect,
)
from sqlalchemy.schema import CreateIndex, CreateTable

revision = "0001"
down_revision = None

_INSTANT = DateTime(timezone=True)
_TEXT = String().with_variant(Unicode(), "mssql")
_KEY = String().with_variant(Unicode(64), "mssql")
_METADATA = MetaData()

_BATCHES = Table(
    "batches",
    _METADATA,
    Column("batch_number", Integer, primary_key=True, autoincrement=False),
    Column("source", _TEXT, nullable=False),
    Column("group_number", Integer, nullable=False),
    Column("day", _TEXT),
    Column("digest", _TEXT, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("landing_path", _TEXT, nullable=False),
    Column("status", _TEXT, nullable=False),
    Column("rows_received", Integer),
    Column("rows_quarantined", Integer),
    Column("rows_duplicate", Integer),
    Column("rows_train", Integer),
    Column("rows_validation", Integer),
    Column("rows_test", Integer),
    Column("clean_snapshot_id", BigInteger),
    Column("stop_reason", _TEXT),
)

Table(
    "fetches",
    _METADATA,
    Column("fetch_id", Integer, primary_key=True),
    Column("at", _INSTANT, nullable=False),
    Column("outcome", _TEXT, nullable=False),
    Column("batch_number", Integer),
    Column("digest", _TEXT),
    Column("detail", _TEXT, nullable=False),
)

Table(
    "evaluations",
    _METADATA,
    Column("batch_number", ForeignKey(_BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("evaluated_at", _INSTANT, nullable=False),
    Column("rows_test", Integer, nullable=False),
    Column("challenger_version", Integer, nullable=False),
    Column("champion_version", Integer),
    Column("challenger", JSON, nullable=False),
    Column("champion", JSON(none_as_null=True)),
    Column("champion_prices_usd", JSON(none_as_null=True)),
    Column("rows_beyond_champion", Integer, nullable=False),
    Column("segments", JSON, nullable=False),
    Column("mae_difference_usd", JSON(none_as_null=True)),
    Column("mae_change", JSON(none_as_null=True)),
    Column("engine_difference", Float),
)

Table(
    "batch_reports",
    _METADATA,
    Column("batch_number", ForeignKey(_BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("refusals", JSON, nullable=False),
    Column("champion_version", Integer),
    Column("rows_before", Integer),
    Column("rows_after", Integer),
    Column("shifts", JSON, nullable=False),
)

Table(
    "model_reports",
    _METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("champion_version", Integer),
    Column("rows_test", Integer, nullable=False),
    Column("rows_explained", Integer, nullable=False),
    Column("stated_coverage", Float, nullable=False),
    Column("features", JSON, nullable=False),
    Column("coverage", JSON, nullable=False),
)

Table(
    "decisions",
    _METADATA,
    Column("batch_number", ForeignKey(_BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("kind", _KEY, primary_key=True),
    Column("outcome", _TEXT, nullable=False),
    Column("summary", _TEXT, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("decided_at", _INSTANT, nullable=False),
    Column("snapshot_id", BigInteger),
    Column("model_version", Integer),
    Column("champion_version", Integer),
    Column("dry_run", Boolean, nullable=False),
)

Table(
    "moves",
    _METADATA,
    Column("move_id", Integer, primary_key=True),
    Column("at", _INSTANT, nullable=False),
    Column("kind", _TEXT, nullable=False),
    Column("alias", _TEXT, nullable=False),
    Column("from_version", Integer),
    Column("to_version", Integer, nullable=False),
    Column("who", _TEXT, nullable=False),
    Column("why", _TEXT, nullable=False),
)

Table(
    "predictions",
    _METADATA,
    Column("request_id", _KEY, primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("kind", _TEXT, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("client_request_id", _TEXT),
    Column("listing", _TEXT, nullable=False),
    Column("features_fingerprint", _TEXT, nullable=False),
    Column("price_usd", Float, nullable=False),
    Column("lower_usd", Float),
    Column("upper_usd", Float),
    Column("model_name", _TEXT, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("latency_seconds", Float, nullable=False),
    Index("predictions_by_time", "at"),
)

Table(
    "feedback",
    _METADATA,
    Column("feedback_id", Integer, primary_key=True),
    Column("request_id", _KEY, nullable=False),
    Column("row", Integer, nullable=False),
    Column("sold_price_usd", Float, nullable=False),
    Column("sold_at", Date, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("note", _TEXT, nullable=False),
    Index("feedback_by_prediction", "request_id", "row"),
    Index("feedback_by_time", "received_at", "feedback_id"),
)


def upgrade() -> None:
    """Make the tables that are not there."""
    present = [] if context.is_offline_mode() else inspect(op.get_bind()).get_table_names()
    for table in _METADATA.sorted_tables:
        if table.name not in present:
            op.execute(CreateTable(table))
            for index in sorted(table.indexes, key=lambda index: index.name or ""):
                op.execute(CreateIndex(index))
