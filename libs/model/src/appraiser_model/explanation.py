"""An explanation in words and dollars, by what is known of the house."""

from typing import Any, Final

from appraiser_features import FEATURES
from appraiser_features.encoder import FeatureEncoder
from appraiser_model.valuation import Explained
from appraiser_schema import LISTING_COLUMNS, Contribution, Listing

NEGLIGIBLE_USD: Final = 50.0

_WORDS: Final = {
    "status": ("Being {value}", "Not knowing the status"),
    "bed": ("Having {value} {unit}", "Not knowing the number of bedrooms"),
    "bath": ("Having {value} {unit}", "Not knowing the number of bathrooms"),
    "acre_lot": ("The land of {value} {unit}", "Not knowing the area of the land"),
    "house_size": ("The living area of {value} {unit}", "Not knowing the living area"),
    "state": ("The state {value}", "Not knowing the state"),
    "city": ("The city {value}", "Not knowing the city"),
    "zip_code": ("The zip code {value}", "Not knowing the zip code"),
    "prev_sold_date": ("The last sale on {value}", "Not knowing a last sale"),
}
_UNITS: Final = {
    "bed": ("bedroom", "bedrooms"),
    "bath": ("bathroom", "bathrooms"),
    "acre_lot": ("acre", "acres"),
    "house_size": ("sqft", "sqft"),
}

type Value = float | str | None


def explanation_of(
    encoder: FeatureEncoder, listing: Listing, explained: Explained, row: int = 0
) -> tuple[float, tuple[Contribution, ...]]:
    """Explain the appraisal of one house.

    Features of the matrix are added up by the field of the listing that they mainly depend on: a sum of SHAP values
    is exact where a ratio of two fields could only be split by convention.

    Args:
        encoder: The model's encoder, which knows the typical house.
        listing: The house.
        explained: What `ValuationModel.explain` returned for a table that the house is in.
        row: The row of the house in that table.

    Returns:
        The base in dollars and a contribution per field of the listing, the largest effect first. The base and the
        effects sum up to the appraisal.
    """
    fields = {feature.name: feature.listing_field for feature in FEATURES}
    logs, dollars = dict.fromkeys(LISTING_COLUMNS, 0.0), dict.fromkeys(LISTING_COLUMNS, 0.0)
    effects = zip(explained.names, explained.effect_log[row].tolist(), explained.effect_usd[row].tolist(), strict=True)
    for name, effect_log, effect_usd in effects:
        logs[fields[name]] += effect_log
        dollars[fields[name]] += effect_usd
    house = listing.model_dump(mode="json")
    contributions = [
        _contribution(field, house[field], encoder.typical[field], dollars[field], logs[field])
        for field in LISTING_COLUMNS
    ]
    return explained.base_usd, tuple(sorted(contributions, key=lambda c: -abs(c.effect_usd)))


def describe(field: str, value: Value, typical: Value, effect_usd: float) -> str:
    """Say in one sentence what a field of a listing adds, such as 'The zip code 06016 adds $41,000 …'.

    Args:
        field: Name of the field.
        value: What the house has; None where it is unknown.
        typical: What a typical house has; None where it is unknown.
        effect_usd: What it adds. [USD]
    """
    known, unknown = _WORDS[field]
    subject = unknown if value is None else known.format(value=_shown(field, value), unit=_unit(field, value))
    if abs(effect_usd) < NEGLIGIBLE_USD:
        return f"{subject} makes next to no difference."
    verb = "adds" if effect_usd > 0 else "takes off"
    against = "against a typical house"
    if isinstance(typical, float) and value != typical:
        against += f", which has {_shown(field, typical)} {_unit(field, typical)}"
    return f"{subject} {verb} ${_rounded(abs(effect_usd)):,} {against}."


def _contribution(field: str, value: Value, typical: Value, effect_usd: float, effect_log: float) -> Contribution:
    declared: Any = Listing.model_fields[field].json_schema_extra
    return Contribution(
        feature=field,
        group=declared["group"],
        label=declared["label"],
        value=value,
        typical=typical,
        effect_usd=effect_usd,
        effect_log=effect_log,
        text=describe(field, value, typical, effect_usd),
    )


def _shown(field: str, value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return value.replace("_", " ") if field == "status" else value


def _unit(field: str, value: float | str) -> str:
    one, many = _UNITS.get(field, ("", ""))
    return one if value == 1 else many


def _rounded(dollars: float) -> int:
    """To three significant digits, and to no less than ten dollars."""
    digits = max(1, len(str(int(dollars))) - 3)
    return int(round(dollars, -digits))
