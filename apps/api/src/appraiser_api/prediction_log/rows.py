"""From a record of the log to rows of the ledger."""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Final

from appraiser_api.prediction_log.entries import SINGLE, Head, unpack, unpack_single
from appraiser_schema import PredictionKind
from appraiser_store import PredictionRow

SLICE_ROWS: Final = 2_000
"""Rows of a table that are shipped in one transaction: some 20 ms, so that no other writer of the ledger waits long."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SINGLE: Final = PredictionKind.SINGLE.value
_BATCH: Final = PredictionKind.BATCH.value


def slices(payload: bytes) -> Iterator[list[PredictionRow]]:
    """The rows of a record, a slice at a time: one row for a single house.

    Raises:
        ValueError: The record is none of this version.
    """
    head, body = unpack(payload)
    if head.kind == SINGLE:
        price, lower, upper, listing = unpack_single(body)
        yield [_row(head, _SINGLE, (0, price, lower, upper, listing))]
        return
    from appraiser_api.prediction_log.tables import unpack_table  # noqa: PLC0415 - polars is no part of the start

    for part in unpack_table(body, SLICE_ROWS):
        yield [_row(head, _BATCH, values) for values in part]


def _row(head: Head, kind: str, values: tuple[int, float, float, float, str]) -> PredictionRow:
    row, price_usd, lower_usd, upper_usd, listing = values
    model = head.model
    return (
        head.request_id,
        row,
        kind,
        _EPOCH + dt.timedelta(seconds=head.at),
        head.client_request_id,
        listing,
        model.features_fingerprint,
        price_usd,
        None if math.isnan(lower_usd) else lower_usd,
        None if math.isnan(upper_usd) else upper_usd,
        model.name,
        model.version,
        head.latency_seconds,
    )
