"""Where the houses of a file are and what they cost: cells of a grid on a plain chart of degrees."""

import math
from collections.abc import Mapping
from typing import Any, Final

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
        scale=alt.Scale(range=list(RAMP), type="log"),
        legend=alt.Legend(orient="top", format="$~s", labelColor=INK, titleColor=INK, gradientLength=220),
    )
    tooltip = [
        alt.Tooltip("place:N", title=say("batch.map.place")),
        alt.Tooltip("houses_text:N", title=say("batch.map.houses")),
        alt.Tooltip("price_text:N", title=say("batch.map.price")),
    ]
    size = alt.Size("houses:Q", scale=alt.Scale(range=[20, 420]), legend=None)
    points = chart.mark_circle(opacity=0.85, stroke=NEUTRAL, strokeWidth=0.5).encode(
        x=alt.X("longitude:Q", **x), y=alt.Y("latitude:Q", **y), color=colour, size=size, tooltip=tooltip
    )
    names = alt.Chart(alt.InlineData(values=_named(cells)))
    labels = names.mark_text(dy=-14, fontSize=12, fontWeight="bold", color=INK).encode(
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
    """The largest places, but for those whose names would stand on each other."""
    west, east = cells[LONGITUDE].min(), cells[LONGITUDE].max()
    apart = max(float(east) - float(west), 0.02) / APART  # type: ignore[arg-type]
    shown: list[dict[str, Any]] = []
    for row in cells.unique("place", keep="first", maintain_order=True).to_dicts():
        near = (
            abs(row[LONGITUDE] - s["longitude"]) < apart and abs(row[LATITUDE] - s["latitude"]) < apart / 3
            for s in shown
        )
        if row["place"] and not any(near):
            shown.append({"longitude": row[LONGITUDE], "latitude": row[LATITUDE], "place": row["place"]})
        if len(shown) == LABELS:
            break
    return shown
