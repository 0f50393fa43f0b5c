"""What is wrong with which row, before anything is asked."""

from typing import Any, Final

import polars as pl
import streamlit as st

from appraiser_schema.frames import ROW_NUMBER
from appraiser_ui.batch.reading import Source
from appraiser_ui.broken_rules import column_title, must_be, shown_value
from appraiser_ui.figures import count, plain
from appraiser_ui.tables import show_table
from appraiser_ui.words import say

RULES_SHOWN: Final = 12
ROWS_SHOWN: Final = 1_000
"""Lines of the report on the page; the file that can be kept has all."""


def reported(source: Source, failures: pl.DataFrame) -> pl.DataFrame:
    """Every line of the report: row_number, column, rule and value, those of unreadable rows among them."""
    broken = source.broken.select(
        pl.col(ROW_NUMBER).cast(pl.UInt32), pl.lit("row").alias("column"), pl.col("rule"), pl.col("value")
    )
    found = failures.select(pl.col(ROW_NUMBER).cast(pl.UInt32), "column", "rule", "value")
    return pl.concat([found, broken]).sort(ROW_NUMBER, "column")


def show_report(report: pl.DataFrame, good: int) -> None:
    """Draw the report.

    Args:
        report: As `reported` gives it.
        good: Rows that can be appraised.
    """
    refused = report[ROW_NUMBER].n_unique()
    with st.container(horizontal=True, gap="medium", key="batch-checked"):
        st.metric(say("batch.check.good"), count(good), width="content")
        st.metric(say("batch.check.refused"), count(refused), width="content")
    if not refused:
        st.success(say("batch.check.all_good"), icon=":material/check_circle:")
        return
    st.warning(say("batch.check.what", count=refused), icon=":material/rule:")
    st.table(_by_rule(report), border="horizontal", hide_index=True)
    with st.expander(say("batch.check.by_row", count=report.height), expanded=report.height <= RULES_SHOWN):
        _by_row(report)


def report_file(report: pl.DataFrame) -> pl.DataFrame:
    """The report in words, for a file to keep."""
    rules = {rule: must_be(rule) for rule in report["rule"].unique()}
    titles = {column: column_title(column) for column in report["column"].unique()}
    return report.select(
        pl.col(ROW_NUMBER).alias(say("batch.check.row")),
        pl.col("column").replace_strict(titles, return_dtype=pl.String).alias(say("batch.check.column")),
        pl.col("rule").replace_strict(rules, return_dtype=pl.String).alias(say("batch.check.rule")),
        pl.col("value").alias(say("batch.check.value")),
    )


def _by_rule(report: pl.DataFrame) -> list[dict[str, str]]:
    groups = (
        report.group_by("column", "rule")
        .agg(pl.col(ROW_NUMBER).n_unique().alias("rows"), pl.col("value").first())
        .sort("rows", "column", "rule", descending=[True, False, False])
    )
    return [
        {
            say("batch.check.problem"): plain(
                say("data.refused.must_be", column=column_title(group["column"]), rule=must_be(group["rule"]))
            ),
            say("batch.check.rows"): count(group["rows"]),
            say("batch.check.example"): plain(shown_value(group["value"])[:60]),
        }
        for group in groups.head(RULES_SHOWN).to_dicts()
    ]


def _by_row(report: pl.DataFrame) -> None:
    lines: list[dict[str, Any]] = [
        {
            "row": line[ROW_NUMBER],
            "column": column_title(line["column"]),
            "rule": must_be(line["rule"]),
            "value": shown_value(line["value"]),
        }
        for line in report.head(ROWS_SHOWN).to_dicts()
    ]
    column = st.column_config
    show_table(
        lines,
        column_config={
            "row": column.NumberColumn(say("batch.check.row"), format="%d", pinned=True, width="small"),
            "column": column.TextColumn(say("batch.check.column")),
            "rule": column.TextColumn(say("batch.check.rule"), width="large"),
            "value": column.TextColumn(say("batch.check.value")),
        },
        key="batch-report",
        alt=say("batch.check.alt"),
    )
    if report.height > ROWS_SHOWN:
        st.caption(say("batch.check.first", count=ROWS_SHOWN))
