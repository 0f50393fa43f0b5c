"""A bundle as an MLflow model: the folder that the registry keeps and that `mlflow models serve` takes."""

import platform
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from appraiser_model.bundle import Bundle
from appraiser_model.card import library_versions
from appraiser_schema import LISTING_COLUMNS, Listing, example_listing

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

LOADER: Final = "appraiser_model.pyfunc"
BUNDLE_FOLDER: Final = "bundle"
BUNDLE_PATH: Final = f"data/{BUNDLE_FOLDER}"
"""Where the bundle lies in an MLflow model."""

_TEXTS: Final = ("status", "state")


def write_mlflow_model(bundle: Bundle, folder: Path, model_id: str, run_id: str) -> None:
    """Write a bundle with what MLflow needs around it: signature, example, requirements, loader.

    Args:
        bundle: The model and its card.
        folder: Where to write; it must not exist.
        model_id: MLflow's id of the logged model.
        run_id: MLflow's id of the run that made it.
    """
    import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415 - only who registers a model needs these two
    from mlflow import pyfunc  # noqa: PLC0415
    from mlflow.models import Model  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        # MLflow compares the columns of the example with a range, which pandas 3 frowns upon.
        warnings.filterwarnings("ignore", "Operation with range is deprecated")
        bundle.save(Path(scratch) / BUNDLE_FOLDER)
        pyfunc.save_model(
            folder,
            loader_module=LOADER,
            data_path=str(Path(scratch) / BUNDLE_FOLDER),
            mlflow_model=Model(model_uuid=model_id, model_id=model_id, run_id=run_id),
            signature=listing_signature(),
            input_example=pd.DataFrame([example_listing()]),
            conda_env=environment(),
            metadata={"bundle_digest": bundle.digest},
            # A folder without a uv project: MLflow would copy uv.lock of the working folder, with the addresses of
            # the package index that this site uses.
            uv_project_path=scratch,
        )


def listing_signature() -> "ModelSignature":
    """Raw listings in, prices out.

    Columns that may be unknown have no fixed type: MLflow would refuse whole bedrooms where it was told of fractions,
    zip codes as numbers or as text, and a column without a single value. The loader checks every value itself.
    """
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec  # noqa: PLC0415
    from mlflow.types.schema import AnyType  # noqa: PLC0415

    def column(name: str) -> ColSpec | TensorSpec:
        kind = DataType.string if name in _TEXTS else AnyType()  # type: ignore[no-untyped-call]
        return ColSpec(kind, name, required=Listing.model_fields[name].is_required())

    prices: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double, name) for name in ("price_usd", "lower_usd", "upper_usd")
    ]
    return ModelSignature(Schema([column(name) for name in LISTING_COLUMNS]), Schema(prices))


def environment() -> dict[str, Any]:
    """What must be installed to load the model, at the versions that trained it.

    Stated, so that MLflow does not have to find it out by loading the model.
    """
    versions = {name: f"{name}=={version}" for name, version in library_versions().items() if name != "python"}
    return {
        "name": "house-price",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": [*versions.values(), "pandas"]}],
    }
