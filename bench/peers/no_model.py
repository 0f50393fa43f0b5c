"""FastAPI and pydantic with our own listing and appraisal, and no model between them."""

from fastapi import FastAPI

from appraiser_schema import Appraisal, Interval, Listing, ModelRef

app = FastAPI()


@app.post("/predict")
async def predict(listing: Listing) -> Appraisal:
    """The same answer to every listing."""
    return Appraisal(
        price_usd=289_900.0 + (listing.bed or 0.0),
        interval=Interval(lower_usd=200_000.0, upper_usd=400_000.0, coverage=0.9),
        model=ModelRef(name="none", version=1, simulated_data=False),
        request_id="0123456789abcdef0123456789abcdef",
    )


@app.get("/ready")
async def ready() -> None:
    """Whether it answers."""
