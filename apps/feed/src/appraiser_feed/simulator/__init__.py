"""Listings that nobody wrote: real places, made-up houses, prices that can be learnt, and the usual faults."""

import numpy as np
import polars as pl

from appraiser_feed.simulator.blemishes import REPEATED, blemish, count_of, repeat
from appraiser_feed.simulator.houses import build, price
from appraiser_feed.simulator.markets import STATES
from appraiser_feed.simulator.places import lay_out
from appraiser_schema import RAW_COLUMNS

__all__ = ["simulate"]

BROKERS = 9_000
BROKER_STEP = 12
STREETS = (5_893, 1_999_512)
"""Numbers of brokers and streets lie in these ranges in the public set of US listings."""


def simulate(rows: int, seed: int) -> pl.DataFrame:
    """Make up listings; the same arguments give the same listings.

    Args:
        rows: How many.
        seed: Draws the map of prices as well as the houses on it.

    Returns:
        Raw listings without nulls, ordered by zip code: numbers as Float64, texts and ISO dates as String.
    """
    random = np.random.default_rng(seed)
    twice = count_of(REPEATED, rows)
    places = lay_out(random)
    where = np.sort(random.choice(len(places.share), rows - twice, p=places.share))
    houses = build(places, where, random)
    columns = {
        "brokered_by": np.floor(BROKERS * random.random(len(where)) ** 1.6) * BROKER_STEP + 4,
        "status": np.where(houses.sold, "sold", "for_sale"),
        "price": price(places, where, houses, random),
        "bed": houses.bed,
        "bath": houses.bath,
        "acre_lot": houses.acre_lot,
        "street": random.integers(*STREETS, len(where), endpoint=True).astype(np.float64),
        "city": places.city[where],
        "state": np.array(list(STATES))[places.state[where]],
        "zip_code": places.zip_code[where],
        "house_size": houses.sqft,
        "prev_sold_date": houses.sold_on.astype(np.str_),
    }
    columns = repeat(blemish(columns, random), twice, random)
    return pl.DataFrame({name: columns[name] for name in RAW_COLUMNS})
