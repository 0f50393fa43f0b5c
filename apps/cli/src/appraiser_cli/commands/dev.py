"""`appraiser dev`."""

from enum import StrEnum
from typing import Annotated

import typer

from appraiser_cli.options import DataOption, HomeOption


class App(StrEnum):
    """The apps that have a development server."""

    API = "api"
    UI = "ui"
    FEED = "feed"
    AIRFLOW = "airflow"


def dev(
    app: Annotated[App, typer.Argument(help="Which app.", show_default=False)],
    *,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, metavar="PORT", help="Where to listen.", show_default=False)
    ] = None,
    data: DataOption = None,
    home: HomeOption = None,
) -> None:
    """Run one app's development server, which starts anew when its code changes, against whatever else runs."""
    from appraiser_cli.dev import develop
    from appraiser_cli.settings import Settings

    settings = Settings()
    raise typer.Exit(develop(settings.state(home), settings, app.value, port, data))
