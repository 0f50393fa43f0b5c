"""The forms in which a table of houses comes in and its appraisals go out."""

from collections.abc import Mapping
from email.message import Message
from enum import StrEnum
from typing import Final

from appraiser_api.batch.errors import AcceptError, BatchTypeError


class Kind(StrEnum):
    """A form of tables, by its media type. JSON is a list of listings, or one object with a list per column."""

    JSON = "application/json"
    LINES = "application/x-ndjson"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"
    ARROW = "application/vnd.apache.arrow.stream"


_OTHER_NAMES: Final[Mapping[str, Kind]] = {
    "application/jsonl": Kind.LINES,
    "application/ndjson": Kind.LINES,
    "application/x-jsonlines": Kind.LINES,
    "application/csv": Kind.CSV,
    "application/parquet": Kind.PARQUET,
    "application/x-parquet": Kind.PARQUET,
    "application/arrow": Kind.ARROW,
}
KNOWN: Final[Mapping[str, Kind]] = {**{kind.value: kind for kind in Kind}, **_OTHER_NAMES}


def sent_kind(content_type: str | None) -> Kind:
    """What the body is declared to be.

    Raises:
        BatchTypeError: It is declared as something else, or as nothing.
    """
    kind = KNOWN.get(_media_type(content_type or ""))
    if kind is None:
        raise BatchTypeError(content_type, tuple(Kind))
    return kind


def wanted_kind(accept: str | None, sent: Kind) -> Kind:
    """What the answer shall be: the first kind that the client names, and the one it sent where it takes anything.

    Raises:
        AcceptError: It takes none of the kinds that there are.
    """
    names = [_media_type(name) for name in (accept or "*/*").split(",")]
    for name in names:
        if name in {"*/*", ""} or (name.endswith("/*") and sent.value.startswith(name[:-1])):
            return sent
        if name in KNOWN:
            return KNOWN[name]
    raise AcceptError(accept or "", tuple(Kind))


def _media_type(text: str) -> str:
    message = Message()
    message["content-type"] = text.strip()
    return message.get_content_type() if "/" in text else ""
