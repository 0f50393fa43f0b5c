"""A state with a champion, destroyed and restored in another place: nothing tells it from what it was."""

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from api_process import api_process
from pipeline_stand import running_feed, settings_in

from appraiser_cli.backup.restoring import restore
from appraiser_cli.backup.taking import take
from appraiser_cli.home import Home
from appraiser_cli.services.environment import tracking_file
from appraiser_cli.settings import Settings as CliSettings
from appraiser_model import Registry
from appraiser_pipeline.context import Context
from appraiser_pipeline.run import run_again, run_batch
from appraiser_schema import example_listing
from appraiser_store import Lake, Table


@dataclass(frozen=True)
class Restored:
    """What a state was, and what it is now.

    Attributes:
        home: Where it lies now; where it lay, nothing is.
        before: What ledger, lake and registry held.
        after: What they hold once restored.
        price: Of the example house.
        request_id: Of an appraisal that was on its way to the ledger.
    """

    home: Home
    before: dict[str, Any]
    after: dict[str, Any]
    price: float
    request_id: str


def context_of(home: Home, feed: str = "http://127.0.0.1:1") -> Context:
    """A pipeline over a state folder."""
    stores = {"ledger_url": f"sqlite:///{home.ledger}", "mlflow_tracking_uri": tracking_file(home)}
    return Context(settings_in(home.folder, feed).model_copy(update=stores))


def api_settings(home: Home, **changed: str) -> dict[str, str]:
    """What the API of a state folder is told."""
    return {
        "APPRAISER_LEDGER_URL": f"sqlite:///{home.ledger}",
        "APPRAISER_PREDICTION_LOG": str(home.predictions),
    } | changed


def rows_of(home: Home) -> list[str]:
    """Every row of the ledger, as SQL."""
    with closing(sqlite3.connect(home.ledger)) as connection:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]


def state_of(home: Home) -> dict[str, Any]:
    """What ledger, lake and registry hold."""
    with closing(Lake.open(home.lake)) as lake:
        found: dict[str, Any] = {
            table: (lake.snapshot_id(table), lake.batch_rows(table), lake.read(table).rows()) for table in Table
        }
    registry = Registry(tracking_file(home))
    versions = registry.versions()
    return found | {
        "ledger": rows_of(home),
        "versions": [version.model_dump() for version in versions],
        "champion": registry.champion(),
        "models": [registry.load(version.version).digest for version in versions],
        "reports": [registry.has_file(version.version, "report/report.md") for version in versions],
    }


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Restored:
    """A state of one batch and an appraisal, backed up, destroyed, and restored under another name."""
    folder = tmp_path_factory.mktemp("backup")
    home = Home(folder / "state")
    with running_feed({"APPRAISER_FEED_ROWS": "5000"}) as feed, closing(context_of(home, feed)) as context:
        list(run_batch(context))
    # A ledger that is away keeps the appraisal in the log.
    away = api_settings(home, APPRAISER_LEDGER_URL=f"sqlite:///{folder}/nowhere/deeper.txt/ledger.db")
    (folder / "nowhere").mkdir()
    (folder / "nowhere" / "deeper.txt").write_text("no folder")
    scratch = folder / "api"
    scratch.mkdir()
    with api_process(scratch, tracking_file(home), away) as api:
        answer = api.post("/predict", json=example_listing()).json()
    before = state_of(home)
    take(home, CliSettings(), folder / "backup.zip", lambda _: None)
    shutil.rmtree(home.folder)
    new = Home(folder / "a new place")
    restore(new, CliSettings(), folder / "backup.zip", lambda _: None)
    return Restored(new, before, state_of(new), answer["price_usd"], answer["request_id"])


class TestDestroyed:
    """Nothing is left where the state was."""

    def test_same(self, restored: Restored) -> None:
        """The ledger has the same rows, tables the same snapshots, the registry the same versions and champion."""
        assert restored.before["champion"] == 1
        for name, expected in restored.before.items():
            assert restored.after[name] == expected, name

    def test_pipeline(self, restored: Restored) -> None:
        """The batch taken once more is that of before, and the model is not trained again."""
        with closing(context_of(restored.home)) as context:
            assert [step.summary for step in run_again(context, 0)][-1].endswith("The rows are those of before.")

    def test_answers(self, restored: Restored, tmp_path: Path) -> None:
        """The API gives the same price, and what it had answered before reaches the ledger."""
        with api_process(tmp_path, tracking_file(restored.home), api_settings(restored.home)) as api:
            assert api.post("/predict", json=example_listing()).json()["price_usd"] == restored.price
            deadline = time.monotonic() + 30
            while not any(restored.request_id in row for row in rows_of(restored.home)):
                assert time.monotonic() < deadline, "the appraisal did not reach the ledger"
                time.sleep(0.2)
