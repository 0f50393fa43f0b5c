"""Listings to a float32 matrix, the same for one row and for a million."""

from importlib.metadata import version

from appraiser_features.columns import Columns
from appraiser_features.config import FeatureConfig
from appraiser_features.declaration import FEATURES, Feature, FeatureGroup
from appraiser_features.encoder import EncodedRows, FeatureEncoder
from appraiser_features.errors import ColumnsError, EncoderError, FeatureError, FingerprintError, TrainingError
from appraiser_features.fingerprint import CODE_FINGERPRINT
from appraiser_features.fit import FeatureFit
from appraiser_features.rows import ListingRows
from appraiser_features.single import SingleEncoder
from appraiser_features.spill import Spill

__version__ = version("appraiser-features")

__all__ = [  # noqa: RUF022 - grouped by what they are
    # the encoder
    "FeatureEncoder",
    "SingleEncoder",
    "FeatureConfig",
    "Columns",
    # listings chunk by chunk
    "FeatureFit",
    "ListingRows",
    "EncodedRows",
    "Spill",
    # what the columns of the matrix are
    "FEATURES",
    "Feature",
    "FeatureGroup",
    "CODE_FINGERPRINT",
    # errors
    "FeatureError",
    "ColumnsError",
    "TrainingError",
    "EncoderError",
    "FingerprintError",
]
