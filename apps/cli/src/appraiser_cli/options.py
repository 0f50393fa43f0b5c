"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="State folder; by default var/ in the repository.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FILE",
        envvar="APPRAISER_FEED_DATA",
        show_envvar=True,
        help="CSV, Parquet or JSON file with listings to serve instead of the simulator.",
        show_default=False,
    ),
]
