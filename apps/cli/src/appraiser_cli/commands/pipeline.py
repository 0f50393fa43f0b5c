"""`appraiser pipeline run | step`."""

from typing import Annotated

import typer

from appraiser_cli.options import DataOption, HomeOption

pipeline = typer.Typer(help="Run the pipeline without Airflow.", no_args_is_help=True)


@pipeline.command()
def run(
    *,
    all_batches: Annotated[bool, typer.Option("--all", help="Take every batch that the source has.")] = False,
    batches: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Batches to take; one by default.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be promoted or rejected, and move nothing.")
    ] = False,
    again: Annotated[
        str | None,
        typer.Option(
            "--again",
            metavar="N|N-M",
            help="Take batches that have landed again, such as 2-5, from their bytes; none is fetched.",
            show_default=False,
        ),
    ] = None,
    retrain: Annotated[
        str | None,
        typer.Option(
            "--retrain",
            metavar="WHY",
            help="Train on the next batch whatever the rules say, for this reason, which is stored.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="NAME=VALUE",
            help="A threshold for this run, such as least_mae_gain=0.05.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    data: DataOption = None,
    home: HomeOption = None,
) -> None:
    """Take the next batch through all steps, in one process. Starts a feed for the time where none runs."""
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.settings import Settings

    settings = Settings()
    arguments = [
        "run",
        *(["--all"] if all_batches else []),
        *(["--batches", str(batches)] if batches else []),
        *(["--dry-run"] if dry_run else []),
        *(["--again", again] if again else []),
        *(["--retrain", retrain] if retrain else []),
        *(word for threshold in policy or () for word in ("--policy", threshold)),
        *(["--json"] if json else []),
    ]
    raise typer.Exit(run_pipeline(settings.state(home), settings, arguments, data))


@pipeline.command()
def step(
    name: Annotated[str, typer.Argument(help="Name of the step, such as validate.")],
    *,
    batch: Annotated[int | None, typer.Option(min=0, metavar="N", help="Batch number.", show_default=False)] = None,
    data: DataOption = None,
    home: HomeOption = None,
) -> None:
    """Run one step of the pipeline; any step may be run again."""
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.settings import Settings

    settings = Settings()
    arguments = ["step", name, *(["--batch", str(batch)] if batch is not None else [])]
    raise typer.Exit(run_pipeline(settings.state(home), settings, arguments, data))


@pipeline.command()
def tune(
    *,
    trials: Annotated[int, typer.Option(min=1, metavar="N", help="Models to train in all, earlier ones counted.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    home: HomeOption = None,
) -> None:
    """Search better parameters of the training, on all clean listings; may be cut off and run again."""
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.settings import Settings

    settings = Settings()
    arguments = ["tune", "--trials", str(trials), *(["--json"] if json else [])]
    raise typer.Exit(run_pipeline(settings.state(home), settings, arguments, None))


@pipeline.command()
def drift(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    home: HomeOption = None,
) -> None:
    """Tell how far the houses that people ask about have moved from those that the champion learned from."""
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.settings import Settings

    settings = Settings()
    raise typer.Exit(run_pipeline(settings.state(home), settings, ["drift", *(["--json"] if json else [])], None))
