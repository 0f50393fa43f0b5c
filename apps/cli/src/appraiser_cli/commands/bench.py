"""`appraiser bench quality`."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import JsonOption

bench = typer.Typer(help="Measure it beside its rivals, in one run.", no_args_is_help=True)


@bench.command()
def quality(
    *,
    json: JsonOption = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet file; the sample data by default.", show_default=False),
    ] = None,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Also leave out one group of features at a time.")
    ] = False,
) -> None:
    """Compare valuations by the original's recipe and by ours, on the same listings.

    Takes a minute, and some minutes with --ablation.
    """
    from appraiser_cli.home import ROOT

    command = [
        sys.executable,
        str(ROOT / "bench" / "quality.py"),
        *(["--json"] if json else []),
        *(["--data", str(data)] if data else []),
        *(["--ablation"] if ablation else []),
    ]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
