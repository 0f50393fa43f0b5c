"""The tables of the ledger: one per kind of record, one column per field."""

import datetime as dt
from typing import Final, override

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware instant, kept in UTC to the microsecond on every database and read as UTC.

    SQLite and MySQL have no zones: there the instant is kept without one.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return value and value.astimezone(dt.UTC)

    @override
    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


METADATA: Final = MetaData()

BATCHES: Final = Table(
    "batches",
    METADATA,
    Column("batch_number", Integer, primary_key=True, autoincrement=False),
    Column("source", String, nullable=False),
    Column("group_number", Integer, nullable=False),
    Column("day", String),
    Column("digest", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("landing_path", String, nullable=False),
    Column("status", String, nullable=False),
    Column("rows_received", Integer),
    Column("rows_quarantined", Integer),
    Column("rows_duplicate", Integer),
    Column("rows_train", Integer),
    Column("rows_validation", Integer),
    Column("rows_test", Integer),
    Column("clean_snapshot_id", BigInteger),
    Column("stop_reason", String),
)

FETCHES: Final = Table(
    "fetches",
    METADATA,
    Column("fetch_id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String, nullable=False),
    # No reference: an answer is written down before its batch is.
    Column("batch_number", Integer),
    Column("digest", String),
    Column("detail", String, nullable=False),
)

EVALUATIONS: Final = Table(
    "evaluations",
    METADATA,
    Column("batch_number", ForeignKey(BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("evaluated_at", UtcDateTime, nullable=False),
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

BATCH_REPORTS: Final = Table(
    "batch_reports",
    METADATA,
    Column("batch_number", ForeignKey(BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("refusals", JSON, nullable=False),
    Column("champion_version", Integer),
    Column("rows_before", Integer),
    Column("rows_after", Integer),
    Column("shifts", JSON, nullable=False),
)

MODEL_REPORTS: Final = Table(
    "model_reports",
    METADATA,
    # No reference: versions are counted by the registry.
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("champion_version", Integer),
    Column("rows_test", Integer, nullable=False),
    Column("rows_explained", Integer, nullable=False),
    Column("stated_coverage", Float, nullable=False),
    Column("features", JSON, nullable=False),
    Column("coverage", JSON, nullable=False),
)

DECISIONS: Final = Table(
    "decisions",
    METADATA,
    Column("batch_number", ForeignKey(BATCHES.c.batch_number), primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("summary", String, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("snapshot_id", BigInteger),
    Column("model_version", Integer),
    Column("champion_version", Integer),
    Column("dry_run", Boolean, nullable=False),
)

MOVES: Final = Table(
    "moves",
    METADATA,
    Column("move_id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("alias", String, nullable=False),
    Column("from_version", Integer),
    Column("to_version", Integer, nullable=False),
    Column("who", String, nullable=False),
    Column("why", String, nullable=False),
)
