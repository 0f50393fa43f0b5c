"""`appraiser up`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import DataOption, HomeOption
from appraiser_cli.services.profile import Profile


def up(
    *,
    data: DataOption = None,
    batches: Annotated[
        int, typer.Option(min=0, metavar="N", help="New batches to take before waiting.", show_default=True)
    ] = 2,
    once: Annotated[bool, typer.Option("--once", help="Take all batches, then end everything.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Move the old state to archive/ and start anew.")] = False,
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=PORT", help="Port of feed, mlflow, airflow, api or ui; 0 takes any."),
    ] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="embedded: files alone. services: PostgreSQL, S3, and two workers of the API; by default what the "
            "state was made with.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Start the whole system on this machine and take the first batches of listings.

    Listings come from a built-in simulator, or from --data FILE. Ctrl-C ends everything that was started.
    """
    from appraiser_cli.home import Home
    from appraiser_cli.services.addresses import parse_ports
    from appraiser_cli.settings import Settings
    from appraiser_cli.up import Wish, run

    settings = Settings()
    state: Home = settings.state(home)
    file: Path | None = data
    wish = Wish(
        data=file,
        batches=None if once else batches,
        once=once,
        fresh=fresh,
        ports=parse_ports(port or []),
        profile=profile,
    )
    raise typer.Exit(run(state, settings, wish))
