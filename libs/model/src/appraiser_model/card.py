"""The card of a model: what it was made from, how, by which code, and how good it was."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from pydantic import AwareDatetime, Field

from appraiser_features import CODE_FINGERPRINT
from appraiser_model.config import TrainingConfig
from appraiser_model.errors import ModelError
from appraiser_model.inputs import Inputs
from appraiser_model.valuation import ValuationModel
from appraiser_schema import Record, utc_now

if TYPE_CHECKING:
    import polars as pl

MODEL_NAME: Final = "house-price"
LIBRARIES: Final = (
    *("appraiser-model", "appraiser-features", "appraiser-schema"),
    *("numpy", "onnxruntime", "polars", "xgboost"),
)


class Card(Record):
    """What is known of a model. It travels in its bundle."""

    name: str = MODEL_NAME
    created_at: AwareDatetime
    source: str = Field(description="Name of the data source, such as a file name or 'simulator'.")
    simulated_data: bool = Field(description="True where the listings come from the built-in simulator.")
    batch_number: int = Field(ge=0, description="The batch that asked for this model.")
    batches: tuple[int, ...] = Field(description="Numbers of the batches that it was trained on.")
    snapshot_id: int = Field(description="Snapshot of clean.listings that it was trained on.")
    rows_train: int
    rows_validation: int = Field(description="Listings on which it was decided when to stop.")
    rows_calibration: int = Field(description="Listings on which the interval was calibrated.")
    rounds: int = Field(description="Number of trees.")
    training_seconds: float
    config: TrainingConfig
    code_version: str = Field(description="Git commit of the code that trained it, or 'unknown'.")
    features_fingerprint: str = Field(description="Fingerprint of the feature code; code with another refuses it.")
    libraries: dict[str, str] = Field(description="Versions of Python and of the libraries that decide a price.")
    metrics: dict[str, float] = Field(
        default_factory=dict,
        description="On the validation listings, as `measure` gives them. Half of them said when to stop.",
    )
    inputs: Inputs | None = Field(
        default=None, description="Shares of the training listings by field; what is asked later is held against them."
    )
    prices_usd: tuple[float, float] | None = Field(
        default=None, description="Where the prices of nearly all training listings lie. [USD]"
    )

    @classmethod
    def of(
        cls,
        model: ValuationModel,
        train: "pl.DataFrame",
        *,
        config: TrainingConfig,
        source: str,
        simulated_data: bool,
        batch_number: int,
        snapshot_id: int,
        code_version: str = "unknown",
        metrics: dict[str, float] | None = None,
        inputs: Inputs | None = None,
    ) -> "Card":
        """Write the card of a model that was trained just now.

        Args:
            model: As `train` returned it.
            train: The training listings; of them only the batch_number, where `inputs` are given.
            config: What it was trained with.
            source: Name of the data source.
            simulated_data: Whether the listings are simulated.
            batch_number: The batch that asked for this model.
            snapshot_id: Snapshot of clean.listings that the listings came from.
            code_version: Git commit.
            metrics: On the validation listings.
            inputs: What the training listings look like; None lets it be taken from `train`.

        Raises:
            ModelError: The model was read from a file, so that nothing is known of its training.
        """
        if model.log is None:
            raise ModelError("this model was not trained just now; its card lies in the bundle that it came from")
        return cls(
            created_at=utc_now(),
            source=source,
            simulated_data=simulated_data,
            batch_number=batch_number,
            batches=tuple(sorted(train["batch_number"].unique().to_list())),
            snapshot_id=snapshot_id,
            rows_train=model.log.rows_train,
            rows_validation=model.log.rows_validation,
            rows_calibration=model.log.rows_calibration,
            rounds=model.rounds,
            training_seconds=round(model.log.seconds, 3),
            config=config,
            code_version=code_version,
            features_fingerprint=CODE_FINGERPRINT,
            libraries=library_versions(),
            metrics=metrics or {},
            inputs=inputs or Inputs.of(train),
            prices_usd=model.domain.price_usd,
        )

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON values."""
        return self.model_dump(mode="json")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide a price."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
