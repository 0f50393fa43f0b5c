"""From an appraisal back to the model, the snapshot, the batches and the commit, and how that is told."""

import datetime as dt
from typing import Final

from appraiser_cli.errors import NotThereError
from appraiser_cli.history import told
from appraiser_cli.home import Home
from appraiser_cli.settings import Settings
from appraiser_cli.state import open_ledger, open_registry
from appraiser_cli.tables import Column, number, print_table, spans
from appraiser_schema import Lineage, ModelLineage
from appraiser_store import lineage

type Facts = list[tuple[str, str]]

SHOWN: Final = 16
"""Digits of a digest that a table shows; JSON has them all."""


def lineage_of(home: Home, settings: Settings, request_id: str, row: int) -> Lineage:
    """Where an appraisal comes from.

    Raises:
        NotThereError: It is not on record.
        UnknownVersionError: The version that gave it is no longer in the registry.
    """
    with open_ledger(home, settings) as ledger:
        prediction = ledger.prediction(request_id, row)
        if prediction is None:
            raise NotThereError(
                f"no appraisal with the request id {request_id!r} and row {row} is on record; the id is that in the "
                "answer's body. One given just now may take seconds to get there, and longer while the API is down."
            )
        return lineage(ledger, prediction, open_registry(home, settings).version(prediction.model_version))


def prediction_facts(found: Lineage) -> Facts:
    """The appraisal as it was given."""
    given = found.prediction
    price = f"{given.price_usd:,.0f} USD"
    if given.lower_usd is not None and given.upper_usd is not None:
        price += f" ({given.lower_usd:,.0f} to {given.upper_usd:,.0f})"
    house = ", ".join(f"{name} {value}" for name, value in given.listing.items() if value is not None)
    facts = [
        ("appraisal", given.request_id + (f", row {given.row}" if given.row else "")),
        ("given (UTC)", _time(given.at)),
        ("price", price),
        ("house", house or "-"),
    ]
    if found.reign is None:
        facts.append(("champion then", "another version, by the history; the service had yet to follow a move"))
    else:
        until = "now" if found.reign.until is None else _time(found.reign.until)
        facts.append(("in production", f"{_time(found.reign.since)} to {until}"))
    if given.features_fingerprint != found.origin.model.features_fingerprint:
        facts.append(("feature code then", f"{given.features_fingerprint[:SHOWN]}, other than the model's"))
    return facts


def model_facts(found: ModelLineage, source: str | None = None) -> Facts:
    """What a version was made from.

    Args:
        found: Its origin.
        source: Where its listings come from; None: the source of its first batch.
    """
    model = found.model
    named = source or (found.batches[0].source if found.batches else "-")
    facts = [
        ("model", f"version {model.version}" + "".join(f", {alias.value}" for alias in model.aliases)),
        ("created (UTC)", _time(model.created_at)),
        ("MLflow run", model.run_id),
        ("digest of file", model.bundle_digest or "-"),
        ("code", model.code_version),
        ("feature code", model.features_fingerprint[:SHOWN]),
        ("snapshot", str(model.snapshot_id)),
        ("listings", named),
        ("rows to train", f"{model.rows_train:,}"),
        ("batches", spans(model.batches)),
    ]
    if found.batches_unknown:
        facts.append(("not in ledger", f"batches {spans(found.batches_unknown)}"))
    if source is None and model.decision:
        facts.append(("decision", f"{model.decision.outcome.value}: {model.decision.summary}"))
    return facts


def print_batches(found: ModelLineage) -> None:
    """The batches that a version was trained on."""
    columns = (
        number("batch"),
        Column("received (UTC)"),
        number("rows"),
        Column("SHA-256"),
        Column("in landing/"),
    )
    rows = [
        (
            str(batch.batch_number),
            _time(batch.received_at),
            "-" if batch.rows_received is None else f"{batch.rows_received:,}",
            batch.digest[:SHOWN],
            batch.landing_path if len(batch.landing_path) <= SHOWN else f"{batch.landing_path[:SHOWN]}…",
        )
        for batch in found.batches
    ]
    if rows:
        print_table(columns, rows)


def print_moves(found: ModelLineage) -> None:
    """Every move of an alias to a version or away from it."""
    columns = (Column("when (UTC)"), Column("alias"), number("move"), Column("kind"), Column("who, and why", wrap=True))
    rows = [
        (
            _time(move.at),
            move.alias.value,
            f"{'-' if move.from_version is None else move.from_version} > {move.to_version}",
            move.kind.value,
            told(move.kind, move.who, move.why),
        )
        for move in found.moves
    ]
    if rows:
        print_table(columns, rows)


def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
