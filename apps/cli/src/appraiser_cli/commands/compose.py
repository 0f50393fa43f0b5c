"""`appraiser compose`."""

from typing import Annotated

import typer

compose = typer.Typer(
    help="The system in containers: its secrets, and whether compose.yaml is in order.", no_args_is_help=True
)


@compose.command()
def secrets(
    *,
    alerts_to: Annotated[
        str | None,
        typer.Option("--alerts-to", metavar="URL", help="Address that alerts are posted to.", show_default=False),
    ] = None,
) -> None:
    """Make every secret that compose.yaml asks for and that is not there yet, in .env and var/compose."""
    from appraiser_cli.compose import NOWHERE, Places, make_secrets

    places = Places()
    made = make_secrets(places, alerts_to)
    typer.echo(f"made {', '.join(made)}" if made else "every secret is there")
    typer.echo(f"in {places.variables} and {places.files}; keep them, and never commit them")
    if (places.files / "alertmanager" / "webhook-url").read_text(encoding="utf-8") == NOWHERE:
        typer.echo("alerts reach nobody yet: give their address with --alerts-to URL", err=True)


@compose.command()
def check() -> None:
    """Tell whether the secrets are there and good, and whether Compose accepts the file."""
    from appraiser_cli.compose import Places, check

    check(Places())
    typer.echo("the secrets are there, and Compose accepts compose.yaml")
