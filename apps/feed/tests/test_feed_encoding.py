"""The bytes of a batch."""

import json
import threading
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraiser_feed.encoding import ROWS_PER_CHUNK, Batch, encode
from appraiser_feed.endpoints.data import Body

type Table = Callable[..., pl.DataFrame]

VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=5),
)


class TestEncode:
    """Rows to JSON and back."""

    @pytest.mark.parametrize("rows", [1, ROWS_PER_CHUNK, ROWS_PER_CHUNK + 1, 2 * ROWS_PER_CHUNK + 7])
    def test_chunks(self, rows: int) -> None:
        """However many parts there are, together they are one list, of the length that was told."""
        frame = pl.DataFrame({"price": [float(row) for row in range(rows)]})
        encoded = encode(frame)
        body = b"".join(encoded)
        assert len(body) == encoded.size_bytes
        assert json.loads(b"[" + body + b"]") == frame.to_dicts()

    @given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)), min_size=1))
    @settings(deadline=None, max_examples=50)
    def test_values(self, rows: list[tuple[float, str]]) -> None:
        """Every float and every text comes back as it was."""
        frame = pl.DataFrame(rows, schema={"price": pl.Float64, "city": pl.String}, orient="row")
        assert json.loads(b"[" + b"".join(encode(frame)) + b"]") == frame.to_dicts()


class TestBatch:
    """Encoding once, when it is asked for."""

    def test_once(self, table: Table) -> None:
        """Two calls at the same time get the same bytes, encoded once."""
        batch = Batch(0, table(*({"bed": float(bed)} for bed in range(20_000))))
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(batch.encoded())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found[0] is found[1]

    def test_compact(self, table: Table) -> None:
        """A batch is kept in less than a third of its size."""
        encoded = Batch(0, table(*({"price": 1e5 + 7 * row} for row in range(5_000)))).encoded()
        assert sum(map(len, encoded.chunks)) < encoded.size_bytes / 3


class TestBody:
    """A batch in its envelope."""

    @pytest.mark.parametrize("rows", [1, 2, ROWS_PER_CHUNK + 3])
    def test_first_half(self, rows: int) -> None:
        """The first half is the first half, to the byte."""
        body = Body(b'{"data":[]}', encode(pl.DataFrame({"price": [1.0] * rows})))
        whole = b"".join(body)
        assert len(whole) == body.size_bytes
        assert b"".join(body.first_half()) == whole[: len(whole) // 2]
