"""The rules of a pandera schema as polars expressions, so that a table is passed through once.

pandera takes a pass for every check, 40 ms for each table however small, and half a second for its own libraries when
it is first asked. Its declaration stays the only one: the rules are read off it, and a test holds that both refuse the
same rows for the same reasons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandera.polars as pa
import polars as pl

KNOWN: Final = "known"
"""The rule of a column that may not be null."""


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


class _Selected:
    """Stands for the table when a check is asked what it would select."""

    def select(self, rule: pl.Expr) -> pl.Expr:
        return rule


def rules_of(schema: pa.DataFrameSchema) -> tuple[Rule, ...]:
    """Read the rules of all columns off a schema."""
    return tuple(rule for name, column in schema.columns.items() for rule in _of_column(name, column))


def wrong_columns(table: pl.DataFrame, schema: pa.DataFrameSchema) -> tuple[str, ...]:
    """The columns of a schema that a table lacks or has in another type."""
    return tuple(name for name, column in schema.columns.items() if table.schema.get(name) != column.dtype.type)


def _of_column(name: str, column: pa.Column) -> Iterator[Rule]:
    cell = pl.col(name)
    if not column.nullable:
        # pandera takes NaN for null, too.
        is_known = cell.is_not_null() & cell.is_not_nan() if column.dtype.type.is_float() else cell.is_not_null()
        yield Rule(name, KNOWN, is_known.fill_null(value=False))
    for check in column.checks:
        yield Rule(name, str(check.error), _followed(check, name).fill_null(value=check.ignore_na))


def _followed(check: pa.Check, name: str) -> pl.Expr:
    cell = pl.col(name)
    match check.name, check.statistics:
        case "greater_than_or_equal_to", {"min_value": bound}:
            return cell.ge(bound)
        case "less_than_or_equal_to", {"max_value": bound}:
            return cell.le(bound)
        case "str_length", {"max_value": most}:
            return cell.str.len_chars().le(most)
        case "str_matches", {"pattern": pattern}:
            return cell.str.contains(f"^{str(pattern).removeprefix('^')}")  # As pandera does.
    # A check of our own. pandera's are named above instead: asked, they would bring their libraries.
    asked: Any = pa.PolarsData(_Selected(), name)  # type: ignore[arg-type]
    rule: pl.Expr = check._check_fn(asked, **check._check_kwargs)  # noqa: SLF001 - pandera has no public name for it
    return rule
