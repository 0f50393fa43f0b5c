"""The ledger as the shipper sees it."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from appraiser_api.stores import Store
from appraiser_schema import LiveError, utc_now
from appraiser_store import Ledger, PredictionRow, RefusedPredictionError

LIVE_WINDOW: Final = dt.timedelta(days=90)
"""Sales reported within it count: a quarter, the period by which house prices are told (FHFA's index)."""

_ANSWERS: Final = (RefusedPredictionError,)


def recent_errors(ledger: Ledger) -> list[LiveError]:
    """The live error of each version over the sales that were reported lately, the newest version first."""
    return ledger.live_errors(since=utc_now() - LIVE_WINDOW)


class LedgerSink:
    """A ledger of its own, opened at the first record, so that no question of a client waits behind a backlog."""

    def __init__(self, url: str) -> None:
        self._store = Store("ledger", "APPRAISER_LEDGER_URL", lambda: Ledger(url), answers=_ANSWERS)

    def save(self, rows: Sequence[PredictionRow]) -> int:
        """Record what is not yet on record, all or nothing."""
        return self._store.read(lambda ledger: ledger.save_prediction_rows(rows))

    def live_errors(self) -> list[LiveError]:
        """How appraisals compare with sales."""
        return self._store.read(recent_errors)

    def close(self) -> None:
        """Give back the connections."""
        self._store.close(Ledger.close)
