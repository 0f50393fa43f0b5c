"""How answers and problems stand in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Final

from appraiser_api.problems import MEDIA_TYPE

_WORDS: Final[Mapping[int, str]] = {
    403: "The key may not do this.",
    404: "There is no such thing.",
    406: "The answer cannot be written in any of the kinds that the client takes.",
    409: "It cannot be done as things stand; nothing has changed.",
    413: "The body is larger than may be.",
    415: "The body is not declared as what it must be.",
    422: "The request breaks a rule: each field, its rule and its value are named.",
    503: "A model or a store is not there; the answer says what to do, and Retry-After when to ask again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint that can fail in these ways."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {"description": _WORDS[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def answer(example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint whose answer looks like this."""
    return {200: {"content": {"application/json": {"example": example}}}}
