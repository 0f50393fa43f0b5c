"""The card of a model in words, for people: what it is for, what it was made from, how good it is and where it is weak.

The sections are those of Mitchell and others, "Model Cards for Model Reporting" (2019), in the order in which a reader
here asks for them. The same records give the same text.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from appraiser_model.card import Card
from appraiser_model.figures import FIGURES
from appraiser_schema import Decision, Evaluation, ModelVersion, Outcome, SegmentScore

LEAST_ROWS: Final = 200
"""Test listings from which a part of the market is called weak; with fewer, chance speaks louder."""

WEAKEST: Final = 5
_COMMON_STATES: Final = 5
_DIGITS: Final = 12

_KINDS: Final = {"price_band": "Price", "state": "State", "batch": "Batch"}
_OBJECTIVES: Final = {
    "reg:absoluteerror": "absolute error of the logarithm of the price, whose best answer is the median",
    "reg:squarederror": "squared error of the logarithm of the price, whose best answer is the mean",
}


def card_in_words(
    card: Card, model: ModelVersion, evaluation: Evaluation | None = None, decision: Decision | None = None
) -> str:
    """Write the card of a version, as Markdown with a heading per section.

    Args:
        card: The card from its bundle.
        model: What the registry knows of the version.
        evaluation: How it did on the test listings; None where it was not evaluated yet.
        decision: Whether it was promoted; None takes the version's own.
    """
    decision = decision or model.decision
    sections = (
        [f"# House prices, version {model.version}", "", _summary(card, evaluation, decision)],
        _purpose(card),
        _data(card),
        _method(card),
        _quality(card, evaluation),
        _parts(evaluation),
        _weaknesses(card, evaluation),
        _decided(decision),
        _origin(card, model),
    )
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _summary(card: Card, evaluation: Evaluation | None, decision: Decision | None) -> str:
    words = [f"Trained {_time(card.created_at)} on {card.rows_train:,} listings of {_source(card)}."]
    if evaluation:
        figures, rows = evaluation.challenger, evaluation.rows_test
        words.append(f"On {rows:,} listings that it has not seen, half of its appraisals are within {_half(figures)}.")
    verdict = _verdict(decision)
    return " ".join([*words, *([verdict] if verdict else [])])


def _half(figures: dict[str, float]) -> str:
    return f"{figures['mdape']:.1f} % of the price" if "mdape" in figures else "an error that was not measured"


def _verdict(decision: Decision | None) -> str:
    if decision is None:
        return "Nothing was decided about it yet."
    if decision.dry_run:
        return "What is decided about it was only told in a dry run."
    return "It was promoted." if decision.outcome is Outcome.PROMOTE else "It was rejected."


def _purpose(card: Card) -> list[str]:
    lines = [
        "## What it is for",
        "",
        (
            "- What a single house in the United States would be listed or sold for, with the span that holds the "
            f"price of {card.config.coverage * 100:g} % of houses like it."
        ),
        "- A second opinion beside a valuer's, and the first look at many houses at once.",
        "",
        "## What it is not for",
        "",
        "- No decision about a loan, a tax or an insurance by itself: nobody has seen the house or its view.",
        "- No flats in one building against each other, no commercial property, no rents.",
        "- No forecast: it knows the prices of its listings' time, and reads no clock.",
    ]
    if card.simulated_data:
        lines.append("- Nothing real: its listings are simulated, so its prices are those of a made-up market.")
    return lines


def _data(card: Card) -> list[str]:
    batches = f"{'batches' if len(card.batches) > 1 else 'batch'} {_spans(card.batches)}"
    lines = [
        "## What it learned from",
        "",
        f"- Listings of {_source(card)}: {batches}, snapshot `{card.snapshot_id}` of `clean.listings`.",
        (
            f"- {card.rows_train:,} listings to learn from, {card.rows_validation:,} that said when to stop, and "
            f"{card.rows_calibration:,} on which the interval was calibrated. Test listings are in none of them: the "
            "hash of a row decides what it is used for, once and for all."
        ),
    ]
    if card.prices_usd:
        low, high = card.prices_usd
        lines.append(f"- Prices from {low:,.0f} to {high:,.0f} USD, but for one in a thousand at either end.")
    if card.inputs:
        states = card.inputs.categories["state"]
        known = sorted(zip(states.shares, states.values, strict=False), reverse=True)
        common = ", ".join(f"{name} ({share * 100:.0f} %)" for share, name in known[:_COMMON_STATES])
        lines.append(f"- {len(known)} state{'s' if len(known) > 1 else ''} and territories; most listings: {common}.")
        unknown = [(name, card.inputs.numbers[name].shares[-1]) for name in card.inputs.numbers]
        told = ", ".join(f"{name} {share * 100:.0f} %" for name, share in unknown)
        lines.append(f"- Unknown in so many of them: {told}.")
    return lines


def _method(card: Card) -> list[str]:
    config = card.config
    parameters = [
        (name, str(value)) for name, value in config.model_dump().items() if name not in ("features", "objective")
    ]
    features = [(f"features.{name}", str(value)) for name, value in config.features.model_dump().items()]
    return [
        "## How it works",
        "",
        (
            f"- {card.rounds:,} gradient-boosted trees (XGBoost) for the logarithm of the price. They minimise the "
            f"{_OBJECTIVES.get(config.objective, config.objective)}; training stopped when {config.patience} "
            f"trees had not brought the validation error down by {100 * config.least_gain:g} %."
        ),
        (
            "- Features of size, land, sale and place. Places are coded by the prices of their listings, drawn to "
            "those of the place around them where there are few, and out of fold, so that no listing sees its price."
        ),
        "- The interval is conformal: widths from held-out listings, by appraised price and by how much is known.",
        "- Explanations are exact SHAP values of these trees.",
        "",
        *_table(("parameter", "value"), [*parameters, *features], right=(1,)),
    ]


def _quality(card: Card, evaluation: Evaluation | None) -> list[str]:
    lines = ["## How good it is", ""]
    if evaluation is None:
        lines += ["It was not tested yet. On the validation listings, half of which said when to stop:", ""]
        return [*lines, *_table(("figure", "this version"), _figures(card.metrics), right=(1,))]
    lines += [f"On {evaluation.rows_test:,} test listings, of snapshot `{evaluation.snapshot_id}`:", ""]
    ours, theirs = _figures(evaluation.challenger), dict(_figures(evaluation.champion or {}))
    if not theirs:
        return [*lines, *_table(("figure", "this version"), ours, right=(1,))]
    rows = [(name, value, theirs.get(name, "-")) for name, value in ours]
    head = ("figure", "this version", f"champion then (version {evaluation.champion_version})")
    return [*lines, *_table(head, rows, right=(1, 2))]


def _figures(figures: dict[str, float]) -> list[tuple[str, str]]:
    return [(label, form.format(figures[name])) for name, (label, form) in FIGURES.items() if name in figures]


def _parts(evaluation: Evaluation | None) -> list[str]:
    if evaluation is None or not evaluation.segments:
        return []
    lines = ["## By part of the market", ""]
    head = ("part", "test listings", "median error", "mean absolute error", "champion then", "inside the interval")
    for kind, title in _KINDS.items():
        rows = [_part(part) for part in evaluation.segments if part.kind == kind]
        if rows:
            lines += [*_table((title, *head[1:]), rows, right=(1, 2, 3, 4, 5)), ""]
    return lines[:-1]


def _part(part: SegmentScore) -> tuple[str, ...]:
    return (
        part.name,
        f"{part.rows:,}",
        _percent(part.challenger_mdape),
        f"{part.challenger_mae:,.0f} USD",
        "-" if part.champion_mae is None else f"{part.champion_mae:,.0f} USD",
        _percent(part.challenger_coverage),
    )


def _weaknesses(card: Card, evaluation: Evaluation | None) -> list[str]:
    lines = ["## Known weaknesses", ""]
    if card.prices_usd:
        low, high = card.prices_usd
        lines.append(
            f"- Trees do not reach beyond what they were shown: a house worth less than {low:,.0f} or more than "
            f"{high:,.0f} USD is appraised into that span."
        )
    if evaluation:
        lines += [*_weak_parts(evaluation), *_widening(evaluation)]
    lines.append("- Condition, view, noise and what was renovated are in no listing, so they are in no price.")
    lines.append("- Asking prices stand beside sale prices, and typing errors in listings are learned as prices.")
    return lines


def _weak_parts(evaluation: Evaluation) -> Iterable[str]:
    known = [part for part in evaluation.segments if part.rows >= LEAST_ROWS and part.kind != "batch"]
    errors = [part for part in known if part.challenger_mdape is not None]
    worst = sorted(errors, key=lambda part: -(part.challenger_mdape or 0))[:WEAKEST]
    if worst:
        told = "; ".join(f"{part.name} ({_percent(part.challenger_mdape)})" for part in worst)
        yield f"- The largest median errors, among parts with {LEAST_ROWS} test listings or more: {told}."
    covered = [part for part in known if part.challenger_coverage is not None]
    loosest = min(covered, key=lambda part: part.challenger_coverage or 0, default=None)
    if loosest:
        yield f"- The interval holds the fewest prices in {loosest.name}: {_percent(loosest.challenger_coverage)}."
    if not known:
        yield f"- No part of the market has {LEAST_ROWS} test listings, so nothing is known of any part by itself."


def _widening(evaluation: Evaluation) -> Iterable[str]:
    if evaluation.rows_beyond_champion and evaluation.champion_prices_usd:
        low, high = evaluation.champion_prices_usd
        share = evaluation.rows_beyond_champion / evaluation.rows_test * 100
        yield (
            f"- The market was widening: {share:.1f} % of the test listings lay outside the prices that the champion "
            f"of that time knew, {low:,.0f} to {high:,.0f} USD. The next batch may lie outside of what this one knows."
        )


def _decided(decision: Decision | None) -> list[str]:
    lines = ["## How it was decided", ""]
    if decision is None:
        return [*lines, "Nothing was decided yet."]
    lines += [f"{_time(decision.decided_at)}: **{decision.outcome.value}**. {decision.summary}", ""]
    rows = [
        (reason.rule.replace("_", " "), "yes" if reason.passed else "no", reason.text) for reason in decision.reasons
    ]
    return [*lines, *_table(("rule", "passed", "figures"), rows)]


def _origin(card: Card, model: ModelVersion) -> list[str]:
    libraries = ", ".join(f"{name} {found}" for name, found in card.libraries.items())
    facts = [
        ("MLflow run", f"`{model.run_id}`"),
        ("SHA-256 of the files", f"`{model.bundle_digest}`" if model.bundle_digest else "-"),
        ("Code", f"`{card.code_version}`"),
        ("Feature code", f"`{card.features_fingerprint[:_DIGITS]}`"),
        ("Snapshot of clean.listings", f"`{card.snapshot_id}`"),
        ("Libraries", libraries),
        ("Training", f"{card.training_seconds:,.1f} s, seed {card.config.seed}, {card.config.threads} threads"),
    ]
    again = f"`./appraiser models reproduce {model.version}` trains it again and compares the files."
    return ["## Where it comes from", "", *_table(("what", "is"), facts), "", again]


def _source(card: Card) -> str:
    return f"{card.source} (simulated)" if card.simulated_data else card.source


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _spans(numbers: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans) or "none"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """A table; cells keep to one line, and what would end a cell is masked."""
    line = "|" + "|".join("--:" if i in right else "---" for i in range(len(head))) + "|"
    return [_row(head), line, *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
