"""The part of the ledger that remembers appraisals as they were answered, what houses sold for, and the live error."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from statistics import median
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    Dialect,
    Engine,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.exc import DataError, IntegrityError

from appraiser_schema import Feedback, LiveError, Prediction
from appraiser_store.errors import RefusedPredictionError, UnknownPredictionError
from appraiser_store.prediction_tables import FEEDBACK, PREDICTIONS

type PredictionRow = tuple[
    str, int, str, dt.datetime, str | None, str, str, float, float | None, float | None, str, int, float
]
"""The columns of `predictions` in their order: a `Prediction` with its listing as JSON, for those who have many."""

COLUMNS: Final = tuple(column.name for column in PREDICTIONS.columns)
_AT: Final = COLUMNS.index("at")
PAGE: Final = 1000
_PASS_OVER: Final = ("sqlite", "postgresql")
LIVE_REPORTS: Final = 20_000
"""Reports that count, the latest: the standard error of a share of them is then .35 points at most."""

WITHIN: Final = 0.10
"""PPE10 is the share of appraisals within 10 % of the price; the measures are those of `appraiser_model.measure`."""


class PredictionLedger:
    """What `Ledger` remembers of appraisals. Each method is one transaction."""

    _engine: Engine

    def save_predictions(self, predictions: Iterable[Prediction]) -> int:
        """Record appraisals; one that is on record already, by its request id and row, stays as it is.

        Returns:
            How many are new.
        """
        return self.save_prediction_rows([_row(prediction) for prediction in predictions])

    def save_prediction_rows(self, rows: Sequence[PredictionRow]) -> int:
        """Record appraisals given as columns; 100,000 a second and more on SQLite.

        Returns:
            How many are new.

        Raises:
            RefusedPredictionError: One breaks a rule of the table; none is recorded.
        """
        if not rows:
            return 0
        statement, parameters = self._insertion
        try:
            with self._engine.begin() as connection:
                return connection.exec_driver_sql(statement, [parameters(row) for row in rows]).rowcount
        except (DataError, IntegrityError) as error:
            raise RefusedPredictionError(str(error.orig)) from error

    def prediction(self, request_id: str, row: int = 0) -> Prediction | None:
        """One appraisal as it was answered; None where none is on record (yet)."""
        wanted = (PREDICTIONS.c.request_id == request_id) & (PREDICTIONS.c.row == row)
        found = self._predictions(select(PREDICTIONS).where(wanted))
        return found[0] if found else None

    def predictions(
        self,
        *,
        request_id: str | None = None,
        model_version: int | None = None,
        since: dt.datetime | None = None,
        before: dt.datetime | None = None,
        after: Prediction | None = None,
        limit: int = PAGE,
    ) -> list[Prediction]:
        """Appraisals by time, a page at a time.

        Args:
            request_id: Only those of one request.
            model_version: Only those of one version.
            since: Only those answered at this instant or later.
            before: Only those answered earlier.
            after: The last one of the page before.
            limit: Length of a page.
        """
        table = PREDICTIONS.c
        wanted: list[ColumnElement[bool]] = []
        if request_id is not None:
            wanted.append(table.request_id == request_id)
        if model_version is not None:
            wanted.append(table.model_version == model_version)
        if since is not None:
            wanted.append(table.at >= since)
        if before is not None:
            wanted.append(table.at < before)
        if after is not None:
            wanted.append(_later(after))
        order = (table.at, table.request_id, table.row)
        return self._predictions(select(PREDICTIONS).where(*wanted).order_by(*order).limit(limit))

    def count_predictions(self) -> int:
        """How many appraisals are on record."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(PREDICTIONS)) or 0)

    def delete_predictions_before(self, instant: dt.datetime) -> int:
        """Forget appraisals answered before an instant, and what is known of the sales of their houses.

        Returns:
            How many appraisals were forgotten.
        """
        old = PREDICTIONS.c.at < instant
        about = (FEEDBACK.c.request_id == PREDICTIONS.c.request_id) & (FEEDBACK.c.row == PREDICTIONS.c.row)
        with self._engine.begin() as connection:
            connection.execute(delete(FEEDBACK).where(exists().where(about, old)))
            return connection.execute(delete(PREDICTIONS).where(old)).rowcount

    def save_feedback(self, feedback: Feedback, *, on_its_way: bool = False) -> None:
        """Record what a house sold for. Every report is kept; of several about one appraisal the last counts.

        Args:
            feedback: What was reported.
            on_its_way: Whether the appraisal is known to come, so that it need not be on record yet.

        Raises:
            UnknownPredictionError: No such appraisal is on record.
        """
        this = (PREDICTIONS.c.request_id == feedback.request_id) & (PREDICTIONS.c.row == feedback.row)
        with self._engine.begin() as connection:
            if not on_its_way and connection.execute(select(PREDICTIONS.c.row).where(this)).first() is None:
                raise UnknownPredictionError(feedback.request_id, feedback.row)
            connection.execute(insert(FEEDBACK).values(feedback.model_dump()))

    def feedback(self, request_id: str | None = None) -> list[Feedback]:
        """Every report, or those about one request, in the order in which they were received."""
        query = select(FEEDBACK).order_by(FEEDBACK.c.feedback_id)
        if request_id is not None:
            query = query.where(FEEDBACK.c.request_id == request_id)
        with self._engine.connect() as connection:
            return [_feedback(row) for row in connection.execute(query)]

    def live_errors(self, *, since: dt.datetime | None = None, most: int = LIVE_REPORTS) -> list[LiveError]:
        """How the appraisals of each model version compare with what the houses sold for, the newest version first.

        Args:
            since: Only sales reported at this instant or later, however old the appraisals are.
            most: How many reports are read at most, the latest: what it costs does not grow with the ledger.
        """
        with self._engine.connect() as connection:
            rows = connection.execute(_sales(since, most)).all()
        by_model: dict[tuple[str, int], list[Row[Any]]] = defaultdict(list)
        for row in rows:
            by_model[row.model_name, row.model_version].append(row)
        newest_first = sorted(by_model, key=lambda model: (-model[1], model[0]))
        return [_live_error(name, version, by_model[name, version]) for name, version in newest_first]

    @cached_property
    def _insertion(self) -> tuple[str, Callable[[PredictionRow], Any]]:
        """The statement, and what makes a row its parameters: SQLAlchemy's own way takes three times as long.

        SQLite and PostgreSQL pass over what is there by themselves, also what another process writes at this moment.
        """
        dialect = self._engine.dialect
        statement = insertion(dialect)
        at_column = PREDICTIONS.c.at.type.dialect_impl(dialect)
        convert: Callable[[Any], Any] = at_column.bind_processor(dialect) or (lambda at: at)

        def values(row: PredictionRow) -> tuple[Any, ...]:
            return (*row[:_AT], convert(row[_AT]), *row[_AT + 1 :])

        if dialect.name not in _PASS_OVER:
            return statement, lambda row: (*(each := values(row)), each[0], each[1])
        if dialect.positional:
            return statement, values
        return statement, lambda row: dict(zip(COLUMNS, values(row), strict=True))

    def _predictions(self, query: Select[Any]) -> list[Prediction]:
        with self._engine.connect() as connection:
            return [_prediction(row) for row in connection.execute(query)]


def insertion(dialect: Dialect) -> str:
    """The statement of a database that records an appraisal unless it is on record.

    Where a database has no word of its own for that, the last two parameters are the row's key once more.
    """
    if dialect.name in _PASS_OVER:
        return f"{insert(PREDICTIONS).compile(dialect=dialect)} ON CONFLICT DO NOTHING"
    table = PREDICTIONS.c
    values = select(*(bindparam(name, type_=table[name].type) for name in COLUMNS))
    key = (table.request_id == bindparam("key_request_id")) & (table.row == bindparam("key_row"))
    fresh = values.where(~exists(select(1).select_from(PREDICTIONS).where(key)))
    return str(insert(PREDICTIONS).from_select(COLUMNS, fresh).compile(dialect=dialect))


def _row(prediction: Prediction) -> PredictionRow:
    fields = prediction.__dict__
    changed = {"kind": prediction.kind.value, "listing": to_json(prediction.listing).decode()}
    return tuple(changed.get(name, fields[name]) for name in COLUMNS)


def _prediction(row: Row[Any]) -> Prediction:
    return Prediction.model_validate({**row._mapping, "listing": from_json(row.listing)})  # noqa: SLF001 - SQLAlchemy's public name


def _feedback(row: Row[Any]) -> Feedback:
    return Feedback.model_validate({name: row._mapping[name] for name in Feedback.model_fields})  # noqa: SLF001 - as above


def _later(last: Prediction) -> ColumnElement[bool]:
    table = PREDICTIONS.c
    same_time, same_request = table.at == last.at, table.request_id == last.request_id
    return or_(
        table.at > last.at,
        and_(same_time, table.request_id > last.request_id),
        and_(same_time, same_request, table.row > last.row),
    )


def _sales(since: dt.datetime | None, most: int) -> Select[Any]:
    """The last report about each appraisal, beside the appraisal."""
    reports = select(FEEDBACK).order_by(FEEDBACK.c.received_at.desc(), FEEDBACK.c.feedback_id.desc()).limit(most)
    recent = (reports if since is None else reports.where(FEEDBACK.c.received_at >= since)).cte("recent")
    last = select(func.max(recent.c.feedback_id)).group_by(recent.c.request_id, recent.c.row)
    table = PREDICTIONS.c
    about = (recent.c.request_id == table.request_id) & (recent.c.row == table.row)
    return (
        select(
            table.model_name,
            table.model_version,
            table.at,
            table.price_usd,
            table.lower_usd,
            table.upper_usd,
            recent.c.sold_price_usd,
        )
        .join_from(recent, PREDICTIONS, about)
        .where(recent.c.feedback_id.in_(last))
    )


def _live_error(name: str, version: int, rows: Sequence[Row[Any]]) -> LiveError:
    errors = [abs(row.price_usd - row.sold_price_usd) / row.sold_price_usd for row in rows]
    bounded = [row for row in rows if row.lower_usd is not None and row.upper_usd is not None]
    inside = [row.lower_usd <= row.sold_price_usd <= row.upper_usd for row in bounded]
    return LiveError(
        model_name=name,
        model_version=version,
        n=len(rows),
        mdape=100 * median(errors),
        ppe10=100 * sum(error <= WITHIN for error in errors) / len(rows),
        median_ratio=median(row.price_usd / row.sold_price_usd for row in rows),
        coverage=100 * sum(inside) / len(inside) if inside else None,
        since=min(row.at for row in rows),
    )
