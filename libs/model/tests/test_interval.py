"""Prediction intervals: what they promise, held against figures by hand, simulated markets and the package crepes."""

import math

import numpy as np
import pytest
from crepes import ConformalRegressor
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from appraiser_model import ConformalInterval, ValuationModel
from appraiser_model.interval import MOST_BANDS, ROWS_PER_BAND, ROWS_PER_KIND, Held, Kind, kinds_of, least_rows
from appraiser_model.steps import lower_steps, upper_steps

type Floats = NDArray[np.float64]


def build_held(rows: int, seed: int, noise: float = 0.3) -> Held:
    """Houses of every kind, appraised too low where they are dear and worse the less is known of them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, rows)
    price = np.exp(rng.normal(12.5, 0.9, rows))
    appraised = np.exp(12.5 + 0.7 * (np.log(price) - 12.5) + rng.normal(0, noise * (1 + kind) / 2))
    return Held(price, appraised, kind)


def complete(price_usd: Floats, appraised_usd: Floats) -> Held:
    """Houses of which everything is known."""
    return Held(price_usd, appraised_usd, np.zeros(len(price_usd), dtype=np.int64))


def inside(interval: ConformalInterval, houses: Held) -> NDArray[np.bool_]:
    """Whether the true price lies in the interval around the appraisal."""
    lower, upper = interval.bounds(houses.appraised_usd, houses.kind).T
    return (houses.price_usd >= lower) & (houses.price_usd <= upper)


@pytest.fixture(scope="module")
def interval() -> ConformalInterval:
    """Calibrated on a market of every kind of house."""
    return ConformalInterval.calibrate(build_held(3000, 1), build_held(3000, 2), 0.9)


class TestPromise:
    """Coverage."""

    @settings(deadline=None, max_examples=8)
    @given(seed=st.integers(0, 10_000))
    def test_every_band(self, seed: int) -> None:
        """New houses of every price band lie inside, though dear ones are misjudged.

        A tenth of 8,000 calibrates the smallest band, where chance moves the coverage by five points at most: five
        standard deviations.
        """
        interval = ConformalInterval.calibrate(build_held(3000, seed), build_held(8000, seed + 1), 0.9)
        new = build_held(60_000, seed + 2)
        band = np.searchsorted(np.quantile(new.price_usd, [0.1, 0.3, 0.5, 0.7, 0.9]), new.price_usd)
        held = inside(interval, new)
        assert min(held[band == one].mean() for one in range(6)) > 0.85
        assert 0.89 < held.mean() < 0.95

    def test_every_band_on_average(self) -> None:
        """Over many calibrations no price band holds fewer than stated, but for a hundredth of that by chance."""
        new = build_held(40_000, 1)
        band = np.searchsorted(np.quantile(new.price_usd, [0.1, 0.3, 0.5, 0.7, 0.9]), new.price_usd)
        held = np.zeros(len(new.price_usd))
        for seed in range(40):
            interval = ConformalInterval.calibrate(build_held(1500, seed + 2), build_held(1500, seed + 100), 0.9)
            held += inside(interval, new) / 40
        assert min(held[band == one].mean() for one in range(6)) > 0.891

    def test_own_quantiles(self) -> None:
        """The bands are not cut by the calibration prices, whose rows would be no sample of the houses in them."""
        usual, held = build_held(3000, 1), build_held(1000, 2)
        moved = Held(held.price_usd * 1.01, held.appraised_usd * 1.01, held.kind)
        bands = [ConformalInterval.calibrate(usual, one, 0.9).bands_usd for one in (held, moved)]
        assert bands[0] == bands[1]

    @pytest.mark.parametrize(("coverage", "rows", "bands"), [(0.995, 300, 1), (0.995, 1000, 2), (0.99, 500, 2)])
    def test_high_coverage(self, coverage: float, rows: int, bands: int) -> None:
        """Where nearly all shall lie inside, every band still has the rows that such a quantile needs."""
        interval = ConformalInterval.calibrate(build_held(3000, 1), build_held(rows, 2), coverage)
        assert len(interval.multiples) == bands
        assert inside(interval, build_held(20_000, 3)).mean() > coverage - 0.01

    def test_average_hides(self) -> None:
        """Within a single band, which is the ordinary quantile for all, the dearest are held less often than stated."""
        ordinary = ConformalInterval.calibrate(build_held(3000, 1), build_held(ROWS_PER_BAND * 2 - 1, 2), 0.9)
        new = build_held(60_000, 3)
        dear = new.price_usd > np.quantile(new.price_usd, 0.95)
        assert ordinary.bands_usd == ()
        assert inside(ordinary, new)[dear].mean() < 0.8

    @pytest.mark.parametrize("rows", [9, 40, 116])
    def test_few_rows(self, rows: int) -> None:
        """With as few rows as a first batch has, the share still holds on average over such batches."""
        shares = []
        for seed in range(60):
            interval = ConformalInterval.calibrate(build_held(rows, seed), build_held(rows, seed + 1000), 0.9)
            shares.append(inside(interval, build_held(2000, seed + 2000)).mean())
        assert 0.88 < np.mean(shares) < 0.95

    def test_less_known(self) -> None:
        """The less is known of a house, the wider its interval."""
        interval = ConformalInterval.calibrate(build_held(3000, 1), build_held(3000, 2), 0.9)
        widths = [upper / lower for lower, upper in (interval.bounds_of(270_000.0, kind) for kind in Kind)]
        assert widths == sorted(widths)


class TestCrepes:
    """Held against the package crepes, where both define the same."""

    def test_one_band(self) -> None:
        """With one band and one usual error, the half width is crepes' for plain residuals."""
        houses = build_held(ROWS_PER_BAND + 7, 5)
        flat = Held(np.full(9, 1.0), np.full(9, math.e), np.zeros(9, np.int64))
        for coverage in (0.5, 0.8, 0.9, 0.95):
            interval = ConformalInterval.calibrate(flat, complete(houses.price_usd, houses.appraised_usd), coverage)
            crepes = ConformalRegressor().fit(np.log(houses.price_usd / houses.appraised_usd))
            lower, upper = np.exp(crepes.predict_int(y_hat=np.log([3e5]), confidence=coverage)[0])
            assert interval.bounds_of(3e5, Kind.COMPLETE) == pytest.approx((lower, upper), rel=1e-12)

    def test_normalised_bands(self) -> None:
        """The multiples are the half widths of crepes' normalised Mondrian regressor with the price bands as bins."""
        houses = build_held(2000, 6)
        # Exact in binary: of .9 crepes takes 1 - .9, which is less than .1, and so one rank more of 159 rows.
        interval = ConformalInterval.calibrate(build_held(2000, 7), houses, 0.875)
        expected = np.array(
            [interval.errors[k].of(a)[0] for k, a in zip(houses.kind, houses.appraised_usd[:, None], strict=True)]
        )
        band = np.searchsorted(interval.bands_usd, houses.price_usd, side="right")
        crepes = ConformalRegressor().fit(
            np.log(houses.price_usd / houses.appraised_usd), sigmas=expected, bins=band.astype(float)
        )
        bands = np.arange(len(interval.multiples), dtype=float)
        found = crepes.predict_int(y_hat=np.zeros(len(bands)), sigmas=np.ones(len(bands)), bins=bands, confidence=0.875)
        assert len(bands) == 2000 // ROWS_PER_BAND
        assert interval.multiples == pytest.approx(found[:, 1], rel=1e-12)


class TestBounds:
    """The bounds as a function of the appraisal."""

    @pytest.mark.parametrize("kind", list(Kind))
    def test_rising(self, interval: ConformalInterval, kind: Kind) -> None:
        """Neither bound falls where the appraisal rises, and the appraisal lies between them."""
        price = np.exp(np.linspace(5, 20, 20_001))
        bounds = interval.bounds(price, np.full(len(price), kind))
        assert (np.diff(bounds, axis=0) >= 0).all()
        assert (bounds[:, 0] <= price).all()
        assert (bounds[:, 1] >= price).all()

    def test_one_as_many(self, interval: ConformalInterval) -> None:
        """One house has the bits that it has among many."""
        houses = build_held(2000, 3)
        many = interval.bounds(houses.appraised_usd, houses.kind)
        one = [interval.bounds_of(*house) for house in zip(houses.appraised_usd.tolist(), houses.kind, strict=True)]
        assert (many == np.array(one)).all()

    def test_definition(self, interval: ConformalInterval) -> None:
        """A price that its own band lets in lies between the bounds; the farthest of them are the bounds, or nearly."""
        candidates = np.exp(np.linspace(7, 18, 20_001))
        multiple = np.array(interval.multiples)[np.searchsorted(interval.bands_usd, candidates, side="right")]
        for kind, appraised in ((Kind.COMPLETE, 150_000.0), (Kind.SIZE_KNOWN, 420_000.0), (Kind.UNKNOWN, 90_000.0)):
            error = interval.errors[kind].of(np.array([appraised]))[0]
            let_in = candidates[np.abs(np.log(candidates / appraised)) <= multiple * error]
            lower, upper = interval.bounds_of(appraised, kind)
            assert lower <= let_in.min() * 1.001
            assert upper >= let_in.max() * 0.999

    def test_by_hand(self) -> None:
        """Two bands that part at 100: half of it below, up to four times above, and never out of the band."""
        bins, bands = (0.0, math.inf), (0.0, 100.0, math.inf)
        half_widths = [[math.log(2), math.log(4)]]
        upper, lower = upper_steps(bins, bands, half_widths), lower_steps(bins, bands, half_widths)
        assert [upper.at_one(price) for price in (10.0, 24.0, 25.0, 30.0, 200.0)] == pytest.approx(
            [20.0, 48.0, 100.0, 120.0, 800.0]
        )
        assert [lower.at_one(price) for price in (10.0, 100.0, 180.0, 250.0, 500.0)] == pytest.approx(
            [5.0, 50.0, 90.0, 100.0, 125.0]
        )

    def test_no_fall_between_bins(self) -> None:
        """Where dearer houses are appraised more closely, the bound waits until it is reached again."""
        upper = upper_steps((0.0, 100.0, math.inf), (0.0, math.inf), [[math.log(4)], [math.log(2)]])
        assert [upper.at_one(price) for price in (99.0, 150.0, 300.0)] == pytest.approx([396.0, 400.0, 600.0])

    def test_exact_appraisals(self) -> None:
        """Where all were appraised exactly, the interval is the appraisal; where some were far off, it is finite."""
        price = np.full(1000, 1e5)
        exact = ConformalInterval.calibrate(complete(price, price), complete(price, price), 0.9)
        assert exact.bounds_of(2e5, Kind.COMPLETE) == (2e5, 2e5)
        wild = ConformalInterval.calibrate(complete(price, price), complete(price, price * 1e9), 0.9)
        assert all(math.isfinite(bound) for bound in wild.bounds_of(2e5, Kind.COMPLETE))


class TestCalibration:
    """How bands, bins and kinds are cut."""

    def test_rank(self) -> None:
        """Nine rows are the fewest for 90 %, and the widest residual is the bound."""
        assert least_rows(0.9) == 9
        appraised = np.exp(np.arange(9.0) / 10) * 1e5
        interval = ConformalInterval.calibrate(*[complete(np.full(9, 1e5), appraised)] * 2, 0.9)
        assert interval.bounds_of(1e5, Kind.COMPLETE) == pytest.approx((1e5 * math.exp(-0.8), 1e5 * math.exp(0.8)))

    def test_bands(self) -> None:
        """There are as many bands as have their rows, and no more than `MOST_BANDS`; one with few rows is no band."""
        usual = build_held(3000, 1)
        assert len(ConformalInterval.calibrate(usual, build_held(1000, 2), 0.9).multiples) == 6
        assert len(ConformalInterval.calibrate(usual, build_held(9000, 2), 0.9).multiples) == MOST_BANDS
        dear = Held(usual.price_usd * 10, usual.appraised_usd * 10, usual.kind)
        sparse = ConformalInterval.calibrate(dear, build_held(1000, 2), 0.9)
        assert len(sparse.multiples) < 6

    def test_equal_prices(self) -> None:
        """Where all prices are equal there is one band and one bin."""
        houses = build_held(2000, 1)
        same = complete(np.full(2000, 1e5), np.full(2000, 1.1e5))
        assert ConformalInterval.calibrate(houses, same, 0.9).bands_usd == ()
        assert ConformalInterval.calibrate(same, houses, 0.9).errors[0].edges_usd == ()

    def test_rare_kind(self) -> None:
        """A kind of house with few rows takes the errors of all."""
        few, rest = ROWS_PER_KIND - 1, 400
        kind = np.r_[np.full(few, Kind.UNKNOWN), np.full(rest, Kind.COMPLETE)]
        price = np.full(few + rest, 1e5)
        appraised = price * np.r_[np.full(few, 3.0), np.full(rest, 1.2)]
        errors = ConformalInterval.calibrate(Held(price, appraised, kind), build_held(99, 1), 0.9).errors
        everything = (few * math.log(3) + rest * math.log(1.2)) / (few + rest)
        assert errors[Kind.UNKNOWN].means_log == pytest.approx([everything])
        assert errors[Kind.COMPLETE].means_log == pytest.approx([math.log(1.2)])

    def test_state(self) -> None:
        """What was written and read is the same interval."""
        interval = ConformalInterval.calibrate(build_held(3000, 1), build_held(3000, 2), 0.8)
        assert ConformalInterval.from_state(interval.to_state()) == interval


class TestKinds:
    """What is known of a house."""

    def test_of_features(self, model: ValuationModel) -> None:
        """Bedrooms, bathrooms, land and living area decide."""
        known = np.zeros((6, len(model.encoder.names)), np.float32)
        for row, name in ((1, "acre_lot"), (2, "bed"), (3, "house_size"), (4, "house_size"), (4, "bed"), (5, "status")):
            known[row, model.encoder.names.index(name)] = np.nan
        assert kinds_of(known).tolist() == [
            Kind.COMPLETE,
            Kind.SIZE_KNOWN,
            Kind.SIZE_KNOWN,
            Kind.BEDROOMS_KNOWN,
            Kind.UNKNOWN,
            Kind.COMPLETE,
        ]
