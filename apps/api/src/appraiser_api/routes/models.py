"""GET /model, /models and /models/{version}: which models there are, how good, and what was decided about them."""

from typing import Annotated

from fastapi import APIRouter, Path

from appraiser_api.errors import AwayError, VersionError
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_model import Registry, UnknownVersionError
from appraiser_schema import ModelDetail, ModelVersion

router = APIRouter(tags=["models"])


@router.get("/model", summary="The model that serves", responses=problems(503))
def show_champion(services: Shared) -> ModelDetail:
    """The champion as this service has it loaded, with its card; without its decision while the ledger is away."""
    champion = services.holder.champion()
    try:
        decision = services.stores.promotions().get(champion.facts.version)
    except AwayError:
        decision = None
    return champion.detail(decision)


@router.get("/models", summary="All models", responses=problems(503))
def list_models(services: Shared) -> list[ModelVersion]:
    """Every version in the registry, the newest first, with the decision that was made about it."""
    versions = services.stores.registry.read(Registry.versions)
    promotions = services.stores.promotions() if versions else {}
    return [model.model_copy(update={"decision": promotions.get(model.version)}) for model in versions]


@router.get("/models/{version}", summary="One model", responses=problems(404, 422, 503))
def show_model(
    version: Annotated[int, Path(ge=1, le=2**31 - 1, description="Version, as GET /models lists it.")],
    services: Shared,
) -> ModelDetail:
    """One version with its card: what it was trained on, how, and how it did on listings it had not seen."""
    registry = services.stores.registry
    try:
        facts = registry.read(lambda models: models.version(version))
        card = registry.read(lambda models: models.card(version))
    except UnknownVersionError:
        raise VersionError(version) from None
    decision = services.stores.promotions().get(version)
    return ModelDetail(**facts.model_dump(exclude={"decision"}), decision=decision, card=card.to_dict())
