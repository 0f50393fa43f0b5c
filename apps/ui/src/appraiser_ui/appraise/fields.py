"""The fields of the form, read off the declaration of a listing."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

from appraiser_schema import Listing
from appraiser_schema.listing import EARLIEST_SALE, LATEST_SALE
from appraiser_ui.words import say_or


class Kind(StrEnum):
    """How a field is filled in."""

    CHOICE = "choice"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form.

    Attributes:
        name: Name in the listing.
        declared: What the declaration says for people, in English: `title`, `unit` and `help`.
        group: place, size, land or sale.
        kind: How it is filled in.
        optional: Whether it may be unknown.
        example: What the form starts with.
        options: What can be chosen; empty unless the kind is choice.
        minimum: Smallest value; a number or a date. None where there is none.
        maximum: Largest value.
        step: What a press of plus or minus changes.
    """

    name: str
    declared: Mapping[str, str]
    group: str
    kind: Kind
    optional: bool
    example: Any
    options: tuple[str, ...] = ()
    minimum: Any = None
    maximum: Any = None
    step: float | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        return say_or(f"listing.{self.name}.title", self.declared["title"])

    @property
    def unit(self) -> str:
        """Unit of a number; empty where it goes without saying."""
        unit = self.declared["unit"]
        return "" if self.kind is Kind.DATE or unit in {"", "rooms"} else say_or(f"listing.units.{unit}", unit)

    @property
    def help(self) -> str:
        """What it means."""
        return say_or(f"listing.{self.name}.help", self.declared["help"])

    @property
    def rule(self) -> str:
        """What it must be."""
        return say_or(f"listing.{self.name}.rule", "")

    @property
    def label(self) -> str:
        """Title with the unit: `Living area (sqft)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def whole(self) -> bool:
        """Whether it counts in whole steps: a field for bedrooms that shows 3.00 looks like a mistake."""
        return self.kind is Kind.NUMBER and self.step is not None and self.step == int(self.step)


@cache
def form_fields() -> Mapping[str, FormField]:
    """Every field of a listing by its name, in the order of its declaration."""
    schema = Listing.model_json_schema()
    definitions = schema.get("$defs", {})
    return MappingProxyType(
        {name: _field(name, declared, definitions) for name, declared in schema["properties"].items()}
    )


def word(option: str) -> str:
    """An option as people read it: `for_sale` becomes `For sale`; names stay as they are."""
    return say_or(f"listing.options.{option}", option.replace("_", " ").capitalize()) if option.islower() else option


def _field(name: str, declared: dict[str, Any], definitions: dict[str, Any]) -> FormField:
    kinds = declared.get("anyOf", [declared])
    shape = kinds[0] | definitions.get(str(kinds[0].get("$ref", "")).rpartition("/")[2], {})
    options = tuple(declared.get("enum", shape.get("enum", ())))
    kind = _kind(shape, options)
    low, high = (EARLIEST_SALE, LATEST_SALE) if kind is Kind.DATE else (shape.get("minimum"), shape.get("maximum"))
    return FormField(
        name=name,
        declared={"title": declared["label"], "unit": declared["unit"], "help": declared["description"]},
        group=declared["group"],
        kind=kind,
        optional={"type": "null"} in kinds,
        example=dt.date.fromisoformat(declared["example"]) if kind is Kind.DATE else declared["example"],
        options=options,
        minimum=low,
        maximum=high,
        step=declared.get("step"),
    )


def _kind(shape: dict[str, Any], options: tuple[str, ...]) -> Kind:
    if options:
        return Kind.CHOICE
    if shape.get("type") in {"number", "integer"}:
        return Kind.NUMBER
    return Kind.DATE if shape.get("format") == "date" else Kind.TEXT
