"""The judge of breaking changes, judged itself."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from compatibility import breaking_changes

OLD: dict[str, Any] = {
    "models": {
        "House": {
            "type": "object",
            "properties": {
                "bed": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 50}, {"type": "null"}], "unit": "rooms"},
                "state": {"type": "string", "enum": ["Texas", "Utah"], "description": "State."},
                "default": {"type": "string"},
                "models": {"type": "array", "description": "A field with a telling name."},
            },
            "required": ["state"],
        }
    }
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The old document with a change made to its House."""
    new = copy.deepcopy(OLD)
    change(new["models"]["House"])
    return new


class TestBreakingChanges:
    """What counts as breaking and what does not."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda house: house["properties"].pop("bed"),
            lambda house: house["properties"].pop("default"),
            lambda house: house["properties"].pop("models"),
            lambda house: house["properties"]["default"].update(format="date"),
            lambda house: house["required"].append("bed"),
            lambda house: house["properties"]["state"]["enum"].remove("Utah"),
            lambda house: house["properties"]["state"].update(type="number"),
            lambda house: house["properties"]["state"].update(pattern="^T"),
            lambda house: house["properties"]["bed"].update(unit="doors"),
            lambda house: house["properties"]["bed"]["anyOf"].pop(),
            lambda house: house["properties"]["bed"]["anyOf"][0].update(maximum=49),
            lambda house: house["properties"]["bed"]["anyOf"][0].update(minimum=1),
        ],
    )
    def test_breaking(self, change: Callable[[dict[str, Any]], object]) -> None:
        """What takes something away or narrows it is breaking."""
        assert breaking_changes(OLD, changed(change))

    @pytest.mark.parametrize(
        "change",
        [
            lambda house: house["properties"].update(bath={"type": "number"}),
            lambda house: house["properties"]["state"]["enum"].append("Ohio"),
            lambda house: house["properties"]["state"].update(description="Other words."),
            lambda house: house["properties"]["models"].update(description="Other words."),
            lambda house: house["properties"]["bed"]["anyOf"][0].update(maximum=60),
            lambda house: house["properties"]["bed"]["anyOf"][0].pop("minimum"),
            lambda house: house.update(required=[]),
        ],
    )
    def test_compatible(self, change: Callable[[dict[str, Any]], object]) -> None:
        """What adds, widens or rewords is not breaking."""
        assert breaking_changes(OLD, changed(change)) == []
