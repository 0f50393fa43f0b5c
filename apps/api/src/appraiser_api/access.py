"""Which scope a request needs; what is not named here needs the strictest, so that nothing new is open by mistake."""

from typing import Final

from appraiser_schema import Scope

_EVERYONE: Final = frozenset({"/", "/docs", "/docs/start.js", "/openapi.json", "/health/live", "/health/ready"})
_BY_PATH: Final = {
    "/predict": Scope.PREDICT,
    "/predict/batch": Scope.PREDICT,
    "/explain": Scope.PREDICT,
    "/comparables": Scope.PREDICT,
    "/places": Scope.PREDICT,
}
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def needed_scope(method: str, path: str) -> Scope | None:
    """What a key must be allowed to do; None where no key is needed."""
    scope = _BY_PATH.get(path)
    if scope is not None:
        return scope
    if path.startswith("/places/"):
        return Scope.PREDICT
    if path in _EVERYONE or path.startswith("/docs/assets/"):
        return None
    if path == "/admin" or path.startswith("/admin/"):
        return Scope.ADMIN
    if method in _READING:
        return Scope.READ
    return Scope.FEEDBACK if path == "/feedback" else Scope.ADMIN
