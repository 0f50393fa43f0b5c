"""`appraiser status`."""

import typer

from appraiser_cli.options import HomeOption, JsonOption


def status(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show which services run, where, and whether they answer."""
    from appraiser_cli.settings import Settings
    from appraiser_cli.status import services
    from appraiser_cli.tables import Column, number, print_json, print_table

    state = Settings().state(home)
    found = services(state)
    if json:
        print_json({"home": str(state.folder), "services": [service.as_dict() for service in found]})
        return
    if not found:
        typer.echo(f"Nothing runs with its state in {state.folder}; start it with './appraiser up'.")
        return
    columns = (Column("service"), Column("state"), number("pid"), number("MB"), Column("since"), Column("address"))
    rows = [
        (s.name, s.state, str(s.pid), f"{s.memory_mb:,.0f}" if s.memory_mb else "-", s.since, s.url or "-")
        for s in found
    ]
    print_table(columns, rows, f"State folder: {state.folder}")
