"""What is on record of an answer, and comes into the ledger."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from log_stand import (
    AT,
    LISTING,
    MODEL,
    a_table,
    append,
    drain,
)

from appraiser_api.prediction_log import LogMetrics, PredictionLog, new_request_id
from appraiser_api.prediction_log.sink import LedgerSink
from appraiser_api.prediction_log.tables import pack_table, unpack_table
from appraiser_model import Appraised
from appraiser_schema import Prediction, PredictionKind
from appraiser_store import Ledger


class TestRecord:
    """What is on record of an answer."""

    def test_single(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """A single house comes into the ledger as it was asked and answered, to the last bit and the microsecond."""
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        request_id = append(log, new_request_id(), client_request_id="mine")
        log.stop()
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        drain(tmp_path / "log", LedgerSink(f"sqlite:///{tmp_path / 'ledger.db'}"), log_metrics)
        assert ledger.prediction(request_id) == Prediction(
            request_id=request_id, at=dt.datetime(2026, 11, 25, 1, 30, 0, 123456, tzinfo=dt.UTC),
            client_request_id="mine", listing=json.loads(LISTING), features_fingerprint="f" * 64,
            price_usd=300_000.1, lower_usd=250_000.2, upper_usd=None, model_name="house-price", model_version=3,
            latency_seconds=0.00025,
        )  # fmt: skip
        ledger.close()

    def test_table(self, tmp_path: Path, log_metrics: LogMetrics) -> None:
        """Each row of a table comes into the ledger under its number in the table that was sent, without gaps in it."""
        log = PredictionLog(tmp_path / "log", metrics=log_metrics)
        listings, appraised = a_table(5_000)
        log.append_table("a-table", listings, appraised, at=AT, model=MODEL, latency_seconds=0.5)
        log.append_table(
            "a-table", *a_table(2), at=AT, model=MODEL, latency_seconds=0.5, rows=pl.Series([7_000, 9_001])
        )
        log.append_table("nothing", *a_table(0), at=AT, model=MODEL, latency_seconds=0.5)
        log.stop()
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        drain(tmp_path / "log", LedgerSink(f"sqlite:///{tmp_path / 'ledger.db'}"), log_metrics)
        found = ledger.predictions(limit=10_000)
        assert [one.row for one in found] == [*range(1, 5_001), 7_000, 9_001]
        assert {one.kind for one in found} == {PredictionKind.BATCH}
        assert [one.price_usd for one in found[:5_000]] == appraised.price_usd.tolist()
        assert found[3].listing == {"state": "Texas", "bed": 3.0, "prev_sold_date": "1999-09-30"}
        assert found[4].listing["bed"] is None
        ledger.close()

    def test_ids(self) -> None:
        """Ids are new each time, of one length, and sorted by the time at which they were made, to the millisecond."""
        ids = [new_request_id() for _ in range(10_000)]
        assert len(set(ids)) == 10_000
        assert {len(one) for one in ids} == {32}
        assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)

    @given(texts=st.lists(st.text(max_size=8) | st.none(), min_size=1, max_size=7))
    @example(texts=["Ca\u2028ñon", "\x85", "\n", "\r\x0b\x0c\x1c\x1d\x1e\u2029", "", None])
    def test_any_text(self, texts: list[str | None]) -> None:
        """A table comes back row by row whatever its texts are made of, also what some take for the end of a line."""
        price = np.arange(len(texts), dtype=float)
        listings = pl.DataFrame({"city": texts}, schema={"city": pl.String})
        packed = pack_table(listings, Appraised(price, price - 1, price + 1), None)
        found = [row for rows in unpack_table(packed, 3) for row in rows]
        assert [row[:4] for row in found] == [(n + 1, n, n - 1, n + 1) for n in range(len(texts))]
        assert [json.loads(row[4])["city"] for row in found] == texts
