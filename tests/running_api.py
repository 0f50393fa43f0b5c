"""Asking a running API, for the tests of it and of what stands around it."""

import time
from collections.abc import Callable

from starlette.testclient import TestClient

from appraiser_schema import example_listing


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def serves(client: TestClient) -> int | None:
    """Version of the model that serves."""
    model = client.get("/health/ready").json()["model"]
    return None if model is None else int(model["version"])


def price(client: TestClient) -> float:
    """What the example house is worth."""
    response = client.post("/predict", json=example_listing())
    assert response.status_code == 200, response.text
    return float(response.json()["price_usd"])


def metric(client: TestClient, name: str) -> float:
    """Value of a metric; labels, if it has any, are part of the name."""
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} "))
