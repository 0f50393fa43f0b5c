"""Which version the ledger names the champion, and what evaluations say of it."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client.metrics_core import Metric

from appraiser_pipeline.metrics.families import gauge, labelled
from appraiser_schema import Alias, AliasMove, Evaluation, MoveKind
from appraiser_store import reigns

_MEASURES: Final = {
    "mdape_percent": ("mdape", "Median absolute percentage error [%]"),
    "mae_usd": ("mae", "Mean absolute error [USD]"),
    "ppe10_percent": ("ppe10", "Prices within 10 % of the valuation [%]"),
    "coverage_percent": ("coverage", "Prices inside the interval, of which 90 % are promised [%]"),
    "interval_width_percent": ("interval_width", "Mean width of the interval as a share of the price [%]"),
}
"""By the end of the metric's name: the measure as `appraiser_model.measure` names it, and what it is."""

type _Side = tuple[tuple[str, ...], dict[str, float]]


def of_champion(moves: Sequence[AliasMove], evaluations: Sequence[Evaluation]) -> Iterator[Metric]:
    """Moves of the aliases, the champion, and its figures on the newest test rows that it was held against.

    Args:
        moves: In the order in which they were recorded.
        evaluations: By batch number.
    """
    counted = Counter((move.alias, move.kind) for move in moves)
    samples = (((alias.value, kind.value), counted[alias, kind]) for alias in Alias for kind in MoveKind)
    yield labelled("alias_moves", "Moves of an alias by their reason.", ("alias", "kind"), samples)
    line = reigns(moves)
    if not line:
        return
    champion = line[-1]
    yield gauge("champion_version", "Version that the ledger names the champion.", champion.version)
    since = "Since when it is the champion, seconds since 1970."
    yield gauge("champion_since_timestamp_seconds", since, champion.since.timestamp())
    found = (figures for e in reversed(evaluations) if (figures := _figures_of(champion.version, e)) is not None)
    newest = next(found, None)
    if newest is not None:
        side = ((str(champion.version),), newest)
        yield from _measured("champion", "of the champion on its newest test rows", ("model_version",), [side])


def of_last_evaluation(evaluations: Sequence[Evaluation]) -> Iterator[Metric]:
    """Challenger and champion of the last evaluation, on the same rows."""
    if not evaluations:
        return
    last = evaluations[-1]
    sides: list[_Side] = [(("challenger", str(last.challenger_version)), last.challenger)]
    if last.champion is not None:
        sides.append((("champion", str(last.champion_version)), last.champion))
    yield from _measured("evaluation", "in the last evaluation", ("role", "model_version"), sides)


def _measured(prefix: str, where: str, labels: Sequence[str], sides: Iterable[_Side]) -> Iterator[Metric]:
    known = list(sides)
    for end, (measure, text) in _MEASURES.items():
        samples = [(values, figures[measure]) for values, figures in known if _is_finite(figures.get(measure))]
        yield labelled(f"{prefix}_{end}", f"{text}, {where}.", labels, samples)


def _is_finite(figure: float | None) -> bool:
    return figure is not None and math.isfinite(figure)


def _figures_of(version: int, evaluation: Evaluation) -> dict[str, float] | None:
    if evaluation.challenger_version == version:
        return evaluation.challenger
    return evaluation.champion if evaluation.champion_version == version else None
