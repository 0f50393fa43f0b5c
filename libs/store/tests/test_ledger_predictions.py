"""Appraisals and sales in the ledger, on SQLite and on a real PostgreSQL server."""

import datetime as dt
import threading
import time
from typing import Any

import pytest
from sqlalchemy import inspect

from appraiser_schema import Feedback, Prediction, PredictionKind, example_listing
from appraiser_store import Ledger, PredictionRow, RefusedPredictionError, UnknownPredictionError
from appraiser_store.prediction_tables import FEEDBACK, PREDICTIONS

AT = dt.datetime(2026, 11, 25, 1, 30, 0, 123456, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def a_prediction(request_id: str = "a", **changes: Any) -> Prediction:
    """A single house that was appraised."""
    facts: dict[str, Any] = {
        "request_id": request_id, "at": AT, "listing": example_listing(), "features_fingerprint": "f" * 64,
        "price_usd": 300_000.1, "lower_usd": 250_000.2, "upper_usd": 400_000.3, "model_name": "house-price",
        "model_version": 3, "latency_seconds": 0.00025,
    }  # fmt: skip
    return Prediction(**facts | changes)


def a_sale(request_id: str = "a", **changes: Any) -> Feedback:
    """What it sold for."""
    facts: dict[str, Any] = {
        "request_id": request_id, "sold_price_usd": 310_000.5, "sold_at": dt.date(2026, 11, 24), "received_at": AT,
        "note": "Auction; 100 % cash",
    }  # fmt: skip
    return Feedback(**facts | changes)


def some_rows(count: int) -> list[PredictionRow]:
    """Rows as the API ships them."""
    tail = ("{}", "f" * 64, 1.5, 1.0, 2.0, "house-price", 3, 0.001)
    return [(f"{number:032x}", 0, "single", AT, None, *tail) for number in range(count)]


class TestPredictions:
    """One record per request id and row."""

    def test_round_trip(self, ledger: Ledger) -> None:
        """An appraisal comes back equal, with text of any language and without an interval where there was none."""
        asked = {"city": "Cañon \u0000 'City' \"?\" % :x 家", "bed": 3.5, "state": "Colorado"}
        whole = a_prediction(listing=asked, client_request_id="mine")
        bare = a_prediction("b", kind=PredictionKind.BATCH, row=70_000, lower_usd=None, upper_usd=None)
        assert ledger.save_predictions([whole, bare]) == 2
        assert ledger.prediction("a") == whole
        assert ledger.prediction("b", 70_000) == bare
        assert ledger.prediction("b") is None

    def test_once(self, ledger: Ledger) -> None:
        """What is on record already stays as it was, and only what is new is counted."""
        ledger.save_predictions([a_prediction(), a_prediction(row=1)])
        again = [a_prediction(price_usd=1.0), a_prediction(row=2), a_prediction(row=2, price_usd=2.0)]
        assert ledger.save_predictions(again) == 1
        assert [(found.row, found.price_usd) for found in ledger.predictions()] == [(r, 300_000.1) for r in range(3)]
        assert ledger.save_predictions([]) == 0

    def test_at_once(self, ledger: Ledger) -> None:
        """Threads that record the same appraisals at the same moment leave one of each, and count it once."""
        rows = some_rows(500)
        counts: list[int] = []
        threads = [threading.Thread(target=lambda: counts.append(ledger.save_prediction_rows(rows))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(counts) == len(ledger.predictions(limit=1000)) == 500

    def test_whole_or_not(self, ledger: Ledger) -> None:
        """A row that cannot be recorded leaves nothing of those that came with it."""
        bad = (*some_rows(1)[0][:7], None, *some_rows(1)[0][8:])
        with pytest.raises(RefusedPredictionError, match=r"(?i)null"):
            ledger.save_prediction_rows([*some_rows(3), bad])  # type: ignore[list-item]
        assert ledger.predictions() == []

    def test_fast(self, ledger: Ledger) -> None:
        """Fifty thousand rows do not keep the log waiting: 3 s is ten times what they take on a quiet machine."""
        rows = some_rows(20_000)
        started = time.perf_counter()
        assert ledger.save_prediction_rows(rows) == 20_000
        assert time.perf_counter() - started < 3

    def test_pages(self, ledger: Ledger) -> None:
        """Pages follow each other by time, id and row without gap or repetition, also within one instant."""
        made = [
            a_prediction(request_id, row=row, at=AT + SECOND * second, model_version=1 + second)
            for second in (0, 1)
            for request_id in (("a", "d") if second else ("c", "b"))
            for row in (1, 0)
        ]
        ledger.save_predictions(made)
        ordered = sorted(made, key=lambda one: (one.at, one.request_id, one.row))
        found: list[Prediction] = []
        while page := ledger.predictions(after=found[-1] if found else None, limit=3):
            found += page
        assert found == ordered
        assert ledger.predictions(model_version=2) == ordered[4:]
        assert ledger.predictions(since=AT + SECOND) == ordered[4:]
        assert ledger.predictions(before=AT + SECOND) == ordered[:4]
        assert ledger.predictions(request_id="c") == ordered[2:4]

    def test_retention(self, ledger: Ledger) -> None:
        """What was answered before an instant is forgotten together with the sales; the rest stays."""
        ledger.save_predictions([a_prediction("old"), a_prediction("new", at=AT + SECOND)])
        ledger.save_feedback(a_sale("old"))
        ledger.save_feedback(a_sale("new"))
        assert ledger.delete_predictions_before(AT + SECOND) == 1
        assert [found.request_id for found in ledger.predictions()] == ["new"]
        assert [found.request_id for found in ledger.feedback()] == ["new"]
        assert ledger.delete_predictions_before(AT + SECOND) == 0


class TestFeedback:
    """What houses sold for."""

    def test_kept(self, ledger: Ledger) -> None:
        """Every report about an appraisal is kept, in the order in which it came."""
        ledger.save_predictions([a_prediction()])
        sales = [a_sale(), a_sale(sold_price_usd=1.5)]
        for sale in sales:
            ledger.save_feedback(sale)
        assert ledger.feedback() == ledger.feedback("a") == sales
        assert ledger.feedback("b") == []

    @pytest.mark.parametrize("sale", [a_sale("b"), a_sale(row=1)])
    def test_unknown(self, ledger: Ledger, sale: Feedback) -> None:
        """A sale of a house that was never appraised, or of a row that was not there, is refused by name."""
        ledger.save_predictions([a_prediction()])
        with pytest.raises(UnknownPredictionError, match=rf"request id '{sale.request_id}' and row {sale.row}"):
            ledger.save_feedback(sale)
        assert ledger.feedback() == []

    def test_before_its_appraisal(self, ledger: Ledger) -> None:
        """A sale may come before the record of the appraisal, and counts once that has come."""
        ledger.save_feedback(a_sale(), on_its_way=True)
        assert ledger.live_errors() == []
        ledger.save_predictions([a_prediction()])
        assert [live.n for live in ledger.live_errors()] == [1]


class TestLiveErrors:
    """How appraisals compare with sales."""

    def test_by_version(self, ledger: Ledger) -> None:
        """Each version has its own figures, of the last report about each appraisal, the newest version first."""
        for number, sold in enumerate((100.0, 105.0, 120.0, 200.0)):
            bounds = {"lower_usd": 90.0, "upper_usd": 110.0} if number else {"lower_usd": None, "upper_usd": None}
            at = AT + number * SECOND
            ledger.save_predictions([a_prediction("v3", row=number, price_usd=100.0, at=at, **bounds)])
            ledger.save_feedback(a_sale("v3", row=number, sold_price_usd=sold))
        ledger.save_predictions([a_prediction("v12", model_version=12, price_usd=150.0)])
        for sold in (1.0, 100.0):
            ledger.save_feedback(a_sale("v12", sold_price_usd=sold))
        newest, older = ledger.live_errors()
        assert (newest.model_version, newest.n, newest.mdape, newest.median_ratio) == (12, 1, 50.0, 1.5)
        assert (older.n, older.since, older.ppe10) == (4, AT, 50.0)
        assert older.mdape == pytest.approx(100 * (5 / 105 + 20 / 120) / 2)
        assert older.median_ratio == pytest.approx((100 / 105 + 100 / 120) / 2)
        assert older.coverage == pytest.approx(100 / 3)

    def test_since(self, ledger: Ledger) -> None:
        """Sales reported before an instant are left out, however old the appraisals are; the last report decides."""
        ledger.save_predictions([a_prediction(row=row, at=AT - row * SECOND) for row in range(3)])
        for row in range(3):
            ledger.save_feedback(a_sale(row=row, received_at=AT + row * SECOND))
        ledger.save_feedback(a_sale(received_at=AT + 2 * SECOND, sold_price_usd=100_000.0))
        assert [live.n for live in ledger.live_errors(since=AT + SECOND)] == [3]
        (only,) = ledger.live_errors(since=AT + 2 * SECOND)
        assert (only.n, only.since) == (2, AT - 2 * SECOND)

    def test_most(self, ledger: Ledger) -> None:
        """However many sales were reported, only so many are read: the latest."""
        ledger.save_predictions([a_prediction(row=row, price_usd=100.0) for row in range(5)])
        for row in range(5):
            ledger.save_feedback(a_sale(row=row, sold_price_usd=100.0 if row > 2 else 200.0))
        (live,) = ledger.live_errors(most=2)
        assert (live.n, live.mdape) == (2, 0)

    def test_nothing_sold(self, ledger: Ledger) -> None:
        """Without a sale there is no live error."""
        ledger.save_predictions([a_prediction()])
        assert ledger.live_errors() == []


class TestTables:
    """Records and tables."""

    def test_every_field_has_a_column(self) -> None:
        """A field that is added to a record needs a column; nothing of a record is lost in silence."""
        assert set(PREDICTIONS.columns.keys()) == set(Prediction.model_fields)
        assert set(FEEDBACK.columns.keys()) == set(Feedback.model_fields) | {"feedback_id"}

    def test_indexes(self, ledger: Ledger) -> None:
        """The indexes are made with the tables: a page by time and a report do not read the whole table."""
        inspector = inspect(ledger._engine)
        found = {index["name"] for table in ("predictions", "feedback") for index in inspector.get_indexes(table)}
        assert found == {"predictions_by_time", "feedback_by_prediction", "feedback_by_time"}
