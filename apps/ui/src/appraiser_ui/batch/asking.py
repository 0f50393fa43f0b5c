"""Asks the API for the prices of a table, some thousands of rows at a time."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl
import pyarrow as pa

from appraiser_schema.frames import ROW_NUMBER

CHUNK_ROWS: Final = 8_192
"""Rows of one question: some tenths of a second each, so that progress is seen and nothing large is lost."""

PRICES: Final = ("price_usd", "lower_usd", "upper_usd")
ANSWER: Final = pl.Schema(
    {ROW_NUMBER: pl.UInt32, **dict.fromkeys(PRICES, pl.Float64), "model_version": pl.Int64, "error": pl.String}
)


@dataclass(slots=True)
class Answers:
    """What was answered so far.

    Attributes:
        asked: Rows that were asked about, in their order.
        parts: Answers, a part per question.
    """

    asked: pl.DataFrame
    parts: list[pl.DataFrame] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Rows that are answered."""
        return sum(part.height for part in self.parts)

    @property
    def complete(self) -> bool:
        """Whether all of them are."""
        return self.done == self.asked.height

    def ask(self, predict: Callable[[bytes], bytes]) -> Iterator[int]:
        """Ask for what is not answered yet; goes on where it was broken off.

        Args:
            predict: Asks the API: a stream of Arrow record batches in, one out.

        Yields:
            How many rows are answered.
        """
        while not self.complete:
            rows = self.asked.slice(self.done, CHUNK_ROWS)
            self.parts.append(_answer(rows, predict(_stream(rows.drop(ROW_NUMBER)))))
            yield self.done

    def table(self) -> pl.DataFrame:
        """All answers, by row."""
        return pl.concat(self.parts) if self.parts else pl.DataFrame(schema=ANSWER)


def _stream(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.write_ipc_stream(out)
    return out.getvalue()


def _answer(rows: pl.DataFrame, stream: bytes) -> pl.DataFrame:
    reader = pa.ipc.open_stream(stream)
    name = (reader.schema.metadata or {}).get(b"model", b"/0").decode()
    answers = pl.from_arrow(reader.read_all())
    assert isinstance(answers, pl.DataFrame)  # noqa: S101 - a stream of record batches is a table
    told = pl.col("errors").list.eval(pl.element().struct["field"] + ": " + pl.element().struct["rule"])
    return answers.select(
        rows[ROW_NUMBER].cast(pl.UInt32),
        *PRICES,
        pl.lit(int(name.rpartition("/")[2]), pl.Int64).alias("model_version"),
        pl.when(pl.col("errors").list.len() > 0).then(told.list.join("; ")).alias("error"),
    )
