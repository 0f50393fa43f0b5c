"""The dashboards as files, which compose and the cluster both give to Grafana."""

import json
from pathlib import Path
from typing import Final

from appraiser_cli.monitoring.dashboards.model import MODEL
from appraiser_cli.monitoring.dashboards.panels import Dashboard
from appraiser_cli.monitoring.dashboards.pipeline import PIPELINE
from appraiser_cli.monitoring.dashboards.platform import PLATFORM
from appraiser_cli.monitoring.dashboards.service import SERVICE

DASHBOARDS: Final = (SERVICE, MODEL, PIPELINE, PLATFORM)
FOLDER: Final = Path("gitops/platform/monitoring/dashboards")
"""Where they lie, below the root of the repository."""


def as_text(dashboard: Dashboard) -> str:
    """The file of a dashboard; the same dashboard gives the same bytes."""
    return json.dumps(dashboard.as_json(), indent=2, ensure_ascii=False) + "\n"


def write(root: Path) -> list[Path]:
    """Write the files that differ from the code.

    Args:
        root: Root of the repository.

    Returns:
        What was written.
    """
    changed = stale(root)
    for path in changed:
        dashboard = next(d for d in DASHBOARDS if d.name == path.stem)
        path.write_text(as_text(dashboard), encoding="utf-8")
    return changed


def stale(root: Path) -> list[Path]:
    """The files that are absent or not what the code gives.

    Args:
        root: Root of the repository.
    """
    paths = {root / FOLDER / f"{dashboard.name}.json": as_text(dashboard) for dashboard in DASHBOARDS}
    return [path for path, text in paths.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
