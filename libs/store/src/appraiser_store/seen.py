"""Which listings earlier batches had: an index of row hashes beside the lake, made from it wherever it is missing.

Two kinds of files. Per batch its hashes, sorted: they are exact. Per eight batches a Bloom filter (Bloom, 1970): two
bytes per hash that say "no" for sure, and "maybe" of .5 % of those that are new; only these are looked up in the
batches. So the search for the repeats of a batch reads no row of the lake but those of the batch before, and what it
costs hardly follows how many came earlier.

Each file names the rows that it was made from by a digest of their files in the lake. One that does not fit the lake
any more is made again.
"""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

type Hashes = NDArray[np.uint64]
type Bits = NDArray[np.uint8]

_BATCHES_PER_FILTER: Final = 8
"""A filter is written anew with each of its batches: 8 MB where they have 300,000 rows."""

_BITS_PER_HASH: Final = 16
"""At least: a filter is as large as a power of two. With three probes a full one errs in (1 - e^(-3/16))^3 = .5 %."""

_LEAST_BITS: Final = 1 << 12
_MULTIPLIERS: Final = (0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0xD6E8_FEB8_6659_FD93)
"""One per probe, odd; the upper bits of a hash times a multiplier are its place in the filter."""


class Seen:
    """The index below one folder.

    Args:
        folder: Where its files lie; made when first needed.
        hashes_of: Gives the hashes of a batch from the lake.
    """

    def __init__(self, folder: Path, hashes_of: Callable[[int], Hashes]) -> None:
        self._folder = folder
        self._hashes_of = hashes_of

    def among(self, hashes: Hashes, batches: Mapping[int, str]) -> NDArray[np.bool_]:
        """Which of these hashes any of the batches has, shape (n,).

        Args:
            hashes: Shape (n,).
            batches: A digest of what its rows are, by batch number.
        """
        found = np.zeros(hashes.size, dtype=np.bool_)
        names = [f"{number}-{digest[:16]}" for number, digest in sorted(batches.items())]
        for first in range(0, len(names), _BATCHES_PER_FILTER):
            group = names[first : first + _BATCHES_PER_FILTER]
            maybe = _maybe(self._filter(group), hashes)
            maybe = maybe[np.argsort(hashes[maybe])]  # In order they are looked up twice as fast.
            for name in group if maybe.size else ():
                found[maybe] |= _is_in(hashes[maybe], self._batch(name))
        return found

    def _batch(self, name: str) -> Hashes:
        file = self._folder / name
        if file.exists():
            return np.memmap(file, dtype="<u8", mode="r") if file.stat().st_size else np.zeros(0, dtype=np.uint64)
        number = name.split("-", maxsplit=1)[0]
        hashes = np.sort(self._hashes_of(int(number)))
        for other in (*self._folder.glob(f"{number}-*"), *self._folder.glob(f"filter-{number}-*")):
            other.unlink()
        self._write(file, hashes.astype("<u8").tobytes())
        return hashes

    def _filter(self, names: list[str]) -> Bits:
        """The filter of these batches: the one that is there, with those added that it lacks, or a new one."""
        file = self._folder / f"filter-{names[0]}"
        has, rows, bits = _read_filter(file)
        if has == names:
            return bits
        added = [self._batch(name) for name in names[len(has) :]]
        rows += sum(hashes.size for hashes in added)
        if not has or has != names[: len(has)] or rows * _BITS_PER_HASH > bits.size * 8:
            added = [self._batch(name) for name in names]
            rows = sum(hashes.size for hashes in added)
            bits = np.zeros(_size_bits(max(rows, added[0].size * _BATCHES_PER_FILTER)) // 8, dtype=np.uint8)
        for hashes in added:
            _add(bits, hashes)
        self._write(file, json.dumps({"batches": names, "rows": rows}).encode() + b"\n" + bits.tobytes())
        return bits

    def _write(self, file: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".unfinished-{uuid.uuid4().hex}"
        try:
            with unfinished.open("xb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())  # A file that is there is whole, also after a power cut.
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)


class Earlier:
    """Which hashes came before, of those that come some at a time: the same filter, in memory, and the hashes."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._rows = 0
        self._bits: Bits = np.zeros(_LEAST_BITS // 8, dtype=np.uint8)

    def among(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of these came in an earlier call, shape (n,); they count as come from then on.

        Args:
            hashes: Shape (n,).
        """
        found = np.zeros(hashes.size, dtype=np.bool_)
        maybe = _maybe(self._bits, hashes)
        for run in self._runs if maybe.size else ():
            found[maybe] |= _is_in(hashes[maybe], run)
        self._keep(np.sort(hashes))
        return found

    def _keep(self, run: Hashes) -> None:
        self._runs.append(run)
        self._rows += run.size
        added = [run]
        if self._rows * _BITS_PER_HASH > self._bits.size * 8:
            self._bits, added = np.zeros(_size_bits(2 * self._rows) // 8, dtype=np.uint8), self._runs
        for each in added:
            _add(self._bits, each)


def _read_filter(file: Path) -> tuple[list[str], int, Bits]:
    if not file.exists():
        return [], 0, np.zeros(0, dtype=np.uint8)
    with file.open("rb") as opened:
        head: dict[str, Any] = json.loads(opened.readline())
        return head["batches"], head["rows"], np.fromfile(opened, dtype=np.uint8)


def _size_bits(rows: int) -> int:
    return max(_LEAST_BITS, 1 << (rows * _BITS_PER_HASH - 1).bit_length())


def _places(bits: Bits, hashes: Hashes, multiplier: int) -> Hashes:
    return (hashes * np.uint64(multiplier)) >> np.uint64(64 - (bits.size * 8 - 1).bit_length())


def _maybe(bits: Bits, hashes: Hashes) -> NDArray[np.intp]:
    """Where the hashes stand that the filter does not rule out."""
    left = np.arange(hashes.size)
    for multiplier in _MULTIPLIERS:
        places = _places(bits, hashes[left], multiplier)
        left = left[(bits[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)) & 1 == 1]
    return left


def _add(bits: Bits, hashes: Hashes) -> None:
    for multiplier in _MULTIPLIERS:
        places = _places(bits, hashes, multiplier)
        np.bitwise_or.at(bits, places >> np.uint64(3), np.left_shift(1, (places & np.uint64(7)).astype(np.uint8)))


def _is_in(wanted: Hashes, hashes: Hashes) -> NDArray[np.bool_]:
    if not hashes.size:
        return np.zeros(wanted.size, dtype=np.bool_)
    places = np.minimum(np.searchsorted(hashes, wanted), hashes.size - 1)
    return np.asarray(hashes[places] == wanted)
