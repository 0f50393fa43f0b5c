"""The feed, the API and the web page as services."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service
from appraiser_cli.services.addresses import Addresses


def feed(addresses: Addresses, environment: dict[str, str], data: Path | None) -> Service:
    """The listing API over a data file, or over its simulator."""
    source = {"APPRAISER_FEED_DATA": str(data)} if data else {}
    return Service(
        name="feed",
        command=(sys.executable, "-m", "appraiser_feed"),
        environment={
            **_without_data(environment),
            **source,
            "APPRAISER_FEED_HOST": LOOPBACK,
            "APPRAISER_FEED_PORT": str(addresses.ports["feed"]),
        },
        port=addresses.ports["feed"],
        health="/health",
        patience=timedelta(seconds=300),
    )


def api(addresses: Addresses, environment: dict[str, str], workers: int = 1) -> Service:
    """The appraisal API. It is ready when it answers, with or without a champion."""
    return Service(
        name="api",
        command=(sys.executable, "-m", "appraiser_api"),
        environment={
            **environment,
            "APPRAISER_API_HOST": LOOPBACK,
            "APPRAISER_API_PORT": str(addresses.ports["api"]),
            # Who names a number wants that one.
            "APPRAISER_API_WORKERS": os.environ.get("APPRAISER_API_WORKERS", str(workers)),
        },
        port=addresses.ports["api"],
        health="/health/live",
    )


def ui(addresses: Addresses, environment: dict[str, str]) -> Service:
    """The web page."""
    return Service(
        name="ui",
        command=(sys.executable, "-m", "appraiser_ui"),
        environment={
            **environment,
            "APPRAISER_UI_HOST": LOOPBACK,
            "APPRAISER_UI_PORT": str(addresses.ports["ui"]),
            "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        },
        port=addresses.ports["ui"],
        health="/_stcore/health",
    )


def _without_data(environment: dict[str, str]) -> dict[str, str]:
    # An empty value means the simulator: the caller's own variable must not reach the feed by accident.
    return {**environment, "APPRAISER_FEED_DATA": ""}
