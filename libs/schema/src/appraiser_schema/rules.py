"""What is asked of the columns of a table, as polars expressions, so that a table is passed through once.

pandera takes a pass for every check, 40 ms for each table however small, and two seconds and 50 MB for its own imports.
So the declaration is here, `as_pandera` turns it into a schema for those who want one, and a test holds that pandera
refuses the same rows for the same reasons.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from appraiser_schema.listing import BLANKS

KNOWN: Final = "known"
"""The rule of a column that may not be null."""


class Check(NamedTuple):
    """One thing that is asked of a known cell.

    Attributes:
        words: What a value must be.
        followed: Whether a cell is that.
        pandera: The check of pandera's own that asks the same, with its arguments; None where it has none.
    """

    words: str
    followed: Callable[[pl.Expr], pl.Expr]
    pandera: tuple[str, Mapping[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        dtype: Its type.
        checks: What is asked of its cells.
        nullable: Whether a cell may be unknown; unknown cells follow all checks.
    """

    dtype: pl.DataType
    checks: tuple[Check, ...] = ()
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is asked of a row.

    Attributes:
        column: Of which column.
        words: What a value must be.
        followed: Whether it is: true or false, never null.
    """

    column: str
    words: str
    followed: pl.Expr


def at_least(bound: object) -> Check:
    """No less than this."""
    return Check(f"at least {bound}", lambda cell: cell.ge(bound), ("ge", {"min_value": bound}))


def at_most(bound: object) -> Check:
    """No more than this."""
    return Check(f"at most {bound}", lambda cell: cell.le(bound), ("le", {"max_value": bound}))


def no_longer_than(characters: int) -> Check:
    """A text of so many characters or fewer."""
    words = f"at most {characters} characters"
    return Check(words, lambda cell: cell.str.len_chars().le(characters), ("str_length", {"max_value": characters}))


def of_the_form(pattern: str) -> Check:
    """A text that a pattern matches, from its beginning on."""
    begins = f"^{pattern.removeprefix('^')}"
    words = f"of the form {pattern}"
    return Check(words, lambda cell: cell.str.contains(begins), ("str_matches", {"pattern": pattern}))


def one_of(known: Sequence[str]) -> Check:
    """One of these texts; blanks around it do not count."""
    few = ", ".join(known) if len(known) <= 5 else f"{', '.join(known[:2])}, … ({len(known)} in all)"
    return Check(f"one of {few}", functools.partial(_is_one_of, known=list(known)))


def _is_one_of(cell: pl.Expr, *, known: Sequence[str]) -> pl.Expr:
    return cell.str.strip_chars(BLANKS).is_in(known)


def rules_of(columns: Mapping[str, Column]) -> tuple[Rule, ...]:
    """The rules of all columns."""
    return tuple(rule for name, column in columns.items() for rule in _of_column(name, column))


def wrong_columns(table: pl.DataFrame, columns: Mapping[str, Column]) -> tuple[str, ...]:
    """The columns that a table lacks or has in another type."""
    return tuple(name for name, column in columns.items() if table.schema.get(name) != column.dtype)


def _of_column(name: str, column: Column) -> Iterator[Rule]:
    cell = pl.col(name)
    if not column.nullable:
        # pandera takes NaN for null, too.
        is_known = cell.is_not_null() & cell.is_not_nan() if column.dtype.is_float() else cell.is_not_null()
        yield Rule(name, KNOWN, is_known.fill_null(value=False))
    for check in column.checks:
        yield Rule(name, check.words, check.followed(cell).fill_null(value=True))
