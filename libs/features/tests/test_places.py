"""Where zip codes lie, and what a training learns of places."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appraiser_features import FeatureFit
from appraiser_features.positions import Positions, zip_positions
from appraiser_features.summary import count_cities

type Market = tuple[dict[str, Any], NDArray[np.float64], NDArray[np.int64]]


class TestPositions:
    """The table of zip codes."""

    def test_known(self) -> None:
        """Boston is where it is, closely surrounded; what is no zip code is nowhere, and neither is none."""
        boston, *unknown = zip_positions().of(["02108", "00000", "", None]).tolist()
        assert boston[:2] == pytest.approx([42.36, -71.06], abs=0.01)
        assert 0 < boston[2] < 1
        assert np.isnan(unknown).all()

    def test_all(self) -> None:
        """Every code stands there once, with all that is asked of it, but for addresses of the forces."""
        positions = zip_positions()
        assert list(positions.zips) == sorted(set(positions.zips))
        assert len(positions.zips) > 41_000
        assert np.isfinite(positions.values).all()
        assert np.isnan(positions.of(["09001"])).all()  # Army Post Office

    def test_among(self) -> None:
        """Some of them lie where they lay among all."""
        some = Positions(("1", "2", "3"), np.arange(9.0).reshape(3, 3)).among(["3", "9", "1"])
        assert some.zips == ("1", "3")
        assert some.of(["3", "1"]).tolist() == [[6.0, 7.0, 8.0], [0.0, 1.0, 2.0]]


class TestFolds:
    """The tables that training listings are encoded with."""

    def test_other_zips(self, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
        """What lies around zip codes that no listing names changes nothing, so it is not learned."""
        found = FeatureFit()
        found.add(*market)
        expected = FeatureFit()
        expected.add(*market)
        matrix = found.finish()[1].read(0, len(market[1]))
        asked: list[int] = []

        def all_of(positions: Positions, zips: Any) -> Positions:
            asked.append(len(tuple(zips)))
            return positions

        monkeypatch.setattr(Positions, "among", all_of)
        assert expected.finish()[1].read(0, len(market[1])).tobytes() == matrix.tobytes()
        assert asked == [7]


class TestCities:
    """How many listings each city has."""

    def test_spellings(self) -> None:
        """Spellings of one city count together, under the commonest; of equals, the first by name."""
        sites: dict[Any, int] = {
            ("Texas", "HOUSTON", "77002"): 3,
            ("Texas", "Houston", "77002"): 2,
            ("Texas", "Houston", "77005"): 2,
            ("Ohio", "DAYTON", None): 1,
            ("Ohio", "Dayton", "45402"): 1,
            ("Ohio", None, "45402"): 5,
            (None, "Dayton", None): 5,
        }
        counted = count_cities(sites)
        assert counted == {"Ohio": {"DAYTON": 2}, "Texas": {"Houston": 7}}
        assert list(counted) == ["Ohio", "Texas"]
