"""Two versions beside each other, the load of the service, and the charts of both."""

import datetime as dt
from typing import Any

import pytest

from appraiser_schema import (
    Backlog,
    ColumnShift,
    CoverageBin,
    Evaluation,
    FeatureEffect,
    ModelReport,
    ModelStudy,
    ModelVersion,
    RouteTraffic,
    SegmentScore,
    ServiceState,
)
from appraiser_ui.data.drift import drift_chart, in_words
from appraiser_ui.models.charts import coverage_chart, effects_chart, importance_chart, part_title, parts_chart
from appraiser_ui.models.metrics import METRICS
from appraiser_ui.models.pairs import moved, pair_of
from appraiser_ui.service.samples import load_between, quantile
from appraiser_ui.words import Language, speaking

AT = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


def study(version: int, champion: int | None, errors: dict[str, tuple[float, float | None]]) -> ModelStudy:
    """A version, and how it did on parts of the market beside the champion of its time."""
    model = ModelVersion(
        version=version, aliases=(), created_at=AT, run_id="r", batches=(0,), rows_train=9, simulated_data=False,
        snapshot_id=1, code_version="c", features_fingerprint="f", metrics={"mae": 100.0 * version},
    )  # fmt: skip
    evaluation = Evaluation(
        batch_number=version, snapshot_id=1, evaluated_at=AT, rows_test=500, challenger_version=version,
        champion_version=champion, challenger={"mae": 10.0}, champion=None if champion is None else {"mae": 20.0},
        segments=tuple(
            SegmentScore(kind="state", name=name, rows=50, challenger_mae=ours, champion_mae=theirs)
            for name, (ours, theirs) in errors.items()
        ),
    )  # fmt: skip
    return ModelStudy(model=model, evaluation=evaluation, report=report(version), moves=())


def report(version: int) -> ModelReport:
    """How a version works."""
    effects = tuple(
        FeatureEffect(
            feature=name, label=name, mean_percent=size * version, effects_percent=(1.0, -2.0), ranks=(0.5, None)
        )
        for name, size in (("bed", 4.0), ("bath", 2.0))
    )
    part = CoverageBin(rows=40, appraised_usd=2e5, inside=90, low=80, high=95, width=70)
    return ModelReport(
        version=version, champion_version=None, rows_test=500, rows_explained=2, stated_coverage=90, features=effects,
        coverage=(part,),
    )  # fmt: skip


class TestPairs:
    """The version in service against another."""

    def test_tested_together(self) -> None:
        """Where one was tested against the other, figures are of the same houses, whichever came later."""
        first, second = study(1, None, {"Texas": (20.0, None)}), study(2, 1, {"Texas": (10.0, 20.0)})
        later = pair_of(first, second)
        assert (later.same, later.rows, later.champion["mae"], later.other["mae"]) == (True, 500, 20.0, 10.0)
        assert [(part.champion_usd, part.other_usd, part.change) for part in later.parts] == [(20.0, 10.0, -50.0)]
        earlier = pair_of(second, first)
        assert (earlier.same, earlier.champion["mae"], earlier.other["mae"]) == (True, 10.0, 20.0)
        assert earlier.parts[0].change == 100.0

    def test_never_tested_together(self) -> None:
        """Else each has its own figures, and parts that both have are compared, the worst for the other first."""
        first = study(1, None, {"Texas": (20.0, None), "Utah": (10.0, None), "Ohio": (5.0, None)})
        third = study(3, 2, {"Texas": (10.0, 1.0), "Utah": (15.0, 1.0)})
        pair = pair_of(third, first)
        assert (pair.same, pair.rows, pair.champion["mae"], pair.other["mae"]) == (False, None, 300.0, 100.0)
        assert [(part.name, round(part.change)) for part in moved(pair)] == [("Texas", 100), ("Utah", -33)]

    def test_which_is_better(self) -> None:
        """Lower, higher or nearer to the target."""
        gains = {metric.name: metric.gain(95.0, 91.0) for metric in METRICS}
        assert gains["mae"] > 0 > gains["r2"]
        assert gains["coverage"] == 4.0

    def test_bands(self) -> None:
        """Spans of prices are told in the figures of the language."""
        part = moved(pair_of(study(2, 1, {"Texas": (1.0, 2.0)}), study(1, None, {})))[0]
        for name, english, spanish in (
            ("below 100,000 USD", "under $100K", "menos de US$\N{NO-BREAK SPACE}100\N{NO-BREAK SPACE}k"),
            ("from 1,000,000 USD", "from $1M", "desde US$\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}M"),
        ):
            band = type(part)("price_band", name, 9, 1.0, 1.0)
            assert part_title(band) == english
            with speaking(Language.SPANISH):
                assert part_title(band) == spanish


class TestCharts:
    """Every chart has axes with titles, and series with names."""

    def test_of_versions(self) -> None:
        """Parts, effects, importance and coverage are drawn with a title on each axis of numbers."""
        first, second = study(1, None, {"Texas": (20.0, None)}), study(2, 1, {"Texas": (10.0, 20.0)})
        reports = [("a", report(1)), ("b", report(2))]
        charts = (
            parts_chart(moved(pair_of(first, second))),
            effects_chart(report(1), ["bed", "bath"]),
            importance_chart(report(1), report(2)),
            coverage_chart(reports),
        )
        for chart in charts:
            drawn = chart.to_dict()
            titles = [
                e["x"]["title"] for layer in drawn["layer"] if (e := layer["encoding"]) and "title" in e.get("x", {})
            ]
            assert titles
            assert all("(" in title for title in titles)

    def test_of_drift(self) -> None:
        """A bin that neither has is left out, the unknown are a bin, and the largest difference is told in words."""
        shift = ColumnShift(
            column="bed",
            index=0.5,
            threshold=0.2,
            edges=(2.0, 3.0),
            before=(0.5, 0.5, 0.0, 0.0),
            after=(0.1, 0.4, 0.0, 0.5),
        )
        rows = next(iter(drift_chart(shift).to_dict()["datasets"].values()))
        assert [row["bin"] for row in rows] == ["up to 2", "3", "unknown"]
        assert "unknown: 0\N{NO-BREAK SPACE}% then, 50\N{NO-BREAK SPACE}% in this batch" in in_words(shift)


def state(seconds: float, requests: int, within: tuple[int, int], **route: Any) -> ServiceState:
    """The service at a moment, with one route that people ask and one that watches."""
    known: dict[str, Any] = {"route": "/predict", "refused": 0, "failed": 0, "seconds": 1.0}
    routes = (
        RouteTraffic(requests=requests, within=within, **known | route),
        RouteTraffic(requests=10_000, within=within, **known | {"route": "/service"}),
    )
    backlog = Backlog(records=0, size_bytes=0, age_seconds=0, shipped=0, failures={})
    return ServiceState(
        at=AT + dt.timedelta(seconds=seconds), software="1", workers=1, keys_needed=False, in_flight=0,
        bounds_seconds=(0.01, 0.1), routes=routes, backlog=backlog, parts=(),
    )  # fmt: skip


class TestLoad:
    """Rates and times out of two states."""

    def test_rate_and_times(self) -> None:
        """Only what people ask counts, and times lie between the bounds in proportion."""
        load = load_between(state(0, 100, (100, 100)), state(10, 200, (150, 200), failed=5))
        assert load is not None
        assert (load.per_second, load.failed) == (10.0, 5.0)
        assert load.median_ms == pytest.approx(10.0)
        assert load.slow_ms == pytest.approx(91.0)

    def test_begun_anew(self) -> None:
        """A service that counts less than before began anew: nothing is told of the time between."""
        assert load_between(state(0, 100, (100, 100)), state(10, 3, (3, 3))) is None

    def test_quiet(self) -> None:
        """Nothing asked has a rate of 0 and no times."""
        load = load_between(state(0, 100, (100, 100)), state(10, 100, (100, 100)))
        assert load is not None
        assert (load.per_second, load.median_ms, load.failed) == (0.0, None, None)

    def test_beyond_the_last_bound(self) -> None:
        """What took longer than the last bound is told as that."""
        assert quantile((0.01, 0.1), (0, 1), 100, 0.95) == pytest.approx(100.0)
