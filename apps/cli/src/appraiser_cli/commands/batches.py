"""`appraiser batches`."""

from appraiser_cli.options import HomeOption, JsonOption


def batches(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List the batches that came in, and what became of their rows."""
    from appraiser_cli.settings import Settings
    from appraiser_cli.state import open_ledger
    from appraiser_cli.tables import Column, count, number, print_json, print_table

    settings = Settings()
    with open_ledger(settings.state(home), settings) as ledger:
        found = ledger.batches()
    if json:
        print_json(found)
        return
    columns = (
        *(number("batch"), Column("status"), number("received"), number("refused"), number("repeats")),
        *(number("train"), number("valid."), number("test")),
    )
    rows = [
        (
            str(batch.batch_number),
            batch.status.value,
            *(count(rows) for rows in (batch.rows_received, batch.rows_quarantined, batch.rows_duplicate)),
            *(count(rows) for rows in (batch.rows_train, batch.rows_validation, batch.rows_test)),
        )
        for batch in found
    ]
    sources = sorted({f"{batch.source} (simulated)" if batch.simulated else batch.source for batch in found})
    if found:
        sources.append(f"received {found[0].received_at:%Y-%m-%d %H:%M} to {found[-1].received_at:%Y-%m-%d %H:%M} UTC")
    stops = [f"Batch {batch.batch_number} stopped: {batch.stop_reason}" for batch in found if batch.stop_reason]
    print_table(columns, rows, "\n".join([f"Rows of {', '.join(sources) or 'no source yet'}.", *stops]))
