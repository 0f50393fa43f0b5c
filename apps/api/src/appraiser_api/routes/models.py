"""GET /model, /models, /models/{version} and its card: which models there are, how good, and what was decided."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from appraiser_api.errors import AwayError, VersionError
from appraiser_api.responses import problems
from appraiser_api.services import Shared
from appraiser_api.stores import Stores
from appraiser_model import Registry, UnknownVersionError
from appraiser_model.card_text import card_in_words
from appraiser_schema import ModelDetail, ModelStudy, ModelVersion
from appraiser_store import model_lineage

router = APIRouter(tags=["models"])

MARKDOWN: Final = "text/markdown"
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="Version, as GET /models lists it.")]


class MarkdownResponse(Response):
    """Markdown, in UTF-8."""

    media_type = MARKDOWN


@router.get("/model", summary="The model that serves", responses=problems(503))
def show_champion(services: Shared) -> ModelDetail:
    """The champion as this service has it loaded, with its card; without its decision while the ledger is away."""
    detail = services.holder.champion().detail()
    try:
        return _with_history([detail], services.stores)[0]
    except AwayError:
        return detail


@router.get("/models", summary="All models", responses=problems(503))
def list_models(services: Shared) -> list[ModelVersion]:
    """Every version in the registry, the newest first, with the decision that was made about it."""
    versions = services.stores.registry.read(Registry.versions)
    return _with_history(versions, services.stores) if versions else []


@router.get("/models/{version}", summary="One model", responses=problems(404, 422, 503))
def show_model(
    version: VersionPath,
    services: Shared,
) -> ModelDetail:
    """One version with its card: what it was trained on, how, and how it did on listings it had not seen."""
    registry = services.stores.registry
    try:
        facts = registry.read(lambda models: models.version(version))
        card = registry.read(lambda models: models.card(version))
    except UnknownVersionError:
        raise VersionError(version) from None
    detail = ModelDetail(**facts.model_dump(), card=card.to_dict())
    return _with_history([detail], services.stores)[0]


@router.get(
    "/models/{version}/card",
    summary="One model's card in words",
    response_class=MarkdownResponse,
    responses={200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}}, **problems(404, 422, 503)},
)
def show_card(version: VersionPath, services: Shared) -> MarkdownResponse:
    """What the version is for, what it was made from, how good it is, and where it is weak: Markdown for people."""
    registry, ledger = services.stores.registry, services.stores.ledger
    try:
        facts = registry.read(lambda models: models.version(version))
        card = registry.read(lambda models: models.card(version))
    except UnknownVersionError:
        raise VersionError(version) from None
    origin = ledger.read(lambda known: model_lineage(known, facts))
    return MarkdownResponse(card_in_words(card, origin.model, origin.evaluation))


@router.get("/models/{version}/report", summary="How one model works", responses=problems(404, 422, 503))
def show_report(version: VersionPath, services: Shared) -> ModelStudy:
    """How it did by part of the market, which features move its prices, and how often the price lies in its interval.

    Beside it stand the figures of the champion of that time, on the same test listings, and every move of an alias to
    the version or away from it.
    """
    registry, ledger = services.stores.registry, services.stores.ledger
    try:
        facts = registry.read(lambda models: models.version(version))
    except UnknownVersionError:
        raise VersionError(version) from None
    origin, report = ledger.read(lambda known: (model_lineage(known, facts), known.model_report(version)))
    served = version in services.stores.served()
    return ModelStudy(
        model=origin.model.model_copy(update={"served": served}),
        evaluation=origin.evaluation,
        report=report,
        moves=origin.moves,
    )


def _with_history[M: ModelVersion](models: Iterable[M], stores: Stores) -> list[M]:
    """The same models, each with what the ledger has of it."""
    promotions, served = stores.promotions(), stores.served()
    return [
        model.model_copy(update={"decision": promotions.get(model.version), "served": model.version in served})
        for model in models
    ]
