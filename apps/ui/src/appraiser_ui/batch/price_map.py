"""Where the houses of a file are and what they cost: cells of a grid on a plain chart of degrees."""

import math
from typing import Any, Final

import altair as alt
import polars as pl

from appraiser_schema.frames import ROW_NUMBER
from appraiser_ui.batch.columns import LATITUDE, LONGITUDE
from appraiser_ui.batch.mapping import position_of
from appraiser_ui.figures import count, money
from appraiser_ui.palette import INK, WORDS
from appraiser_ui.words import say

CELLS: Final = 48
"""Cells from west to east: enough to tell places apart, few enough to draw a million houses."""

LABELS: Final = 6
"""Places that are named, those with the most houses."""

HEIGHT_PX: Final = 420
SCHEME: Final = "viridis"
"""Even in lightness, so that it is read without colour vision too (Smith and van der Walt, 2015)."""


def located(houses: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Houses with a price and a position: their own, else the middle of their zip code.

    Args:
        houses: Listings, with `latitude` and `longitude` where the file has them.
        answers: Prices by row.
    """
    priced = houses.join(answers.select(ROW_NUMBER, "price_usd"), on=ROW_NUMBER).drop_nulls("price_usd")
    texts = [name for name in ("city", "zip_code", "state") if name in priced.columns]
    place = pl.coalesce(*texts) if texts else pl.lit("")
    if {LATITUDE, LONGITUDE} <= set(priced.columns):
        known = priced.select("price_usd", LATITUDE, LONGITUDE, place.alias("place"))
    elif "zip_code" in priced.columns:
        zips = {text: found for text in priced["zip_code"].drop_nulls().unique() if (found := position_of(text))}
        known = priced.select("price_usd", "zip_code", place.alias("place")).with_columns(
            pl.col("zip_code").replace_strict({k: v[0] for k, v in zips.items()}, default=None).alias(LATITUDE),
            pl.col("zip_code").replace_strict({k: v[1] for k, v in zips.items()}, default=None).alias(LONGITUDE),
        )
    else:
        return pl.DataFrame(schema={"price_usd": pl.Float64, LATITUDE: pl.Float64, LONGITUDE: pl.Float64})
    inside = pl.col(LATITUDE).is_between(-90, 90) & pl.col(LONGITUDE).is_between(-180, 180)
    return known.cast({LATITUDE: pl.Float64, LONGITUDE: pl.Float64}).filter(inside)


def price_map(houses: pl.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw the cells: the larger the more houses, the colour their median price.

    Args:
        houses: As `located` gives them, at least one.
    """
    cells = _cells(houses)
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
    x, y = _axis(LONGITUDE, cells), _axis(LATITUDE, cells)
    colour = alt.Color(
        "price:Q",
        title=say("batch.map.price"),
        scale=alt.Scale(scheme=SCHEME, type="log"),
        legend=alt.Legend(orient="top", format="$~s", labelColor=INK, titleColor=INK, gradientLength=220),
    )
    tooltip = [
        alt.Tooltip("place:N", title=say("batch.map.place")),
        alt.Tooltip("houses_text:N", title=say("batch.map.houses")),
        alt.Tooltip("price_text:N", title=say("batch.map.price")),
    ]
    size = alt.Size("houses:Q", scale=alt.Scale(range=[20, 420]), legend=None)
    points = chart.mark_circle(opacity=0.85, stroke="white", strokeWidth=0.4).encode(
        x=alt.X("longitude:Q", **x), y=alt.Y("latitude:Q", **y), color=colour, size=size, tooltip=tooltip
    )
    names = alt.Chart(alt.InlineData(values=_named(cells)))
    labels = names.mark_text(dy=-14, fontSize=12, color=INK).encode(
        x=alt.X("longitude:Q", **x), y=alt.Y("latitude:Q", **y), text="place:N"
    )
    return alt.layer(points, labels).properties(height=HEIGHT_PX)


def _cells(houses: pl.DataFrame) -> pl.DataFrame:
    """Houses by cell of a grid, with the commonest place of each."""
    west, east = houses[LONGITUDE].min(), houses[LONGITUDE].max()
    assert isinstance(west, float)  # noqa: S101 - there is a house
    assert isinstance(east, float)  # noqa: S101 - there is a house
    size = max(east - west, 0.02) / CELLS
    cell = [(pl.col(name) / size).floor().cast(pl.Int64).alias(f"cell_{name}") for name in (LATITUDE, LONGITUDE)]
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


def _axis(name: str, cells: pl.DataFrame) -> dict[str, Any]:
    """An axis that spans all cells, with air; degrees of latitude and longitude have the same length on the ground."""
    middle = {axis: (float(cells[axis].min()) + float(cells[axis].max())) / 2 for axis in (LATITUDE, LONGITUDE)}  # type: ignore[arg-type]
    level = math.cos(math.radians(middle[LATITUDE]))
    spans = {axis: float(cells[axis].max()) - float(cells[axis].min()) for axis in (LATITUDE, LONGITUDE)}  # type: ignore[arg-type]
    height = 1.15 * max(spans[LATITUDE], spans[LONGITUDE] * level / 1.6, 0.05)
    half = height / 2 if name == LATITUDE else height * 1.6 / level / 2
    return {
        "title": say(f"batch.map.{name}"),
        "scale": alt.Scale(domain=[middle[name] - half, middle[name] + half], nice=False, zero=False),
        "axis": alt.Axis(format=".2f", tickCount=5, **WORDS),
    }


def _named(cells: pl.DataFrame) -> list[dict[str, Any]]:
    places = cells.unique("place", keep="first", maintain_order=True).head(LABELS)
    return [
        {"longitude": row[LONGITUDE], "latitude": row[LATITUDE], "place": row["place"]} for row in places.to_dicts()
    ]
