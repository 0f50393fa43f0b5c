"""`appraiser secrets`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.cluster_secrets.making import Group
from appraiser_cli.options import JsonOption
from appraiser_schema import Scope

secrets = typer.Typer(
    help="The Secrets of a cluster: made once, kept encrypted, never in git as plain text.", no_args_is_help=True
)

OverlayOption = Annotated[str, typer.Option("--overlay", help="Whose secrets: dev or prod.")]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", envvar="SOPS_AGE_KEY_FILE", help="File of the age key.", show_default="var/secrets/age.txt"),
]


@secrets.command()
def create(
    *,
    overlay: OverlayOption = "dev",
    key: KeyOption = None,
    recipient: Annotated[
        list[str] | None, typer.Option("--recipient", help="Another public age key that may open the file.")
    ] = None,
    webhook_url: Annotated[str | None, typer.Option("--webhook-url", help="Where Alertmanager sends alerts.")] = None,
) -> None:
    """Draw every secret and write the encrypted file; the age key is made where there is none."""
    from appraiser_cli.cluster_secrets.making import make
    from appraiser_cli.errors import UsageError

    file, key = _file(overlay), _key(key)
    if file.exists():
        raise UsageError(f"{file} is there already. './appraiser secrets rotate' draws its secrets again.")
    from appraiser_cli.cluster_secrets.keeping import make_identity, write

    public = make_identity(key)
    write(file, make(webhook_url=webhook_url), [public, *(recipient or ())])
    typer.echo(f"{file} is written; commit it. Only {key} opens it: keep a copy of that elsewhere, never in git.")


@secrets.command()
def rotate(
    groups: Annotated[
        list[Group] | None, typer.Argument(help="What is drawn again; everything where none is named.")
    ] = None,
    *,
    overlay: OverlayOption = "dev",
    key: KeyOption = None,
    webhook_url: Annotated[str | None, typer.Option("--webhook-url", help="Where Alertmanager sends alerts.")] = None,
) -> None:
    """Draw secrets again, for the same holders of keys."""
    import yaml

    from appraiser_cli.cluster_secrets.keeping import as_values, read, recipients_of, write
    from appraiser_cli.cluster_secrets.making import make

    file, key = _file(overlay), _key(key)
    before = as_values(yaml.safe_load(read(file, key)))
    write(file, make(before, frozenset(groups or Group), webhook_url), recipients_of(file))
    typer.echo(f"{file} is written anew; commit it, then './appraiser secrets apply --overlay {overlay} --restart'.")


@secrets.command()
def key(
    name: Annotated[str, typer.Argument(help="Whose it is; stands in the API's log.")],
    *,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; several times where needed.")],
    overlay: OverlayOption = "dev",
    key: KeyOption = None,
) -> None:
    """Add an API key for somebody, and print it once."""
    import yaml

    from appraiser_cli.cluster_secrets.keeping import as_values, read, recipients_of, write
    from appraiser_cli.cluster_secrets.making import with_key

    file = _file(overlay)
    values, made = with_key(as_values(yaml.safe_load(read(file, _key(key)))), name, tuple(scope))
    write(file, values, recipients_of(file))
    typer.echo(made)
    typer.echo(f"It holds once './appraiser secrets apply --overlay {overlay}' was called; commit {file}.", err=True)


@secrets.command()
def apply(
    *,
    overlay: OverlayOption = "dev",
    key: KeyOption = None,
    restart: Annotated[bool, typer.Option("--restart", help="Let their readers begin anew.")] = False,
) -> None:
    """Bring the secrets into the cluster that kubectl is set to."""
    from appraiser_cli.cluster_secrets import applying
    from appraiser_cli.cluster_secrets.declared import DECLARED
    from appraiser_cli.cluster_secrets.keeping import read

    applying.apply(read(_file(overlay), _key(key)))
    typer.echo(f"{len(DECLARED)} Secrets are in the cluster.")
    if restart:
        typer.echo("\n".join(["told to begin anew:", *applying.restart()]))


@secrets.command("list")
def list_(*, json: JsonOption = False) -> None:
    """Which Secrets the manifests may name, and their keys; no values."""
    from appraiser_cli.cluster_secrets.declared import DECLARED
    from appraiser_cli.tables import Column, print_json, print_table

    if json:
        print_json([{"namespace": one.namespace, "name": one.name, "keys": list(one.keys)} for one in DECLARED])
        return
    print_table(
        (Column("namespace"), Column("name"), Column("keys", wrap=True)),
        [(one.namespace, one.name, ", ".join(one.keys)) for one in DECLARED],
    )


def _file(overlay: str) -> Path:
    from appraiser_cli.errors import UsageError
    from appraiser_cli.home import ROOT

    if overlay not in {"dev", "prod"}:
        raise UsageError(f"there is no overlay {overlay!r}; name dev or prod.")
    return ROOT / "gitops" / "secrets" / f"{overlay}.sops.yaml"


def _key(given: Path | None) -> Path:
    from appraiser_cli.home import ROOT

    return given or ROOT / "var" / "secrets" / "age.txt"
