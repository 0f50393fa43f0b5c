"""The prices of a file: in figures, as a table a page at a time, on a map, and as files to keep."""

from typing import Any, Final

import polars as pl
import streamlit as st

from appraiser_schema import LISTING_COLUMNS
from appraiser_schema.frames import ROW_NUMBER
from appraiser_ui.appraise.fields import form_fields, word
from appraiser_ui.batch.asking import PRICES
from appraiser_ui.batch.columns import PRICE
from appraiser_ui.batch.keeping import to_csv, to_parquet, with_answers
from appraiser_ui.batch.price_map import frame_of, located, price_map
from appraiser_ui.batch.reading import Source
from appraiser_ui.batch.report import report_file
from appraiser_ui.charts import draw
from appraiser_ui.figures import DASH, count, decimal, money, percent, short_money
from appraiser_ui.tables import show_table, written
from appraiser_ui.words import say

PAGE_ROWS: Final = 100
ORDERS: Final = {
    "file": ([ROW_NUMBER], [False]),
    "dearest": (["price_usd", ROW_NUMBER], [True, False]),
    "cheapest": (["price_usd", ROW_NUMBER], [False, False]),
    "widest": (["width", ROW_NUMBER], [True, False]),
}
"""Orders of the table: columns, and whether from the highest."""


def show_results(source: Source, houses: pl.DataFrame, answers: pl.DataFrame, report: pl.DataFrame) -> None:
    """Draw all of it.

    Args:
        source: The file.
        houses: Its rows as listings, with what else the file knows of them.
        answers: Prices by row.
        report: What was wrong with rows that were not asked about.
    """
    _figures(houses, answers)
    _downloads(source, answers, report)
    table, chart = st.tabs([say("batch.results.table"), say("batch.results.map")])
    with table:
        _table(houses.join(answers, on=ROW_NUMBER, how="inner"))
    with chart:
        _map(houses, answers)


def _figures(houses: pl.DataFrame, answers: pl.DataFrame) -> None:
    prices = answers["price_usd"].drop_nulls()
    with st.container(horizontal=True, gap="medium", key="batch-figures"):
        st.metric(say("batch.results.houses"), count(len(prices)), width="content")
        median, total = prices.median(), prices.sum()
        st.metric(say("batch.results.median"), _dollars(median), width="content")
        # All houses together are told in few characters: a telephone cuts off what is long.
        st.metric(say("batch.results.total"), short_money(float(total)).replace("$", r"\$"), width="content")
        if PRICE in houses.columns:
            _comparison(houses, answers)
    versions = sorted(answers["model_version"].unique().to_list())
    st.caption(say("batch.results.versions", versions=", ".join(map(str, versions))))


def _comparison(houses: pl.DataFrame, answers: pl.DataFrame) -> None:
    both = houses.join(answers, on=ROW_NUMBER).filter(pl.col(PRICE) > 0).drop_nulls("price_usd")
    if both.is_empty():
        return
    error = ((both["price_usd"] - both[PRICE]).abs() / both[PRICE] * 100).median()
    inside = both.select((pl.col(PRICE).is_between(pl.col("lower_usd"), pl.col("upper_usd"))).mean() * 100).item()
    for name, value in (("error", error), ("inside", inside)):
        if isinstance(value, float):
            title, text = say(f"batch.results.{name}.title"), say(f"batch.results.{name}.help")
            st.metric(title, percent(value), help=text, width="content")


def _dollars(value: object) -> str:
    return money(value).replace("$", r"\$") if isinstance(value, int | float) else DASH


def _downloads(source: Source, answers: pl.DataFrame, report: pl.DataFrame) -> None:
    stem = source.name.rpartition(".")[0] or source.name

    def table() -> pl.DataFrame:
        lines = report.select(
            ROW_NUMBER, (pl.col("column") + ": " + pl.col("rule")).alias("error")
        ).group_by(ROW_NUMBER, maintain_order=True).agg(pl.col("error").str.join("; "))  # fmt: skip
        return with_answers(source.rows, answers, lines)

    with st.container(horizontal=True, key="batch-downloads"):
        st.download_button(
            say("batch.results.csv"),
            lambda: to_csv(table()),
            f"{stem}-appraised.csv",
            "text/csv",
            icon=":material/csv:",
            on_click="ignore",
            key="download-csv",
        )
        st.download_button(
            say("batch.results.parquet"),
            lambda: to_parquet(table()),
            f"{stem}-appraised.parquet",
            "application/vnd.apache.parquet",
            icon=":material/table:",
            on_click="ignore",
            key="download-parquet",
        )
        if report.height:
            download_report(stem, report)


def download_report(stem: str, report: pl.DataFrame) -> None:
    """Offer the report as a file."""
    st.download_button(
        say("batch.check.keep"),
        lambda: to_csv(report_file(report)),
        f"{stem}-report.csv",
        "text/csv",
        icon=":material/rule:",
        on_click="ignore",
        key="download-report",
    )


def _table(rows: pl.DataFrame) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="batch-order"):
        order = st.selectbox(
            say("batch.results.order"),
            list(ORDERS),
            format_func=lambda name: say(f"batch.results.orders.{name}"),
            key="batch-sorted",
            width=260,
        )
        pages = -(-rows.height // PAGE_ROWS)
        page = st.pagination(pages, key="batch-page") if pages > 1 else 1
    names, highest = ORDERS[order]
    ordered = rows.with_columns(width=pl.col("upper_usd") - pl.col("lower_usd")).sort(
        names, descending=highest, nulls_last=True
    )
    shown = ordered.slice((page - 1) * PAGE_ROWS, PAGE_ROWS)
    fields = [name for name in LISTING_COLUMNS if name in shown.columns and shown[name].null_count() < shown.height]
    names = [ROW_NUMBER, *PRICES, *([PRICE] if PRICE in shown.columns else []), *fields]
    lines = shown.select(names).to_dicts()
    show_table(
        written([_said(line) for line in lines], _formats(fields)),
        column_config=_columns(names, fields),
        height=420,
        key="batch-table",
        alt=say("batch.results.alt"),
    )
    first = (page - 1) * PAGE_ROWS
    st.caption(
        say("batch.results.shown", first=count(first + 1), last=count(first + len(lines)), all=count(rows.height))
    )


def _said(line: dict[str, Any]) -> dict[str, Any]:
    return line | ({"status": word(line["status"])} if line.get("status") else {})


def _formats(fields: list[str]) -> dict[str, Any]:
    numbers = {name: decimal for name in fields if name in {"bed", "bath", "acre_lot", "house_size"}}
    return dict.fromkeys((*PRICES, PRICE), money) | numbers


def _columns(names: list[str], fields: list[str]) -> dict[str, Any]:
    column = st.column_config
    made: dict[str, Any] = {ROW_NUMBER: column.NumberColumn(say("batch.check.row"), format="%d", pinned=True)}
    made |= {name: column.Column(say(f"batch.results.columns.{name}")) for name in names if name in (*PRICES, PRICE)}
    made |= {name: column.Column(form_fields()[name].label) for name in fields}
    return made


def _map(houses: pl.DataFrame, answers: pl.DataFrame) -> None:
    placed = located(houses, answers)
    if placed.is_empty():
        st.info(say("batch.map.none"), icon=":material/wrong_location:")
        return
    frame = frame_of(placed)
    inside = frame.inside(placed)
    with st.container(key="batch-map"):
        draw(price_map(inside, frame), say("batch.map.alt", count=inside.height))
    not_drawn = {
        "missing": answers["price_usd"].drop_nulls().len() - placed.height,
        "outside": placed.height - inside.height,
    }
    told = [say(f"batch.map.{why}", count=houses) for why, houses in not_drawn.items() if houses]
    st.caption(" ".join([say("batch.map.what"), *told]))
