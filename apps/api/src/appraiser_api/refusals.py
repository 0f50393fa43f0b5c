"""What the guard may answer in the place of an endpoint, in the OpenAPI document."""

from typing import Any, Final

from appraiser_api.access import needed_scope
from appraiser_api.problems import MEDIA_TYPE

_SCHEMA: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS: Final = {
    "401": "An API key is needed, or it is not known.",
    "403": "The API key lacks the scope.",
    "408": "The request does not arrive in time.",
    "413": "The body is larger than may be.",
    "429": "This key or address asks more often than it may; see Retry-After.",
    "503": "The service has its hands full, or the answer takes too long; see Retry-After.",
}
_SCHEMES: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key; none is needed on loopback."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same, in another header."},
}
_UNLIMITED: Final = frozenset({"/health/live", "/health/ready", "/metrics", "/admin/reload"})
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


def add_refusals(document: dict[str, Any]) -> None:
    """Add the keys, and to each operation what may be answered before it is reached."""
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method in _METHODS & operations.keys():
            scope = needed_scope(method.upper(), path)
            statuses = ["413"]
            if scope is not None:
                statuses += ["401", "403", "429"]
                operations[method]["security"] = [{"key": []}, {"header": []}]
                operations[method]["description"] = (
                    f"{operations[method].get('description', '')}\n\nA key needs the scope `{scope.value}`."
                )
            if path not in _UNLIMITED:
                statuses.append("503")
            if "requestBody" in operations[method]:
                statuses.append("408")
            responses = operations[method]["responses"]
            for status in statuses:
                responses.setdefault(status, {"description": _WORDS[status], "content": _SCHEMA})
