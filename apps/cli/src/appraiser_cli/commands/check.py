"""`appraiser check`."""

from dataclasses import asdict
from typing import Annotated

import typer

from appraiser_cli.options import JsonOption

check = typer.Typer(help="Check one thing: code, workflows, manifests, monitoring or services.", no_args_is_help=True)


@check.command()
def code() -> None:
    """Check style, types, import contracts and the exports in locks/: all that `test` does before the tests."""
    from appraiser_cli.checks import run_checks

    raise typer.Exit(run_checks(tests=False))


@check.command()
def workflows() -> None:
    """Hold the workflows against schemas, actionlint and zizmor, and see that each action is named by its commit."""
    from appraiser_cli.tables import Column, number, print_table
    from appraiser_cli.workflows import check_workflows

    told = check_workflows()
    failures = [failure for of_one in told.values() for failure in of_one]
    print_table(
        (Column("checker"), number("failures")),
        [(checker, str(len(of_one))) for checker, of_one in told.items()],
    )
    for failure in failures:
        typer.echo(f"\n{failure.file}: {failure.problem}\n    {failure.cure}.")
    raise typer.Exit(1 if failures else 0)


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
    print_table((Column("kind"), number("objects")), [(kind, str(count)) for kind, count in report.resources.items()])
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


@check.command()
def monitoring(
    *,
    write: Annotated[bool, typer.Option("--write", help="Only write Grafana's files, where they differ.")] = False,
    json: JsonOption = False,
) -> None:
    """Start what this machine has, let a real Prometheus ask it, and run every query of every dashboard.

    Takes some two minutes, and Debian's packages prometheus and prometheus-alertmanager; exit code 1 where a query
    that could have data has none.
    """
    from appraiser_cli.commands.bench import run_script
    from appraiser_cli.home import ROOT
    from appraiser_cli.monitoring.dashboards import write as write_dashboards

    if not write:
        run_script("monitoring", *(["--json"] if json else []))
    changed = [str(path.relative_to(ROOT)) for path in write_dashboards(ROOT)]
    typer.echo("\n".join(changed) or "Grafana's files are those of the code.")


@check.command()
def services() -> None:
    """Take six batches over PostgreSQL, S3 and an MLflow server, and hold the decisions against the embedded profile's.

    Then servers and the scheduler are killed, and all of it is destroyed and restored. Takes up to three quarters of
    an hour on two busy cores, and Debian's package postgresql.
    """
    import subprocess

    from appraiser_cli.home import ROOT

    line = [str(ROOT / ".venv" / "bin" / "pytest"), "-m", "services", "tests/services", "-p", "no:randomly", "-s"]
    line += ["--durations=15"]
    raise typer.Exit(subprocess.run(line, cwd=ROOT, check=False).returncode)
