"""Where the houses of a file are and what they cost: cells of a grid on a plain chart of degrees."""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import altair as alt
import polars as pl

from appraiser_schema.frames import ROW_NUMBER
from appraiser_ui.batch.columns import LATITUDE, LONGITUDE
from appraiser_ui.batch.mapping import Position, position_of
from appraiser_ui.figures import count, money
from appraiser_ui.palette import INK, NEUTRAL, RAMP, WORDS
from appraiser_ui.words import say

CELLS: Final = 48
"""Cells from west to east: enough to tell places apart, few enough to draw a million houses."""

LABELS: Final = 6
"""Places that are named, those with the most houses."""

APART: Final = 7
"""Names stand a seventh of the width from each other, or a third of that in height."""

HEIGHT_PX: Final = 480
WIDTH_BY_HEIGHT: Final = 1.6
LEAST_DEGREES: Final = 0.05
"""Height of the map at least, about three and a half miles."""

CORE: Final = 0.01, 0.99
"""The map shows what lies between these shares of the houses from each side, with air around: one house on Guam must
not make specks of all others. Of up to fifty houses that is all."""

SHADES: Final = 0.02, 0.98
"""The colours span the medians of the cells between these shares; what is dearer or cheaper has an end's colour."""


class Frame(NamedTuple):
    """What a map shows, in degrees."""

    west: float
    east: float
    south: float
    north: float

    def inside(self, houses: pl.DataFrame) -> pl.DataFrame:
        """The houses that lie in it."""
        return houses.filter(
            pl.col(LATITUDE).is_between(self.south, self.north) & pl.col(LONGITUDE).is_between(self.west, self.east)
        )

    @property
    def level(self) -> float:
        """How much shorter a degree of longitude is on the ground than one of latitude, in the middle."""
        return math.cos(math.radians((self.south + self.north) / 2))


def located(houses: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Houses with a price and a position: their own, else the middle of their zip code.

    Args:
        houses: Listings, with `latitude` and `longitude` where the file has them.
        answers: Prices by row.
    """
    priced = houses.join(answers.select(ROW_NUMBER, "price_usd"), on=ROW_NUMBER).drop_nulls("price_usd")
    codes: list[str] = priced["zip_code"].drop_nulls().unique().to_list() if "zip_code" in priced.columns else []
    zips = {code: found for code in codes if (found := position_of(code))}
    of_zip = {name: _by_zip(zips, name) for name in (LATITUDE, LONGITUDE, "city")}
    place = pl.coalesce(*([pl.col("city")] if "city" in priced.columns else []), of_zip["city"], pl.lit(""))
    own = {LATITUDE, LONGITUDE} <= set(priced.columns)
    known = priced.select(
        "price_usd",
        place.alias("place"),
        *(
            (pl.coalesce(pl.col(name), of_zip[name]) if own else of_zip[name]).alias(name)
            for name in (LATITUDE, LONGITUDE)
        ),
    )
    inside = pl.col(LATITUDE).is_between(-90, 90) & pl.col(LONGITUDE).is_between(-180, 180)
    return known.cast({LATITUDE: pl.Float64, LONGITUDE: pl.Float64}).filter(inside)


def _by_zip(zips: Mapping[str, Position], name: str) -> pl.Expr:
    """What is known of a zip code, as a column; null for houses without one."""
    kind = pl.String if name == "city" else pl.Float64
    if not zips:
        return pl.lit(None, kind)
    known = {code: getattr(position, name) for code, position in zips.items()}
    return pl.col("zip_code").replace_strict(known, default=None, return_dtype=kind)


def frame_of(houses: pl.DataFrame) -> Frame:
    """What a map of houses shows: nearly all of them, with degrees that are as long on the ground in both directions.

    Args:
        houses: As `located` gives them, at least one.
    """
    ends = houses.select(
        pl.col(name).quantile(share, "nearest").alias(f"{name} {share}")
        for name in (LONGITUDE, LATITUDE)
        for share in CORE
    )
    west, east, south, north = ends.row(0)
    level = math.cos(math.radians((south + north) / 2))
    height = 1.15 * max(north - south, (east - west) * level / WIDTH_BY_HEIGHT, LEAST_DEGREES)
    width = height * WIDTH_BY_HEIGHT / level
    x, y = (west + east) / 2, (south + north) / 2
    return Frame(x - width / 2, x + width / 2, y - height / 2, y + height / 2)


def price_map(houses: pl.DataFrame, frame: Frame) -> alt.LayerChart | alt.FacetChart:
    """Draw the cells: the larger the more houses, the colour their median price.

    Args:
        houses: As `located` gives them, those in the frame.
        frame: What is shown.
    """
    cells = _cells(houses, frame)
    rows = [
        {
            "longitude": cell[LONGITUDE],
            "latitude": cell[LATITUDE],
            "houses": cell["houses"],
            "price": cell["price"],
            "place": cell["place"],
            "houses_text": count(cell["houses"]),
            "price_text": money(cell["price"]),
        }
        for cell in cells.to_dicts()
    ]
    chart = alt.Chart(alt.InlineData(values=rows))
    x, y = _axis(LONGITUDE, frame.west, frame.east), _axis(LATITUDE, frame.south, frame.north)
    tooltip = [
        alt.Tooltip("place:N", title=say("batch.map.place")),
        alt.Tooltip("houses_text:N", title=say("batch.map.houses")),
        alt.Tooltip("price_text:N", title=say("batch.map.price")),
    ]
    size = alt.Size("houses:Q", scale=alt.Scale(range=[20, 420]), legend=None)
    points = chart.mark_circle(opacity=0.85, stroke=NEUTRAL, strokeWidth=0.5).encode(
        x=alt.X("longitude:Q", **x), y=alt.Y("latitude:Q", **y), color=_colour(cells), size=size, tooltip=tooltip
    )
    names = alt.Chart(alt.InlineData(values=_named(cells, frame)))
    labels = names.mark_text(dy=-14, fontSize=12, fontWeight="bold", color=INK).encode(
        x=alt.X("longitude:Q", **x), y=alt.Y("latitude:Q", **y), text="place:N"
    )
    return alt.layer(points, labels).properties(height=HEIGHT_PX)


def _colour(cells: pl.DataFrame) -> alt.Color:
    """Colours of the median prices, with round amounts beside them."""
    low, high = cells.select(pl.col("price").quantile(share, "nearest").alias(str(share)) for share in SHADES).row(0)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    amounts = [step * 10**power for power in powers for step in (1, 2, 5) if low <= step * 10**power <= high]
    return alt.Color(
        "price:Q",
        title=say("batch.map.price"),
        scale=alt.Scale(range=list(RAMP), type="log", domain=[low, high], clamp=True),
        legend=alt.Legend(
            orient="top",
            format="$~s",
            labelColor=INK,
            titleColor=INK,
            gradientLength=220,
            values=amounts or [low],
        ),
    )


def _cells(houses: pl.DataFrame, frame: Frame) -> pl.DataFrame:
    """Houses by cell of a grid, square on the ground, with the commonest place of each."""
    size = (frame.east - frame.west) / CELLS
    sizes = {LATITUDE: size * frame.level, LONGITUDE: size}
    cell = [(pl.col(name) / sizes[name]).floor().cast(pl.Int64).alias(f"cell_{name}") for name in sizes]
    return (
        houses.with_columns(cell)
        .group_by("cell_latitude", "cell_longitude")
        .agg(
            pl.col(LATITUDE).mean(),
            pl.col(LONGITUDE).mean(),
            pl.len().alias("houses"),
            pl.col("price_usd").median().alias("price"),
            pl.col("place").mode().sort().first(),
        )
        .sort("houses", LATITUDE, descending=[True, False])
    )


def _axis(name: str, low: float, high: float) -> dict[str, Any]:
    """An axis of degrees, with as many decimals as its length needs."""
    return {
        "title": say(f"batch.map.{name}"),
        "scale": alt.Scale(domain=[low, high], nice=False, zero=False),
        "axis": alt.Axis(format="~f", tickCount=5, **WORDS),
    }


def _named(cells: pl.DataFrame, frame: Frame) -> list[dict[str, Any]]:
    """The largest places, but for those whose names would stand on each other."""
    apart = (frame.east - frame.west) / APART
    shown: list[dict[str, Any]] = []
    for row in cells.unique("place", keep="first", maintain_order=True).to_dicts():
        near = (
            abs(row[LONGITUDE] - s["longitude"]) < apart
            and abs(row[LATITUDE] - s["latitude"]) < apart * frame.level / 3
            for s in shown
        )
        if row["place"] and not any(near):
            shown.append({"longitude": row[LONGITUDE], "latitude": row[LATITUDE], "place": row["place"]})
        if len(shown) == LABELS:
            break
    return shown
