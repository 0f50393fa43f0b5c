"""`decisions`: a dry run is told as one, and another threshold is asked about the past."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

from appraiser_cli.errors import CliError, UsageError
from appraiser_cli.home import Home
from appraiser_cli.models import decided as shown
from appraiser_cli.pipeline import told_anew
from appraiser_cli.settings import Settings
from appraiser_schema import Batch, Decision, DecisionKind, Evaluation, Outcome
from appraiser_store import Ledger

AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
METRICS = {"mae": 50_000.0, "rmse": 80_000.0, "r2": 0.6, "mdape": 15.0, "coverage": 90.0}


@pytest.fixture
def decided(home: Home) -> Home:
    """A state in which a challenger that was 4 % better would have been promoted by a dry run."""
    home.folder.mkdir(parents=True)
    ledger = Ledger(f"sqlite:///{home.ledger}")
    ledger.save_batch(
        Batch(
            source="made", group_number=1, day=None, batch_number=0, digest="0", size_bytes=1, received_at=AT,
            simulated=True, landing_path="0",
        )
    )  # fmt: skip
    ledger.save_evaluation(
        Evaluation(
            batch_number=0, snapshot_id=1, evaluated_at=AT, rows_test=1_000, challenger_version=2, champion_version=1,
            challenger=METRICS | {"mae": 48_000.0}, champion=METRICS,
        )
    )  # fmt: skip
    ledger.save_decision(
        Decision(
            batch_number=0, kind=DecisionKind.PROMOTION, outcome=Outcome.PROMOTE, summary="Better.", reasons=(),
            decided_at=AT, model_version=2, champion_version=1, dry_run=True,
        )
    )  # fmt: skip
    ledger.close()
    return home


class TestDecisions:
    """What the command prints."""

    def test_dry_run(self, appraiser: Callable[..., Result], decided: Home) -> None:
        """A decision of a dry run is marked."""
        assert "promote (dry run)" in appraiser("decisions", "--home", str(decided.folder)).stdout

    def test_what_if(self, appraiser: Callable[..., Result], decided: Home) -> None:
        """Another threshold gives another decision beside the one that was made; what is stored stays."""
        result = appraiser("decisions", "--home", str(decided.folder), "--what-if", "least_mae_gain=0.05", "--json")
        told = json.loads(result.stdout)
        assert [decision["outcome"] for decision in told] == ["reject"]
        assert "it must be 5 % smaller" in told[0]["summary"]
        ledger = Ledger(f"sqlite:///{decided.ledger}")
        assert [decision.outcome for decision in ledger.decisions()] == [Outcome.PROMOTE]
        ledger.close()

    def test_unknown(self, appraiser: Callable[..., Result], decided: Home) -> None:
        """A threshold that no policy has is wrong usage, and the others are named."""
        result = appraiser("decisions", "--home", str(decided.folder), "--what-if", "least_gain=0.05")
        assert isinstance(result.exception, UsageError)
        assert "'least_gain' = '0.05' is no threshold; there are days_between_requests" in str(result.exception)

    @pytest.mark.parametrize(
        ("code", "words"), [("raise SystemExit('Error: no disk')", "no disk"), ("raise SystemExit(3)", "ended with 3")]
    )
    def test_failure(self, decided: Home, monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
        """What fails without being asked wrongly is no wrong usage, and a child that says nothing is told as such."""
        run = subprocess.run
        monkeypatch.setattr(subprocess, "run", lambda _, **options: run([sys.executable, "-c", code], **options))
        with pytest.raises(CliError, match=words) as error:
            told_anew(decided, Settings(), ["least_mae_gain=0.05"])
        assert error.value.exit_code == 1

    def test_marked(self, decided: Home) -> None:
        """A table of models says of a decision that a dry run only told it."""
        ledger = Ledger(f"sqlite:///{decided.ledger}")
        told = ledger.decisions()[0]
        ledger.close()
        assert [shown(told), shown(told.model_copy(update={"dry_run": False})), shown(None)] == [
            "promote (dry run)",
            "promote",
            "-",
        ]
