"""The tables of a ledger: made, changed and compared on SQLite and PostgreSQL, and written down for SQL Server."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, column, create_engine, event, inspect, table, update
from sqlalchemy.dialects import mssql, postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from appraiser_schema import (
    Alias,
    AliasMove,
    Batch,
    BatchReport,
    Decision,
    DecisionKind,
    Feedback,
    Fetch,
    FetchOutcome,
    MoveKind,
    Outcome,
    Prediction,
)
from appraiser_store import Ledger, LedgerVersionError, migrating
from appraiser_store.ledger_tables import METADATA
from appraiser_store.migrating import HEAD, VERSION_TABLE, statements, version
from appraiser_store.predictions import COLUMNS, insertion

AT = dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
OPENS = "import sys; from appraiser_store import Ledger; Ledger(sys.argv[1]).close()"


def a_batch(number: int = 0) -> Batch:
    """A batch that has just landed."""
    return Batch(
        source="us_sample.csv",
        group_number=1,
        day=None,
        batch_number=number,
        digest="ab" * 32,
        size_bytes=1,
        received_at=AT,
        simulated=False,
        landing_path="ab.json",
    )


def a_prediction(request_id: str = "one") -> Prediction:
    """An appraisal."""
    return Prediction(
        request_id=request_id,
        at=AT,
        listing={},
        features_fingerprint="f",
        price_usd=1.0,
        model_name="house-price",
        model_version=1,
        latency_seconds=0.1,
    )


@contextmanager
def database(url: str) -> Iterator[Engine]:
    """A database without a ledger around it."""
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def make_as_before(url: str, without: frozenset[str] = frozenset()) -> None:
    """A ledger as the code made it that counted no changes: its tables, and no number."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    with database(url) as engine:
        METADATA.create_all(engine, tables=[each for each in METADATA.sorted_tables if each.name not in without])


class TestMigrate:
    """What is done to a database when it is opened."""

    def test_tables_are_those_of_the_code(self, ledger_url: str) -> None:
        """A new ledger has exactly the tables, columns, types and indexes that the code reads."""
        Ledger(ledger_url).close()
        with database(ledger_url) as engine, engine.connect() as connection:
            options = {"version_table": VERSION_TABLE, "compare_type": True}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, METADATA) == []
            assert version(connection) == HEAD

    def test_head(self) -> None:
        """The number that spares Alembic's import is that of the last change there is."""
        config = Config()
        config.set_main_option("script_location", str(migrating._FOLDER))
        assert ScriptDirectory.from_config(config).get_current_head() == HEAD

    @pytest.mark.parametrize("without", [frozenset(), frozenset({"batch_reports", "model_reports", "feedback"})])
    def test_ledger_from_before(self, ledger_url: str, without: frozenset[str]) -> None:
        """A ledger that was made before changes were counted keeps its rows, gets what it lacks, and a number."""
        make_as_before(ledger_url, without)
        with database(ledger_url) as engine, engine.begin() as connection:
            assert not without & set(inspect(connection).get_table_names())
            connection.execute(METADATA.tables["batches"].insert().values(a_batch().model_dump()))
        ledger = Ledger(ledger_url)
        assert ledger.batches() == [a_batch()]
        ledger.save_batch_report(BatchReport(batch_number=0, refusals=(), shifts=()))
        ledger.close()
        with database(ledger_url) as engine:
            assert version(engine) == HEAD
            assert set(METADATA.tables) <= set(inspect(engine).get_table_names())

    def test_opened_by_many_at_once(self, ledger_url: str) -> None:
        """Four processes that open a new ledger at the same moment all get it, and its tables are made once."""
        openers = [subprocess.Popen([sys.executable, "-c", OPENS, ledger_url]) for _ in range(4)]
        assert [opener.wait(timeout=120) for opener in openers] == [0, 0, 0, 0]
        with database(ledger_url) as engine:
            assert version(engine) == HEAD

    def test_later_version(self, ledger_url: str) -> None:
        """A ledger that a later version has changed is refused, with both numbers."""
        Ledger(ledger_url).close()
        with database(ledger_url) as engine, engine.begin() as connection:
            connection.execute(update(table(VERSION_TABLE, column("version_num"))).values(version_num="9999"))
        with pytest.raises(LedgerVersionError, match=f"'9999', and this one knows '{HEAD}'"):
            Ledger(ledger_url)

    def test_current_ledger_needs_no_alembic(self, tmp_path: Path) -> None:
        """To open a ledger that is up to date, nothing is imported that changes ledgers."""
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        Ledger(url).close()
        code = f"{OPENS}; print('alembic' in sys.modules)"
        said = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == "False"


def use(ledger: Ledger) -> None:
    """Everything that a ledger does."""
    ledger.finish_fetch(ledger.begin_fetch(AT), Fetch(at=AT, outcome=FetchOutcome.NEW, batch_number=0))
    ledger.save_batch(a_batch())
    ledger.save_batch(a_batch())
    ledger.save_batch_report(BatchReport(batch_number=0, refusals=(), shifts=()))
    decision = Decision(
        batch_number=0,
        kind=DecisionKind.TRAINING,
        outcome=Outcome.TRAIN,
        summary="Made.",
        reasons=(),
        decided_at=AT,
        dry_run=True,
    )
    ledger.save_decision(decision)
    ledger.save_decision(decision.model_copy(update={"dry_run": False}))
    move = AliasMove(
        at=AT, kind=MoveKind.PROMOTION, alias=Alias.CHAMPION, from_version=None, to_version=1, who="me", why="Made."
    )
    ledger.record_move(move)
    ledger.save_predictions([a_prediction()])
    ledger.save_feedback(Feedback(request_id="one", sold_price_usd=1.0, sold_at=AT.date(), received_at=AT))
    for read in (
        ledger.fetches, ledger.last_fetch, ledger.batches, ledger.last_batch, ledger.evaluations, ledger.decisions,
        ledger.moves, ledger.feedback, ledger.live_errors, lambda: ledger.batch(0), lambda: ledger.batch_report(0),
        lambda: ledger.model_report(1), lambda: ledger.evaluation(0), lambda: ledger.moves(Alias.CHAMPION),
        lambda: ledger.decision(0, DecisionKind.TRAINING), lambda: ledger.decisions(DecisionKind.TRAINING),
        lambda: ledger.prediction("one"), lambda: ledger.live_errors(since=AT),
        lambda: ledger.predictions(request_id="one", model_version=1, since=AT, before=AT, after=a_prediction()),
    ):  # fmt: skip
        read()
    ledger.delete_predictions_before(AT)


class TestSqlServer:
    """A database that no test has: what it would be told is written down."""

    def test_tables(self) -> None:
        """Its tables have keys and indexes that it allows, every alphabet, and instants with their zone."""
        written = statements("mssql")
        assert set(re.findall(r"CREATE TABLE \[?(\w+)", written)) == {*METADATA.tables, VERSION_TABLE}
        assert "request_id NVARCHAR(64) NOT NULL" in written
        assert "kind NVARCHAR(64) NOT NULL" in written
        assert "DATETIMEOFFSET" in written
        assert "IF NOT EXISTS" not in written
        assert "VARCHAR(max)" not in written.replace("NVARCHAR(max)", "")
        for each in METADATA.sorted_tables:
            found_by = {*each.primary_key, *(found for index in each.indexes for found in index.columns)}
            types = {found.type.compile(dialect=mssql.dialect()) for found in found_by}
            assert types <= {"INTEGER", "NVARCHAR(64)", "DATETIMEOFFSET"}

    def test_everything_asked(self, tmp_path: Path) -> None:
        """Everything that a ledger asks can be said in its language, and in no other's."""
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        asked: list[ClauseElement] = []

        def note(_: Any, statement: Any, *__: Any) -> None:
            if isinstance(statement, ClauseElement):
                asked.append(statement)

        event.listen(ledger._engine, "before_execute", note)
        use(ledger)
        ledger.close()
        said = [str(statement.compile(dialect=mssql.dialect())) for statement in asked]
        assert len(said) > 30
        assert {text.split()[0] for text in said} >= {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert not [text for text in said if re.search(r"\bLIMIT\b|ON CONFLICT|RETURNING", text)]

    def test_appraisal(self) -> None:
        """An appraisal is recorded once there too: by a condition, where the database has no word for that."""
        words = insertion(mssql.dialect(paramstyle="qmark"))
        assert "WHERE NOT (EXISTS" in words
        assert words.count("?") == len(COLUMNS) + 2
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            assert insertion(dialect).endswith("ON CONFLICT DO NOTHING")

    def test_condition_holds(self, tmp_path: Path) -> None:
        """The condition means what it says: on SQLite it records what is new and passes over what is there."""
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        ledger = Ledger(url)
        ledger._engine.dialect.name = "other"
        assert ledger.save_predictions([a_prediction(), a_prediction("two")]) == 2
        assert ledger.save_predictions([a_prediction("two"), a_prediction("three")]) == 1
        assert len(ledger.predictions()) == 3
        ledger.close()
