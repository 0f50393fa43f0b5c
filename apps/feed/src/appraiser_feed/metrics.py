"""What the feed counts, for Prometheus. It runs as one process, so plain counters are right."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from appraiser_feed.feed import Feed

OUTCOMES: Final = ("sent", "dropped", "exhausted")
"""How a question for the next batch was answered: with a batch, with half of one on purpose, with the end."""

# Half of the lines, and nobody asks when a counter was made.
disable_created_metrics()  # type: ignore[no-untyped-call]


class FeedMetrics:
    """The metrics of one application.

    Args:
        feed: What it serves.
    """

    def __init__(self, feed: Feed) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._answers = Counter(
            "appraiser_feed_answers",
            "Questions for the next batch that were answered: sent, dropped on purpose in mid-body, exhausted.",
            ("outcome",),
            registry=self.registry,
        )
        for outcome in OUTCOMES:
            self._answers.labels(outcome)
        self._rows = Counter(
            "appraiser_feed_rows", "Listings of the batches that were sent whole.", registry=self.registry
        )
        self._bytes = Counter(
            "appraiser_feed_body_bytes", "Length of the batches that were sent whole. [bytes]", registry=self.registry
        )
        self._restarts = Counter(
            "appraiser_feed_restarts", "Times that a cursor was set back to the first batch.", registry=self.registry
        )
        self._last_batch = Gauge(
            "appraiser_feed_last_batch_number", "Number of the batch that was sent last.", registry=self.registry
        )
        self._last_time = Gauge(
            "appraiser_feed_last_batch_timestamp_seconds",
            "When a batch was sent last, seconds since 1970; 0 is never.",
            registry=self.registry,
        )
        self._last_batch.set(-1)
        Gauge("appraiser_feed_batches", "Batches that there are to send.", registry=self.registry).set(
            len(feed.batches)
        )
        Gauge(
            "appraiser_feed_simulated",
            "1 where the listings are made up, 0 where they come from a file.",
            registry=self.registry,
        ).set(feed.simulated)

    def sent(self, batch_number: int, rows: int, size_bytes: int, *, dropped: bool) -> None:
        """Count a batch; of one that was dropped on purpose neither rows nor bytes."""
        self._answers.labels("dropped" if dropped else "sent").inc()
        if not dropped:
            self._rows.inc(rows)
            self._bytes.inc(size_bytes)
        self._last_batch.set(batch_number)
        self._last_time.set_to_current_time()

    def exhausted(self) -> None:
        """Count a question after the last batch."""
        self._answers.labels("exhausted").inc()

    def restarted(self) -> None:
        """Count a cursor that was set back."""
        self._restarts.inc()

    def expose(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
