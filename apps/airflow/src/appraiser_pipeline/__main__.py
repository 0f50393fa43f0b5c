"""The pipeline on its own, without Airflow: `python -m appraiser_pipeline run`, `step` and more."""

import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from appraiser_pipeline.changed_policy import THRESHOLDS, changed, read_thresholds
from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import OrderError, PolicyError, StoppedBatchError
from appraiser_pipeline.log import set_up_logs
from appraiser_pipeline.run import Step, StepRun, call, run_again, run_batch
from appraiser_pipeline.settings import Settings
from appraiser_pipeline.steps.decide_promotion import judge

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

PolicyOption = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="NAME=VALUE", help="A threshold for this run, such as least_mae_gain=0.05."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write a JSON object a line, for programs.")]


@app.command()
def run(
    *,
    all_batches: Annotated[bool, typer.Option("--all", help="Go on until the source has no further batch.")] = False,
    batches: Annotated[int, typer.Option(min=1, help="How many batches at most.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be promoted or rejected, and move nothing.")
    ] = False,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="N|N-M", help="Take batches that have landed again, such as 2-5, from their bytes; none is fetched."
        ),
    ] = None,
    retrain: Annotated[
        str | None, typer.Option(metavar="WHY", help="Train on the next batch whatever the rules say, for this reason.")
    ] = None,
    policy: PolicyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the next batches through every step that they need."""
    numbers = None if again is None else _read_numbers(again)
    with closing(_open(policy or (), dry_run=dry_run, retrain=retrain or "")) as context:
        if numbers is not None:
            for number in numbers:
                _run_one(run_again(context, number), as_json=as_json)
            return
        done = 0
        while (all_batches or done < batches) and _run_one(run_batch(context), as_json=as_json) is not None:
            done += 1


def _read_numbers(text: str) -> range:
    """Numbers of batches as the command line names them, such as '3' or '2-5'."""
    first, sign, last = text.partition("-")
    if not first.isdecimal() or (sign and not last.isdecimal()) or (sign and int(last) < int(first)):
        raise typer.BadParameter(
            f"{text!r} is neither a number, such as 3, nor a range, such as 2-5.", param_hint="--again"
        )
    return range(int(first), int(last or first) + 1)


def _run_one(steps: Iterator[StepRun], *, as_json: bool) -> int | None:
    """Run one batch; its number, or None where there was none. A stopped batch does not hold up the next."""
    number = None
    try:
        for done in steps:
            _print_step(done, as_json=as_json)
            number = done.batch_number
    except StoppedBatchError as error:
        typer.echo(json.dumps({"stopped": error.batch_number, "reason": error.reason}) if as_json else str(error))
        return error.batch_number
    return number


@app.command()
def step(
    name: Annotated[Step, typer.Argument(help="Which step.")],
    *,
    batch: Annotated[int | None, typer.Option(min=0, help="Number of the batch; the last one where absent.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one step of one batch. Run again it changes nothing."""
    with closing(_open()) as context:
        if batch is None and name is not Step.FETCH_BATCH:
            last = context.ledger.last_batch()
            if last is None:
                raise typer.BadParameter("there is no batch yet; run the step fetch_batch first.", param_hint="--batch")
            batch = last.batch_number
        start = time.perf_counter()
        result = call(name, context, batch)
        seconds = time.perf_counter() - start
    if as_json:
        typer.echo(json.dumps({"step": name.value, "seconds": seconds, "result": _plain(result)}))
    else:
        typer.echo(_plain(result))


@app.command()
def tune(
    *,
    trials: Annotated[int, typer.Option(min=1, help="Models to train in all, earlier ones counted.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Search parameters of the training on all clean listings; may be cut off and run again.

    With APPRAISER_TUNING_TRIALS the training of a batch searches by itself, and goes on with what was tried here.
    """
    from appraiser_model import TrainingConfig  # noqa: PLC0415
    from appraiser_pipeline import tuning  # noqa: PLC0415
    from appraiser_pipeline.steps.train_model import train_on  # noqa: PLC0415

    with closing(_open()) as context:
        batch = next((b for b in reversed(context.ledger.batches()) if b.clean_snapshot_id is not None), None)
        if batch is None or (snapshot := batch.clean_snapshot_id) is None:
            raise OrderError("tune", 0, "clean rows", "clean_and_split")
        config = TrainingConfig(seed=context.settings.seed, threads=context.settings.threads)
        batches = range(batch.batch_number + 1)
        found = tuning.tune(
            context, snapshot, config, lambda tried: train_on(context, batches, snapshot, tried), trials
        )
        for trial in found:
            typer.echo(json.dumps({"trial": _plain(trial)}) if as_json else str(trial))
        best = tuning.search_of(context, snapshot, config).best_trial
        typer.echo(json.dumps({"best": _plain(best)}) if as_json else f"The best: {best}")


@app.command("what-if")
def what_if(
    thresholds: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Such as least_mae_gain=0.05.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell what would have been decided of every evaluated version under other thresholds. Nothing is stored.

    Each decision is looked at on its own, against the champion of that moment.
    """
    for name, value in read_thresholds(thresholds).items():
        if THRESHOLDS.get(name, "promotion_policy") != "promotion_policy":
            raise PolicyError(name, value, "no threshold of promotions, and other decisions cannot be told anew")
    with closing(_open(thresholds)) as context:
        policy = context.settings.promotion_policy
        told = [judge(evaluation, policy, dry_run=True) for evaluation in context.ledger.evaluations()]
    if as_json:
        typer.echo(json.dumps([_plain(decision) for decision in told]))
        return
    for decision in told:
        typer.echo(f"batch {decision.batch_number:<3} {decision.outcome.value:8} {decision.summary}")


@app.command()
def reproduce(
    version: Annotated[int, typer.Argument(min=1, help="Which version of the model.")], *, as_json: JsonOption = False
) -> None:
    """Train a version again and compare its files. Exit code 0 where they are the same, 1 where not."""
    from appraiser_pipeline.reproduce import in_words, reproduce_version  # noqa: PLC0415 - brings the model's libraries

    with closing(_open()) as context:
        found = reproduce_version(context, version)
    typer.echo(json.dumps(_plain(found), indent=2) if as_json else in_words(found))
    raise typer.Exit(0 if found.identical else 1)


@app.command()
def drift(*, policy: PolicyOption = None, as_json: JsonOption = False) -> None:
    """Tell how far the houses that people ask about have moved from those that the champion learned from."""
    from appraiser_pipeline.live_drift import live_drift  # noqa: PLC0415 - brings the model's libraries

    with closing(_open(policy or ())) as context:
        found = live_drift(context)
    typer.echo(json.dumps(_plain(found), indent=2) if as_json else found.summary)


@app.command()
def clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
    policy: PolicyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what the retention policy lets go: snapshots that nothing names, old appraisals, MLflow's trash."""
    from appraiser_pipeline import retention  # noqa: PLC0415 - brings the lake's libraries

    with closing(_open(policy or ())) as context:
        found = retention.clean(context, dry_run=dry_run)
    typer.echo(json.dumps(_plain(found), indent=2) if as_json else retention.in_words(found))


@app.command()
def metrics(
    *,
    host: Annotated[str, typer.Option(envvar="APPRAISER_METRICS_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="APPRAISER_METRICS_PORT", min=1, max=65_535, help="Port to listen on.")
    ] = 9108,
) -> None:
    """Tell Prometheus what the ledger knows of the pipeline, until told to stop."""
    from appraiser_pipeline.metrics import serve_metrics  # noqa: PLC0415

    with closing(_open()) as context:
        serve_metrics(context.settings, host, port)


def _print_step(done: StepRun, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done)))
        return
    batch = "" if done.batch_number is None else f"batch {done.batch_number}"
    typer.echo(f"{batch:9} {done.step.value:17} {done.seconds:6.1f} s  {done.summary}")


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    return dataclasses.asdict(result) if dataclasses.is_dataclass(result) else result  # type: ignore[arg-type]


def main() -> None:
    """Run the command; our errors become one sentence and exit code 1, a bad setting or threshold exit code 2."""
    set_up_logs()
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("appraiser_"):
            raise
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(2 if isinstance(error, PolicyError) else 1)


def _open(policy: Sequence[str] = (), *, dry_run: bool = False, retrain: str = "") -> Context:
    try:
        settings = Settings(retrain_reason=retrain) if retrain else Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        prefix = "" if name.startswith("MLFLOW") else "APPRAISER_"
        typer.echo(f"Error: the setting {prefix}{name} is {first['input']!r}: {first['msg']}.", err=True)
        raise typer.Exit(2) from None
    return Context(changed(settings, read_thresholds(policy), dry_run=dry_run))


if __name__ == "__main__":
    main()
