"""People who ask for houses: single ones most of the time, a reason or a small table now and then.

`./appraiser bench load` starts it; by hand: `locust -f bench/locustfile.py --host http://127.0.0.1:8000`.
"""

import json
import os
import random
from typing import Final

from locust import FastHttpUser, constant_pacing, events, task
from locust.env import Environment

from appraiser_schema import example_listing

TABLE_ROWS: Final = 50
_STATES: Final = (("Connecticut", "East Windsor", "06016"), ("Massachusetts", "Agawam", "01001"), ("Maine", None, None))
_KEY: Final = os.environ.get("APPRAISER_API_KEY", "")
_HEADERS: Final = {"authorization": f"Bearer {_KEY}"} if _KEY else {}

answered_rows = 0
"""Appraisals that clients got: each has to be on record."""


def a_house() -> dict[str, object]:
    """A listing, no two alike."""
    state, city, zip_code = random.choice(_STATES)  # noqa: S311 - no secret
    size = random.uniform(500, 6_000)  # noqa: S311
    beds = random.randint(1, 6)  # noqa: S311
    return {**example_listing(), "state": state, "city": city, "zip_code": zip_code, "house_size": size, "bed": beds}


class Visitor(FastHttpUser):
    """Somebody who asks about twice a second; the next question follows an answer."""

    wait_time = constant_pacing(0.5)

    @task(17)
    def appraise(self) -> None:
        """One house."""
        self._ask("/predict", a_house(), 1)

    @task(2)
    def explain(self) -> None:
        """One house, with the reasons."""
        self._ask("/explain", a_house(), 1)

    @task(1)
    def appraise_table(self) -> None:
        """A small table."""
        houses = [a_house() for _ in range(TABLE_ROWS)]
        self._ask("/predict/batch", {name: [house[name] for house in houses] for name in houses[0]}, TABLE_ROWS)

    def _ask(self, path: str, body: object, rows: int) -> None:
        global answered_rows  # noqa: PLW0603 - one process, one count
        with self.client.post(path, json=body, headers=_HEADERS, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code}: {(answer.text or '')[:200]}")
            else:
                answered_rows += rows


def tell(environment: Environment, **_: object) -> None:
    """Write the figures where they are looked for, as JSON."""
    path = os.environ.get("APPRAISER_LOAD_REPORT")
    if not path:
        return
    stats = environment.stats
    kinds = {entry.name: entry for entry in stats.entries.values()} | {"all": stats.total}
    report = {
        "answered_rows": answered_rows,
        "requests": {
            name: {
                "count": entry.num_requests,
                "failed": entry.num_failures,
                "per_second": round(entry.total_rps, 2),
                **{
                    f"p{share * 100:g}_ms": entry.get_response_time_percentile(share)
                    for share in (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
                },
            }
            for name, entry in kinds.items()
        },
        "errors": [f"{error.name}: {error.error} ({error.occurrences} times)" for error in stats.errors.values()],
    }
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - gevent has patched the rest
        json.dump(report, file)


events.quitting.add_listener(tell)  # type: ignore[no-untyped-call]
