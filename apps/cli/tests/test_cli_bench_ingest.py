"""The benchmark of taking in, over made listings."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from appraiser_cli.home import ROOT

LISTING = {
    "brokered_by": 1.0, "status": "for_sale", "price": 300_000.0, "bed": 3.0, "bath": 2.0, "acre_lot": 0.4,
    "street": 1.0, "city": "Hartford", "state": "Connecticut", "zip_code": 6103.0, "house_size": 1500.0,
    "prev_sold_date": "2019-05-01",
}  # fmt: skip


def bench_ingest(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script, as `appraiser bench ingest` does."""
    command = [sys.executable, str(ROOT / "bench" / "ingest.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


class TestIngest:
    """Both ways on the same bytes."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        """Listings in a file."""
        file = tmp_path / "listings.csv"
        pl.DataFrame([LISTING | {"bed": float(number)} for number in range(1, 6)]).write_csv(file)
        return file

    def test_report(self, data: Path) -> None:
        """Both keep every row of good listings; figures and ratios are there, the last batches beside the early."""
        done = bench_ingest("--json", "--data", str(data), "--rows", "1000", "--batches", "5", "--turns", "1")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert (report["original"]["rows"], report["ours"]["rows"]) == (1000, 1000)
        for way in ("original", "ours"):
            figures = report[way]
            assert figures["seconds"] > 0
            assert figures["peak_mb"] >= figures["import_mb"] > 0
        assert report["ratio"].keys() == {"speed", "speed_with_imports", "processor", "memory", "memory_growth"}
        assert len(report["stream"]["seconds"]) == 5
        assert report["stream"]["late_over_early_seconds"] > 0

    def test_no_data(self, tmp_path: Path) -> None:
        """Without the file it says how to name one, with exit code 2."""
        done = bench_ingest("--data", str(tmp_path / "none.csv"))
        assert done.returncode == 2
        assert "--data FILE" in done.stderr
