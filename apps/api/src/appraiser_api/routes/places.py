"""GET /places and /places/{state}: what the model that serves has learned from, and where."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path

from appraiser_api.champion import Champion
from appraiser_api.errors import StateError
from appraiser_api.responses import problems
from appraiser_api.services import Services, Shared
from appraiser_model import KeptListings
from appraiser_schema import STATES, Market, SeenCity, SeenPlace, SeenZip, StateMarket

router = APIRouter(tags=["models"])


@router.get("/places", summary="What the model has learned from", responses=problems(503))
async def show_market(services: Shared) -> Market:
    """How many listings of each state the model has learned from, and where nearly all their numbers and prices lie."""
    champion = services.holder.champion()
    encoder, domain = champion.bundle.model.encoder, champion.bundle.model.domain
    return Market(
        model=champion.reference,
        listings=encoder.rows,
        states=tuple(SeenPlace(name=name, listings=n) for name, n in sorted(encoder.listings_by_state.items())),
        spans=dict(domain.spans),
        price_usd=domain.price_usd,
        typical=dict(encoder.typical),
    )


@router.get("/places/{state}", summary="What it has learned from in one state", responses=problems(404, 422, 503))
async def show_state(
    state: Annotated[str, Path(max_length=100, description="Full English name, such as Connecticut.")],
    services: Shared,
) -> StateMarket:
    """How many listings of each city and zip code of a state the model has learned from."""
    if state not in STATES:
        raise StateError(state)
    champion = services.holder.champion()
    return await to_thread.run_sync(_state_market, services, champion, state)


def _state_market(services: Services, champion: Champion, state: str) -> StateMarket:
    encoder, kept = champion.bundle.model.encoder, services.kept.listings_of(champion)
    zips = kept.zip_codes_of(state) if isinstance(kept, KeptListings) else {}
    cities = encoder.listings_by_city.get(state, {})
    return StateMarket(
        model=champion.reference,
        state=state,
        listings=encoder.listings_by_state.get(state, 0),
        cities=tuple(
            SeenCity(name=city, listings=rows, zip_codes=_zip_codes(champion, state, city, zips.get(city.lower(), {})))
            for city, rows in sorted(cities.items())
        ),
    )


def _zip_codes(champion: Champion, state: str, city: str, counts: dict[str, int]) -> tuple[SeenZip, ...]:
    if not counts:
        return ()
    codes = sorted(counts, key=lambda code: (-counts[code], code))
    positions = champion.bundle.model.encoder.places.of_sites([(state, city, code) for code in codes])[:, :2].tolist()
    by_zip = champion.bundle.model.encoder.listings_by_zip
    return tuple(
        SeenZip(
            name=code,
            listings=by_zip.get(code, counts[code]),
            latitude=_known(latitude),
            longitude=_known(longitude),
        )
        for code, (latitude, longitude) in zip(codes, positions, strict=True)
    )


def _known(degrees: float) -> float | None:
    return round(degrees, 4) if degrees == degrees else None  # noqa: PLR0124 - NaN is not itself
