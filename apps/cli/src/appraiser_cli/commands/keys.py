"""`appraiser keys`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import HomeOption, JsonOption
from appraiser_schema import Scope

keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

_FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        envvar="APPRAISER_API_KEYS",
        show_envvar=True,
        help="File of the keys; by default api/keys.json in the state folder.",
        show_default=False,
    ),
]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is; stands in the log.")],
    *,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; give it several times.")],
    file: _FileOption = None,
    home: HomeOption = None,
) -> None:
    """Make a key and print it, this once: the file keeps its hash."""
    from appraiser_cli.keys import create_key

    path = _path(file, home)
    made = create_key(path, name, scope)
    typer.echo(made)
    typer.echo(f"It is not shown again. The API asks for keys where APPRAISER_API_KEYS={path}", err=True)


@keys.command("list")
def list_(*, file: _FileOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """List the keys: whose they are and what they may do."""
    from appraiser_cli.keys import read_keys
    from appraiser_cli.tables import Column, print_json, print_table

    found = read_keys(_path(file, home))
    if json:
        print_json([key.model_dump(mode="json", exclude={"sha256"}) for key in found])
        return
    rows = [(key.name, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d %H:%M}") for key in found]
    print_table((Column("key"), Column("scopes"), Column("made (UTC)")), rows)


@keys.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name of the key.")],
    *,
    file: _FileOption = None,
    home: HomeOption = None,
) -> None:
    """Revoke a key: a running API refuses it within two seconds."""
    from appraiser_cli.keys import revoke_key

    revoke_key(_path(file, home), name)
    typer.echo(f"revoked {name}")


def _path(file: Path | None, home: Path | None) -> Path:
    from appraiser_cli.settings import Settings

    if file is not None:
        return file.expanduser().absolute()
    return Settings().state(home).keys
