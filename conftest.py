"""What every test begins with, and may ask for: the sample data, where it is present."""

import os
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# An example may be slow on a loaded machine; what takes too long is bounded by the timeout of a test.
settings.register_profile("appraiser", deadline=None)
settings.load_profile("appraiser")


def pytest_runtest_setup() -> None:
    """Let each test begin with structlog as it is by default: Airflow, once imported, drops what is below info."""
    structlog.reset_defaults()


SAMPLE_DATA = (Path(__file__).parent / os.environ.get("APPRAISER_SAMPLE_DATA", "../shared/data")).resolve()


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Folder of the sample data; the test is skipped where it is absent."""
    if not (SAMPLE_DATA / "listings").is_dir():
        pytest.skip(f"no sample data in {SAMPLE_DATA}; set APPRAISER_SAMPLE_DATA to its folder")
    return SAMPLE_DATA


@pytest.fixture(scope="session")
def sample_listings() -> Path | None:
    """File of sample listings; None where it is absent, and the simulator stands in."""
    file = SAMPLE_DATA / "listings" / "us_sample.csv"
    return file if file.is_file() else None
