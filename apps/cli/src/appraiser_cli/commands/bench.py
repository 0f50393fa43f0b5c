"""`appraiser bench ...`: each command starts the script of its name in bench/."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from appraiser_cli.options import HomeOption, JsonOption

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
    original: Annotated[
        bool, typer.Option("--original", help="Also on the original's own split, with four features only.")
    ] = False,
) -> None:
    """Compare valuations by the original's recipe and by ours, on the same listings.

    Takes a minute, and some minutes with --ablation or --original.
    """
    run_script(
        "quality",
        *(["--json"] if json else []),
        *(["--data", str(data)] if data else []),
        *(["--ablation"] if ablation else []),
        *(["--original"] if original else []),
    )


@bench.command()
def batch(
    *,
    json: JsonOption = False,
    rows: Annotated[str, typer.Option(help="Sizes of the tables, with commas between.")] = "1000,100000,1000000",
) -> None:
    """Appraise tables of every kind over HTTP, beside the model alone; and single houses meanwhile.

    Takes some minutes.
    """
    run_script("batch", *(["--json"] if json else []), "--rows", rows)


@bench.command()
def load(
    *,
    json: JsonOption = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long they ask. [s]")] = 300.0,
    users: Annotated[int, typer.Option(min=1, help="People at once.")] = 20,
    home: HomeOption = None,
) -> None:
    """Let twenty people ask at once, and compare what they were told with what is on record.

    Asks an API of its own with two workers, or with --home DIR the running system of that state folder. Exit code 1
    where a request failed, or an answer is not on record.
    """
    run_script(
        "people",
        *(["--json"] if json else []),
        *("--seconds", str(seconds), "--users", str(users)),
        *(["--home", str(home)] if home else []),
    )


@bench.command()
def durability(
    *,
    json: JsonOption = False,
    kills: Annotated[int, typer.Option(min=0, help="How often the API is killed, with each number of workers.")] = 20,
    outage_seconds: Annotated[float, typer.Option(min=0, help="How long the ledger is away; 0 leaves it. [s]")] = 10.0,
) -> None:
    """Kill the API under load, take its ledger away, and compare what was answered with what is on record.

    Takes some minutes; exit code 1 where an answer is not on record as it was given.
    """
    arguments = ["--kills", str(kills), "--outage-seconds", str(outage_seconds)]
    run_script("durability", *(["--json"] if json else []), *arguments)


@bench.command()
def ingest(
    *,
    json: JsonOption = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet file; the sample data by default.", show_default=False),
    ] = None,
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of a batch.")] = 300_000,
    batches: Annotated[int, typer.Option(min=0, help="Batches that follow each other; 0 leaves this out.")] = 20,
    turns: Annotated[int, typer.Option(min=1, help="How often each way is measured.")] = 5,
) -> None:
    """Take in a batch by the original's scripts and by our steps, from the same bytes; then many, one after another.

    Takes three minutes.
    """
    run_script(
        "ingest",
        *(["--json"] if json else []),
        *(["--data", str(data)] if data else []),
        *("--rows", str(rows), "--batches", str(batches), "--turns", str(turns)),
    )


@bench.command()
def serving(
    *,
    json: JsonOption = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each of them answers, in turn.")] = 9,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of each round.")] = 1.0,
    servers: Annotated[
        str | None, typer.Option(help="Which ones, with commas between; all by default.", show_default=False)
    ] = None,
) -> None:
    """Ask for single houses: ours beside FastAPI without a model, the original, MLflow, BentoML and MLServer.

    Takes some minutes; the first time it installs BentoML and MLServer into the state folder.
    """
    run_script(
        "serving",
        *(["--json"] if json else []),
        *("--rounds", str(rounds), "--seconds", str(seconds)),
        *(["--servers", servers] if servers else []),
    )


@bench.command()
def training(
    *,
    json: JsonOption = False,
    rows: Annotated[int, typer.Option(min=10_000, help="Listings to learn from: the sample, with jitter.")] = 2_200_000,
    rounds: Annotated[int, typer.Option(min=1, help="Trees, as many in every way.")] = 100,
) -> None:
    """Train from the lake, beside XGBoost alone and the pandas way: seconds and peak memory.

    Takes some minutes.
    """
    run_script("training", *(["--json"] if json else []), "--rows", str(rows), "--rounds", str(rounds))


@bench.command()
def swap(
    *,
    json: JsonOption = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long the load lasts. [s]")] = 60.0,
    mlflow: Annotated[bool, typer.Option(help="A server before the registry, stopped and started.")] = True,
) -> None:
    """Change the champion ten times under load, with one worker and with two, and count the requests that it costs.

    Takes some minutes; exit code 1 where a request was lost.
    """
    run_script(
        "swap",
        *(["--json"] if json else []),
        *("--seconds", str(seconds)),
        *([] if mlflow else ["--no-mlflow"]),
    )


@bench.command()
def page(
    *,
    json: JsonOption = False,
    visits: Annotated[int, typer.Option(min=1, help="First visits, each with a browser that was never here.")] = 10,
) -> None:
    """Visit the page in a headless Chromium: seconds to a usable form, and from Appraise to the answer.

    Takes a minute.
    """
    run_script("page", *(["--json"] if json else []), "--visits", str(visits))


@bench.command()
def fuzz(
    *,
    json: JsonOption = False,
    cases: Annotated[int, typer.Option(min=1, help="How many requests at least.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the requests.")] = 1,
) -> None:
    """Attack the API by its own OpenAPI document: no fault of the service, no answer that it does not describe.

    Takes some minutes; exit code 1 where something was found.
    """
    run_script("fuzz", *(["--json"] if json else []), "--cases", str(cases), "--seed", str(seed))


def run_script(name: str, *arguments: str) -> NoReturn:
    """Run a script of bench/, and end with its exit code."""
    from appraiser_cli.home import ROOT

    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *arguments]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
