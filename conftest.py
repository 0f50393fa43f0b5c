"""What every test may ask for: the sample data, where it is present."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# An example may be slow on a loaded machine; what takes too long is bounded by the timeout of a test.
settings.register_profile("appraiser", deadline=None)
settings.load_profile("appraiser")


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Folder of the sample data; the test is skipped where it is absent."""
    root = Path(__file__).parent
    folder = (root / os.environ.get("APPRAISER_SAMPLE_DATA", "../shared/data")).resolve()
    if not (folder / "listings").is_dir():
        pytest.skip(f"no sample data in {folder}; set APPRAISER_SAMPLE_DATA to its folder")
    return folder
