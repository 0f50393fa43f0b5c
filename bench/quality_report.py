"""The report of `bench quality` for people, 80 columns wide."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_ROWS: Final = (
    ("Median error (MdAPE) [%]", "mdape", 1),
    ("Within 10 % (PPE10) [%]", "ppe10", 1),
    ("RMSE [USD]", "rmse", 0),
    ("MAE [USD]", "mae", 0),
    ("R2", "r2", 3),
    ("Median ratio", "median_ratio", 3),
    ("COD [%]", "cod", 1),
    ("PRD", "prd", 3),
    ("PRB", "prb", 3),
)
_WITH_RATIO: Final = ("mdape", "ppe10", "rmse", "mae", "r2", "cod")
"""Of the other figures, which are best at 1 or at 0, a ratio says nothing."""


def render(report: Mapping[str, Any]) -> str:
    """The report for people, 80 columns wide."""
    data, machine = report["data"], report["machine"]
    head = (
        f"{data['listings']:,} listings of {data['name']}, {data['complete']:,} of them complete.\n"
        f"The schema refuses {data['refused']}: ours trains without them, and appraises them all the same.\n"
        f"{data['folds']} folds, seed {data['seed']}: each listing is appraised by a model that has not seen it.\n"
        f"{machine['cores']} cores ({machine['processor']}), XGBoost {machine['xgboost']}: "
        f"original {report['original']['seconds']:.0f} s, ours {report['ours']['seconds']:.0f} s."
    )
    parts = [head, *(_side_by_side(report, part) for part in ("all", "complete")), _intervals(report["coverage"])]
    if "own_split" in report:
        parts.append(_own_split(report["own_split"]))
    if "ablation" in report:
        parts.append(_ablation(report["ablation"]))
    return "\n\n".join(parts) + "\n"


def _side_by_side(report: Mapping[str, Any], part: str) -> str:
    lines = [_line(f"{part.capitalize()} listings", "original", "ours", "ratio")]
    for label, name, digits in _ROWS:
        theirs, mine = report["original"][part][name], report["ours"][part][name]
        ratio = mine / theirs if name in _WITH_RATIO and theirs and mine else None
        lines.append(_line(label, _number(theirs, digits), _number(mine, digits), _number(ratio, 2)))
    return "\n".join(lines)


def _intervals(found: Mapping[str, Any]) -> str:
    """Coverage by price band and by state, and the width beside plain intervals."""
    columns = ("listings", "inside [%]", "width [%]")
    parts = [
        [_line("90 % interval by price", *columns)],
        *([_segment(part)] for part in found["bands"]),
        ["", _line("90 % interval by state", *columns)],
        *([_segment(part)] for part in found["states"]),
        ["", _line("90 % interval", "inside [%]", "worst band", "width [%]")],
        [
            _line(label, *(_number(interval[name], 1) for name in ("overall", "worst_band", "median_width")))
            for label, interval in (
                ("ours", found),
                ("plain: same dollars for all", found["plain"]["usd"]),
                ("plain: same percent for all", found["plain"]["percent"]),
            )
        ],
    ]
    return "\n".join(line for part in parts for line in part)


def _segment(part: Mapping[str, Any]) -> str:
    return _line(part["name"], f"{part['rows']:,}", _number(part["coverage"], 1), _number(part["width"], 1))


def _own_split(found: Mapping[str, Any]) -> str:
    published = found["published"]
    lines = [_line("Four measures only", "test rows", "R2", "RMSE [USD]", "MdAPE [%]", "PPE10 [%]")]
    for label, name in (("as it counted", "as_counted"), ("original, once", "original"), ("ours, once", "ours")):
        row = found[name]
        cells = [_number(row[key], digits) for key, digits in (("r2", 4), ("rmse", 0), ("mdape", 1), ("ppe10", 1))]
        lines.append(_line(label, f"{row['rows']:,}", *cells))
    return "\n".join(
        [
            *lines,
            f"Its log says R2 {published['r2']:.4f} and RMSE {published['rmse']:,.0f} after its last batch, of which",
            "two stood twice. Once: each batch once, and no test row that stands in training.",
        ]
    )


def _ablation(rows: Sequence[Mapping[str, Any]]) -> str:
    names = (("mdape", 1), ("ppe10", 1), ("rmse", 0), ("r2", 3))
    lines = [_line("Ours without", "MdAPE [%]", "PPE10 [%]", "RMSE [USD]", "R2", "complete")]
    for row in rows:
        cells = [_number(row["all"][name], digits) for name, digits in names]
        lines.append(_line(row["without"], *cells, _number(row["complete"]["mdape"], 1)))
    return "\n".join([*lines, "The last column is the MdAPE of the complete listings."])


def _line(label: str, *cells: str) -> str:
    return label.ljust(20 if len(cells) > 3 else 36) + "".join(f"{cell:>12}" for cell in cells)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
