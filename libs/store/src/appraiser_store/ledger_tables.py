"""The tables of the ledger: one per kind of record, one column per field."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, override

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
    Unicode,
)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware instant, kept in UTC to the microsecond on every database and read as UTC.

    SQLite and MySQL have no zones: there the instant is kept without one.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """SQLite gets the text that SQLAlchemy makes, in a tenth of the time: each appraisal has an instant."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    @override
    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return value and value.astimezone(dt.UTC)

    @override
    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _sqlite_text(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


TEXT: Final = String().with_variant(Unicode(), "mssql")
"""A text of any length. SQL Server's plain texts have one alphabet only."""

KEY: Final = String().with_variant(Unicode(64), "mssql")
"""A short text that rows are found by; SQL Server has no index over texts of any length."""

METADATA: Final = MetaData()

BATCHES: Final = Table(
    "batches",
    METADATA,
    Column("batch_number", Integer, primary_key=True, autoincrement=False),
    Column("source", TEXT, nullable=False),
    Column("group_number", Integer, nullable=False),
    Column("day", TEXT),
    Column("digest", TEXT, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("landing_path", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("rows_received", Integer),
    Column("rows_quarantined", Integer),
    Column("rows_duplicate", Integer),
    Column("rows_train", Integer),
    Column("rows_validation", Integer),
    Column("rows_test", Integer),
    Column("clean_snapshot_id", BigInteger),
    Column("stop_reason", TEXT),
)

FETCHES: Final = Table(
    "fetches",
    METADATA,
    Column("fetch_id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", TEXT, nullable=False),
    # No reference: an answer is written down before its batch is.
    Column("batch_number", Integer),
    Column("digest", TEXT),
    Column("detail", TEXT, nullable=False),
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
    Column("kind", KEY, primary_key=True),
    Column("outcome", TEXT, nullable=False),
    Column("summary", TEXT, nullable=False),
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
    Column("kind", TEXT, nullable=False),
    Column("alias", TEXT, nullable=False),
    Column("from_version", Integer),
    Column("to_version", Integer, nullable=False),
    Column("who", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
)
