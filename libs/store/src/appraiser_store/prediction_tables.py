"""The tables of the ledger that grow with every question: what was answered, and what houses sold for."""

from typing import Final

from sqlalchemy import Column, Date, Float, Index, Integer, Table

from appraiser_store.ledger_tables import KEY, METADATA, TEXT, UtcDateTime

PREDICTIONS: Final = Table(
    "predictions",
    METADATA,
    Column("request_id", KEY, primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("client_request_id", TEXT),
    # JSON as a text: it is kept as it came, and neither parsed nor written again on its way here.
    Column("listing", TEXT, nullable=False),
    Column("features_fingerprint", TEXT, nullable=False),
    Column("price_usd", Float, nullable=False),
    Column("lower_usd", Float),
    Column("upper_usd", Float),
    Column("model_name", TEXT, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("latency_seconds", Float, nullable=False),
    Index("predictions_by_time", "at"),
)

FEEDBACK: Final = Table(
    "feedback",
    METADATA,
    Column("feedback_id", Integer, primary_key=True),
    # No reference: the record of an appraisal may still be on its way to the ledger when its house is sold.
    Column("request_id", KEY, nullable=False),
    Column("row", Integer, nullable=False),
    Column("sold_price_usd", Float, nullable=False),
    Column("sold_at", Date, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("note", TEXT, nullable=False),
    Index("feedback_by_prediction", "request_id", "row"),
    Index("feedback_by_time", "received_at", "feedback_id"),
)
