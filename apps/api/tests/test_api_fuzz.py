"""Some hundred requests that Schemathesis makes up from the OpenAPI document; `appraiser bench fuzz` sends more."""

import subprocess
import sys
from pathlib import Path

from api_process import api_process, keep_champion

from appraiser_model import Bundle, Registry
from appraiser_store import Ledger

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


class TestMadeUpRequests:
    """The document says what is answered."""

    def test_nothing_undocumented(self, tmp_path: Path, first_registry: Path, bundles: tuple[Bundle, Bundle]) -> None:
        """No fault of the service, and no answer that the document does not describe."""
        registry = Registry(f"sqlite:///{first_registry}")
        keep_champion(bundles[0], registry.version(1), tmp_path / "models")
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").close()
        with api_process(tmp_path, registry.tracking_uri) as api:
            command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{api.port}/openapi.json"]
            command += ["--no-color", "--no-shrink", "--max-examples", "15", "--checks", CHECKS, "--seed", "1"]
            command += ["--phases", "examples,fuzzing", "--generation-database", "none", "--warnings", "off"]
            command += ["--suppress-health-check", "all", "--request-timeout", "60"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        assert "No issues found" in done.stdout
