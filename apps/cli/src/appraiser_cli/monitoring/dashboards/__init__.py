"""The dashboards of Grafana: one module each, and what writes them to the files that Grafana reads."""

from appraiser_cli.monitoring.dashboards.files import DASHBOARDS, FOLDER, as_text, stale, write

__all__ = ["DASHBOARDS", "FOLDER", "as_text", "stale", "write"]
