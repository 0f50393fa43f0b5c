"""Whether each alert says how bad it is, whom it is about and what to do, and gets to somebody."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from appraiser_cli.monitoring.queries import asked
from appraiser_cli.monitoring.rules import Rule, read_rules

ALERTMANAGER: Final = Path("gitops/platform/monitoring/alertmanager.yml")
RUNBOOKS: Final = Path("docs/operations")
ALLOWED: Final = {
    "severity": frozenset({"critical", "warning"}),
    "component": frozenset({"api", "model", "pipeline", "platform"}),
}
"""Labels of every alert, and their values."""

_MATCHER: Final = re.compile(r'^\s*(\w+)\s*(=~|!~|!=|=)\s*"?([^"]*)"?\s*$')
_RUNBOOK: Final = re.compile(rf"^https://\S+/{RUNBOOKS.as_posix()}/([a-z-]+\.md)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with an alert or with whom it goes to.

    Attributes:
        file: Where it stands, below the root.
        problem: What is wrong, with its name and value.
        cure: What to do.
    """

    file: Path
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}. {self.cure}."


def alert_faults(root: Path) -> list[Fault]:
    """Everything that is wrong with the alerts and their routes; none where all is well.

    Args:
        root: Root of the repository.
    """
    rules = read_rules(root)
    alerts = [rule for rule in rules if rule.is_alert]
    faults = [fault for rule in rules for fault in _of_query(rule)]
    faults += [fault for alert in alerts for fault in (*_of_labels(alert), *_of_words(alert, root))]
    faults += _repeated(alerts)
    return faults + list(_of_routes(root))


def _of_query(rule: Rule) -> Iterator[Fault]:
    try:
        asked(rule.expression)
    except ValueError as error:
        yield Fault(rule.file, f"the query of {rule.name} is no PromQL: {error}", "Correct 'expr'")


def _of_labels(alert: Rule) -> Iterator[Fault]:
    for label, values in ALLOWED.items():
        value = alert.labels.get(label)
        if value not in values:
            yield Fault(
                alert.file,
                f"the alert {alert.name} has the label {label} {value!r}",
                f"Set it to one of {', '.join(sorted(values))}: Alertmanager's routes go by it",
            )
    for label in alert.labels.keys() - ALLOWED.keys():
        yield Fault(
            alert.file,
            f"the alert {alert.name} has the label {label!r}, which nothing goes by",
            f"Remove it, or write one of {', '.join(sorted(ALLOWED))}",
        )


def _of_words(alert: Rule, root: Path) -> Iterator[Fault]:
    if not alert.annotations.get("summary", "").endswith("."):
        yield Fault(alert.file, f"the alert {alert.name} has no summary", "Say in one sentence what is wrong")
    address = alert.annotations.get("runbook_url", "")
    found = _RUNBOOK.match(address)
    page = root / RUNBOOKS / found[1] if found else None
    if page is None or not page.is_file():
        yield Fault(
            alert.file,
            f"the alert {alert.name} has the runbook_url {address!r}, and there is no such page",
            f"Write the page below {RUNBOOKS}, or name one that is there",
        )
    elif alert.name not in page.read_text(encoding="utf-8"):
        yield Fault(
            page.relative_to(root),
            f"it is the runbook of the alert {alert.name} and does not name it",
            f"Name {alert.name} where the page says what one sees",
        )


def _repeated(alerts: list[Rule]) -> list[Fault]:
    counted = Counter(alert.name for alert in alerts)
    return [
        Fault(alert.file, f"there are {counted[alert.name]} alerts named {alert.name}", "Give each a name of its own")
        for alert in alerts
        if counted[alert.name] > 1
    ]


def _of_routes(root: Path) -> Iterator[Fault]:
    configuration = yaml.safe_load((root / ALERTMANAGER).read_text(encoding="utf-8"))
    receivers = {receiver["name"] for receiver in configuration["receivers"]}
    for route in _routes(configuration["route"]):
        if route.get("receiver", configuration["route"]["receiver"]) not in receivers:
            yield Fault(ALERTMANAGER, f"there is no receiver {route['receiver']!r}", f"Name one of {sorted(receivers)}")
        for matcher in route.get("matchers", []):
            yield from _of_matcher(matcher)
    for rule in configuration.get("inhibit_rules", []):
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            yield from _of_matcher(matcher)
        for label in set(rule["equal"]) - ALLOWED.keys():
            yield Fault(ALERTMANAGER, f"an inhibition goes by {label!r}, which no alert has", f"Use {sorted(ALLOWED)}")


def _of_matcher(matcher: str) -> Iterator[Fault]:
    found = _MATCHER.match(matcher)
    label, values = (found[1], found[3].split("|") if "~" in found[2] else [found[3]]) if found else (matcher, [])
    if label not in ALLOWED:
        yield Fault(ALERTMANAGER, f"a route goes by {matcher!r}, and no alert has that label", f"Use {sorted(ALLOWED)}")
    for value in set(values) - ALLOWED.get(label, frozenset(values)):
        cure = f"Use one of {', '.join(sorted(ALLOWED[label]))}"
        yield Fault(ALERTMANAGER, f"a route goes by {label} {value!r}, which no alert has", cure)


def _routes(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield route
    for child in route.get("routes", []):
        yield from _routes(child)
