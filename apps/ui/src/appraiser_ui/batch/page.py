"""The page *Batch*: drop a file, say what its columns are, see what is wrong with which row, and get prices."""

from dataclasses import dataclass
from typing import Final

import polars as pl
import streamlit as st

from appraiser_schema.frames import ROW_NUMBER, clean_unpriced
from appraiser_ui import readings
from appraiser_ui.batch.asking import Answers
from appraiser_ui.batch.columns import LATITUDE, LONGITUDE, PRICE, Mapping, guess
from appraiser_ui.batch.columns_form import ask_for_columns, show_conversions
from appraiser_ui.batch.mapping import converted, to_listings
from appraiser_ui.batch.reading import ReadError, Source, read_source
from appraiser_ui.batch.report import reported, show_report
from appraiser_ui.batch.results import download_report, show_results
from appraiser_ui.errors import ApiError
from appraiser_ui.figures import count, plain
from appraiser_ui.notices import show_error
from appraiser_ui.tables import show_table
from appraiser_ui.words import Language, current, say

KINDS: Final = ["csv", "tsv", "txt", "parquet", "xlsx", "xlsm", "xls", "ods", "json", "jsonl"]
MOST_MEGABYTES: Final = 200
PREVIEW_ROWS: Final = 5

OTHERS: Final = (PRICE, LATITUDE, LONGITUDE)
"""What a file may know of a house beyond a listing."""

SOURCE: Final = "batch-source"
WORK: Final = "batch-work"
"""Where the session keeps the file that was read, and what was made of it."""


@dataclass(slots=True)
class Work:
    """What was made of a file with one reading of its columns.

    Attributes:
        mark: Tells it from what was made otherwise.
        made: The rows as listings, as they came.
        houses: Those that can be appraised, with what else the file knows of them: price and position.
        report: What is wrong with which row.
        answers: What was answered so far about the others.
    """

    mark: str
    made: pl.DataFrame
    houses: pl.DataFrame
    report: pl.DataFrame
    answers: Answers


def show(url: str) -> None:
    """Draw the page.

    Args:
        url: Address of the API.
    """
    st.title(say("batch.title"))
    st.markdown(say("batch.intro"))
    source, mark = _dropped()
    if source is None:
        return
    st.header(say("batch.columns.title"))
    _preview(source)
    mapping = ask_for_columns(source, _guessed(source, mark), mark)
    if "state" not in mapping.columns and "state" not in mapping.constants:
        st.warning(say("batch.columns.state_needed"), icon=":material/edit:")
        return
    work = _work(source, mapping, mark)
    show_conversions(converted(source.rows, work.made, mapping), mapping)
    st.header(say("batch.check.title"))
    show_report(work.report, work.answers.asked.height)
    if work.report.height and not work.answers.done:
        download_report(source.name.rpartition(".")[0] or source.name, work.report)
    _appraise(url, source, work)


def _dropped() -> tuple[Source | None, str]:
    """The file that was dropped, read once, and what tells it from others."""
    file = st.file_uploader(
        say("batch.upload.label"),
        type=KINDS,
        help=say("batch.upload.help"),
        max_upload_size=MOST_MEGABYTES,
        key="batch-file",
    )
    if file is None:
        st.session_state.pop(SOURCE, None)
        st.session_state.pop(WORK, None)
        st.caption(say("batch.upload.what"))
        return None, ""
    kept = st.session_state.get(SOURCE)
    sheet = None
    if kept is not None and kept[0] == file.file_id and len(kept[2].sheets) > 1:
        sheet = st.selectbox(say("batch.upload.sheet"), kept[2].sheets, key=f"sheet-{file.file_id}")
    if kept is None or kept[0] != file.file_id or (sheet is not None and kept[1] != sheet):
        try:
            with st.spinner(say("batch.upload.reading")):
                source = read_source(file.name, file.getvalue(), sheet)
        except ReadError as error:
            _show_unreadable(error)
            return None, ""
        st.session_state[SOURCE] = kept = (file.file_id, sheet or next(iter(source.sheets), None), source)
        if len(source.sheets) > 1 and sheet is None:
            st.rerun()
    return kept[2], f"{kept[0]}-{kept[1]}"


def _show_unreadable(error: ReadError) -> None:
    detail = f" ({plain(error.detail)})" if error.detail and current() is Language.ENGLISH else ""
    st.error(say(f"batch.errors.{error.code}") + detail, icon=":material/broken_image:")


def _guessed(source: Source, mark: str) -> Mapping:
    key = f"batch-guessed-{mark}"
    if key not in st.session_state:
        st.session_state[key] = guess(source.rows, source.columns)
    guessed: Mapping = st.session_state[key]
    return guessed


def _preview(source: Source) -> None:
    st.markdown(say("batch.preview.what", name=plain(source.name), rows=count(source.rows.height)))
    show_table(
        source.rows.head(PREVIEW_ROWS).select(source.columns).to_pandas(),
        key="batch-preview",
        alt=say("batch.preview.alt"),
    )
    st.markdown(say("batch.columns.what"))


def _work(source: Source, mapping: Mapping, mark: str) -> Work:
    mark = f"{mark} {mapping}"
    kept = st.session_state.get(WORK)
    if not isinstance(kept, Work) or kept.mark != mark:
        with st.spinner(say("batch.check.checking")):
            made = to_listings(source.rows, mapping)
            checked = clean_unpriced(made)
        others = made.select(ROW_NUMBER, *(name for name in OTHERS if name in made.columns))
        houses = checked.good.join(others, on=ROW_NUMBER, how="left", maintain_order="left")
        kept = Work(mark, made, houses, reported(source, checked.failures), Answers(checked.good))
        st.session_state[WORK] = kept
    return kept


def _appraise(url: str, source: Source, work: Work) -> None:
    answers = work.answers
    if not answers.asked.height:
        return
    st.header(say("batch.results.title"))
    if not answers.complete:
        label = say("batch.results.go_on" if answers.done else "batch.results.go", count=answers.asked.height)
        if st.button(label, type="primary", key="batch-appraise") and _ask(url, answers):
            # What belongs to the time before, such as the button, goes.
            st.rerun()
    if answers.complete:
        _results(source, work)


def _ask(url: str, answers: Answers) -> bool:
    """Ask for all of them; whether that went well."""
    bar = st.progress(answers.done / answers.asked.height, say("batch.results.asking"))
    try:
        for done in answers.ask(readings.connect(url).predict_batch):
            text = say("batch.results.progress", done=count(done), all=count(answers.asked.height))
            bar.progress(done / answers.asked.height, text)
    except ApiError as error:
        bar.empty()
        if answers.done:
            st.info(say("batch.results.kept", done=count(answers.done)), icon=":material/save:")
        show_error(error)
        return False
    bar.empty()
    return True


@st.fragment
def _results(source: Source, work: Work) -> None:
    """The results by themselves: turning a page runs nothing else."""
    show_results(source, work.houses, work.answers.table(), work.report)
