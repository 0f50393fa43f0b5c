"""POST /comparables: the listings most like a house among those that the model has learned from."""

import math
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body, Query

from appraiser_api.body import JsonRoute
from appraiser_api.champion import Champion
from appraiser_api.examples import LISTINGS
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_model import KeptListings
from appraiser_schema import Comparables, Listing

MOST: Final = 50

_TURNS: Final = CapacityLimiter(1)
"""One search at a time, in a thread: milliseconds in which single houses keep the event loop."""

router = APIRouter(tags=["appraisals"], route_class=JsonRoute)


@router.post("/comparables", summary="Listings like a house", responses=problems(413, 415, 422, 503))
async def find_comparables(
    listing: Annotated[Listing, Body(openapi_examples=LISTINGS)],
    services: Shared,
    number: Annotated[int, Query(ge=1, le=MOST, description="How many to find.")] = 12,
) -> Comparables:
    """The training listings most like a house in place, size, rooms and land, without their addresses.

    `missing` says why there are none where none are kept with the model that serves. Nothing is put on record.
    """
    champion = services.holder.champion()
    return await to_thread.run_sync(_find, services, champion, listing, number, limiter=_TURNS)


def _find(services: Services, champion: Champion, listing: Listing, number: int) -> Comparables:
    kept, encoder = services.kept.listings_of(champion), champion.bundle.model.encoder
    place = encoder.places.of_sites([(listing.state, listing.city, listing.zip_code)])
    latitude, longitude = place[0, :2].tolist()
    found = kept if isinstance(kept, KeptListings) else None
    return Comparables(
        model=champion.reference,
        latitude=None if math.isnan(latitude) else round(latitude, 4),
        longitude=None if math.isnan(longitude) else round(longitude, 4),
        listings=found.most_like(listing, (latitude, longitude), number) if found else (),
        rows_kept=len(found) if found else 0,
        rows_train=encoder.rows,
        missing=None if isinstance(kept, KeptListings) else kept,
    )
