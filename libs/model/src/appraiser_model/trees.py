"""The trees of a model, in two engines that give the same bits: onnxruntime for a few houses, XGBoost for tables."""

import threading
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from appraiser_model.conversion import INPUT, OUTPUT, to_onnx
from appraiser_model.engine import alone, predict_margin, read_booster

type Matrix = NDArray[np.float32]
type Floats = NDArray[np.float64]

FEW: Final = 50
"""Up to so many rows onnxruntime is the faster: 20 to 50 µs for one, where XGBoost takes 200."""

_ELSEWHERE: Final = b"location"
"""Key under which ONNX names another file to read weights from; without these bytes there is none."""


class Trees:
    """Sums of trees. XGBoost adds leaves up one by one in single precision, and onnxruntime does the same.

    Of a model that was read, XGBoost is only imported when it is first needed, by a table or an explanation: it takes
    seconds. Safe to use from several threads at once.
    """

    def __init__(self, booster: Any, ubj: bytes | None, onnx: bytes | None) -> None:
        self._booster, self._ubj, self._onnx = booster, ubj, onnx
        self._session = None if onnx is None else _read_session(onnx)
        self._lock = threading.RLock()

    @classmethod
    def trained(cls, booster: Any) -> Self:
        """Those of a booster that was just trained."""
        return cls(alone(booster), None, None)

    @classmethod
    def read(cls, ubj: bytes, onnx: bytes) -> Self:
        """Those of two files, which were compared with their digests.

        Raises:
            ValueError: They are no trees. Of XGBoost's file that is only found out when it is needed.
        """
        return cls(None, ubj, onnx)

    @property
    def booster(self) -> Any:
        """`xgboost.Booster`; the first to ask waits for its import.

        Raises:
            ValueError: The file is no XGBoost model.
        """
        if self._booster is None:
            with self._lock:
                if self._booster is None:
                    self._booster = read_booster(self.ubj)
        return self._booster

    @property
    def ubj(self) -> bytes:
        """The trees in XGBoost's own format."""
        if self._ubj is None:
            with self._lock:
                self._ubj = bytes(self.booster.save_raw("ubj"))
        return self._ubj

    @property
    def onnx(self) -> bytes:
        """The trees in the format of ONNX; written when it is first asked for, which takes half a second."""
        if self._onnx is None:
            with self._lock:
                self._onnx = to_onnx(self.booster)
        return self._onnx

    @property
    def session(self) -> Any:
        """`onnxruntime.InferenceSession`."""
        if self._session is None:
            with self._lock:
                self._session = _read_session(self.onnx)
        return self._session

    @property
    def features(self) -> int:
        """Number of features that they take."""
        return int(self.booster.num_features() if self._session is None else self._session.get_inputs()[0].shape[1])

    def margin(self, matrix: Matrix) -> Floats:
        """Sum of the trees for each row, shape (n,); row i has the same bits on its own as in a table of a million."""
        if self._session is not None and 0 < len(matrix) <= FEW:
            return single_margin(self._session, matrix)
        return predict_margin(self.booster, matrix)

    def margins_of(self, matrix: Matrix) -> list[float]:
        """Sum of the trees for each row by onnxruntime, however many they are."""
        margins: list[float] = self.session.run((OUTPUT,), {INPUT: matrix})[0].ravel().tolist()
        return margins


def single_margin(session: Any, matrix: Matrix) -> Floats:
    """Sum of the trees for each row by onnxruntime, shape (n,)."""
    return np.asarray(session.run((OUTPUT,), {INPUT: matrix})[0][:, 0], dtype=np.float64)


def _read_session(content: bytes) -> Any:
    """Read trees, to be used by one thread per call.

    The operators of onnxruntime run no code from a file; those of others would have to be given to it by name.

    Raises:
        ValueError: The bytes are no ONNX model of trees, or name a file to read from.
    """
    import onnxruntime  # noqa: PLC0415 - those who only register models do not need it

    if _ELSEWHERE in content:
        raise ValueError("'model.onnx' names another file to read from")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        (entry,), (result,) = session.get_inputs(), session.get_outputs()
    except Exception as error:  # each fault has a class of its own, which have no other ancestor
        raise ValueError("'model.onnx' is no ONNX model of trees") from error
    if (entry.name, entry.type, result.name, result.shape[1:]) != (INPUT, "tensor(float)", OUTPUT, [1]):
        raise ValueError("'model.onnx' is no ONNX model of trees")
    return session
