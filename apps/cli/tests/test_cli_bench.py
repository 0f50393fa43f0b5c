"""The benchmark of valuation quality, over made listings."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold

from appraiser_cli.home import ROOT
from appraiser_features import FeatureGroup
from appraiser_model import Appraised

PLACES = (
    ("Connecticut", "Hartford", 6103.0, 150.0),
    ("Massachusetts", "Boston", 2108.0, 700.0),
    ("Texas", "Houston", 77005.0, 300.0),
    ("Puerto Rico", "Aguada", 602.0, 90.0),
)
"""State, city, zip code and price per square foot."""

ROWS = 400
KEYS = {"mdape", "ppe10", "rmse", "mae", "r2", "cod", "prd", "prb"}


def made_listings() -> pl.DataFrame:
    """Listings whose price follows size and place; bedrooms are unknown in some."""
    random = np.random.default_rng(7)
    places = [PLACES[i] for i in random.integers(0, len(PLACES), ROWS)]
    size = random.integers(600, 3000, ROWS).astype(float)
    return pl.DataFrame(
        {
            "brokered_by": [str(i % 9) for i in range(ROWS)],
            "status": [("for_sale", "sold")[i % 2] for i in range(ROWS)],
            "price": (size * [place[3] for place in places] * np.exp(random.normal(0, 0.1, ROWS))).round(),
            "bed": [None if i % 5 == 0 else float(s // 700 + 1) for i, s in enumerate(size)],
            "bath": size // 1500 + 1,
            "acre_lot": random.uniform(0.1, 2, ROWS).round(2),
            "street": [str(i) for i in range(ROWS)],
            "city": [place[1] for place in places],
            "state": [place[0] for place in places],
            "zip_code": [place[2] for place in places],
            "house_size": size,
            "prev_sold_date": [f"20{i % 20:02}-05-01" for i in range(ROWS)],
        }
    )


def odd_listings(listings: pl.DataFrame) -> pl.DataFrame:
    """One that stands there already, one at a dollar, and one with 102 bedrooms."""
    first = listings[:1]
    return pl.concat([first, first.with_columns(price=pl.lit(1.0)), first.with_columns(bed=pl.lit(102.0))])


def bench_quality(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    command = [sys.executable, "-m", "appraiser_cli", "bench", "quality", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def quality() -> ModuleType:
    """The benchmark's code, which finds its other modules beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench")
        return importlib.import_module("quality")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says as JSON of made and odd listings."""
    file = tmp_path_factory.mktemp("bench") / "made.csv"
    listings = made_listings()
    pl.concat([listings, odd_listings(listings)]).write_csv(file)
    result = bench_quality("--json", "--data", str(file))
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


class TestReport:
    """What `bench quality` says."""

    def test_both_recipes_have_all_figures(self, report: dict[str, Any]) -> None:
        """Original and ours are measured alike, over all listings and over the complete ones."""
        for recipe in ("original", "ours"):
            for part in ("all", "complete"):
                numbers = {name for name, value in report[recipe][part].items() if isinstance(value, float)}
                assert numbers >= KEYS

    def test_coverage_is_a_percentage(self, report: dict[str, Any]) -> None:
        """Coverage stands there as percent, with the worst of the bands that are large enough."""
        found = report["coverage"]
        assert 75 < found["overall"] <= 100
        assert all(band["rows"] >= 200 for band in found["bands"])
        assert found["worst_band"] == min((band["coverage"] for band in found["bands"]), default=None)

    def test_odd_listings_are_counted(self, report: dict[str, Any]) -> None:
        """Copies and prices outside the span are left out; what the schema refuses is measured on and told."""
        assert (report["data"]["listings"], report["data"]["refused"]) == (ROWS + 1, 1)
        assert report["data"]["complete"] == ROWS * 4 // 5 + 1

    def test_who_knows_the_place_is_better(self, report: dict[str, Any]) -> None:
        """Where prices follow the place, ours is nearer to them than four measures can be."""
        assert report["ours"]["all"]["mdape"] < report["original"]["all"]["mdape"] / 2

    def test_tables_fit_a_terminal(self, report: dict[str, Any], quality: ModuleType) -> None:
        """The report for people names every figure within 80 columns."""
        rows = [{"without": "nothing", **report["ours"]}]
        text = quality.render({**report, "ablation": rows})
        assert max(map(len, text.splitlines())) <= 80
        assert all(word in text for word in ("MdAPE", "PPE10", "RMSE", "R2", "COD", "PRD", "PRB", "Ours without"))

    def test_own_split(self, quality: ModuleType, tmp_path: Path) -> None:
        """The split of the original is counted as it did, then once, without test rows that stand in training."""
        listings = made_listings().select("bed", "bath", "acre_lot", "house_size", "price").fill_null(1.0)
        for number, batch in enumerate(quality.own_split.BATCHES):
            rows = listings[number * 60 : number * 60 + 60]
            # The last test row of each batch stands in training as well.
            splits = {"train": rows[:40], "val": rows[40:50], "test": pl.concat([rows[50:], rows[:1]])}
            for split, part in splits.items():
                part.drop("price").write_parquet(tmp_path / f"X_{split}_{batch}.parquet")
                part.select(target="price").write_parquet(tmp_path / f"y_{split}_{batch}.parquet")
        assert quality.own_split.available(tmp_path)
        config = quality.CONFIG.model_copy(update={"max_rounds": 5})
        found = quality.own_split.compare(tmp_path, quality.original, quality.figures, config)
        assert (found["as_counted"]["rows_train"], found["as_counted"]["rows"]) == (7 * 40, 7 * 11)
        assert [found[name]["rows"] for name in ("original", "ours")] == [5 * 10] * 2
        assert [found[name]["rows_train"] for name in ("original", "ours")] == [5 * 40] * 2


class TestFolds:
    """How listings are divided."""

    def test_as_scikit_learn_divides(self, quality: ModuleType) -> None:
        """The folds are those of the shuffled KFold with seed 1."""
        fold = quality.divide(203)
        for number, (_, held_out) in enumerate(KFold(5, shuffle=True, random_state=1).split(np.arange(203))):
            assert np.flatnonzero(fold == number).tolist() == held_out.tolist()

    def test_no_recipe_sees_what_it_appraises(self, quality: ModuleType) -> None:
        """Every listing is held out once, and is not among those that its model is trained on."""
        seen: list[int] = []

        def recipe(train: pl.DataFrame, held_out: pl.DataFrame) -> Appraised:
            assert not set(train["row_hash"]) & set(held_out["row_hash"])
            assert train.height + held_out.height == ROWS
            seen.extend(held_out["row_hash"])
            price = held_out["price"].to_numpy()
            return Appraised(price, price - 1, price + 1)

        listings = made_listings().with_columns(row_hash=pl.int_range(ROWS))
        result = quality.cross_validate("exact", listings, recipe)
        assert sorted(seen) == list(range(ROWS))
        assert result.appraised.price_usd.tolist() == listings["price"].to_list()


class TestAblation:
    """How a group of features is left out."""

    @pytest.mark.parametrize(
        ("group", "fields"),
        [
            (FeatureGroup.PLACE, {"city", "state", "zip_code"}),
            (FeatureGroup.SIZE, {"bed", "bath", "house_size"}),
            (FeatureGroup.LAND, {"acre_lot"}),
            (FeatureGroup.SALE, {"status", "prev_sold_date"}),
        ],
    )
    def test_fields_tell_nothing(self, quality: ModuleType, group: FeatureGroup, fields: set[str]) -> None:
        """Its fields are the same in all listings, and the others as they were."""
        listings = made_listings()
        hidden = quality.without(listings, group)
        assert all(hidden[name].n_unique() == 1 for name in fields)
        assert hidden.drop(fields).equals(listings.drop(fields))
        assert hidden.schema == listings.schema


class TestUsage:
    """What the command says when it cannot measure."""

    def test_no_sample_data(self, tmp_path: Path) -> None:
        """Without the sample data it says how to name a file, with exit code 2."""
        result = bench_quality(environment={"APPRAISER_SAMPLE_DATA": str(tmp_path)})
        assert result.returncode == 2
        assert "--data FILE" in result.stderr
        assert "APPRAISER_SAMPLE_DATA" in result.stderr

    def test_too_few_listings(self, quality: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A file too small for five folds and an interval is refused with the number that is needed."""
        made_listings()[:50].write_csv(tmp_path / "few.csv")
        assert quality.main(["--data", str(tmp_path / "few.csv")]) == 1
        assert "has 50 usable listings, and 300 are needed" in capsys.readouterr().err

    def test_another_table(self, quality: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A table that holds no listings is refused with the columns that it lacks."""
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        assert quality.main(["--data", str(tmp_path / "other.csv")]) == 1
        assert "lacks the column(s)" in capsys.readouterr().err
