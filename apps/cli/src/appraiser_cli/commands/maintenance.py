"""`appraiser maintenance clean`."""

from typing import Annotated

import typer

from appraiser_cli.options import HomeOption

maintenance = typer.Typer(help="Clean up by the written retention policy.", no_args_is_help=True)


@maintenance.command()
def clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="NAME=VALUE",
            help="A rule for this time, such as snapshot_days=7 or prediction_days=365.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    home: HomeOption = None,
) -> None:
    """Expire snapshots that nothing names, forget old appraisals where that is set, and empty MLflow's trash."""
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.services.environment import tracking_file
    from appraiser_cli.settings import Settings

    settings = Settings()
    state = settings.state(home)
    arguments = [
        "clean",
        *(["--dry-run"] if dry_run else []),
        *(word for rule in policy or () for word in ("--policy", rule)),
        *(["--json"] if json else []),
    ]
    # A server does not empty its trash by itself; its database is here where `up` has made it.
    own = {"APPRAISER_MLFLOW_STORE_URI": tracking_file(state)} if state.mlflow_database.exists() else {}
    raise typer.Exit(run_pipeline(state, settings, arguments, None, own))
