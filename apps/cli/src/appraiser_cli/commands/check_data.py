"""`appraiser check-data`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from appraiser_cli.options import JsonOption

if TYPE_CHECKING:
    from appraiser_cli.check_data import Examined, Example

_SHOWN: Final = 40
"""Characters of a value that are shown; the JSON has more."""

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def check_data(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON file.", show_default=False)],
    *,
    json: JsonOption = False,
) -> None:
    """Tell which rows of a file 'up --data' would train on, which not, and why.

    Exit code 0 when a row is usable, 1 when none is or the file cannot be read, 2 for wrong usage.
    """
    from appraiser_cli.check_data import examine
    from appraiser_cli.tables import print_json

    result = examine(file)
    if json:
        print_json(result.as_dict())
    else:
        _report(file, result)
    raise typer.Exit(0 if result.usable else 1)


def _report(file: Path, result: "Examined") -> None:
    from appraiser_cli.tables import Column, console, count, number, print_table

    out = console()
    divided = f", divided by {_DELIMITERS[result.delimiter]}" if result.delimiter else ""
    out.print(f"{file.name}: {result.format}{divided}, {count(result.rows)} rows", markup=False)
    for line in _outcomes(result):
        out.print(line, markup=False)
    if result.faults:
        out.print(
            "\nBroken rules, in all rows, those that the feed leaves out included.\n"
            "Rows are counted from 1, without the header and blank lines; a row can break several rules.",
            markup=False,
        )
        columns = (Column("column"), Column("must be", wrap=True), number("rows"), Column("for example", wrap=True))
        rows = [(f.column, f.rule, count(f.rows), "\n".join(map(_shown, f.examples))) for f in result.faults]
        print_table(columns, rows)


def _outcomes(result: "Examined") -> list[str]:
    from appraiser_cli.tables import count

    repeats = f", {count(result.repeated)} of them repeat an earlier row and count once" if result.repeated else ""
    lines = [f"{count(result.usable):>12} usable{repeats}"]
    if result.refused:
        lines.append(f"{count(result.refused):>12} refused by the pipeline: they break a rule below")
    if result.incomplete:
        lines.append(f"{count(result.incomplete):>12} left out by the feed: a value is missing or cannot be read")
    if result.unplanned:
        lines.append(
            f"{count(result.unplanned):>12} left out by the feed: in no batch of its plan (up to 300,000 dollars,\n"
            f"{'':>12} outside Massachusetts, neither for sale nor sold)"
        )
    if result.cut:
        lines.append("The file ends in the middle of a row, so others may be missing: bring it here again.")
    if result.missing:
        gaps = ", ".join(f"{column} in {count(rows)}" for column, rows in result.missing.items())
        lines.append(f"Without a value: {gaps}.")
    if result.ignored:
        lines.append(f"Columns that are not looked at: {', '.join(result.ignored)}.")
    return lines


def _shown(example: "Example") -> str:
    value = "nothing" if example.value is None else example.value
    return f"row {example.row}: {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'}"
