"""What breaks those who use a library: one JSON description of its public data held against the next."""

from typing import Any

WORDS = frozenset(
    {
        "description", "title", "example", "examples", "label", "help", "step", "default", "text", "why", "source",
        "fingerprint",
    }
)  # fmt: skip
"""Keys that people read and programs do not: they may change at any time. A fingerprint says which code it was; who
holds something made by other code is refused with that reason."""

UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})
LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems"})
CHOICES = frozenset({"anyOf", "enum", "oneOf"})
CONTAINERS = frozenset({"properties", "$defs", "models", "tables", "columns"})
"""Keys whose values are objects with names for keys: there 'required' or 'title' is a name like any other."""


def breaking_changes(old: Any, new: Any, path: str = "") -> list[str]:
    """What a program written against `old` cannot rely on in `new`.

    Breaking are: a name that is gone, another type, unit or pattern, a choice less, a narrower bound, a field that is
    required and was not. A new optional field, a further choice, a wider bound and other words are not.

    Args:
        old: JSON description of the earlier version.
        new: JSON description of the later one.
        path: Where in the document this is; for the messages.

    Returns:
        One sentence per breaking change; empty where the versions are compatible.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return _object_changes(old, new, path)
    if isinstance(old, list) and isinstance(new, list):
        return _list_changes(old, new, path)
    return [] if old == new else [f"{path}: was {old!r}, is {new!r}"]


def _object_changes(old: dict[str, Any], new: dict[str, Any], path: str) -> list[str]:
    named = _holds_names(path)
    found = []
    for key in old.keys() | new.keys():
        here = f"{path}/{key}"
        if key in WORDS and not named:
            continue
        if key in UPPER | LOWER and not named:
            found += _bound_changes(key, old.get(key), new.get(key), here)
        elif key == "required" and not named:
            added = sorted(set(new.get(key, [])) - set(old.get(key, [])))
            found += [f"{here}: {name!r} is required now" for name in added]
        elif key not in new:
            found.append(f"{here}: is gone")
        elif key in old:
            found += breaking_changes(old[key], new[key], here)
        elif not named and key in {"pattern", "enum", "unit", "const", "format"}:
            found.append(f"{here}: is new and narrows what was allowed")
    return sorted(found)


def _holds_names(path: str) -> bool:
    named = False
    for key in path.split("/"):
        # A field may be called 'models' itself; its schema holds no names.
        named = not named and key in CONTAINERS
    return named


def _bound_changes(key: str, old: float | None, new: float | None, path: str) -> list[str]:
    if new is None or new == old:
        return []
    narrower = old is None or (new < old if key in UPPER else new > old)
    return [f"{path}: was {old!r}, is {new!r}"] if narrower else []


def _list_changes(old: list[Any], new: list[Any], path: str) -> list[str]:
    if path.rsplit("/", 1)[-1] in CHOICES:
        # Options of a union have no names: one is gone when nothing compatible with it is left.
        return [
            f"{path}: the choice {option!r} is gone"
            for option in old
            if not any(not breaking_changes(option, other, path + "[]") for other in new)
        ]
    return [] if old == new else [f"{path}: was {old!r}, is {new!r}"]
