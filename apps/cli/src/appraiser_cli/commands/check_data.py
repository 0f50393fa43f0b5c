"""`appraiser check-data`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import JsonOption


def check_data(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file.", show_default=False)],
    *,
    json: JsonOption = False,
) -> None:
    """Tell which rows of a file 'up --data' would train on, which not, and why. Exit code 1 when no row is usable."""
    from appraiser_cli.check_data import examine
    from appraiser_cli.tables import Column, count, number, print_json, print_table

    result = examine(file)
    if json:
        print_json(result.as_dict())
    else:
        columns = (Column("column"), Column("rule", wrap=True), number("rows"), Column("for example", wrap=True))
        rows = [(f.column, f.rule, count(f.rows), f"row {f.row}: {f.value}") for f in result.faults]
        first = (
            f"{count(result.rows)} rows: {count(result.usable)} usable, {count(result.refused)} refused, "
            f"{count(result.repeated)} of the usable ones repeat an earlier row."
        )
        summary = [first]
        if result.incomplete:
            gaps = ", ".join(f"{column} in {count(rows)}" for column, rows in result.missing.items())
            missing = f"; missing: {gaps}" if gaps else ""
            summary.append(f"{count(result.incomplete)} left out by the feed (incomplete{missing}).")
        if result.unplanned:
            summary.append(
                f"{count(result.unplanned)} left out by the feed (in no batch of its plan: up to 300,000 dollars, "
                "outside Massachusetts, neither for sale nor sold)."
            )
        print_table(columns, rows, "\n".join(summary))
    raise typer.Exit(0 if result.usable else 1)
