"""The map of comparable listings: a plain chart of degrees, which asks nobody for tiles."""

import math
from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from appraiser_schema import Comparable, Comparables, SeenZip
from appraiser_ui.appraise.described import value_of
from appraiser_ui.figures import money
from appraiser_ui.palette import INK, LOWERS, NEUTRAL, RAISES, WORDS
from appraiser_ui.words import say

LEAST_DEGREES: Final = 0.12
"""Height of the map at least, about eight miles."""

APART_DEGREES: Final = 0.006
"""How far apart listings of one place are drawn, less than half a mile."""

GOLDEN: Final = math.pi * (3 - math.sqrt(5))
"""Angle of a spiral on which points lie evenly."""

WIDTH_BY_HEIGHT: Final = 1.3

type Frame = tuple[list[float], list[float]]
"""West and east, south and north. [degrees]"""


def comparables_map(found: Comparables, places: Sequence[SeenZip], price_usd: float) -> alt.LayerChart | alt.FacetChart:
    """Draw the house, the listings like it, and the other places of the state.

    Args:
        found: The listings, and where the house stands.
        places: Zip codes that the model has learned from.
        price_usd: What the house was appraised at; listings are told apart by whether they cost more.
    """
    points = _points(found, price_usd)
    west_east, south_north = frame = _frame(points, found)
    x = alt.X(
        "longitude:Q",
        title=say("appraise.comparables.longitude"),
        scale=alt.Scale(domain=west_east, nice=False, zero=False),
        axis=alt.Axis(format=".2f", tickCount=4, **WORDS),
    )
    y = alt.Y(
        "latitude:Q",
        title=say("appraise.comparables.latitude"),
        scale=alt.Scale(domain=south_north, nice=False, zero=False),
        axis=alt.Axis(format=".2f", tickCount=4, **WORDS),
    )
    others = alt.Chart(alt.InlineData(values=_others(places, frame))).mark_circle(size=24, color=NEUTRAL, opacity=0.6)
    listings = alt.Chart(alt.InlineData(values=points)).mark_point(size=110, filled=True, opacity=0.9)
    house = alt.Chart(alt.InlineData(values=_house(found))).mark_point(
        size=220, shape="diamond", filled=True, color=INK, opacity=1
    )
    return alt.layer(
        others.encode(x=x, y=y, tooltip=alt.Tooltip("name:N", title=say("appraise.comparables.place"))),
        listings.encode(x=x, y=y, **_looks(), tooltip=_tooltips()),
        house.encode(x=x, y=y, tooltip=alt.Tooltip("name:N", title=" ")),
    ).properties(height=380)


def _looks() -> dict[str, Any]:
    """Colour and shape by whether a listing costs more: shape tells it without colour."""
    kinds = [say("appraise.comparables.dearer"), say("appraise.comparables.cheaper")]
    legend = alt.Legend(title=None, orient="top", labelColor=INK, symbolSize=110, labelLimit=0, columns=1)
    return {
        "color": alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[RAISES, LOWERS]), legend=legend),
        "shape": alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["triangle-up", "triangle-down"])),
    }


def _tooltips() -> list[alt.Tooltip]:
    titles = {
        "where": say("appraise.comparables.where"),
        "price": say("appraise.comparables.price"),
        "size": say("listing.house_size.title"),
        "bed": say("listing.bed.title"),
        "bath": say("listing.bath.title"),
    }
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]


def _points(found: Comparables, price_usd: float) -> list[dict[str, Any]]:
    """Listings around the centres of their places, on a spiral where several share one; without those of no place."""
    at: dict[tuple[float, float], int] = {}
    points = []
    for comparable in found.listings:
        if comparable.latitude is not None and comparable.longitude is not None:
            centre = comparable.latitude, comparable.longitude
            at[centre] = turn = at.get(centre, 0) + 1
            points.append(_point(comparable, *_apart(*centre, turn), dearer=comparable.price_usd > price_usd))
    return points


def _apart(latitude: float, longitude: float, turn: int) -> tuple[float, float]:
    away, angle = APART_DEGREES * math.sqrt(turn), turn * GOLDEN
    return latitude + away * math.sin(angle), longitude + away * math.cos(angle) / math.cos(math.radians(latitude))


def _point(comparable: Comparable, latitude: float, longitude: float, *, dearer: bool) -> dict[str, Any]:
    return {
        "latitude": latitude,
        "longitude": longitude,
        "kind": say(f"appraise.comparables.{'dearer' if dearer else 'cheaper'}"),
        "where": " ".join(part for part in (comparable.city, comparable.zip_code) if part),
        "price": money(comparable.price_usd),
        "size": value_of("house_size", comparable.house_size),
        "bed": value_of("bed", comparable.bed),
        "bath": value_of("bath", comparable.bath),
    }


def _house(found: Comparables) -> list[dict[str, Any]]:
    if found.latitude is None:
        return []
    name = say("appraise.comparables.house")
    return [{"latitude": found.latitude, "longitude": found.longitude, "name": name}]


def _frame(points: Sequence[dict[str, Any]], found: Comparables) -> Frame:
    """What the map spans: all points, with air, and as wide as it is high on the ground."""
    seen = [*points, *_house(found)] or [{"latitude": 39.8, "longitude": -98.6}]
    south, north = (end(point["latitude"] for point in seen) for end in (min, max))
    west, east = (end(point["longitude"] for point in seen) for end in (min, max))
    level = math.cos(math.radians((south + north) / 2))
    height = 1.2 * max(north - south, (east - west) * level / WIDTH_BY_HEIGHT, LEAST_DEGREES)
    width = height * WIDTH_BY_HEIGHT / level
    x, y = (west + east) / 2, (south + north) / 2
    return [x - width / 2, x + width / 2], [y - height / 2, y + height / 2]


def _others(places: Sequence[SeenZip], frame: Frame) -> list[dict[str, Any]]:
    (west, east), (south, north) = frame
    return [
        {"latitude": place.latitude, "longitude": place.longitude, "name": place.name}
        for place in places
        if place.latitude is not None
        and place.longitude is not None
        and south < place.latitude < north
        and west < place.longitude < east
    ]
