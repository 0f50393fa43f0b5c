"""The real API killed under load, and its ledger taken away and given back: no answer is lost, none invented."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from appraiser_model import Bundle


@pytest.fixture(scope="module")
def durability() -> ModuleType:
    """The benchmark, whose runs these are, made short."""
    bench = str(Path(__file__).parents[3] / "bench")
    sys.path.insert(0, bench)
    try:
        return importlib.import_module("durability")
    finally:
        sys.path.remove(bench)


@pytest.fixture
def folder(tmp_path: Path, durability: ModuleType, bundles: tuple[Bundle, Bundle]) -> Path:
    """Where an API finds a champion."""
    durability.keep_champion(bundles[0], tmp_path / "models")
    return tmp_path


class TestKilled:
    """SIGKILL under load."""

    def test_nothing_lost(self, folder: Path, durability: ModuleType) -> None:
        """After kills and restarts every answer is in the ledger as it was given, single houses and rows of tables.

        What is on record beyond that was asked by those whose connection broke.
        """
        found = durability.kill(folder, kills=3, workers=1, seconds=2.0)
        assert found["lost"] == found["different"] == found["refused"] == 0
        assert found["answered"] > 100
        assert found["recorded_for_broken"] <= found["broken"]
        assert not list(folder.glob("predictions/damaged/*"))
        assert not list(folder.glob("predictions/*-*"))


class TestLedgerAway:
    """An hour's outage in a second."""

    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_nothing_lost(self, folder: Path, durability: ModuleType, kind: str) -> None:
        """While the ledger is away requests are answered all the same; when it is back all of them reach it."""
        server = None
        if kind == "postgresql":
            pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
            if not durability.Postgresql.installed():
                pytest.skip("no PostgreSQL server on this machine; install the package postgresql")
            server = durability.Postgresql()
        try:
            found = durability.outage(folder, 1.5, server)
        finally:
            if server:
                server.close()
        assert found["lost"] == found["different"] == found["refused"] == 0
        assert found["away"]["rps"] > 0
        assert found["backlog_records"] > 0
        assert found["drain_s"] < 60
