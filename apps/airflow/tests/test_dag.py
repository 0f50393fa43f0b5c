"""What the DAG adds to the steps: which of them comes next."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

DAG: Final = Path(__file__).parents[1] / "dags" / "house_price_pipeline.py"
CODE: Final = f"""
import runpy, types
found = runpy.run_path({str(DAG)!r})
task = found["house_price_pipeline"]().get_task("decide_promotion")
within = task.python_callable.__globals__
within["_call"] = lambda _: types.SimpleNamespace(dry_run=False, outcome="promote")
within["get_current_context"] = lambda: {{"params": {{"dry_run": False, "policy": {{}}, "tuning_trials": None}}}}
print("next:", task.python_callable())
"""


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
