"""`appraiser decisions`."""

from appraiser_cli.options import HomeOption, JsonOption


def decisions(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List what was decided about each batch, and why."""
    from appraiser_cli.settings import Settings
    from appraiser_cli.state import open_ledger
    from appraiser_cli.tables import Column, number, print_json, print_table

    settings = Settings()
    with open_ledger(settings.state(home), settings) as ledger:
        found = ledger.decisions()
    if json:
        print_json(found)
        return
    columns = (number("batch"), Column("about"), Column("decision"), number("model"), Column("why", wrap=True))
    rows = [
        (
            str(decision.batch_number),
            decision.kind.value,
            decision.outcome.value,
            "-" if decision.model_version is None else str(decision.model_version),
            decision.summary,
        )
        for decision in found
    ]
    print_table(columns, rows, "Every rule with its figures: --json.")
