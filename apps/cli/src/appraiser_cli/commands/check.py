"""`appraiser check`."""

from dataclasses import asdict
from typing import Annotated

import typer

from appraiser_cli.options import JsonOption

check = typer.Typer(help="Check what is deployed, without a cluster.", no_args_is_help=True)


@check.callback()
def _several() -> None:
    """More than one thing can be checked."""


@check.command()
def manifests(
    *,
    released: Annotated[
        bool, typer.Option("--released", help="Digests that nobody has looked up yet are failures.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Render every overlay below gitops/ and hold it against schemas and policies. Exit code 1 where one fails."""
    from appraiser_cli.home import ROOT
    from appraiser_cli.manifests.check import check_manifests
    from appraiser_cli.tables import Column, number, print_json, print_table

    report = check_manifests(ROOT, released=released)
    if json:
        print_json(asdict(report))
        raise typer.Exit(1 if report.failures else 0)
    total = sum(report.resources.values())
    print_table(
        (Column("kind"), number("objects")), [(kind, str(count)) for kind, count in report.resources.items()]
    )
    print_table(
        (Column("policy"), number("failures")),
        [(policy, str(count)) for policy, count in report.policies.items()],
        f"{report.files} files, {report.folders} folders rendered, {total} objects, {len(report.policies)} policies, "
        f"{len(report.failures)} failures.",
    )
    for failure in report.failures:
        typer.echo(f"\n{failure.file}: {failure.problem}\n    {failure.cure}.")
    for overlay, images in report.unknown_digests.items():
        if images and not released:
            typer.echo(f"{len(images)} images of {overlay} have no digest yet; gitops/bootstrap/up refuses them.")
    raise typer.Exit(1 if report.failures else 0)
