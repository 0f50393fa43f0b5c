"""Thresholds for one run, in the place of the configured ones."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ValidationError

from appraiser_pipeline.errors import PolicyError
from appraiser_pipeline.policy import (
    MonitoringPolicy,
    PromotionPolicy,
    RetentionPolicy,
    TrainingPolicy,
    ValidationPolicy,
)
from appraiser_pipeline.settings import Settings

_POLICIES: Final[dict[str, type[BaseModel]]] = {
    "validation_policy": ValidationPolicy,
    "training_policy": TrainingPolicy,
    "promotion_policy": PromotionPolicy,
    "monitoring_policy": MonitoringPolicy,
    "retention_policy": RetentionPolicy,
}

THRESHOLDS: Final = {name: policy for policy, kind in _POLICIES.items() for name in kind.model_fields}
"""Every threshold, and the setting that holds it. A name stands in one policy only."""


def changed(settings: Settings, thresholds: Mapping[str, object], *, dry_run: bool = False) -> Settings:
    """The same settings with other thresholds, and as a dry run where that is asked for.

    Args:
        settings: As configured.
        thresholds: By name, such as {'least_mae_gain': .05}; a number may be text.
        dry_run: Whether nothing is moved. A dry run that is configured stays one.

    Raises:
        PolicyError: There is no such threshold, or the value breaks its rule.
    """
    if unknown := [name for name in thresholds if name not in THRESHOLDS]:
        raise PolicyError(
            unknown[0], thresholds[unknown[0]], f"no threshold; there are {', '.join(sorted(THRESHOLDS))}"
        )
    policies = {}
    for policy, kind in _POLICIES.items():
        mine = {name: value for name, value in thresholds.items() if THRESHOLDS[name] == policy}
        try:
            policies[policy] = kind.model_validate(getattr(settings, policy).model_dump() | mine)
        except ValidationError as error:
            first = error.errors()[0]
            raise PolicyError(str(first["loc"][0]), first["input"], f"refused: {first['msg'].lower()}") from None
    return settings.model_copy(update={**policies, "dry_run": settings.dry_run or dry_run})


def read_thresholds(texts: Sequence[str]) -> dict[str, str]:
    """Thresholds as the command line names them, such as 'least_mae_gain=0.05'.

    Raises:
        PolicyError: A text has no '='.
    """
    pairs = [text.partition("=") for text in texts]
    if broken := [name for name, sign, value in pairs if not (name and sign and value)]:
        raise PolicyError(broken[0], "", "incomplete; write NAME=VALUE, such as least_mae_gain=0.05")
    return {name.strip(): value.strip() for name, _, value in pairs}
