"""Training from chunks: the same file however the listings come, page by page, in memory and on disk."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from appraiser_model import TrainingConfig, ValuationModel, measure, train, train_from
from appraiser_model.boosting import cache_below
from appraiser_model.kept import Encoded, Gathered, Pages
from appraiser_schema import Split
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market

TRAINS = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from conftest import CONFIG, build_listings
from appraiser_model import train
listings = build_listings(3000, seed=1)
model = train(listings[:1500], listings[1500:2500], CONFIG)
print(hashlib.sha256(model.trees.ubj + model.encoder.to_json().encode()).hexdigest())
"""


def chunks_of(market: "Market", rows: int) -> Iterator[tuple[Split, pl.DataFrame]]:
    """The market so many rows at a time, the splits in turn."""
    for start in range(0, market.train.height, rows):
        yield Split.TRAIN, market.train[start : start + rows]
        yield Split.VALIDATION, market.validation[start : start + rows]


def written(model: ValuationModel) -> tuple[bytes, str, dict[str, object], dict[str, object], float]:
    """All that is written of a model."""
    state = model.encoder.to_json(), model.interval.to_state(), model.domain.to_state()
    return (model.trees.ubj, *state, model.centre_log)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 400 listings, so that the market has four."""
    monkeypatch.setattr("appraiser_model.kept.ROWS_PER_PAGE", 400)


class TestChunks:
    """How the listings come."""

    @pytest.mark.parametrize("rows", [77, 1000])
    def test_size(self, market: "Market", model: ValuationModel, config: TrainingConfig, rows: int) -> None:
        """The size of the chunks changes nothing; all at once is the same file, byte for byte."""
        assert written(train_from(chunks_of(market, rows), config).model) == written(model)

    def test_test_split(self, market: "Market", model: ValuationModel, config: TrainingConfig) -> None:
        """Listings of the test split are not looked at."""
        chunks = [*chunks_of(market, 5000), (Split.TEST, market.test)]
        assert written(train_from(chunks, config).model) == written(model)

    def test_processes(self, model: ValuationModel) -> None:
        """Another process makes the same file."""
        command = [sys.executable, "-c", TRAINS, str(Path(__file__).parent)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
        assert found == hashlib.sha256(model.trees.ubj + model.encoder.to_json().encode()).hexdigest()

    def test_metrics(self, market: "Market", model: ValuationModel, config: TrainingConfig) -> None:
        """The figures are those of appraising the validation listings; none flatters the interval they calibrated."""
        found = train_from(chunks_of(market, 500), config).metrics
        expected = measure(market.validation["price"], model.appraise(to_columns(market.validation)))
        assert set(expected) - set(found) == {"coverage", "interval_width"}
        assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-9)


@pytest.mark.usefixtures("small_pages")
class TestPages:
    """How XGBoost gets them."""

    def test_kept(self, market: "Market", config: TrainingConfig) -> None:
        """XGBoost gets the same bits each time that it asks for a page, those of the copies with gaps among them."""
        gathered = Gathered(config, None)
        gathered.add(Split.TRAIN, market.train)
        _, rows = gathered.fit.finish()
        pages = Pages(rows, gathered.train, ("bed", "bath"), copies="some")
        kept = Encoded(pages, None)
        assert len(pages) == len(kept) > 2
        for _ in range(3):
            for number, (matrix, price_usd) in enumerate(pages):
                again, price_again = kept.page(number)
                assert again.tobytes() == matrix.tobytes()
                assert price_again.tolist() == price_usd.tolist()
        kept.close()

    def test_gaps(self, market: "Market", config: TrainingConfig) -> None:
        """Several pages give a model as good as one page, copies with gaps among them."""
        paged = train(market.train, market.validation, config)
        found = measure(market.test["price"], paged.appraise(to_columns(market.test)))
        assert found["mdape"] < 20

    @pytest.mark.parametrize("threads", [1, 2])
    def test_external(self, market: "Market", config: TrainingConfig, tmp_path: Path, threads: int) -> None:
        """Bins on disk give the same file, byte for byte, and nothing is left on the disk."""
        config = config.model_copy(update={"threads": threads})
        inside = train(market.train, market.validation, config)
        outside = train_from(chunks_of(market, 500), config, tmp_path / "scratch", external_rows=0).model
        assert written(outside) == written(inside)
        assert list((tmp_path / "scratch").iterdir()) == []

    def test_refused(self, market: "Market", config: TrainingConfig, tmp_path: Path) -> None:
        """A training that fails leaves nothing on the disk."""
        wrong = config.model_copy(update={"threads": "two"})
        with pytest.raises(Exception, match="nthread"):
            train_from(chunks_of(market, 500), wrong, tmp_path, external_rows=0)
        assert list(tmp_path.iterdir()) == []


class TestCache:
    """The folder for bins."""

    def test_left_behind(self, tmp_path: Path) -> None:
        """What a killed process left goes with the next training; what a living one holds stays."""
        dead, alive = tmp_path / "appraiser-bins-dead", tmp_path / "appraiser-bins-alive"
        for folder in (dead, alive):
            folder.mkdir()
            (folder / "page").write_bytes(b"bins")
        handle = os.open(alive, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with cache_below(tmp_path) as made:
            assert made.parent == tmp_path
            assert not dead.exists()
            assert alive.exists()
        os.close(handle)
        assert not made.exists()

    def test_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Folders of other programs stay, and in the system's folder for such files everything does."""
        foreign, left = tmp_path / "xgboost-notes", tmp_path / "appraiser-bins-left"
        for folder in (foreign, left):
            folder.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with cache_below(None) as made:
            assert made.parent == tmp_path
        assert foreign.exists()
        assert left.exists()
        assert not made.exists()
        with cache_below(tmp_path):
            assert foreign.exists()

    def test_unreadable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder that another user has closed to everybody is left alone."""
        closed, opened = tmp_path / "appraiser-bins-closed", os.open
        closed.mkdir()

        def refusing(path: Path, flags: int) -> int:
            if Path(path) == closed:
                raise PermissionError(path)
            return opened(path, flags)

        monkeypatch.setattr("appraiser_model.boosting.os.open", refusing)
        with cache_below(tmp_path):
            assert closed.exists()

    def test_at_once(self, tmp_path: Path) -> None:
        """Trainings that begin at the same moment leave each other's folders alone."""

        def train_once(_: int) -> bool:
            with cache_below(tmp_path) as made:
                (made / "page").write_bytes(b"bins")
                return made.exists()

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(train_once, range(400)))
