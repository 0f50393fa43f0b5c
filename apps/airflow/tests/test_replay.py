"""A source that loses a batch and sends others twice leaves what an undisturbed one leaves."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pipeline_stand import running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import LostBatchError
from appraiser_pipeline.run import run_batch
from appraiser_schema import DecisionKind, Outcome
from appraiser_store import Table

BATCHES = 6


def replay(folder: Path, **faults: str) -> list[tuple[str, int | None]]:
    """Bring all batches of a small simulated source to their ends, after losses too; what each question gave."""
    variables = {"APPRAISER_FEED_ROWS": "2500"} | {
        f"APPRAISER_FEED_{name.upper()}": value for name, value in faults.items()
    }
    with running_feed(variables) as url, closing(Context(settings_in(folder, url))) as context:
        done: int | None = 0
        while done is not None:
            try:
                done = list(run_batch(context))[-1].batch_number
            except LostBatchError:
                done = 0
        return [(fetch.outcome.value, fetch.batch_number) for fetch in context.ledger.fetches()]


def state(folder: Path) -> dict[str, Any]:
    """Tables, batches, decisions and models, without what tells the hour and the snapshot."""
    with closing(Context(settings_in(folder))) as context:
        ledger, lake = context.ledger, context.lake
        return {
            "batches": [b.model_dump(exclude={"received_at", "clean_snapshot_id"}) for b in ledger.batches()],
            **{table.value: lake.read(table).rows() for table in Table},
            "decisions": [d.model_dump(exclude={"decided_at", "snapshot_id"}) for d in ledger.decisions()],
            "moves": [move.model_dump(exclude={"at"}) for move in ledger.moves()],
            "champion": context.registry.champion(),
        }


class TestReplay:
    """Six batches, undisturbed and with faults."""

    @pytest.mark.timeout(600)
    def test_same_end(self, tmp_path: Path) -> None:
        """Batch 2 lost once, batches 3 and 4 delivered twice: the same tables, decisions and champion."""
        assert replay(tmp_path / "calm") == [*(("new", number) for number in range(BATCHES)), ("exhausted", None)]
        asked = replay(tmp_path / "stormy", drop="2", repeat="3,4")
        assert ("lost", None) in asked
        assert [what for what in asked if what[1] == 2] == [("gap_repaired", 2)]
        assert [what for what in asked if what[1] == 3] == [("ahead", 3), ("new", 3)]
        assert [what for what in asked if what[1] == 4] == [("new", 4), ("seen", 4)]
        calm, stormy = state(tmp_path / "calm"), state(tmp_path / "stormy")
        for name, expected in calm.items():
            assert stormy[name] == expected, name
        assert any(d["kind"] == DecisionKind.PROMOTION and d["outcome"] == Outcome.PROMOTE for d in calm["decisions"])
