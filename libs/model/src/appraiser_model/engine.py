"""XGBoost, set up for a machine that it shares, and called without detours.

Its C interface is documented and stable; the Python wrapper around a prediction takes as long as a few hundred trees.
"""

import ctypes
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

type Matrix = NDArray[np.float32]
type Floats = NDArray[np.float64]

ROWS_PER_CALL: Final = 4096
"""More rows than this are shared out among threads; about 0.1 s of work each."""

EXPLAINED_PER_CALL: Final = 32

_UBJ_OBJECT: Final = b"{L"

_MARGIN: Final = json.dumps(
    {
        "type": 1,
        "training": False,
        "iteration_begin": 0,
        "iteration_end": 0,
        "missing": float("nan"),
        "strict_shape": False,
        "cache_id": 0,
    }
).encode()
_ARRAY: Final = '{{"data": [{}, true], "shape": [{}, {}], "strides": null, "typestr": "<f4", "version": 3}}'


@cache
def xgboost() -> ModuleType:
    """Import XGBoost; it takes seconds, and those who only register models do not need it."""
    import xgboost as module  # noqa: PLC0415

    return module


def read_booster(content: bytes) -> Any:
    """Read trees, to be used by one thread per call.

    Compare the bytes with their digest first: XGBoost ends the process on some that it did not write.

    Raises:
        ValueError: The bytes are no XGBoost model.
    """
    if not content.startswith(_UBJ_OBJECT):
        raise ValueError("'model.ubj' is no XGBoost model")
    try:
        return alone(xgboost().Booster(model_file=bytearray(content)))
    except xgboost().core.XGBoostError as error:
        raise ValueError("'model.ubj' is no XGBoost model") from error


def alone(booster: Any) -> Any:
    """Let a booster use one thread per call: waking others costs more than a house takes, and tables are shared out."""
    booster.set_param({"nthread": 1})
    return booster


def predict_margin(booster: Any, matrix: Matrix) -> Floats:
    """Sum of the trees for each row, shape (n,); what row i gets does not depend on the others."""
    return _shared_out(lambda part: _margin(booster, part), matrix, ROWS_PER_CALL, ())


def contributions(booster: Any, matrix: Matrix) -> Floats:
    """SHAP values and, in the last column, the base; shape (n, k + 1)."""
    width = matrix.shape[1] + 1

    def explain(part: Matrix) -> Floats:
        data = xgboost().DMatrix(part, feature_names=booster.feature_names, nthread=1)
        return np.asarray(booster.predict(data, pred_contribs=True), dtype=np.float64).reshape(len(part), width)

    return _shared_out(explain, matrix, EXPLAINED_PER_CALL, (width,))


def _shared_out(work: Callable[[Matrix], Floats], matrix: Matrix, rows: int, shape: tuple[int, ...]) -> Floats:
    if len(matrix) == 0:
        return np.empty((0, *shape))
    if len(matrix) <= rows:
        return work(matrix)
    parts = [matrix[start : start + rows] for start in range(0, len(matrix), rows)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(work, parts)))


def _margin(booster: Any, matrix: Matrix) -> Floats:
    rows, width = matrix.shape
    if width != booster.num_features() or matrix.dtype != np.float32 or not matrix.flags.c_contiguous:
        raise ValueError(f"the trees take {booster.num_features()} features, float32, row by row, not {width}")
    shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    result = ctypes.POINTER(ctypes.c_float)()
    failed = _library().XGBoosterPredictFromDense(
        booster.handle,
        _ARRAY.format(matrix.ctypes.data, rows, width).encode(),
        _MARGIN,
        None,
        ctypes.byref(shape),
        ctypes.byref(dimensions),
        ctypes.byref(result),
    )
    if failed:
        raise xgboost().core.XGBoostError(_library().XGBGetLastError().decode())
    # A copy: the result belongs to this thread until its next call.
    return np.frombuffer(ctypes.string_at(result, 4 * rows), dtype=np.float32).astype(np.float64)


@cache
def _library() -> Any:
    """The library that the package has loaded already, by its C interface."""
    library = ctypes.CDLL(xgboost().libpath.find_lib_path()[0])
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library
