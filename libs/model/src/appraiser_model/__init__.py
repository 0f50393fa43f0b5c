"""The valuation model: train, evaluate, explain, intervals, bundle, registry."""

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

# XGBoost's threads wait for each other by spinning, unless they are told not to before their library is loaded. On two
# cores with other processes beside it, a training took 237 s spinning (64 s of processor time) and 14 s (8 s) without.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from appraiser_model.bundle import Bundle, read_card
from appraiser_model.card import MODEL_NAME, Card
from appraiser_model.cautions import cautions_for, warnings_for
from appraiser_model.comparables import COMPARABLES_FILE, KeptListings
from appraiser_model.config import TrainingConfig
from appraiser_model.domain import Domain
from appraiser_model.errors import (
    BundleError,
    BundleExistsError,
    BundleMismatchError,
    CardMismatchError,
    DigestError,
    ListingsError,
    ModelError,
    RegistryError,
    RegistryUnreachableError,
    TrainingError,
    UnknownVersionError,
)
from appraiser_model.explanation import explanation_of
from appraiser_model.interval import ConformalInterval
from appraiser_model.metrics import measure
from appraiser_model.registry import Registry
from appraiser_model.valuation import Appraised, Explained, TrainingLog, ValuationModel

if TYPE_CHECKING:
    from appraiser_model.segments import segment_scores
    from appraiser_model.training import Trained, train, train_from

__version__ = version("appraiser-model")

__all__ = [  # noqa: RUF022 - grouped by what they are
    # training
    "train",
    "train_from",
    "Trained",
    "TrainingConfig",
    "TrainingLog",
    # the model and what it answers
    "ValuationModel",
    "Appraised",
    "Explained",
    "ConformalInterval",
    "Domain",
    "explanation_of",
    "warnings_for",
    "cautions_for",
    # what it has learned from
    "KeptListings",
    "COMPARABLES_FILE",
    # how good it is
    "measure",
    "segment_scores",
    # how it is kept
    "Bundle",
    "Card",
    "read_card",
    "Registry",
    "MODEL_NAME",
    # errors
    "ModelError",
    "TrainingError",
    "ListingsError",
    "BundleError",
    "BundleExistsError",
    "DigestError",
    "BundleMismatchError",
    "RegistryError",
    "RegistryUnreachableError",
    "CardMismatchError",
    "UnknownVersionError",
]

_WITH_POLARS = {
    "train": "appraiser_model.training",
    "train_from": "appraiser_model.training",
    "Trained": "appraiser_model.training",
    "segment_scores": "appraiser_model.segments",
}


def __getattr__(name: str) -> Any:
    """Import what needs tables when it is asked for: who only serves models does without polars."""
    if name not in _WITH_POLARS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WITH_POLARS[name]), name)
