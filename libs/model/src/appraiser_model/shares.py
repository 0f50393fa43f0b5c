"""How rows are divided by their own hash, so that a row never changes sides."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def share(row_hash: ArrayLike, parts: int, salt: int) -> NDArray[np.int64]:
    """Which of some equal parts each row belongs to, shape (n,), from 0.

    The hash is mixed again (the finaliser of splitmix64, Steele and others, 2014), because the split into train,
    validation and test has used it already and the parts must not follow that.

    Args:
        row_hash: The row's hash, int64, shape (n,).
        parts: How many parts.
        salt: Another salt gives another, independent division.
    """
    mixed = np.asarray(row_hash, dtype=np.int64).astype(np.uint64) + np.uint64(salt * 0x9E37_79B9_7F4A_7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(parts)).astype(np.int64)
