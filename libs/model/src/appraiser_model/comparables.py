"""Listings that a model has learned from, kept beside it without their addresses, and those of them like a house."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from appraiser_features.encoder import FeatureEncoder
from appraiser_model.errors import KeptListingsError
from appraiser_model.shares import share
from appraiser_schema import Comparable, Listing, Status

if TYPE_CHECKING:
    import polars as pl

COMPARABLES_FILE: Final = "comparables.parquet"

MOST_ROWS: Final = 300_000
"""Listings that are kept at most: 4 MB on disk and 10 MB in memory, searched in milliseconds."""

MOST_BYTES: Final = 64 * 2**20
"""A larger file is none of ours."""

KEPT_SALT: Final = 3

NUMBERS: Final = ("price", "bed", "bath", "acre_lot", "house_size")
TEXTS: Final = ("status", "state", "city", "zip_code")

MILES_PER_DEGREE: Final = 69.09
"""Along a meridian, on a sphere of 3,958.8 miles."""

type Floats = NDArray[np.float64]


def kept_of(frames: Iterable["pl.DataFrame"], rows_train: int) -> "pl.DataFrame":
    """What is kept of training listings: all of them, or a part that their hashes choose.

    Args:
        frames: Clean training listings with the column row_hash, some at a time.
        rows_train: How many there are in all.
    """
    import polars as pl  # noqa: PLC0415 - it is of no use to those who only serve

    parts = max(1, math.ceil(rows_train / MOST_ROWS))
    kept = [frame.filter(share(frame["row_hash"].to_numpy(), parts, KEPT_SALT) == 0) for frame in frames]
    table = pl.concat([frame.select(*(pl.col(name).cast(pl.Float32) for name in NUMBERS), *TEXTS) for frame in kept])
    return table.with_columns(pl.col(TEXTS).cast(pl.String)).sort(*TEXTS[1:], "price", *NUMBERS[1:])


@dataclass(frozen=True, eq=False)
class KeptListings:
    """Listings that a model has learned from.

    Attributes:
        numbers: Values of each of `NUMBERS`, shape (n,); NaN is unknown.
        status: Index into the members of `Status`, shape (n,).
        sites: State, city and zip code of each place.
        site: Index into the sites, shape (n,).
        degrees: Latitude and longitude of each site [degrees, WGS 84], NaN is unknown; shape (sites, 2).
    """

    numbers: Mapping[str, Floats]
    status: NDArray[np.int8]
    sites: tuple[tuple[str, str | None, str | None], ...]
    site: NDArray[np.int32]
    degrees: Floats

    def __len__(self) -> int:
        """How many there are."""
        return len(self.site)

    @classmethod
    def read(cls, file: Path, encoder: FeatureEncoder) -> Self:
        """Read what `kept_of` gave, as Parquet.

        Args:
            file: Where it lies.
            encoder: The model's, which knows where places lie.

        Raises:
            KeptListingsError: The file is none of ours, or is damaged.
        """
        import polars as pl  # noqa: PLC0415

        try:
            if file.stat().st_size > MOST_BYTES:
                raise KeptListingsError(file, f"it is larger than {MOST_BYTES:,} bytes")
            table = pl.read_parquet(file, columns=[*NUMBERS, *TEXTS], glob=False, hive_partitioning=False)
            return cls._of(table, encoder)
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
            raise KeptListingsError(file, f"{type(error).__name__}: {error}") from error

    @classmethod
    def _of(cls, table: "pl.DataFrame", encoder: FeatureEncoder) -> Self:
        import polars as pl  # noqa: PLC0415

        place = pl.struct(TEXTS[1:])
        sites = table.select(place.unique(maintain_order=True).alias("site")).with_row_index("number")
        site = table.select(place.alias("site")).join(sites, on="site", how="left", maintain_order="left")
        named = tuple(tuple(row.values()) for row in sites["site"].to_list())
        codes = pl.Enum([status.value for status in Status])
        return cls(
            {name: table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in NUMBERS},
            table["status"].cast(codes).to_physical().to_numpy().astype(np.int8),
            named,
            site["number"].to_numpy().astype(np.int32),
            np.asarray(encoder.places.of_sites(named)[:, :2], dtype=np.float64),
        )

    def zip_codes_of(self, state: str) -> dict[str, dict[str, int]]:
        """How many kept listings each zip code of a state has, by city in small letters and then by zip code."""
        rows = np.bincount(self.site, minlength=len(self.sites)).tolist()
        found: dict[str, dict[str, int]] = {}
        for (where, city, zip_code), count in zip(self.sites, rows, strict=True):
            if where == state and city and zip_code:
                by_zip = found.setdefault(city.lower(), {})
                by_zip[zip_code] = by_zip.get(zip_code, 0) + count
        return found

    def most_like(self, listing: Listing, position: tuple[float, float], number: int) -> tuple[Comparable, ...]:
        """Find the listings that are most like a house.

        The differences are added up as squares: one is five miles, a fifth of the living area, two bedrooms or
        bathrooms, four times the land. The order (place, size, rooms, site) is that in which appraisers look for
        comparables (Fannie Mae, Selling Guide B4-1.3-08); the weights are ours. What is unknown of the house counts
        for nothing, what is unknown of a listing as half a difference.

        Args:
            listing: The house.
            position: Its latitude and longitude; NaN is unknown. [degrees, WGS 84]
            number: How many to find.
        """
        miles = self._miles(position)[self.site]
        squares = _or_half(miles / 5) if math.isfinite(position[0]) else np.zeros(len(self))
        squares += self._differences(listing)
        chosen = np.argsort(squares, kind="stable")[:number]
        return tuple(self._comparable(int(row), float(miles[row]), float(squares[row])) for row in chosen)

    def _miles(self, position: tuple[float, float]) -> Floats:
        """From a position to each site, as on a flat map around it, which is exact enough where it matters: nearby."""
        north, east = ((self.degrees - position) * MILES_PER_DEGREE).T
        miles: Floats = np.hypot(north, east * math.cos(math.radians(position[0])))
        return miles

    def _differences(self, listing: Listing) -> Floats:
        total = np.zeros(len(self))
        if listing.house_size:
            total += _or_half(np.log(self.numbers["house_size"] / listing.house_size) / math.log(1.2))
        for name in ("bed", "bath"):
            if (rooms := getattr(listing, name)) is not None:
                total += _or_half((self.numbers[name] - rooms) / 2)
        if listing.acre_lot is not None:
            # A twentieth of an acre more or less is nothing, also where there is none.
            total += _or_half(np.log((self.numbers["acre_lot"] + 0.05) / (listing.acre_lot + 0.05)) / math.log(4))
        return total

    def _comparable(self, row: int, miles: float, squares: float) -> Comparable:
        state, city, zip_code = self.sites[self.site[row]]
        latitude, longitude = self.degrees[self.site[row]].tolist()
        known: dict[str, Any] = {name: _known(round(float(self.numbers[name][row]), 3)) for name in NUMBERS[1:]}
        return Comparable(
            price_usd=float(self.numbers["price"][row]),
            status=tuple(Status)[self.status[row]],
            **known,
            state=state,
            city=city,
            zip_code=zip_code,
            latitude=_known(round(latitude, 4)),
            longitude=_known(round(longitude, 4)),
            miles=_known(round(miles, 2)),
            likeness=round(100 / (1 + math.sqrt(squares) / 3), 1),
        )


def _or_half(differences: Floats) -> Floats:
    """The squares; where a difference is unknown, that of a half."""
    squares: Floats = np.where(np.isnan(differences), 0.25, differences**2)
    return squares


def _known(value: float) -> float | None:
    """The value; None where it is NaN."""
    return None if math.isnan(value) else value
