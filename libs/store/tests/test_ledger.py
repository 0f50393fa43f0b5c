"""The ledger, on SQLite and on a real PostgreSQL server."""

import datetime as dt
import math
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, create_engine

from appraiser_schema import (
    Alias,
    AliasMove,
    Batch,
    BatchReport,
    BatchStatus,
    ColumnShift,
    CoverageBin,
    Decision,
    DecisionKind,
    Evaluation,
    FeatureEffect,
    Fetch,
    FetchOutcome,
    ModelReport,
    MoveKind,
    Outcome,
    Reason,
    Record,
    Refusal,
    SegmentScore,
)
from appraiser_store import ForeignLedgerError, Ledger, LedgerSchemaError, UnknownBatchError, UnknownFetchError
from appraiser_store.ledger_tables import (
    BATCH_REPORTS,
    BATCHES,
    DECISIONS,
    EVALUATIONS,
    FETCHES,
    MODEL_REPORTS,
    MOVES,
)

AT = dt.datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))
SNAPSHOT = 2**63 - 1

OPENS_AND_DECIDES = """
import sys
sys.path.insert(0, sys.argv[1])
from appraiser_store import Ledger
from test_ledger import a_batch, a_decision
ledger = Ledger(sys.argv[2])
for number in range(5):
    ledger.save_batch(a_batch(number))
    print(ledger.save_decision(a_decision(number, summary=sys.argv[3])).summary)
ledger.close()
"""


def a_batch(number: int = 0, **changes: Any) -> Batch:
    """A batch that has just landed."""
    facts: dict[str, Any] = {
        "source": "us_sample.csv", "group_number": 1, "day": None, "batch_number": number, "digest": "ab" * 32,
        "size_bytes": 2**40, "received_at": AT, "simulated": False, "landing_path": "ab.json",
    }  # fmt: skip
    return Batch(**facts | changes)


def a_decision(
    number: int = 0,
    kind: DecisionKind = DecisionKind.TRAINING,
    summary: str = "The first model.",
    *,
    dry_run: bool = False,
) -> Decision:
    """A decision with two reasons."""
    reasons = (
        Reason(rule="first_model", passed=True, text="There is no model."),
        Reason(rule="target_drift", passed=False, figure=0.1, threshold=0.2, text="Prices are as they were: 0.1."),
    )
    return Decision(
        batch_number=number, kind=kind, outcome=Outcome.TRAIN, summary=summary, reasons=reasons, decided_at=AT,
        snapshot_id=SNAPSHOT, dry_run=dry_run,
    )  # fmt: skip


def an_evaluation(number: int = 0, **changes: Any) -> Evaluation:
    """An evaluation without a champion."""
    facts: dict[str, Any] = {
        "batch_number": number, "snapshot_id": SNAPSHOT, "evaluated_at": AT, "rows_test": 3, "challenger_version": 1,
        "champion_version": None, "challenger": {"mae": 1.5}, "champion": None,
        "segments": (SegmentScore(kind="state", name="Texas", rows=3, challenger_mae=1.5),),
    }  # fmt: skip
    return Evaluation(**facts | changes)


def a_move(to: int, **changes: Any) -> AliasMove:
    """A promotion to a version."""
    facts: dict[str, Any] = {
        "at": AT, "kind": MoveKind.PROMOTION, "alias": Alias.CHAMPION, "from_version": None, "to_version": to,
        "who": "pipeline", "why": "It is better.",
    }  # fmt: skip
    return AliasMove(**facts | changes)


class TestFetches:
    """A question for a batch is on record before it is asked."""

    def test_begun_is_lost(self, ledger: Ledger) -> None:
        """A fetch that was begun and never finished is recorded as lost."""
        ledger.begin_fetch(AT)
        assert [(fetch.outcome, fetch.at) for fetch in ledger.fetches()] == [(FetchOutcome.LOST, AT)]

    def test_finished(self, ledger: Ledger) -> None:
        """The answer takes the place of the question, in the order in which the questions were asked."""
        first, _ = ledger.begin_fetch(AT), ledger.begin_fetch(AT)
        answer = Fetch(at=AT, outcome=FetchOutcome.NEW, batch_number=0, digest="ab", detail="Batch 0 came.")
        ledger.finish_fetch(first, answer)
        assert ledger.fetches()[0] == answer
        assert ledger.fetches()[1].outcome is FetchOutcome.LOST

    def test_never_begun(self, ledger: Ledger) -> None:
        """To finish what was never begun is an error."""
        with pytest.raises(UnknownFetchError, match="no fetch 7"):
            ledger.finish_fetch(7, Fetch(at=AT, outcome=FetchOutcome.EXHAUSTED))


class TestBatches:
    """Batches by number, the latest facts of each."""

    def test_round_trip(self, ledger: Ledger) -> None:
        """A batch comes back equal, with its instant aware and in UTC to the microsecond."""
        ledger.save_batch(a_batch(clean_snapshot_id=SNAPSHOT, day="Tuesday"))
        found = ledger.batch(0)
        assert found == a_batch(clean_snapshot_id=SNAPSHOT, day="Tuesday")
        assert found is not None
        assert found.received_at.utcoffset() == dt.timedelta(0)

    def test_saved_again(self, ledger: Ledger) -> None:
        """A batch that is saved again takes the place of what was known of it."""
        ledger.save_batch(a_batch(stop_reason="Too many bad rows.", status=BatchStatus.STOPPED))
        ledger.save_batch(a_batch(rows_train=7))
        assert ledger.batches() == [a_batch(rows_train=7)]

    def test_by_number(self, ledger: Ledger) -> None:
        """Batches come by number, and the last one is the highest, whatever the order in which they were saved."""
        for number in (2, 0, 1):
            ledger.save_batch(a_batch(number))
        assert [batch.batch_number for batch in ledger.batches()] == [0, 1, 2]
        assert ledger.last_batch() == a_batch(2)

    def test_empty(self, ledger: Ledger) -> None:
        """An empty ledger knows no batch."""
        assert (ledger.batch(0), ledger.last_batch(), ledger.batches()) == (None, None, [])


class TestReports:
    """What people want to see of batches and versions."""

    def test_batch(self, ledger: Ledger) -> None:
        """A report comes back as it was kept, a later one takes its place, and it needs its batch."""
        refusal = Refusal(stage="raw", column="price", rule="at least 0", rows=3, examples=("-1", None))
        shift = ColumnShift(column="bed", index=0.3, threshold=0.2, edges=(2.0, 3.0), before=(0.5,) * 2, after=(1.0, 0))
        report = BatchReport(batch_number=4, refusals=(refusal,), champion_version=1, rows_before=9, shifts=(shift,))
        with pytest.raises(UnknownBatchError):
            ledger.save_batch_report(report)
        ledger.save_batch(a_batch(4))
        for kept in (report, report.model_copy(update={"refusals": ()})):
            ledger.save_batch_report(kept)
            assert ledger.batch_report(4) == kept
        assert ledger.batch_report(5) is None

    def test_model(self, ledger: Ledger) -> None:
        """A version's report comes back as it was kept."""
        effect = FeatureEffect(feature="bed", label="Bedrooms", mean_percent=4.5, effects_percent=(1.0,), ranks=(None,))
        part = CoverageBin(rows=40, appraised_usd=2e5, inside=90, low=80, high=95, width=70)
        report = ModelReport(
            version=2, champion_version=None, rows_test=40, rows_explained=1, stated_coverage=90, features=(effect,),
            coverage=(part,),
        )  # fmt: skip
        ledger.save_model_report(report)
        assert ledger.model_report(2) == report
        assert ledger.model_report(3) is None


class TestEvaluations:
    """One evaluation per batch."""

    def test_round_trip(self, ledger: Ledger) -> None:
        """An evaluation comes back equal with its segments; the later one of a batch stands."""
        ledger.save_batch(a_batch())
        ledger.save_evaluation(an_evaluation(rows_test=1))
        later = an_evaluation(champion={"mae": 2.0}, champion_version=1, champion_prices_usd=(10_000.0, 300_000.5))
        ledger.save_evaluation(later)
        assert ledger.evaluation(0) == later
        assert ledger.evaluations() == [later]
        assert ledger.evaluation(1) is None

    def test_not_a_number(self, ledger: Ledger) -> None:
        """A metric that cannot be computed comes back as what it was, on every database."""
        ledger.save_batch(a_batch())
        ledger.save_evaluation(an_evaluation(challenger={"prb": math.nan, "mape": math.inf}))
        found = ledger.evaluation(0)
        assert found is not None
        assert math.isnan(found.challenger["prb"])
        assert found.challenger["mape"] == math.inf

    def test_unknown_batch(self, ledger: Ledger) -> None:
        """An evaluation of a batch that was never saved is refused."""
        with pytest.raises(UnknownBatchError, match="batch 3, which the ledger does not know"):
            ledger.save_evaluation(an_evaluation(3))


class TestDecisions:
    """A decision, once made, stands."""

    def test_first_one_stands(self, ledger: Ledger) -> None:
        """A second decision about the same batch changes nothing and gets the first one back."""
        ledger.save_batch(a_batch())
        assert ledger.save_decision(a_decision()) == a_decision()
        assert ledger.save_decision(a_decision(summary="Another mind.")) == a_decision()
        assert ledger.decision(0, DecisionKind.TRAINING) == a_decision()

    def test_dry_run(self, ledger: Ledger) -> None:
        """What a dry run told gives way to a real decision, once; it never takes the place of one."""
        dry, real = a_decision(dry_run=True), a_decision(summary="Now for good.")
        ledger.save_batch(a_batch())
        assert ledger.save_decision(dry) == dry
        assert ledger.save_decision(a_decision(summary="Told again.", dry_run=True)) == dry
        assert ledger.save_decision(real) == real
        assert ledger.save_decision(dry) == real
        assert ledger.decisions() == [real]

    def test_kinds(self, ledger: Ledger) -> None:
        """A batch has one decision of each kind; they come by batch, that about training first."""
        for number in (1, 0):
            ledger.save_batch(a_batch(number))
            for kind in (DecisionKind.PROMOTION, DecisionKind.TRAINING):
                ledger.save_decision(a_decision(number, kind))
        found = [(decision.batch_number, decision.kind.value) for decision in ledger.decisions()]
        assert found == [(0, "training"), (0, "promotion"), (1, "training"), (1, "promotion")]
        assert [d.batch_number for d in ledger.decisions(DecisionKind.PROMOTION)] == [0, 1]

    def test_unknown_batch(self, ledger: Ledger) -> None:
        """A decision about a batch that was never saved is refused."""
        with pytest.raises(UnknownBatchError, match="Save the batch first"):
            ledger.save_decision(a_decision(3))


class TestMoves:
    """The history of the aliases."""

    def test_in_order(self, ledger: Ledger) -> None:
        """Moves come in the order in which they were recorded, also within a second, of all aliases or of one."""
        moves = [a_move(1), a_move(2, from_version=1), a_move(1, from_version=2), a_move(3, alias=Alias.CHALLENGER)]
        for move in moves:
            ledger.record_move(move)
        assert ledger.moves() == moves
        assert ledger.moves(Alias.CHALLENGER) == moves[3:]

    def test_recorded_twice(self, ledger: Ledger) -> None:
        """A step that runs again records the same move once; going back and forth is no repetition."""
        back_and_forth = [a_move(1), a_move(2), a_move(1), a_move(1)]
        for move in back_and_forth:
            ledger.record_move(move)
        assert [move.to_version for move in ledger.moves()] == [1, 2, 1]


class TestTables:
    """Records and tables."""

    @pytest.mark.parametrize(
        ("record", "table", "own"),
        [
            (Batch, BATCHES, set()),
            (Fetch, FETCHES, {"fetch_id"}),
            (Evaluation, EVALUATIONS, set()),
            (Decision, DECISIONS, set()),
            (AliasMove, MOVES, {"move_id"}),
            (BatchReport, BATCH_REPORTS, set()),
            (ModelReport, MODEL_REPORTS, set()),
        ],
    )
    def test_every_field_has_a_column(self, record: type[Record], table: Table, own: set[str]) -> None:
        """A field that is added to a record needs a column; nothing of a record is lost in silence."""
        assert set(table.columns.keys()) == set(record.model_fields) | own


class TestInstants:
    """Time zones."""

    @settings(max_examples=20, deadline=None)
    @given(at=st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
    def test_any_zone(self, at: dt.datetime) -> None:
        """An instant of any zone comes back as the same instant."""
        with tempfile.TemporaryDirectory() as folder:
            ledger = Ledger(f"sqlite:///{folder}/ledger.db")
            ledger.begin_fetch(at)
            # A time that a change of clocks left out equals no other, by Python's rule.
            assert ledger.fetches()[0].at == at.astimezone(dt.UTC)
            ledger.close()


class TestOpening:
    """What is done at the first use and what is refused."""

    def test_opened_again(self, ledger_url: str) -> None:
        """What one ledger recorded, the next one on the same database reads."""
        first, second = Ledger(ledger_url), Ledger(ledger_url)
        first.save_batch(a_batch())
        assert second.batches() == [a_batch()]
        first.close()
        second.close()

    def test_processes_at_once(self, ledger_url: str) -> None:
        """Processes that create and fill a ledger at the same moment agree on every decision, and the first stands."""
        arguments = [sys.executable, "-c", OPENS_AND_DECIDES, str(Path(__file__).parent), ledger_url]
        processes = [
            subprocess.Popen([*arguments, f"of {name}"], stdout=subprocess.PIPE, text=True) for name in ("one", "two")
        ]
        answers = [process.communicate(timeout=240)[0].splitlines() for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        ledger = Ledger(ledger_url)
        assert [decision.summary for decision in ledger.decisions()] == answers[0] == answers[1]
        ledger.close()

    def test_write_ahead_log(self, tmp_path: Path) -> None:
        """A SQLite ledger is read while it is written, and enforces what it references."""
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        with ledger._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        ledger.close()

    def test_moved_away(self, tmp_path: Path) -> None:
        """A file that is moved away is missed, not replaced by an empty one; once it is back, all goes on in it."""
        file, aside = tmp_path / "ledger.db", tmp_path / "aside.db"
        ledger = Ledger(f"sqlite:///{file}")
        ledger.save_batch(a_batch())
        file.rename(aside)
        with pytest.raises(FileNotFoundError):
            ledger.save_batch(a_batch(1))
        assert not file.exists()
        aside.rename(file)
        ledger.save_batch(a_batch(2))
        assert [batch.batch_number for batch in ledger.batches()] == [0, 2]
        ledger.close()

    def test_replaced(self, tmp_path: Path) -> None:
        """A ledger that was deleted and made anew is read and written from then on."""
        file = tmp_path / "ledger.db"
        ledger = Ledger(f"sqlite:///{file}")
        ledger.save_batch(a_batch())
        for leftover in tmp_path.glob("ledger.db*"):
            leftover.unlink()
        anew = Ledger(f"sqlite:///{file}")
        anew.save_batch(a_batch(7))
        ledger.save_batch(a_batch(8))
        assert [batch.batch_number for batch in anew.batches()] == [7, 8]
        for each in (ledger, anew):
            each.close()

    def test_changed_table(self, ledger_url: str) -> None:
        """A table with other columns is refused by name, with the columns that differ."""
        Ledger(ledger_url).close()
        engine = create_engine(ledger_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE moves RENAME COLUMN who TO whom")
        engine.dispose()
        with pytest.raises(LedgerSchemaError, match=r"'moves'.* lacks 'who' and it has the unexpected 'whom'"):
            Ledger(ledger_url)

    def test_other_file(self, tmp_path: Path) -> None:
        """A file that is no database is refused and stays as it is."""
        file = tmp_path / "ledger.db"
        file.write_text("Dear diary, this is no database.\n" * 100)
        with pytest.raises(ForeignLedgerError, match="not a database"):
            Ledger(f"sqlite:///{file}")
        assert file.read_text().startswith("Dear diary")

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("sqlite://", "names no file"),
            ("ledger.db", "no URL"),
            ("oracular://nowhere/ledger", "oracular"),
            ("postgresql+psycopg://me:secret@localhost:1/ledger?connect_timeout=2", "refused"),
        ],
    )
    def test_unusable_url(self, url: str, problem: str) -> None:
        """A URL that leads nowhere is refused with what to do; a password is not repeated."""
        with pytest.raises(ForeignLedgerError, match=problem) as caught:
            Ledger(url)
        assert "secret" not in str(caught.value)
        assert "Give the URL of a database" in str(caught.value)

    def test_locked_for_long(self, tmp_path: Path) -> None:
        """A writer waits for another one to finish instead of failing."""
        file = tmp_path / "ledger.db"
        ledger = Ledger(f"sqlite:///{file}")
        other = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.execute, ["COMMIT"])
        timer.start()
        ledger.save_batch(a_batch())
        timer.join()
        assert ledger.batches() == [a_batch()]
        other.close()
        ledger.close()
