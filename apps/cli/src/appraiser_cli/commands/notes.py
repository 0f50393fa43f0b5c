"""`appraiser notes`."""

from typing import Annotated

import typer


def notes(version: Annotated[str, typer.Argument(metavar="VERSION", help="Such as 1.2.0, or v1.2.0.")]) -> None:
    """Print the notes of a release: its part of CHANGELOG.md, and the images of production by digest."""
    from appraiser_cli.release import notes as of

    typer.echo(of(version))
