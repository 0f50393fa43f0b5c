"""What the DAG adds to the steps: which of them comes next."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from appraiser_pipeline.run import Step

DAG: Final = Path(__file__).parents[1] / "dags" / "house_price_pipeline.py"
CODE: Final = f"""
import runpy, types
found = runpy.run_path({str(DAG)!r})
task = found["house_price_pipeline"]().get_task("decide_promotion")
within = task.python_callable.__globals__
within["_call"] = lambda _: types.SimpleNamespace(dry_run=False, outcome="promote")
from appraiser_pipeline.orchestration import running
running.get_current_context = lambda: {{"params": {{"dry_run": False, "policy": {{}}, "tuning_trials": None}}}}
print("next:", task.python_callable())
"""


LOOK: Final = f"""
import json, runpy, sys
from datetime import timedelta
from pathlib import Path
import airflow.sdk
before = set(sys.modules)
found = {{file.stem: runpy.run_path(str(file))[file.stem]() for file in sorted(Path({str(DAG.parent)!r}).glob("*.py"))}}
imported = sorted(set(sys.modules) - before)
from airflow.serialization.serialized_objects import DagSerialization
dags = {{name: DagSerialization.from_dict(DagSerialization.to_dict(dag)) for name, dag in found.items()}}
print(json.dumps({{
    "imported": imported,
    "dags": {{name: {{
        "active": dag.max_active_runs,
        "start": dag.start_date is not None,
        "late": getattr(getattr(dag.timetable, "timetable", dag.timetable), "_run_immediately", None) == timedelta(0),
        "params": sorted(dag.params),
        "assets": [asset.name for asset in getattr(dag.timetable.asset_condition, "objects", ())],
        "tasks": {{task.task_id: {{
            "next": sorted(task.downstream_task_ids), "pool": task.pool, "retries": task.retries,
            "policy": task.has_retry_policy, "alert": task.has_on_failure_callback,
            "links": [link.name for link in task.operator_extra_links], "trigger": task.start_from_trigger,
            "outlets": [asset.name for asset in task.outlets],
        }} for task in dag.tasks}},
    }} for name, dag in dags.items()}},
}}))
"""

HEAVY: Final = (
    *("appraiser_model", "appraiser_features", "appraiser_store", "appraiser_schema", "appraiser_pipeline.steps"),
    *("mlflow", "numpy", "pandas", "polars", "pyarrow", "pyiceberg", "scipy", "matplotlib", "xgboost", "pandera"),
)
"""What a DAG file must not import: it is read every minute. Some of them take seconds."""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every DAG file read by a process of its own, and what Airflow keeps of the DAGs."""
    variables = {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")), "AIRFLOW__CORE__UNIT_TEST_MODE": "True"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class TestFiles:
    """What Airflow reads."""

    def test_light(self, dags: Any) -> None:
        """Reading all files imports no library of the steps, and few modules of ours."""
        imported = dags["imported"]
        assert [name for name in imported if name.startswith(HEAVY)] == []
        assert len([name for name in imported if name.startswith("appraiser_")]) <= 12

    def test_names(self, dags: Any) -> None:
        """Each file has the DAG of its name, which runs once at a time."""
        assert {name: dag["active"] for name, dag in dags["dags"].items()} == dict.fromkeys(
            ("house_price_feed", "house_price_maintenance", "house_price_monitoring", "house_price_pipeline"), 1
        )

    def test_no_past(self, dags: Any) -> None:
        """What runs by the clock has no start: a new Airflow makes up for nothing when it starts."""
        started = [name for name, dag in dags["dags"].items() if dag["start"]]
        assert started == ["house_price_pipeline"]
        late = [name for name, dag in dags["dags"].items() if dag["late"]]
        assert late == ["house_price_maintenance", "house_price_monitoring"]

    def test_alerts(self, dags: Any) -> None:
        """A failure of any task is told."""
        assert all(task["alert"] for dag in dags["dags"].values() for task in dag["tasks"].values())


class TestPipeline:
    """`house_price_pipeline`."""

    def test_steps(self, dags: Any) -> None:
        """Each step is a task; they take turns over the lake, are tried again by a policy, and have links."""
        tasks = dags["dags"]["house_price_pipeline"]["tasks"]
        for step in Step:
            task = tasks[step.value]
            assert (task["pool"], task["retries"], task["policy"]) == ("appraiser_lake", 2, True)
            assert "Batch in the API" in task["links"]
        for step in (Step.TRAIN_MODEL, Step.EVALUATE, Step.DECIDE_PROMOTION, Step.PROMOTE, Step.REJECT):
            assert {"Run in MLflow", "Model in the API"} < set(tasks[step.value]["links"])
        assert set(tasks) - {step.value for step in Step} == {"skip", "only_tell"}

    def test_order(self, dags: Any) -> None:
        """What follows what."""
        tasks = dags["dags"]["house_price_pipeline"]["tasks"]
        assert {name: task["next"] for name, task in tasks.items() if task["next"]} == {
            "fetch_batch": ["validate"],
            "validate": ["clean_and_split"],
            "clean_and_split": ["decide_training"],
            "decide_training": ["skip", "train_model"],
            "train_model": ["evaluate"],
            "evaluate": ["decide_promotion"],
            "decide_promotion": ["only_tell", "promote", "reject"],
        }

    def test_params(self, dags: Any) -> None:
        """What a run can be told."""
        params = ["again", "dry_run", "policy", "retrain_reason", "tuning_trials"]
        assert dags["dags"]["house_price_pipeline"]["params"] == params

    def test_asset(self, dags: Any) -> None:
        """A batch that was cleaned is an event, and the monitoring waits for it."""
        tasks = dags["dags"]["house_price_pipeline"]["tasks"]
        told = {name: task["outlets"] for name, task in tasks.items() if task["outlets"]}
        assert told == {"clean_and_split": ["clean.listings"]}
        assert dags["dags"]["house_price_monitoring"]["assets"] == ["clean.listings"]


class TestOthers:
    """The DAGs beside it."""

    def test_feed(self, dags: Any) -> None:
        """The wait begins in the triggerer, and the pipeline is asked for after it."""
        tasks = dags["dags"]["house_price_feed"]["tasks"]
        assert (tasks["wait_for_feed"]["trigger"], tasks["wait_for_feed"]["next"]) == (True, ["take_batch"])

    def test_monitoring(self, dags: Any) -> None:
        """It asks or it does not; it needs neither the lake nor its pool."""
        tasks = dags["dags"]["house_price_monitoring"]["tasks"]
        assert tasks["look_at_appraisals"]["next"] == ["ask_for_retraining", "nothing_to_ask"]
        assert {task["pool"] for task in tasks.values()} == {"default_pool"}

    def test_maintenance(self, dags: Any) -> None:
        """It takes its turn with the steps."""
        tasks = dags["dags"]["house_price_maintenance"]["tasks"]
        assert {name: task["pool"] for name, task in tasks.items()} == {"clean": "appraiser_lake"}


class TestDecidePromotion:
    """A real decision stands, and Airflow asks what to do."""

    @pytest.mark.parametrize(("dry_run", "step"), [("true", "only_tell"), ("false", "promote")])
    def test_dry_by_environment(self, tmp_path: Path, dry_run: str, step: str) -> None:
        """Where the environment says that nothing moves, the run ends with telling, whatever its parameters are."""
        variables = {
            "AIRFLOW_HOME": str(tmp_path),
            "APPRAISER_DRY_RUN": dry_run,
            "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        }
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=os.environ | variables, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == f"next: {step}"
