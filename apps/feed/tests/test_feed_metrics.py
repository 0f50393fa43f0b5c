"""What the feed tells Prometheus of itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

type Serve = Callable[..., httpx.Client]

QUESTION = "group_number=9&day=Tuesday"


def figures(client: httpx.Client) -> dict[str, float]:
    """Every sample by its name, with the outcome where it has one."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {"/".join((s.name, *s.labels.values())): s.value for family in families for s in family.samples}


class TestMetrics:
    """GET /metrics."""

    def test_counts_what_was_sent(self, serve: Serve, listing_file: Path) -> None:
        """Each batch counts with its rows and the bytes of its body, and the last one is named."""
        client = serve(data=listing_file)
        before = figures(client)
        answers = [client.get(f"/data?{QUESTION}") for _ in range(2)]
        after = figures(client)
        assert (before["appraiser_feed_answers_total/sent"], before["appraiser_feed_last_batch_number"]) == (0, -1)
        assert (after["appraiser_feed_answers_total/sent"], after["appraiser_feed_rows_total"]) == (2, 2)
        assert after["appraiser_feed_body_bytes_total"] == sum(len(answer.content) for answer in answers)
        assert after["appraiser_feed_last_batch_number"] == 1
        assert after["appraiser_feed_last_batch_timestamp_seconds"] > 1.7e9
        assert (after["appraiser_feed_batches"], after["appraiser_feed_simulated"]) == (6, 0)

    def test_tells_drops_ends_and_restarts_apart(self, serve: Serve, listing_file: Path) -> None:
        """A batch that broke off gives no rows; the end and a cursor set back count by themselves."""
        client = serve(data=listing_file, drop=frozenset({0}))
        failed: list[Any] = []
        for _ in range(7):
            try:
                client.get(f"/data?{QUESTION}")
            except httpx.RemoteProtocolError as error:
                failed.append(error)
        client.get(f"/restart_data_generation?{QUESTION}")
        after = figures(client)
        assert len(failed) == 1
        assert after["appraiser_feed_answers_total/dropped"] == 1
        assert after["appraiser_feed_answers_total/sent"] == after["appraiser_feed_rows_total"] == 5
        assert after["appraiser_feed_answers_total/exhausted"] == 1
        assert after["appraiser_feed_restarts_total"] == 1
