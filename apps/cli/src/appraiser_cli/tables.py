"""Tables for people and JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, on which side its cells stand, and whether they may be broken over lines."""

    heading: str
    justify: Literal["left", "right"] = "left"
    wrap: bool = False


def number(heading: str) -> Column:
    """A column of numbers."""
    return Column(heading, "right")


def console() -> Console:
    """The standard output; 80 columns wide where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 80, soft_wrap=False, highlight=False, emoji=False)


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], caption: str = "") -> None:
    """Print a table that stays readable at 80 columns."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for column in columns:
        table.add_column(
            column.heading,
            justify=column.justify,
            no_wrap=not column.wrap,
            overflow="fold",
            header_style="bold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out = console()
    out.print(table)
    if caption:
        out.print(Text(caption, style="dim"))


def print_json(value: object) -> None:
    """Print records, or what JSON knows, indented; money and instants as the records write them."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def count(value: int | None) -> str:
    """A count of rows with thousands separators; a dash where it is unknown."""
    return "-" if value is None else f"{value:,}"


def money(value: float | None) -> str:
    """US dollars without cents; a dash where they are unknown."""
    return "-" if value is None else f"{value:,.0f}"


def figure(value: float | None, digits: int = 3) -> str:
    """A measure; a dash where it is unknown."""
    return "-" if value is None else f"{value:,.{digits}f}"


def spans(numbers: Sequence[int]) -> str:
    """Batch numbers in short: 0-3, 5; a dash where there are none."""
    parts: list[list[int]] = []
    for one in sorted(numbers):
        if parts and one == parts[-1][-1] + 1:
            parts[-1].append(one)
        else:
            parts.append([one])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts) or "-"
