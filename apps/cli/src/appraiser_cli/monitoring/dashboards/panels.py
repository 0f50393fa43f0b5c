"""What a dashboard is made of, and how Grafana wants it written.

The datasource is a variable, so that a dashboard fails visibly where there is none. The colours are those of Okabe and
Ito (Color Universal Design, 2008), which colour-blind people tell apart; the lines of one query with several labels are
shades of one colour, which differ in how light they are.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Blue, vermilion, bluish green, reddish purple, orange, sky blue."""

GOOD: Final = "#009E73"
BAD: Final = "#D55E00"
_GREY: Final = "#8E8E8E"
_WIDTH: Final = 24
_HEIGHT: Final = 8
_STAT_HEIGHT: Final = 4
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Unit(StrEnum):
    """Units by Grafana's names."""

    NUMBER = "none"
    SHARE = "percentunit"
    PERCENT = "percent"
    PER_SECOND = "reqps"
    COUNT_PER_SECOND = "cps"
    SECONDS = "s"
    BYTES = "bytes"
    USD = "currencyUSD"
    INSTANT = "dateTimeAsIso"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel.

    Attributes:
        text: PromQL.
        legend: What its lines are called; labels in double braces.
    """

    text: str
    legend: str

    @property
    def many(self) -> bool:
        """Whether it gives several lines, told apart by a label."""
        return "{{" in self.legend


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        title: What is shown, in words.
        queries: What is asked.
        unit: Of all of its figures.
        about: What to see in it, and where its limit comes from.
        limits: Figures at which a line is drawn, or from which on a single figure is bad.
        low: Whether it is bad to be below the limit, and not above.
        stat: Whether only the present figure is shown, in large type.
        width: Of 24 columns.
        words: What a figure means, for figures that stand for something.
    """

    title: str
    queries: tuple[Query, ...]
    unit: Unit
    about: str
    limits: tuple[float, ...] = ()
    low: bool = False
    stat: bool = False
    width: int = 8
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels.

    Attributes:
        name: Of its file, and in its address.
        title: For people.
        about: What it is for, in a sentence.
        components: Whose alerts are marked in it.
        rows: What is on it.
    """

    name: str
    title: str
    about: str
    components: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, from the top."""
        return tuple(panel for row in self.rows for panel in row.panels)

    def as_json(self) -> dict[str, Any]:
        """The dashboard as Grafana reads it."""
        alerts = f'ALERTS{{alertstate="firing",component=~"{"|".join(self.components)}"}}'
        return {
            "uid": f"appraiser-{self.name}",
            "title": self.title,
            "description": self.about,
            "tags": ["appraiser"],
            "schemaVersion": 39,
            "version": 1,
            "editable": False,
            "timezone": "browser",
            "time": {"from": "now-6h", "to": "now"},
            "refresh": "30s",
            "graphTooltip": 1,
            "links": [
                {
                    "type": "dashboards",
                    "title": "Appraiser",
                    "tags": ["appraiser"],
                    "asDropdown": False,
                    "keepTime": True,
                }
            ],
            "templating": {
                "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]
            },
            "annotations": {
                "list": [
                    {
                        "name": "Alerts",
                        "datasource": _SOURCE,
                        "enable": True,
                        "expr": alerts,
                        "iconColor": BAD,
                        "titleFormat": "{{alertname}}",
                        "textFormat": "{{severity}}",
                    }
                ]
            },
            "panels": self._laid_out(),
        }

    def _laid_out(self) -> list[dict[str, Any]]:
        """Panels from left to right, each row from a new line."""
        laid: list[dict[str, Any]] = []
        top = 0
        for row in self.rows:
            laid.append({"type": "row", "title": row.title, "collapsed": False, "gridPos": _at(0, top, _WIDTH, 1)})
            top, left, height = top + 1, 0, 0
            for panel in row.panels:
                if left + panel.width > _WIDTH:
                    top, left, height = top + height, 0, 0
                tall = _STAT_HEIGHT if panel.stat else _HEIGHT
                laid.append({**_drawn(panel), "gridPos": _at(left, top, panel.width, tall)})
                left, height = left + panel.width, max(height, tall)
            top += height
        return [{"id": number, **panel} for number, panel in enumerate(laid, 1)]


def _at(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.text,
                "legendFormat": query.legend,
                "instant": panel.stat,
                "range": not panel.stat,
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit.value, "noValue": "no data"}
    if panel.words:
        options = {figure: {"text": text, "index": index} for index, (figure, text) in enumerate(panel.words.items())}
        defaults["mappings"] = [{"type": "value", "options": options}]
    if panel.stat:
        return {**defaults, "color": {"mode": "thresholds"}, "thresholds": _steps(*_judged(panel))}
    limits = [(BAD, limit) for limit in panel.limits]
    return {
        **defaults,
        "min": 0,
        "thresholds": _steps(_GREY, limits),
        "custom": {
            "lineWidth": 2,
            "fillOpacity": 0,
            "showPoints": "never",
            "spanNulls": False,
            "thresholdsStyle": {"mode": "dashed" if limits else "off"},
        },
    }


def _judged(panel: Panel) -> tuple[str, list[tuple[str, float]]]:
    """The colour below the limit, and the one from there on; blue where nothing is better than anything else."""
    if not panel.limits:
        return COLOURS[0], []
    below, above = (BAD, GOOD) if panel.low else (GOOD, BAD)
    return below, [(above, panel.limits[0])]


def _steps(first: str, others: list[tuple[str, float]]) -> dict[str, Any]:
    steps = [{"color": first, "value": None}, *({"color": colour, "value": limit} for colour, limit in others)]
    return {"mode": "absolute", "steps": steps}


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    if panel.stat:
        return []
    return [
        {
            "matcher": {"id": "byFrameRefID", "options": chr(ord("A") + index)},
            "properties": [
                {
                    "id": "color",
                    "value": {"mode": "shades" if query.many else "fixed", "fixedColor": COLOURS[index % len(COLOURS)]},
                }
            ],
        }
        for index, query in enumerate(panel.queries)
    ]


def _options(panel: Panel) -> dict[str, Any]:
    if panel.stat:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "auto",
        }
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
