"""The tables of listings as pandera schemas, for those who check, document or make up tables with pandera."""

import functools
from collections.abc import Callable, Mapping
from typing import Final

import pandera.polars as pa
import polars as pl

from appraiser_schema.rules import Check, Column
from appraiser_schema.tables import CLEAN_TABLE, LISTING_TABLE, RAW_TABLE


def pandera_schema(columns: Mapping[str, Column]) -> pa.DataFrameSchema:
    """The schema that asks the same of a table; its errors have the same words."""
    return pa.DataFrameSchema(
        {
            name: pa.Column(column.dtype, [_check(check) for check in column.checks], nullable=column.nullable)
            for name, column in columns.items()
        }
    )


def _check(check: Check) -> pa.Check:
    if check.pandera is None:
        return pa.Check(functools.partial(_asked, followed=check.followed), error=check.words)
    name, arguments = check.pandera
    made: pa.Check = getattr(pa.Check, name)(**arguments, error=check.words)
    return made


def _asked(data: pa.PolarsData, *, followed: Callable[[pl.Expr], pl.Expr]) -> pl.LazyFrame:
    return data.lazyframe.select(followed(pl.col(data.key)))


RAW_SCHEMA: Final = pandera_schema(RAW_TABLE)
CLEAN_SCHEMA: Final = pandera_schema(CLEAN_TABLE)
LISTING_SCHEMA: Final = pandera_schema(LISTING_TABLE)
