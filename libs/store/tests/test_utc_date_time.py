"""How instants are kept in SQLite."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime
from sqlalchemy.dialects import sqlite

from appraiser_store.ledger_tables import UtcDateTime

ZONES = st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-5)), dt.timezone(dt.timedelta(hours=5, minutes=30))])
INSTANTS = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001 - Hypothesis adds zones


@given(INSTANTS)
def test_sqlite_text(instant: dt.datetime) -> None:
    """The text is the one that SQLAlchemy writes."""
    dialect = sqlite.dialect()  # type: ignore[no-untyped-call]
    ours = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    theirs = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert ours is not None
    assert theirs is not None
    assert ours(instant) == theirs(instant.astimezone(dt.UTC))


def test_nothing() -> None:
    """No instant stays none."""
    dialect = sqlite.dialect()  # type: ignore[no-untyped-call]
    ours = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert ours is not None
    assert ours(None) is None
