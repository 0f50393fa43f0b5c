"""Writes appraisals, a chunk at a time, in each of the kinds."""

import io
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from appraiser_api.batch.appraising import SCHEMA
from appraiser_api.batch.kinds import Kind
from appraiser_schema import ModelRef

PRICES: Final = ("price_usd", "lower_usd", "upper_usd")


LARGE_ROWS: Final = 32_768
"""Rows of a record batch, or of a row group: files of small pieces are slow to read."""

SMALL_ROWS: Final = 8_192
"""Rows that are written as text together: those at the end are written while no thread has anything else to do."""


class Writer(Protocol):
    """Writes one answer.

    Attributes:
        rows: How many rows it likes to be given together.
    """

    rows: int

    def begin(self) -> bytes:
        """What stands before the first row."""

    def write(self, answers: pl.DataFrame) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """What stands after the last row."""


def writer(kind: Kind, model: ModelRef, coverage: float, *, by_column: bool) -> Writer:
    """A writer of this kind.

    Args:
        kind: What to write.
        model: The model that answers; the kinds that have a place for it say so.
        coverage: Share of houses that the intervals shall hold.
        by_column: Whether JSON is one list per column instead of one object per row.
    """
    head = {"model": model.model_dump(), "coverage": coverage}
    match kind:
        case Kind.LINES:
            return _Lines()
        case Kind.CSV:
            return _Csv()
        case Kind.JSON:
            return _JsonColumns(head) if by_column else _JsonRows(head)
    marks = {"model": f"{model.name}/{model.version}", "coverage": str(coverage)}
    return _Parquet(marks) if kind is Kind.PARQUET else _Arrow(marks)


class _Error(msgspec.Struct, gc=False):
    field: str
    rule: str
    value: str | None


class _Good(msgspec.Struct, gc=False):
    row: int
    price_usd: float
    lower_usd: float
    upper_usd: float


class _Bad(msgspec.Struct):
    row: int
    errors: list[_Error]


def _rows(answers: pl.DataFrame) -> Iterator[_Good | _Bad]:
    columns = [answers[name].to_list() for name in SCHEMA.names()]
    for row, price, lower, upper, errors in zip(*columns, strict=True):
        yield _Good(row, price, lower, upper) if errors is None else _Bad(row, [_Error(**error) for error in errors])


def _lines(answers: pl.DataFrame) -> bytes:
    """One JSON object per line; polars writes plain numbers in a fifth of the time, and lets other threads work."""
    if answers["errors"].null_count() == answers.height:
        return answers.drop("errors").write_ndjson().encode()
    return bytes(msgspec.json.Encoder().encode_lines(list(_rows(answers))))


class _Lines:
    rows = SMALL_ROWS

    def begin(self) -> bytes:
        return b""

    def write(self, answers: pl.DataFrame) -> bytes:
        return _lines(answers)

    def end(self) -> bytes:
        return b""


class _Counted:
    """Counts what was answered, for the end of a JSON document."""

    rows = SMALL_ROWS

    def __init__(self, head: dict[str, Any]) -> None:
        self._head = msgspec.json.encode(head)[:-1]
        self._rows = 0
        self._refused = 0

    def _count(self, answers: pl.DataFrame) -> None:
        self._rows += answers.height
        self._refused += answers["price_usd"].null_count()

    def _counts(self) -> bytes:
        counts = {"rows": self._rows, "appraised": self._rows - self._refused, "refused": self._refused}
        return msgspec.json.encode(counts)[1:]


class _JsonRows(_Counted):
    def begin(self) -> bytes:
        return self._head + b',"appraisals":['

    def write(self, answers: pl.DataFrame) -> bytes:
        if answers.is_empty():
            return b""
        comma = b"," if self._rows else b""
        self._count(answers)
        return comma + _lines(answers)[:-1].replace(b"\n", b",")

    def end(self) -> bytes:
        return b"]," + self._counts()


class _JsonColumns(_Counted):
    def __init__(self, head: dict[str, Any]) -> None:
        super().__init__(head)
        self._parts: dict[str, list[bytes]] = {name: [] for name in ("row", *PRICES)}
        self._errors: list[bytes] = []

    def begin(self) -> bytes:
        return self._head

    def write(self, answers: pl.DataFrame) -> bytes:
        """Nothing yet: a column is whole only at the end."""
        self._count(answers)
        if not answers.is_empty():
            for name, parts in self._parts.items():
                cells = answers.select(name).write_csv(include_header=False, line_terminator=",", null_value="null")
                parts.append(cells.encode()[:-1])
            bad = list(_rows(answers.filter(pl.col("errors").is_not_null())))
            self._errors += [msgspec.json.encode(bad)[1:-1]] if bad else []
        return b""

    def end(self) -> bytes:
        columns = [b',"%s":[%s]' % (name.encode(), b",".join(parts)) for name, parts in self._parts.items()]
        return b"".join([*columns, b',"errors":[', b",".join(self._errors), b"],", self._counts()])


class _Csv:
    rows = SMALL_ROWS

    def begin(self) -> bytes:
        return ",".join(SCHEMA.names()).encode() + b"\n"

    def write(self, answers: pl.DataFrame) -> bytes:
        told = pl.col("errors").list.eval(
            pl.format(
                "{} {}, not {}",
                pl.element().struct["field"],
                pl.element().struct["rule"],
                pl.element().struct["value"].fill_null("nothing"),
            )
        )
        return answers.with_columns(told.list.join("; ").alias("errors")).write_csv(None, include_header=False).encode()

    def end(self) -> bytes:
        return b""


class _Sink(io.RawIOBase):
    """Takes what pyarrow writes, to be handed on after each part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


_ARROW_SCHEMA: Final = pl.DataFrame(schema=SCHEMA).to_arrow().schema


class _Arrow:
    rows = LARGE_ROWS

    def __init__(self, marks: dict[str, str]) -> None:
        self._sink = _Sink()
        self._schema = _ARROW_SCHEMA.with_metadata(marks)
        self._writer: Any = pa.ipc.new_stream(self._sink, self._schema)

    def begin(self) -> bytes:
        return self._sink.take()

    def write(self, answers: pl.DataFrame) -> bytes:
        self._writer.write_table(answers.to_arrow().cast(self._schema))
        return self._sink.take()

    def end(self) -> bytes:
        self._writer.close()
        return self._sink.take()


class _Parquet(_Arrow):
    def __init__(self, marks: dict[str, str]) -> None:
        self._sink = _Sink()
        self._schema = _ARROW_SCHEMA.with_metadata(marks)
        self._writer = parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
