"""Entries: what a record of the log holds, a single house or a table of houses.

Every entry begins with the same lead and the request id, so that an id is found by searching bytes. A single house goes
on with its prices and its listing as JSON, a table with one Arrow stream of all its columns.
"""

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

_LEAD: Final = struct.Struct("<BBBxHIqd")
"""Kind, lengths of request id, client's request id and model, rows, instant [µs since 1970], latency [s]."""

_PRICES: Final = struct.Struct("<ddd")
LEAD_BYTES: Final = _LEAD.size
SINGLE: Final = 1
TABLE: Final = 2


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """Which model answered. Build it once per champion: its bytes are made once and copied into each record.

    Attributes:
        name: Name in the registry; no line breaks.
        version: Its version.
        features_fingerprint: Fingerprint of the code that makes the features.
    """

    name: str
    version: int
    features_fingerprint: str
    encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        encoded = f"{self.version}\n{self.name}\n{self.features_fingerprint}".encode()
        object.__setattr__(self, "encoded", encoded)


class Head(NamedTuple):
    """What every record begins with; a tuple, because one is made for every answer.

    Attributes:
        kind: SINGLE or TABLE.
        request_id: The service's own id.
        client_request_id: The client's, or None.
        at: Seconds since 1970, UTC; kept to the microsecond.
        latency_seconds: [s]
        rows: Houses in the record.
        model: Which model answered.
    """

    kind: int
    request_id: str
    client_request_id: str | None
    at: float
    latency_seconds: float
    rows: int
    model: LoggedModel


def pack(head: Head, *body: bytes) -> bytes:
    """Make the payload of a record; what follows the head comes in parts."""
    kind, request_id, client_request_id, at, latency_seconds, rows, model = head
    own, client, encoded = request_id.encode(), (client_request_id or "").encode(), model.encoded
    lead = _LEAD.pack(kind, len(own), len(client), len(encoded), rows, round(at * 1_000_000), latency_seconds)
    return b"".join((lead, own, client, encoded, *body))


def single_house(
    request_id: str,
    listing_json: bytes,
    *,
    at: float,
    price_usd: float,
    lower_usd: float,
    upper_usd: float,
    model: LoggedModel,
    latency_seconds: float,
    client_request_id: str | None = None,
) -> bytes:
    """The record of the answer about a single house, for `PredictionLog.append`.

    Args:
        request_id: The service's own id, `new_request_id()`; the ledger keeps one record per id and row.
        listing_json: The listing as it was asked about: the JSON object that was validated, in UTF-8.
        at: Now, in seconds since 1970 (`time.time()`).
        price_usd: What was answered. [USD]
        lower_usd: Lower bound of the interval; NaN is none. [USD]
        upper_usd: Upper bound; NaN is none. [USD]
        model: Which model answered; build it once per champion.
        latency_seconds: From the request's arrival until now. [s]
        client_request_id: The `X-Request-ID` that the client sent, ASCII, at most 64 characters; None is none.
    """
    head = Head(SINGLE, request_id, client_request_id, at, latency_seconds, 1, model)
    return pack(head, _PRICES.pack(price_usd, lower_usd, upper_usd), listing_json)


def unpack(payload: bytes) -> tuple[Head, bytes]:
    """Read a payload whose checksum was right: its head, and what follows it.

    Raises:
        ValueError: It is none of this version.
    """
    try:
        kind, own, client, model, rows, at_us, latency = _LEAD.unpack_from(payload)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if kind not in {SINGLE, TABLE}:
        raise ValueError(f"a record of kind {kind} is unknown")
    after_own = LEAD_BYTES + own
    after_client = after_own + client
    after_model = after_client + model
    request_id = payload[LEAD_BYTES:after_own].decode()
    client_request_id = payload[after_own:after_client].decode() or None
    logged = _model(payload[after_client:after_model])
    return Head(kind, request_id, client_request_id, at_us / 1e6, latency, rows, logged), payload[after_model:]


def time_of(payload: bytes) -> float | None:
    """When a record was made, in seconds since 1970, from its first bytes; None where those are damaged."""
    return None if len(payload) < LEAD_BYTES else float(_LEAD.unpack_from(payload)[5]) / 1e6


def unpack_single(body: bytes) -> tuple[float, float, float, str]:
    """Price, lower and upper bound of a single house, and its listing as JSON."""
    price, lower, upper = _PRICES.unpack_from(body)
    return price, lower, upper, body[_PRICES.size :].decode()


@lru_cache(maxsize=64)
def _model(encoded: bytes) -> LoggedModel:
    version, name, fingerprint = encoded.decode().split("\n")
    return LoggedModel(name, int(version), fingerprint)
