"""The report of a version: files, pictures and words."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tiny_champion import build_market, train_tiny

from appraiser_model import measure, segment_scores
from appraiser_pipeline.report import calibration, changes, features, predicted, states
from appraiser_pipeline.report.record import record_of
from appraiser_pipeline.report.study import Study
from appraiser_pipeline.report.write import write_report
from appraiser_schema import Evaluation
from appraiser_schema.frames import to_columns


def study_of(test: pl.DataFrame, *, champion: bool) -> Study:
    """A tiny challenger on these listings, with a tiny champion of another market or without."""
    model, columns, price = train_tiny(1).model, to_columns(test), test["price"]
    ours = model.appraise(columns)
    other = train_tiny(2).model if champion else None
    theirs = None if other is None else other.appraise(columns)
    evaluation = Evaluation(
        batch_number=1,
        snapshot_id=7,
        evaluated_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        rows_test=test.height,
        challenger_version=2,
        champion_version=1 if champion else None,
        challenger=measure(price, ours),
        champion=measure(price, theirs) if theirs else None,
        segments=segment_scores(test, ours.price_usd, theirs.price_usd if theirs else None),
        mae_difference_usd=(-900.0, -100.0) if champion else None,
    )
    return Study(evaluation, test, model, ours, other, theirs, least_segment=50)


@pytest.fixture(scope="module")
def study() -> Study:
    """Two models on four hundred listings."""
    return study_of(build_market(seed=3), champion=True)


class TestFiles:
    """What is written."""

    def test_all(self, study: Study, tmp_path: Path) -> None:
        """A table, five pictures and a report that names them all."""
        write_report(study, tmp_path)
        files = sorted(path.name for path in tmp_path.iterdir())
        pictures = [name for name in files if name.endswith(".png")]
        assert [name for name in files if name not in pictures] == ["ratio_study.csv", "report.md"]
        assert len(pictures) == 5
        assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
        words = (tmp_path / "report.md").read_text(encoding="utf-8")
        assert all(f"`{name}`" in words for name in (*pictures, "ratio_study.csv"))

    def test_first(self, tmp_path: Path) -> None:
        """Without a champion nothing is said of changes."""
        write_report(study_of(build_market(seed=3), champion=False), tmp_path)
        assert not (tmp_path / "changes_against_the_champion.png").exists()
        assert "champion" not in (tmp_path / "report.md").read_text(encoding="utf-8")

    def test_few(self, tmp_path: Path) -> None:
        """Three listings of one state are enough for every picture."""
        write_report(study_of(build_market(seed=3).filter(state="Texas").head(3), champion=True), tmp_path)
        assert (tmp_path / "report.md").exists()

    def test_table(self, study: Study, tmp_path: Path) -> None:
        """The table has the whole and every part, with the figures of a ratio study of both models."""
        write_report(study, tmp_path)
        table = pl.read_csv(tmp_path / "ratio_study.csv")
        assert table["kind"].unique(maintain_order=True).to_list() == ["all", "batch", "state", "price_band"]
        assert {"rows", "median_ratio", "cod", "prd", "prb", "mae", "mdape", "ppe10", "coverage"} <= set(table.columns)
        assert table["champion_mae"][0] == pytest.approx(study.evaluation.champion["mae"], rel=1e-6)  # type: ignore[index]


class TestRecord:
    """The same as figures."""

    def test_effects(self, study: Study) -> None:
        """Every feature is there by the size of its effect, with the champion's, and points for those that matter."""
        report = record_of(study)
        sizes = [feature.mean_percent for feature in report.features]
        assert sizes == sorted(sizes, reverse=True)
        first = report.features[0]
        assert first.mean_percent == pytest.approx(study.importance[first.feature], abs=1e-4)
        assert first.champion_mean_percent == pytest.approx(study.champion_importance[first.feature], abs=1e-4)
        assert len(first.effects_percent) == len(first.ranks) == 120
        assert not report.features[-1].effects_percent

    def test_coverage(self, study: Study) -> None:
        """The tenths of the appraisal hold every test listing, and their shares sum up to the whole."""
        report = record_of(study)
        assert sum(part.rows for part in report.coverage) == study.test.height
        inside = sum(part.inside * part.rows for part in report.coverage) / study.test.height
        assert inside == pytest.approx(study.evaluation.challenger["coverage"], abs=0.01)

    def test_without_champion(self) -> None:
        """The first version is compared with nothing."""
        report = record_of(study_of(build_market(seed=3), champion=False))
        assert report.champion_version is None
        assert {feature.champion_mean_percent for feature in report.features} == {None}


class TestPictures:
    """What is drawn."""

    @pytest.mark.parametrize("module", [predicted, states, calibration, features, changes], ids=lambda m: m.__name__)
    def test_units(self, study: Study, module: object) -> None:
        """A title says what is seen, and every scale that has numbers has a name with its unit."""
        figure = module.draw(study)  # type: ignore[attr-defined]
        assert figure.get_suptitle()
        drawn = [axes for axes in figure.axes if axes.axison]
        labels = [text for axes in drawn for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
        assert labels
        assert all("[" in text for text in labels)

    def test_state_by_state(self, study: Study) -> None:
        """A tile shows the median residual of its state and its listings."""
        texts = [text.get_text() for text in states.draw(study).axes[0].texts]
        row = study.table.filter(name="Texas").row(0, named=True)
        shown = f"{(row['median_ratio'] - 1) * 100:+.1f} %".replace("-", "\N{MINUS SIGN}")
        assert texts[texts.index("TX") : texts.index("TX") + 3] == ["TX", shown, f"n {row['rows']}"]

    def test_every_state_has_a_tile(self, study: Study) -> None:
        """No state and no territory is left off the map."""
        texts = [text.get_text() for text in states.draw(study).axes[0].texts]
        assert len([text for text in texts if len(text) == 2 and text.isupper()]) == 54

    def test_moved(self, study: Study) -> None:
        """Only parts with enough listings are compared, the one that fares worst first."""
        moves = changes.moved(study)
        assert all(part.rows >= 50 for part, _ in moves)
        assert [change for _, change in moves] == sorted((change for _, change in moves), reverse=True)

    def test_gained(self, study: Study) -> None:
        """Importance is the mean effect of both models on the same listings, in percent."""
        name, before, now = changes.gained(study)[0]
        index = study.model.encoder.names.index(name)
        assert now == pytest.approx(np.expm1(np.abs(study.effects[:, index]).mean()) * 100)
        assert before == study.champion_importance[name]
