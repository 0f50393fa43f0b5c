"""Which column of a file is which field of a listing: guesses out of names and values, and how they are written."""

import re
import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

import polars as pl

from appraiser_schema import LISTING_COLUMNS

HALF_BATH: Final = "half_bath"
PRICE: Final = "price"
LATITUDE: Final = "latitude"
LONGITUDE: Final = "longitude"

TARGETS: Final = (*LISTING_COLUMNS, HALF_BATH, PRICE, LATITUDE, LONGITUDE)
"""What a column can be: a field of a listing, half baths that count as half a bathroom each, a known price to compare
with, or a position for the map."""

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "state": ("state", "statename", "statecode", "region", "province", "stateorprovince", "estado"),
    "city": ("city", "cityname", "town", "municipality", "ciudad", "municipio"),
    "zip_code": ("zipcode", "zip", "zip5", "postalcode", "postcode", "codigopostal"),
    "house_size": (
        *("housesize", "sqftliving", "grlivarea", "livingarea", "livingareasqft", "livingsqft", "squarefeet"),
        *("sqft", "squarefootage", "livingspace", "livingaream2", "floorarea", "areaconstruida", "area", "size"),
    ),
    "acre_lot": (
        *("acrelot", "lotacres", "acres", "sqftlot", "lotarea", "lotsize", "lotsqft", "lotsizesqft", "lotsizeacres"),
        *("lotsizesquarefeet", "landarea", "landsqft", "lotm2", "terreno", "areaterreno"),
    ),
    "bed": ("bed", "beds", "bedrooms", "bedroomabvgr", "bedroom", "numbedrooms", "br", "habitaciones", "alcobas"),
    "bath": ("bath", "baths", "bathrooms", "fullbath", "fullbaths", "numbathrooms", "bathroomstotal", "banos"),
    HALF_BATH: ("halfbath", "halfbaths", "bathroomshalf"),
    "status": ("status", "listingstatus", "salestatus"),
    "prev_sold_date": ("prevsolddate", "lastsolddate", "lastsaledate", "lastsold", "previoussaledate", "soldlast"),
    PRICE: ("price", "saleprice", "soldprice", "listprice", "priceusd", "closeprice", "precio"),
    LATITUDE: ("latitude", "lat", "latitud"),
    LONGITUDE: ("longitude", "long", "lon", "lng", "longitud"),
}
"""Names by which columns go, without case, blanks and signs; the surest first. King County's house sales write
sqft_living and sqft_lot, Ames's assessor (De Cock, 2011) GrLivArea, LotArea, BedroomAbvGr, FullBath and HalfBath."""

LARGEST_ACRES: Final = 200.0
"""A median above it is no median of acres: it is square feet."""


class Unit(StrEnum):
    """What an area is measured in."""

    ACRES = "acres"
    SQUARE_FEET = "sqft"
    SQUARE_METRES = "m2"
    HECTARES = "ha"


UNITS: Final = {
    "acre_lot": (Unit.ACRES, Unit.SQUARE_FEET, Unit.SQUARE_METRES, Unit.HECTARES),
    "house_size": (Unit.SQUARE_FEET, Unit.SQUARE_METRES),
}
"""Units that a field can be converted from; the first is its own."""

SQUARE_FEET: Final = {Unit.SQUARE_FEET: 1.0, Unit.SQUARE_METRES: 10.763910416709722, Unit.ACRES: 43_560.0,
                      Unit.HECTARES: 107_639.10416709722}  # fmt: skip
"""Of each unit. An acre is 43,560 square feet, a foot 0.3048 m exactly (NIST Handbook 44, appendix C)."""

FROM_ZIP: Final = "from-zip"
"""Stands for the state where it is to be found by the zip code."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column is what.

    Attributes:
        columns: The file's column of each target that has one.
        units: What the areas are measured in; a field's own unit where absent.
        constants: Values for all rows of fields without a column; of the state also `FROM_ZIP`.
    """

    columns: dict[str, str]
    units: dict[str, Unit] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)


def guess(rows: pl.DataFrame, names: list[str]) -> Mapping:
    """Guess what each column is, by its name and, for the unit of land, by its values.

    Args:
        rows: The table.
        names: Its columns.
    """
    columns: dict[str, str] = {}
    plain = {name: plain_name(name) for name in names}
    for target, known in NAMES.items():
        free = [name for name in names if name not in columns.values()]
        found = next((name for wanted in known for name in free if plain[name] == wanted), None)
        if found is not None:
            columns[target] = found
    for target in ("state", "zip_code", "house_size", "bed", "bath"):
        if target not in columns:
            by_name = {plain[name]: name for name in names if name not in columns.values()}
            if close := get_close_matches(plain_name(target), list(by_name), 1, cutoff=0.85):
                columns[target] = by_name[close[0]]
    units = {target: unit_of(rows, columns[target], target) for target in UNITS if target in columns}
    constants = {"state": FROM_ZIP} if "state" not in columns and "zip_code" in columns else {}
    return Mapping(columns, units, constants)


def unit_of(rows: pl.DataFrame, column: str, target: str) -> Unit:
    """Guess what an area is measured in."""
    name = plain_name(column)
    if re.search(r"(m2|sqm|metr)", name):
        return Unit.SQUARE_METRES
    if target == "house_size":
        return Unit.SQUARE_FEET
    if re.search(r"(sqft|squarefe|sf$)", name):
        return Unit.SQUARE_FEET
    if "acre" in name:
        return Unit.ACRES
    if re.search(r"(hectare|ha$)", name):
        return Unit.HECTARES
    median = rows[column].cast(pl.Float64, strict=False).median()
    return Unit.SQUARE_FEET if isinstance(median, float) and median > LARGEST_ACRES else Unit.ACRES


def plain_name(name: str) -> str:
    """A name in small letters without accents, blanks and signs: `Código postal` becomes `codigopostal`."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
