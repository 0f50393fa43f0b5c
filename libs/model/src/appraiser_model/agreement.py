"""How far the engine for single houses is from the one for tables."""

from typing import Final

import numpy as np

from appraiser_features import Columns
from appraiser_model.engine import predict_margin
from appraiser_model.trees import single_margin
from appraiser_model.valuation import ValuationModel, to_usd

LARGEST: Final = 1e-5
"""A model whose prices differ by more must not serve. Both engines add leaves up in the same order, so that the
difference is 0; a version of one of them that does not would show here."""

_ROWS: Final = 4096


def largest_difference(model: ValuationModel, columns: Columns) -> float:
    """Largest relative difference of the prices of n listings between both engines; 0 of none.

    Raises:
        ColumnsError: The columns are not listings.
    """
    matrix = model.encoder.transform(columns)
    parts = [matrix[start : start + _ROWS] for start in range(0, len(matrix), _ROWS)]
    if not parts:
        return 0.0
    single = np.concatenate([single_margin(model.trees.session, part) for part in parts])
    price = to_usd(predict_margin(model.trees.booster, matrix) + model.centre_log)
    return float(np.max(np.abs(to_usd(single + model.centre_log) - price) / price))
