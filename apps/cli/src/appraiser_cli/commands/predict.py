"""`appraiser predict`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import HomeOption


def predict(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON file with listings.", show_default=False)],
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="CSV or Parquet file to write.", show_default=False)
    ],
    version: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Model version; the champion by default.", show_default=False)
    ] = None,
    home: HomeOption = None,
) -> None:
    """Appraise every listing of a file: its columns, then price_usd, lower_usd, upper_usd and problem.

    A row that is no listing has no price, and its problem says why. Columns that are absent count as unknown.
    """
    from appraiser_cli.predict import appraise_file
    from appraiser_cli.settings import Settings

    settings = Settings()
    typer.echo(appraise_file(settings.state(home), settings, file, out, version))
