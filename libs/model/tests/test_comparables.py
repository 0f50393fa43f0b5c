"""The listings that are kept with a model, and those of them like a house."""

import math
from pathlib import Path

import polars as pl
import pytest
from tiny_champion import build_market, train_tiny

from appraiser_model import Bundle, KeptListings
from appraiser_model import comparables as module
from appraiser_model.comparables import kept_of
from appraiser_model.errors import KeptListingsError
from appraiser_schema import Listing


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """A model of a made-up market."""
    return train_tiny()


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    """What it has learned from."""
    return build_market().filter(split="train")


@pytest.fixture(scope="module")
def kept(bundle: Bundle, market: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> KeptListings:
    """What is kept of it, written and read."""
    file = tmp_path_factory.mktemp("kept") / "kept.parquet"
    kept_of([market[:50], market[50:]], len(market)).write_parquet(file)
    return KeptListings.read(file, bundle.model.encoder)


class TestKept:
    """What is kept."""

    def test_no_address_and_no_broker(self, market: pl.DataFrame) -> None:
        """Place, size and price are kept, nothing that says which house it is."""
        assert not {"street", "brokered_by", "row_hash"} & set(kept_of([market], len(market)).columns)

    def test_all_where_there_are_few(self, kept: KeptListings, market: pl.DataFrame) -> None:
        """Up to the limit every training listing is kept."""
        assert len(kept) == len(market)

    def test_a_part_where_there_are_many(self, market: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beyond the limit their hashes choose, however they come."""
        monkeypatch.setattr(module, "MOST_ROWS", len(market) / 4)
        whole = kept_of([market], len(market))
        assert 0 < len(whole) < len(market) / 2
        assert whole.equals(kept_of([market[:100], market[100:]], len(market)))

    def test_zip_codes(self, kept: KeptListings, market: pl.DataFrame) -> None:
        """Zip codes are counted by city."""
        rows = len(market.filter(zip_code="77005"))
        assert kept.zip_codes_of("Texas")["houston"]["77005"] == rows

    @pytest.mark.parametrize("content", [b"", b"PAR1 nonsense PAR1"])
    def test_damaged(self, bundle: Bundle, tmp_path: Path, content: bytes) -> None:
        """A file that is none of ours is named, and nothing else is raised."""
        file = tmp_path / "kept.parquet"
        file.write_bytes(content)
        with pytest.raises(KeptListingsError, match=r"kept\.parquet"):
            KeptListings.read(file, bundle.model.encoder)

    def test_another_table(self, bundle: Bundle, tmp_path: Path) -> None:
        """A table without the columns is refused as well."""
        file = tmp_path / "kept.parquet"
        pl.DataFrame({"price": [1.0]}).write_parquet(file)
        with pytest.raises(KeptListingsError):
            KeptListings.read(file, bundle.model.encoder)


class TestMostLike:
    """The listings like a house."""

    HOUSE = Listing(state="Texas", city="Houston", zip_code="77005", house_size=2000, bed=3, bath=2, acre_lot=0.5)

    def position(self, bundle: Bundle, house: Listing) -> tuple[float, float]:
        """Where a house stands."""
        place = bundle.model.encoder.places.of_sites([(house.state, house.city, house.zip_code)])
        return float(place[0, 0]), float(place[0, 1])

    def test_near_and_alike(self, bundle: Bundle, kept: KeptListings) -> None:
        """Those found stand near, are of about the size, and come in order."""
        found = kept.most_like(self.HOUSE, self.position(bundle, self.HOUSE), 5)
        assert {comparable.city for comparable in found} == {"Houston"}
        assert [comparable.likeness for comparable in found] == sorted((c.likeness for c in found), reverse=True)
        best = found[0]
        assert best.miles is not None
        assert best.miles < 10
        assert best.house_size is not None
        assert abs(best.house_size / 2000 - 1) < 0.4

    def test_a_listing_is_most_like_itself(self, bundle: Bundle, kept: KeptListings, market: pl.DataFrame) -> None:
        """The house of a listing finds that listing first, as alike as can be."""
        row = market.drop_nulls().row(0, named=True)
        house = Listing.model_validate({name: row[name] for name in Listing.model_fields})
        best = kept.most_like(house, self.position(bundle, house), 1)[0]
        assert best.price_usd == pytest.approx(row["price"], rel=1e-6)
        assert best.likeness > 99.9

    def test_nothing_known_but_the_state(self, kept: KeptListings) -> None:
        """A house of which nothing is known has comparables too."""
        found = kept.most_like(Listing(state="Guam"), (math.nan, math.nan), 3)
        assert len(found) == 3
        assert found[0].miles is None
