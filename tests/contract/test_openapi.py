"""What the API promises, held against its golden copy.

A change that was meant is written down with

    .venv/bin/python -m appraiser_api --openapi > tests/contract/golden/openapi.json
"""

from pathlib import Path

from appraiser_api.main import create_app
from appraiser_api.openapi import to_text

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"


class TestOpenApi:
    """The OpenAPI document."""

    def test_golden(self) -> None:
        """It is the golden copy to the letter, so that every change of it is seen by who reviews the change."""
        assert to_text(create_app()) == GOLDEN.read_text(encoding="utf-8")
