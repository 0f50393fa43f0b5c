"""One request from its body to its last byte."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

import polars as pl

from appraiser_api.batch.appraising import SCHEMA, Answered, appraise, check
from appraiser_api.batch.arrow_rows import read_arrow, read_parquet
from appraiser_api.batch.chunks import Chunk
from appraiser_api.batch.csv_rows import read_csv
from appraiser_api.batch.json_rows import is_columns, read_json, read_lines
from appraiser_api.batch.kinds import Kind
from appraiser_api.batch.writing import Writer, writer
from appraiser_api.champion import Champion

type Record = Callable[[Answered], None]


@dataclass(frozen=True, slots=True)
class Session:
    """A table that can be appraised: its beginning was read and found good.

    Attributes:
        ignored: Columns that are not looked at.
    """

    champion: Champion
    chunks: Iterator[Chunk]
    writer: Writer
    ignored: tuple[str, ...]

    @classmethod
    def open(cls, file: IO[bytes], sent: Kind, wanted: Kind, champion: Champion) -> "Session":
        """Look at the beginning of a body.

        Raises:
            ApiError: It is not what it is declared to be, or no table of listings.
        """
        by_column = sent is Kind.JSON and is_columns(file)
        chunks, ignored = read_chunks(file, sent)
        coverage = champion.bundle.model.interval.coverage
        return cls(champion, chunks, writer(wanted, champion.reference, coverage, by_column=by_column), ignored)

    def answer(self, record: Record) -> Iterator[bytes]:
        """The answer in parts; each chunk is recorded before its part is given away.

        Raises:
            ApiError: The body is damaged further on.
        """
        first = True
        for checked in _ahead(map(check, self.chunks)):
            answered = appraise(self.champion.bundle.model, checked)
            record(answered)
            # Nothing is said before the first chunk is through: until then a fault is a problem document.
            yield (self.writer.begin() if first else b"") + self.writer.write(answered.answers)
            first = False
        if first:
            yield self.writer.begin() + self.writer.write(pl.DataFrame(schema=SCHEMA))
        yield self.writer.end()


def _ahead[T](items: Iterator[T]) -> Iterator[T]:
    """The same items, each made in a thread while the one before it is worked on."""
    with ThreadPoolExecutor(1, "batch-reader") as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item


def read_chunks(file: IO[bytes], kind: Kind) -> tuple[Iterator[Chunk], tuple[str, ...]]:
    """Read a body of this kind.

    Returns:
        The chunks, and the columns that are not looked at.

    Raises:
        ApiError: It is not what it is declared to be, or no table of listings.
    """
    match kind:
        case Kind.JSON:
            return read_json(file), ()
        case Kind.LINES:
            return read_lines(file), ()
        case Kind.CSV:
            return read_csv(file)
        case Kind.PARQUET:
            return read_parquet(file)
        case Kind.ARROW:
            return read_arrow(file)
