"""Examples for the documentation, from the declaration of a listing."""

from typing import Any, Final

from appraiser_schema import Appraisal, Interval, ModelRef, example_listing

LISTINGS: Final[dict[str, Any]] = {
    "house": {"summary": "A house of which everything is known", "value": example_listing()},
    "state": {"summary": "Only the state is known", "value": {"state": example_listing()["state"]}},
}

APPRAISAL: Final[dict[str, Any]] = Appraisal(
    price_usd=291_420.5,
    interval=Interval(lower_usd=214_890.25, upper_usd=395_207.75, coverage=0.9),
    model=ModelRef(name="house-price", version=3, simulated_data=False),
    warnings=(),
    request_id="01a21047393d8a3a4810a280ce00fc3c",
).model_dump(mode="json")

SALES: Final[dict[str, Any]] = {
    "sale": {
        "summary": "The house of an appraisal was sold",
        "value": {
            "request_id": "01a21047393d8a3a4810a280ce00fc3c",
            "sold_price_usd": 305_000.0,
            "sold_at": "2026-10-30",
            "note": "Sold to the tenant.",
        },
    }
}

ROLLBACKS: Final[dict[str, Any]] = {
    "before": {"summary": "Back to the champion before this one", "value": {"why": "Prices in Texas look odd."}},
    "named": {"summary": "Back to a version", "value": {"version": 1, "why": "It was the last one that was checked."}},
}
