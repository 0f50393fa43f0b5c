"""`appraiser models list | show | promote | rollback | history`."""

from typing import Annotated

import typer

from appraiser_cli.options import HomeOption, JsonOption

models = typer.Typer(
    help="The models: what they learnt from, how good they are, which one serves.", no_args_is_help=True
)

VersionArgument = Annotated[int, typer.Argument(min=1, help="Version number.", show_default=False)]
WhyOption = Annotated[str, typer.Option("--why", help="Reason, kept in the history.", show_default=False)]


@models.command("list")
def list_models(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List every version, the newest first."""
    from appraiser_cli.models import all_models
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, count, figure, money, number, print_json, print_table

    settings = Settings()
    found = all_models(settings.state(home), settings)
    if json:
        print_json(found)
        return
    columns = (
        *(number("model"), Column("alias"), Column("batches"), number("rows"), number("MAE USD"), number("RMSE USD")),
        *(number("MdAPE %"), number("R2"), Column("decision")),
    )
    rows = [
        (
            str(model.version),
            ", ".join(alias.value for alias in model.aliases) or "-",
            _ranges(model.batches),
            count(model.rows_train),
            *(money(model.metrics.get(name)) for name in ("mae", "rmse")),
            figure(model.metrics.get("mdape"), 1),
            figure(model.metrics.get("r2"), 2),
            model.decision.outcome.value if model.decision else "-",
        )
        for model in found
    ]
    simulated = any(model.simulated_data for model in found)
    print_table(columns, rows, "Measured on test rows." + (" Simulated listings." if simulated else ""))


@models.command()
def show(version: VersionArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show one version: what it learnt from, its measures, its card and the decision about it."""
    from appraiser_cli.models import one_model
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, print_json, print_table

    settings = Settings()
    detail = one_model(settings.state(home), settings, version)
    if json:
        print_json(detail)
        return
    facts = [
        ("model", f"{detail.card['name']} {detail.version}"),
        ("aliases", ", ".join(alias.value for alias in detail.aliases) or "none"),
        ("created (UTC)", detail.created_at.strftime("%Y-%m-%d %H:%M:%S")),
        ("listings", f"{detail.card['source']}{' (simulated)' if detail.simulated_data else ''}"),
        ("batches", _ranges(detail.batches)),
        ("rows to train", f"{detail.rows_train:,}"),
        ("snapshot", str(detail.snapshot_id)),
        ("code", detail.code_version),
        ("feature code", detail.features_fingerprint[:16]),
        ("MLflow run", detail.run_id),
        *((name, f"{value:,.3f}") for name, value in sorted(detail.metrics.items())),
    ]
    if detail.decision:
        facts.append(("decision", f"{detail.decision.outcome.value}: {detail.decision.summary}"))
        facts += [(f"- {reason.rule}", reason.text) for reason in detail.decision.reasons]
    print_table((Column("fact"), Column("value", wrap=True)), facts, "The whole card: --json.")


@models.command()
def promote(version: VersionArgument, *, why: WhyOption, home: HomeOption = None) -> None:
    """Make a version the champion by hand. It is recorded who did it, when and why."""
    from appraiser_cli.models import promote as promote_model
    from appraiser_cli.settings import Settings

    settings = Settings()
    typer.echo(promote_model(settings.state(home), settings, version, why))


@models.command()
def rollback(*, why: WhyOption, home: HomeOption = None) -> None:
    """Give the title of champion back to the version that had it before."""
    from appraiser_cli.models import rollback as rollback_model
    from appraiser_cli.settings import Settings

    settings = Settings()
    typer.echo(rollback_model(settings.state(home), settings, why))


@models.command()
def history(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List every move of an alias: who, when, from which version to which, and why."""
    from appraiser_cli.settings import Settings
    from appraiser_cli.state import open_ledger
    from appraiser_cli.tables import Column, number, print_json, print_table

    settings = Settings()
    with open_ledger(settings.state(home), settings) as ledger:
        moves = ledger.moves()
    if json:
        print_json(moves)
        return
    columns = (
        *(Column("when (UTC)"), Column("alias"), number("version"), Column("kind")),
        Column("who, and why", wrap=True),
    )
    rows = [
        (
            move.at.strftime("%m-%d %H:%M"),
            move.alias.value,
            f"{'-' if move.from_version is None else move.from_version} > {move.to_version}",
            move.kind.value,
            f"{move.who}: {move.why}",
        )
        for move in moves
    ]
    print_table(columns, rows)


def _ranges(numbers: tuple[int, ...]) -> str:
    """Batch numbers in short: 0-3, 5."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts) or "-"
