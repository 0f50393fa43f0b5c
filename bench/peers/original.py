"""The original's recipe: a pandas frame of four numbers for each request, and an XGBRegressor out of a pickle."""

import os
import pickle
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from fastapi import FastAPI
from pydantic import BaseModel

FEATURES = ["bed", "bath", "acre_lot", "house_size"]

model: Any = pickle.loads(Path(os.environ["BENCH_PICKLE"]).read_bytes())  # noqa: S301 - as the original does
app = FastAPI()


class House(BaseModel):
    """What the original asks for."""

    bed: float
    bath: float
    acre_lot: float
    house_size: float


@app.post("/predict")
async def predict(house: House) -> dict[str, float]:
    """The price of one house."""
    return {"price": float(model.predict(pd.DataFrame([house.model_dump()])[FEATURES])[0])}


@app.get("/ready")
async def ready() -> None:
    """Whether it answers."""
