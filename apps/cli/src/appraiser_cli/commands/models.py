"""`appraiser models list | show | promote | rollback | history | reproduce`."""

from typing import TYPE_CHECKING, Annotated

import typer

from appraiser_cli.options import HomeOption, JsonOption

if TYPE_CHECKING:
    from appraiser_cli.moves import Moved
    from appraiser_schema import Reign

models = typer.Typer(
    help="The models: what they learnt from, how good they are, which one serves.", no_args_is_help=True
)

VersionArgument = Annotated[int, typer.Argument(min=1, help="Version number.", show_default=False)]
WhyOption = Annotated[str, typer.Option("--why", help="Reason, kept in the history.", show_default=False)]
WhoOption = Annotated[
    str | None, typer.Option("--who", help="Who decided it; by default the user of this command.", show_default=False)
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Also with absurd appraisals; never a version that cannot be loaded.")
]


@models.command("list")
def list_models(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List every version, the newest first."""
    from appraiser_cli.models import all_models, decided
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, count, figure, money, number, print_json, print_table, spans

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
            spans(model.batches),
            count(model.rows_train),
            *(money(model.metrics.get(name)) for name in ("mae", "rmse")),
            figure(model.metrics.get("mdape"), 1),
            figure(model.metrics.get("r2"), 2),
            decided(model.decision),
        )
        for model in found
    ]
    simulated = any(model.simulated_data for model in found)
    print_table(columns, rows, "Measured on test rows." + (" Simulated listings." if simulated else ""))


@models.command()
def show(
    version: VersionArgument,
    *,
    card: Annotated[bool, typer.Option("--card", help="Print its card in words, as Markdown.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show one version: what it was made from, its measures, what was decided about it, and when it served."""
    from appraiser_cli.lineage import model_facts, print_batches, print_moves
    from appraiser_cli.models import card_text, one_model, origin
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, print_json, print_table

    settings = Settings()
    state = settings.state(home)
    if card:
        typer.echo(card_text(state, settings, version))
        return
    detail, found = one_model(state, settings, version), origin(state, settings, version)
    if json:
        whole = detail.model_dump(mode="json") | {"origin": found.model_dump(mode="json", exclude={"model"})}
        print_json(whole)
        return
    facts = [
        *model_facts(found, f"{detail.card['source']}{' (simulated)' if detail.simulated_data else ''}"),
        *((name, f"{value:,.3f}") for name, value in sorted(detail.metrics.items())),
    ]
    if detail.decision:
        facts.append(("decision", f"{detail.decision.outcome.value}: {detail.decision.summary}"))
        facts += [(f"- {reason.rule}", reason.text) for reason in detail.decision.reasons]
    print_table((Column("fact"), Column("value", wrap=True)), facts)
    print_batches(found)
    print_moves(found)
    typer.echo("The card in words: --card. Everything: --json.")


@models.command()
def promote(
    version: VersionArgument,
    *,
    why: WhyOption,
    who: WhoOption = None,
    force: ForceOption = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a version the champion by hand, once it was loaded and has appraised. Who did it, when and why is kept."""
    from appraiser_cli.moves import promote as promote_model
    from appraiser_cli.settings import Settings

    settings = Settings()
    _tell(promote_model(settings.state(home), settings, version, why, who, force=force), json=json)


@models.command()
def rollback(
    version: Annotated[
        int | None,
        typer.Argument(min=1, help="Version number; by default the champion before this one.", show_default=False),
    ] = None,
    *,
    why: WhyOption,
    who: WhoOption = None,
    force: ForceOption = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Go back to the champion before this one, or to any version, once it was loaded and has appraised."""
    from appraiser_cli.moves import rollback as rollback_model
    from appraiser_cli.settings import Settings

    settings = Settings()
    _tell(rollback_model(settings.state(home), settings, version, why, who, force=force), json=json)


@models.command()
def history(
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="Only the version at this instant, such as 2026-11-24T10:00Z.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show which version was in production when: from, to, who put it there, and why."""
    from appraiser_cli.history import history as all_reigns
    from appraiser_cli.history import history_at
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import print_json
    from appraiser_store import parse_instant

    settings = Settings()
    state = settings.state(home)
    if at is not None:
        reign = history_at(state, settings, parse_instant(at))
        print_json(reign) if json else typer.echo(_in_words(reign))
        return
    reigns, disagreement = all_reigns(state, settings)
    if json:
        print_json(reigns)
    else:
        _print_reigns(reigns)
    if disagreement:
        typer.echo(disagreement, err=json)


@models.command()
def reproduce(version: VersionArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Train a version again from its snapshot and configuration, and say whether its file is the same.

    Exit code 0 where every file that decides a price is the same, byte for byte, 1 where not. Nothing is registered.
    """
    from appraiser_cli.pipeline import run_pipeline
    from appraiser_cli.settings import Settings
    from appraiser_cli.state import open_registry

    settings = Settings()
    state = settings.state(home)
    open_registry(state, settings)
    arguments = ["reproduce", str(version), *(["--json"] if json else [])]
    raise typer.Exit(run_pipeline(state, settings, arguments, None))


def _tell(moved: "Moved", *, json: bool) -> None:
    from appraiser_cli.tables import print_json

    if json:
        print_json(moved)
        return
    for note in moved.notes:
        typer.echo(note)
    if trial := moved.trial:
        low, high = min(trial.prices_usd), max(trial.prices_usd)
        typer.echo(
            f"version {trial.version} was downloaded and loaded ({trial.bundle_digest[:12]}), and appraises "
            f"{len(trial.prices_usd)} ordinary houses at {low:,.0f} to {high:,.0f} USD"
        )
        if trial.mdape is not None:
            before = moved.champion_mdape
            beside = "" if before is None else f"; the champion so far has {before:.1f} % on the same"
            typer.echo(f"on {trial.rows_test:,} test rows its median error is {trial.mdape:.1f} %{beside}")
    if moved.moved and moved.move:
        left = moved.move.from_version
        before_it = "there was none before" if left is None else f"before it was version {left}"
        typer.echo(f"the champion is version {moved.version} now; {before_it}. The API follows by itself.")
    elif moved.move:
        typer.echo(f"version {moved.version} is the champion already, but the history did not say so; now it does")
    else:
        typer.echo(f"version {moved.version} is the champion already; nothing changed")


def _print_reigns(reigns: "list[Reign]") -> None:
    from appraiser_cli.history import told
    from appraiser_cli.tables import Column, number, print_table

    columns = (
        *(number("version"), Column("from (UTC)"), Column("to (UTC)"), Column("kind")),
        Column("who, and why", wrap=True),
    )
    rows = [
        (
            str(reign.version),
            f"{reign.since:%Y-%m-%d %H:%M:%S}",
            "now" if reign.until is None else f"{reign.until:%Y-%m-%d %H:%M:%S}",
            reign.kind.value,
            told(reign.kind, reign.who, reign.why),
        )
        for reign in reigns
    ]
    print_table(columns, rows, "Reasons in full: --json." if rows else "No version was in production yet.")


def _in_words(reign: "Reign") -> str:
    until = "and still is" if reign.until is None else f"until {reign.until:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"version {reign.version} was in production, from {reign.since:%Y-%m-%d %H:%M:%S} UTC {until}\n"
        f"{reign.kind.value} by {reign.who}: {reign.why}"
    )
