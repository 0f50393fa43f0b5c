"""Commands that pass on to the pipeline's own: what it is asked, and which database it may empty the trash of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appraiser_cli import pipeline
from appraiser_cli.home import Home
from appraiser_cli.main import app


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Mapping[str, str]]]:
    """What the pipeline was asked for, and under which variables of its own."""
    found: list[tuple[list[str], Mapping[str, str]]] = []

    def run(_home: Home, _settings: Any, arguments: list[str], _data: Path | None, *defaults: Mapping[str, str]) -> int:
        found.append((arguments, defaults[0] if defaults else {}))
        return 0

    monkeypatch.setattr(pipeline, "run_pipeline", run)
    return found


class TestPassedOn:
    """The words that reach `python -m appraiser_pipeline`."""

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("pipeline run --again 2-5", ["run", "--again", "2-5"]),
            ("pipeline run --retrain because", ["run", "--retrain", "because"]),
            ("pipeline drift --json", ["drift", "--json"]),
            ("maintenance clean --dry-run", ["clean", "--dry-run"]),
            ("maintenance clean --policy snapshot_days=7 --json", ["clean", "--policy", "snapshot_days=7", "--json"]),
        ],
    )
    def test_words(
        self,
        asked: list[tuple[list[str], Mapping[str, str]]],
        tmp_path: Path,
        words: str,
        expected: list[str],
    ) -> None:
        """Every option arrives."""
        done = CliRunner().invoke(app, [*words.split(), "--home", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert [arguments for arguments, _ in asked] == [expected]

    def test_own_database(self, asked: list[tuple[list[str], Mapping[str, str]]], tmp_path: Path) -> None:
        """MLflow's database is named where the state folder has one."""
        database = Home(tmp_path).mlflow_database
        for there in (False, True):
            if there:
                database.parent.mkdir(parents=True)
                database.touch()
            assert CliRunner().invoke(app, ["maintenance", "clean", "--home", str(tmp_path)]).exit_code == 0
        assert [given for _, given in asked] == [{}, {"APPRAISER_MLFLOW_STORE_URI": f"sqlite:///{database}"}]

    @pytest.mark.parametrize(
        ("arguments", "needed"), [(["run"], True), (["run", "--again", "2"], False), (["clean"], False)]
    )
    def test_feed(self, arguments: list[str], needed: bool) -> None:  # noqa: FBT001 - a case
        """A feed is started only where the source will be asked."""
        assert pipeline._asks_for_batches(arguments) is needed
