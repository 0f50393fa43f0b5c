"""The index of row hashes: it tells repeats exactly, and mends itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_store.seen import Earlier, Hashes, Seen


class Lakelike:
    """Hashes of batches as the lake would give them; tells which batches were asked for."""

    def __init__(self, *batches: Hashes) -> None:
        self.batches = list(batches)
        self.asked: list[int] = []

    def __call__(self, number: int) -> Hashes:
        """Give the hashes of a batch."""
        self.asked.append(number)
        return self.batches[number]

    def digests(self, until: int) -> Mapping[int, str]:
        """A digest per batch, which changes with what it holds."""
        return {n: f"{int(self.batches[n].sum(dtype=np.uint64)):016x}-{n}" for n in range(until)}


def made(count: int, seed: int) -> Hashes:
    """Hashes of rows that differ."""
    return np.random.default_rng(seed).integers(0, 2**63, count, dtype=np.int64).view(np.uint64)


class TestAmong:
    """Which rows came before."""

    def test_exact(self, tmp_path: Path) -> None:
        """Over twenty batches every repeat is found, and nothing else, whatever the filters say."""
        lake = Lakelike(*(made(3_000, seed) for seed in range(20)))
        index = Seen(tmp_path, lake)
        for number in range(1, 20):
            new = made(3_000, 100 + number)
            new[::300] = [lake.batches[i % number][i] for i in range(10)]
            found = index.among(new, lake.digests(number))
            assert np.flatnonzero(found).tolist() == list(range(0, 3_000, 300))

    def test_each_batch_is_read_once(self, tmp_path: Path) -> None:
        """The lake is asked for the batch before, and never for one again, also by another process."""
        lake = Lakelike(*(made(100, seed) for seed in range(20)))
        for number in range(20):
            Seen(tmp_path, lake).among(made(50, 99), lake.digests(number))
        assert lake.asked == list(range(19))

    @settings(max_examples=30)
    @given(st.lists(st.lists(st.integers(0, 40), max_size=6), min_size=1, max_size=12), st.lists(st.integers(0, 40)))
    def test_any_batches(
        self, tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], new: list[int]
    ) -> None:
        """Batches without rows, with one row, and rows that stand in several: it says what a set says."""
        lake = Lakelike(*(np.array(rows, dtype=np.uint64) for rows in batches))
        index = Seen(tmp_path_factory.mktemp("seen"), lake)
        found = index.among(np.array(new, dtype=np.uint64), lake.digests(len(batches)))
        assert found.tolist() == [row in set().union(*batches) for row in new]

    def test_batches_that_grow(self, tmp_path: Path) -> None:
        """A filter that becomes too small is made anew."""
        lake = Lakelike(made(10, 0), made(50_000, 1), made(5, 2))
        index = Seen(tmp_path, lake)
        for number in range(1, 4):
            assert index.among(lake.batches[number - 1], lake.digests(number)).all()
        assert index.among(made(100_000, 9), lake.digests(3)).sum() == 0


class TestMending:
    """Files that do not fit the lake."""

    def test_replaced_batch(self, tmp_path: Path) -> None:
        """A batch that was replaced is read again; its old rows are no repeats any more."""
        lake = Lakelike(made(200, 0), made(200, 1))
        index = Seen(tmp_path, lake)
        old = lake.batches[0]
        index.among(old, lake.digests(2))
        lake.batches[0] = made(200, 7)
        assert not index.among(old, lake.digests(2)).any()
        assert index.among(lake.batches[0], lake.digests(2)).all()
        assert len(list(tmp_path.iterdir())) == 3

    def test_lost_files(self, tmp_path: Path) -> None:
        """Whatever is missing is made again, and what a process left unfinished is not looked at."""
        lake = Lakelike(*(made(200, seed) for seed in range(10)))
        index = Seen(tmp_path, lake)
        index.among(lake.batches[0], lake.digests(10))
        for lost in sorted(tmp_path.iterdir()):
            lost.unlink()
            (tmp_path / ".unfinished-1").write_bytes(b"half")
            assert index.among(np.concatenate(lake.batches), lake.digests(10)).all()

    def test_fewer_batches(self, tmp_path: Path) -> None:
        """Asked about an earlier batch, it does not count what came later."""
        lake = Lakelike(*(made(200, seed) for seed in range(10)))
        index = Seen(tmp_path, lake)
        index.among(made(5, 99), lake.digests(10))
        assert not index.among(lake.batches[5], lake.digests(5)).any()
        assert index.among(lake.batches[5], lake.digests(10)).all()


class TestLake:
    """The index of a lake's own rows."""

    def test_first_batch(self, tmp_path: Path) -> None:
        """Nothing comes before the first batch, and nothing is written then."""
        assert not Seen(tmp_path / "seen", Lakelike()).among(made(5, 1), {}).any()
        assert not (tmp_path / "seen").exists()
        assert pl.Series(Seen(tmp_path, Lakelike()).among(made(0, 1), {})).is_empty()


class TestEarlier:
    """Which hashes came before in the same batch."""

    @given(st.lists(st.lists(st.integers(0, 2**63 - 1), max_size=30), max_size=8), st.integers(0, 5))
    def test_exact(self, portions: list[list[int]], repeats: int) -> None:
        """Every hash of an earlier call is found, and nothing else."""
        earlier, came = Earlier(), set[int]()
        for portion in portions:
            hashes = [*portion, *sorted(came)[:repeats]]
            found = earlier.among(np.array(hashes, dtype=np.uint64))
            assert found.tolist() == [each in came for each in hashes]
            came |= set(hashes)

    def test_filter_grows(self) -> None:
        """It stays exact, and the filter sparse, while more and more come."""
        earlier = Earlier()
        for seed in range(9):
            assert not earlier.among(made(1_000, seed)).any()
        assert earlier.among(made(1_000, 4)).all()
        assert np.unpackbits(earlier._bits).mean() < 0.2
