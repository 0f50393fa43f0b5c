"""One request from its body to its last byte."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Final

import polars as pl

from appraiser_api.batch.appraising import PART_ROWS, SCHEMA, Answered, Checked, answers, check
from appraiser_api.batch.arrow_rows import read_arrow, read_parquet
from appraiser_api.batch.chunks import CHUNK_ROWS, Chunk
from appraiser_api.batch.csv_rows import read_csv
from appraiser_api.batch.json_rows import is_columns, read_json, read_lines
from appraiser_api.batch.kinds import Kind
from appraiser_api.batch.writing import Writer, writer
from appraiser_api.champion import Champion
from appraiser_model import Appraised
from appraiser_schema.frames import ROW_NUMBER

AHEAD: Final = CHUNK_ROWS // PART_ROWS
"""Parts that wait for a thread, or for those before them: as many as a chunk has, or two for each thread."""

type Record = Callable[[pl.DataFrame, Appraised], None]
"""Puts clean listings with their prices on record; they are numbered."""


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
        begun = False
        for parts in _gathered(self._appraised(record), self.writer.rows):
            # Nothing is said before the first rows are through: until then a fault is a problem document.
            yield (b"" if begun else self.writer.begin()) + self.writer.write(answers(parts))
            begun = True
        if not begun:
            yield self.writer.begin() + self.writer.write(pl.DataFrame(schema=SCHEMA))
        yield self.writer.end()

    def _appraised(self, record: Record) -> Iterator[Answered]:
        """The parts of the chunks, in order; each is worked on by a thread of its own."""
        model, threads = self.champion.bundle.model, os.cpu_count() or 1

        def work(part: Checked) -> Answered:
            # The bits are those of a single house and of the pipeline.
            appraised = model.appraise_features(part.features)
            record(part.good, appraised)
            return Answered(part.good[ROW_NUMBER], appraised, part.refused)

        checked = (check(chunk, model) for chunk in self.chunks)
        return _in_threads(work, (part for whole in checked for part in whole.divided(threads)), threads)


def _in_threads[T, R](work: Callable[[T], R], items: Iterator[T], threads: int) -> Iterator[R]:
    """The results in order, by as many threads as there are processors, of which this one is the first.

    It reads and checks ahead of the others, and while it has to wait for them it does parts of its own: a table is as
    fast as with one thread more.
    """
    waiting: deque[tuple[Future[R], T]] = deque()
    ahead = max(AHEAD, 2 * threads)
    with ThreadPoolExecutor(max(1, threads - 1), "batch-part") as pool:
        try:
            for item in items:
                waiting.append((pool.submit(work, item), item))
                while len(waiting) > ahead:
                    yield _first(work, waiting)
            while waiting:
                yield _first(work, waiting)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _first[T, R](work: Callable[[T], R], waiting: deque[tuple[Future[R], T]]) -> R:
    """Take the first result; until it is there, do those parts that no thread has begun."""
    while not waiting[0][0].done():
        mine = next((place for place, (future, _) in enumerate(waiting) if future.cancel()), None)
        if mine is None:
            break
        done: Future[R] = Future()
        done.set_result(work(waiting[mine][1]))
        waiting[mine] = (done, waiting[mine][1])
    return waiting.popleft()[0].result()


def _gathered(parts: Iterator[Answered], rows: int) -> Iterator[list[Answered]]:
    """So many rows together, or a few more."""
    kept: list[Answered] = []
    for part in parts:
        kept.append(part)
        if sum(each.height for each in kept) >= rows:
            yield kept
            kept = []
    if kept:
        yield kept


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
