"""A prediction log to try things on: records, streams of dead processes, and a ledger in memory that can fail."""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from appraiser_api.errors import AwayError
from appraiser_api.metrics import Metrics
from appraiser_api.prediction_log import LoggedModel, LogMetrics, PredictionLog, single_house
from appraiser_api.prediction_log.frames import payload_of, pieces
from appraiser_api.prediction_log.shipper import Shipper
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_api.prediction_log.source import Source
from appraiser_api.prediction_log.stream import Stream
from appraiser_model import Appraised
from appraiser_schema import LiveError
from appraiser_store import PredictionRow, RefusedPredictionError

MODEL = LoggedModel("house-price", 3, "f" * 64)
LISTING = b'{"state": "Texas", "city": "Ca\xc3\xb1on", "bed": 3}'
AT = 1_795_570_200.123456


class Killed(BaseException):
    """Stands for a SIGKILL: nothing after it is done."""


class MemorySink:
    """A ledger in memory that can be away, refuse, or die before or after it has saved."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], PredictionRow] = {}
        self.order: list[str] = []
        self.away = False
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def save(self, rows: Sequence[PredictionRow]) -> int:
        """Keep what is new."""
        if self.away:
            raise AwayError("ledger", "APPRAISER_LEDGER_URL")
        self.before()
        if any(row[7] < 0 for row in rows):
            raise RefusedPredictionError("a price is negative")
        new = [row for row in rows if (row[0], row[1]) not in self.rows]
        self.rows |= {(row[0], row[1]): row for row in new}
        self.order += [row[0] for row in new]
        self.after()
        return len(new)

    def live_errors(self) -> list[LiveError]:
        """None."""
        return []

    def close(self) -> None:
        """Nothing is open."""


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    """The value of a metric."""
    value = metrics.registry.get_sample_value(f"appraiser_{name}", labels)
    assert value is not None
    return value


def append(log: PredictionLog, request_id: str, **changes: Any) -> str:
    """Put a single house on record."""
    facts: dict[str, Any] = {
        "at": AT, "price_usd": 300_000.1, "lower_usd": 250_000.2, "upper_usd": float("nan"), "model": MODEL,
        "latency_seconds": 0.00025,
    }  # fmt: skip
    log.append(single_house(request_id, LISTING, **facts | changes))
    return request_id


def a_table(rows: int) -> tuple[pl.DataFrame, Appraised]:
    """Houses with their appraisals; of some something is unknown."""
    price = np.arange(rows, dtype=float) + 100_000
    frame = pl.DataFrame(
        {
            "state": ["Texas"] * rows,
            "bed": [None if row % 3 else float(row) for row in range(rows)],
            "prev_sold_date": [dt.date(1999, 9, 30)] * rows,
        }
    )
    return frame, Appraised(price, price - 1, price + 1)


def a_shipper(root: Path, sink: MemorySink | LedgerSink, metrics: LogMetrics, own: Sequence[Source] = ()) -> Shipper:
    """One that finds the streams of the dead at once."""
    return Shipper(root, own, sink, metrics)


def drain(root: Path, sink: MemorySink | LedgerSink, metrics: LogMetrics) -> None:
    """Do what the next process does: adopt and ship all."""
    shipper = a_shipper(root, sink, metrics)
    while shipper.work():
        pass


def abandoned(root: Path, left: Sequence[bytes], *, segment_bytes: int = 1 << 20) -> list[Path]:
    """Leave a stream behind as a process does that was killed.

    Returns:
        Its segments.
    """
    stream = Stream(root, "dead-single", always_sync=False, segment_bytes=segment_bytes)
    for payload in left:
        stream.append(payload)
    stream.close()
    return sorted(stream.folder.glob("*.log"))


def records(root: Path, ids: Sequence[str], **changes: Any) -> list[bytes]:
    """The payloads of single houses."""
    log = PredictionLog(root / "aside", metrics=LogMetrics(Metrics()))
    for request_id in ids:
        append(log, request_id, **changes)
    log.stop()
    (segment,) = (root / "aside").glob("*-log/*.log")
    found = payloads(segment)
    shutil.rmtree(root / "aside")
    return found


def payloads(segment: Path) -> list[bytes]:
    """What the records of a segment hold, all of them whole."""
    content = segment.read_bytes()
    return [payload_of(content, piece) for piece in pieces(content, 0, len(content))]
