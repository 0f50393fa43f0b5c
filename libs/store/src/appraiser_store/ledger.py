"""The ledger: what was fetched, what became of it, what was decided and why, and which model served when.

Appraisals and sales, which are many, have a module of their own: `predictions.py`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, Row, Select, Table, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from appraiser_schema import (
    Alias,
    AliasMove,
    Batch,
    BatchReport,
    Decision,
    DecisionKind,
    Evaluation,
    Fetch,
    FetchOutcome,
    ModelReport,
    Record,
)
from appraiser_store.database import open_database
from appraiser_store.errors import UnknownBatchError, UnknownFetchError
from appraiser_store.ledger_tables import (
    BATCH_REPORTS,
    BATCHES,
    DECISIONS,
    EVALUATIONS,
    FETCHES,
    MODEL_REPORTS,
    MOVES,
)
from appraiser_store.predictions import PredictionLedger


class Ledger(PredictionLedger):
    """Records in a SQL database. Each method is one transaction; threads and processes may share a database.

    Args:
        url: As SQLAlchemy writes them, such as 'sqlite:///var/ledger.db'; what is missing is created.

    Raises:
        ForeignLedgerError: The database cannot be opened, or is none.
        LedgerSchemaError: A table has other columns than this version of the code reads.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def begin_fetch(self, at: dt.datetime) -> int:
        """Record that a batch is about to be asked for; until it is finished, the fetch counts as lost.

        Args:
            at: The instant, aware.

        Returns:
            The number under which the fetch is finished.
        """
        lost = Fetch(at=at, outcome=FetchOutcome.LOST, detail="Asked; no answer was recorded.")
        with self._engine.begin() as connection:
            key = connection.execute(insert(FETCHES).values(_values(lost))).inserted_primary_key
        return int(key[0])  # type: ignore[index]

    def finish_fetch(self, fetch_id: int, fetch: Fetch) -> None:
        """Record how a fetch ended.

        Raises:
            UnknownFetchError: It was never begun.
        """
        with self._engine.begin() as connection:
            changed = connection.execute(update(FETCHES).where(FETCHES.c.fetch_id == fetch_id).values(_values(fetch)))
        if changed.rowcount == 0:
            raise UnknownFetchError(fetch_id)

    def fetches(self) -> list[Fetch]:
        """Every fetch, in the order in which they were begun."""
        return self._read(Fetch, select(FETCHES).order_by(FETCHES.c.fetch_id))

    def save_batch(self, batch: Batch) -> None:
        """Record a batch, in the place of what was recorded of it before."""
        self._replace(BATCHES, batch)

    def batch(self, batch_number: int) -> Batch | None:
        """What is known of a batch."""
        return _first(self._read(Batch, select(BATCHES).where(BATCHES.c.batch_number == batch_number)))

    def batches(self) -> list[Batch]:
        """Every batch, by number."""
        return self._read(Batch, select(BATCHES).order_by(BATCHES.c.batch_number))

    def last_batch(self) -> Batch | None:
        """The batch with the highest number."""
        return _first(self._read(Batch, select(BATCHES).order_by(BATCHES.c.batch_number.desc()).limit(1)))

    def save_batch_report(self, report: BatchReport) -> None:
        """Record what people want to see of a batch, in the place of what was recorded before.

        Raises:
            UnknownBatchError: The batch was never saved.
        """
        try:
            self._replace(BATCH_REPORTS, report)
        except IntegrityError:
            raise UnknownBatchError("report", report.batch_number) from None

    def batch_report(self, batch_number: int) -> BatchReport | None:
        """What people want to see of a batch; None where none was kept."""
        return _first(
            self._read(BatchReport, select(BATCH_REPORTS).where(BATCH_REPORTS.c.batch_number == batch_number))
        )

    def save_model_report(self, report: ModelReport) -> None:
        """Record how a version works, in the place of what was recorded before."""
        self._replace(MODEL_REPORTS, report)

    def model_report(self, version: int) -> ModelReport | None:
        """How a version works; None where no report was kept."""
        return _first(self._read(ModelReport, select(MODEL_REPORTS).where(MODEL_REPORTS.c.version == version)))

    def last_fetch(self) -> Fetch | None:
        """The fetch that was begun last."""
        return _first(self._read(Fetch, select(FETCHES).order_by(FETCHES.c.fetch_id.desc()).limit(1)))

    def save_evaluation(self, evaluation: Evaluation) -> None:
        """Record the evaluation of a batch, in the place of an earlier one.

        Raises:
            UnknownBatchError: The batch was never saved.
        """
        try:
            self._replace(EVALUATIONS, evaluation)
        except IntegrityError:
            raise UnknownBatchError("evaluation", evaluation.batch_number) from None

    def evaluation(self, batch_number: int) -> Evaluation | None:
        """The evaluation of a batch."""
        return _first(self._read(Evaluation, select(EVALUATIONS).where(EVALUATIONS.c.batch_number == batch_number)))

    def evaluations(self) -> list[Evaluation]:
        """Every evaluation, by batch number."""
        return self._read(Evaluation, select(EVALUATIONS).order_by(EVALUATIONS.c.batch_number))

    def save_decision(self, decision: Decision) -> Decision:
        """Record a decision. The first one of a batch and kind stands, but one of a dry run gives way to a real one.

        Returns:
            The decision that stands.

        Raises:
            UnknownBatchError: The batch was never saved.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(DECISIONS).values(_values(decision)))
        except IntegrityError:
            if not decision.dry_run and self._replace_dry_run(decision):
                return decision
            standing = self.decision(decision.batch_number, decision.kind)
            if standing is None:
                raise UnknownBatchError("decision", decision.batch_number) from None
            return standing
        return decision

    def _replace_dry_run(self, decision: Decision) -> bool:
        values = _values(decision)
        with self._engine.begin() as connection:
            changed = update(DECISIONS).where(_is(DECISIONS, values) & DECISIONS.c.dry_run).values(values)
            return connection.execute(changed).rowcount > 0

    def decision(self, batch_number: int, kind: DecisionKind) -> Decision | None:
        """The decision of this kind about a batch."""
        wanted = (DECISIONS.c.batch_number == batch_number) & (DECISIONS.c.kind == kind.value)
        return _first(self._read(Decision, select(DECISIONS).where(wanted)))

    def decisions(self, kind: DecisionKind | None = None) -> list[Decision]:
        """Every decision, or those of one kind, by batch number; of a batch, that about training comes first."""
        query = select(DECISIONS).order_by(DECISIONS.c.batch_number, DECISIONS.c.kind.desc())
        return self._read(Decision, query if kind is None else query.where(DECISIONS.c.kind == kind.value))

    def record_move(self, move: AliasMove) -> None:
        """Record that an alias moved. The same move recorded once more changes nothing."""
        with self._engine.begin() as connection:
            query = select(MOVES).where(MOVES.c.alias == move.alias.value).order_by(MOVES.c.move_id.desc()).limit(1)
            last = connection.execute(query).first()
            if last is None or _record(AliasMove, last) != move:
                connection.execute(insert(MOVES).values(_values(move)))

    def moves(self, alias: Alias | None = None) -> list[AliasMove]:
        """Every move, or those of one alias, in the order in which they were recorded."""
        query = select(MOVES).order_by(MOVES.c.move_id)
        return self._read(AliasMove, query if alias is None else query.where(MOVES.c.alias == alias.value))

    def _read[R: Record](self, kind: type[R], query: Select[Any]) -> list[R]:
        with self._engine.connect() as connection:
            return [_record(kind, row) for row in connection.execute(query)]

    def _replace(self, table: Table, record: Record) -> None:
        values = _values(record)
        changed = update(table).where(_is(table, values)).values(values)
        with self._engine.begin() as connection:
            if connection.execute(changed).rowcount:
                return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(table).values(values))
        except IntegrityError:
            # Another process inserted the same key in between; where it did not, something else is wrong.
            with self._engine.begin() as connection:
                if not connection.execute(changed).rowcount:
                    raise


def _is(table: Table, values: dict[str, Any]) -> ColumnElement[bool]:
    return and_(*(column == values[column.name] for column in table.primary_key))


def _values(record: Record) -> dict[str, Any]:
    """The columns of a record. Not a number and infinity go into JSON as texts: PostgreSQL's knows neither."""
    fields = from_json(to_json(record.model_dump(), inf_nan_mode="strings"))
    return {
        name: value if isinstance(value := getattr(record, name), dt.datetime) else fields[name]
        for name in type(record).model_fields
    }


def _record[R: Record](kind: type[R], row: Row[Any]) -> R:
    return kind.model_validate({name: row._mapping[name] for name in kind.model_fields})  # noqa: SLF001 - SQLAlchemy's public name


def _first[R](records: Sequence[R]) -> R | None:
    return records[0] if records else None
