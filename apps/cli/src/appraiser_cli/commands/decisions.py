"""`appraiser decisions`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from appraiser_cli.options import HomeOption, JsonOption
from appraiser_schema import Decision


def decisions(
    *,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="NAME=VALUE",
            help="Tell instead which versions another threshold would have promoted, such as least_mae_gain=0.05.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what was decided about each batch, and why."""
    from appraiser_cli.settings import Settings
    from appraiser_cli.state import open_ledger
    from appraiser_cli.tables import print_json

    settings = Settings()
    state = settings.state(home)
    with open_ledger(state, settings) as ledger:
        found = ledger.decisions()
    if not what_if:
        print_json(found) if json else _print(found, "Every rule with its figures: --json.")
        return
    from appraiser_cli.pipeline import told_anew

    told = told_anew(state, settings, what_if)
    made = {(decision.batch_number, decision.kind): decision.outcome.value for decision in found}
    if json:
        print_json(told)
        return
    _print(
        told,
        "Each on its own, against the champion of its time. Nothing was changed.",
        {decision.batch_number: made.get((decision.batch_number, decision.kind), "-") for decision in told},
    )


def _print(found: Sequence[Decision], caption: str, made: dict[int, str] | None = None) -> None:
    """A line per decision; `made` is what was decided really, where these were told anew."""
    from appraiser_cli.tables import Column, number, print_table

    columns = (
        number("batch"),
        *([Column("decided")] if made else [Column("about")]),
        Column("would be" if made else "decision"),
        number("model"),
        Column("why", wrap=True),
    )
    rows = [
        (
            str(decision.batch_number),
            made[decision.batch_number] if made else decision.kind.value,
            decision.outcome.value + (" (dry run)" if decision.dry_run and not made else ""),
            "-" if decision.model_version is None else str(decision.model_version),
            decision.summary,
        )
        for decision in found
    ]
    print_table(columns, rows, caption)
