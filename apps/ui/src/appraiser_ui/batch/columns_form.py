"""The part of the page that says which column is what, with guesses that can be corrected."""

from collections.abc import Iterator
from itertools import batched
from typing import Final

import streamlit as st

from appraiser_schema import STATES, Status
from appraiser_ui.appraise.fields import word
from appraiser_ui.batch.columns import FROM_ZIP, HALF_BATH, LATITUDE, LONGITUDE, PRICE, UNITS, Mapping, Unit
from appraiser_ui.batch.reading import Source
from appraiser_ui.broken_rules import column_title
from appraiser_ui.figures import decimal, plain
from appraiser_ui.words import say

SHOWN: Final = (
    *("state", "city", "zip_code", "house_size", "acre_lot", "bed", "bath", HALF_BATH),
    *("status", "prev_sold_date", PRICE, LATITUDE, LONGITUDE),
)
"""In the order in which they are asked for."""

A_ROW: Final = 3


def target_title(target: str) -> str:
    """What a target is called."""
    return say(f"batch.targets.{target}") if target in {HALF_BATH, PRICE, LATITUDE, LONGITUDE} else column_title(target)


def ask_for_columns(source: Source, guessed: Mapping, mark: str) -> Mapping:
    """Draw the form and give what it says.

    Args:
        source: The table.
        guessed: What the form begins with.
        mark: Tells the form of one file from that of another.
    """
    columns: dict[str, str] = {}
    units: dict[str, Unit] = {}
    constants: dict[str, str] = {}
    for row in batched(SHOWN, A_ROW):
        for place, target in zip(st.columns(A_ROW, gap="medium"), row, strict=False):
            with place:
                column = _ask_for_column(source, guessed, target, mark)
                if column is not None:
                    columns[target] = column
                    units |= _ask_for_unit(guessed, target, f"{mark}-{column}")
                else:
                    constants |= dict(_ask_for_constant(target, mark, has_zip="zip_code" in guessed.columns))
    return Mapping(columns, units, constants)


def _ask_for_column(source: Source, guessed: Mapping, target: str, mark: str) -> str | None:
    options = [None, *source.columns]
    return st.selectbox(
        target_title(target),
        options,
        index=options.index(guessed.columns.get(target)),
        format_func=lambda name: say("batch.columns.none") if name is None else name,
        help=say(f"batch.columns.help.{target}"),
        key=f"column-{target}-{mark}",
    )


def _ask_for_unit(guessed: Mapping, target: str, mark: str) -> dict[str, Unit]:
    if target not in UNITS:
        return {}
    options = UNITS[target]
    unit = st.selectbox(
        say("batch.columns.unit", what=target_title(target)),
        options,
        index=options.index(guessed.units.get(target, options[0])),
        format_func=lambda option: say(f"batch.units.{option}"),
        key=f"unit-{target}-{mark}",
    )
    return {target: unit}


def _ask_for_constant(target: str, mark: str, *, has_zip: bool) -> Iterator[tuple[str, str]]:
    label = say("batch.columns.all_rows", what=target_title(target))
    key = f"constant-{target}-{mark}"
    value: str | None = None
    if target == "state":
        options = [*([FROM_ZIP] if has_zip else []), *STATES]
        value = st.selectbox(
            label,
            options,
            index=0 if has_zip else None,
            format_func=lambda option: say("batch.columns.from_zip") if option == FROM_ZIP else option,
            placeholder=say("batch.columns.choose"),
            key=key,
        )
    elif target == "city":
        value = st.text_input(label, key=key, placeholder=say("frame.unknown"))
    elif target == "status":
        value = st.selectbox(label, [str(status) for status in Status], format_func=word, key=key)
    if value:
        yield target, value


def show_conversions(examples: dict[str, tuple[str, str]], mapping: Mapping) -> None:
    """Say what is written otherwise than it came, with one cell of each."""
    if not examples:
        return
    lines = [_conversion(target, pair, mapping) for target, pair in examples.items()]
    st.markdown(f"**{say('batch.columns.conversions')}**\n" + "\n".join(f"- {line}" for line in lines))


def _conversion(target: str, pair: tuple[str, str], mapping: Mapping) -> str:
    before, after = pair
    if target in UNITS:
        after = decimal(float(after))
        units = mapping.units[target], UNITS[target][0]
        before, after = (
            f"{value} {say(f'batch.units.{unit}')}" for value, unit in zip((before, after), units, strict=True)
        )
    field = plain(target_title(target))
    return say("batch.columns.conversion", field=field, before=plain(before), after=plain(after))
