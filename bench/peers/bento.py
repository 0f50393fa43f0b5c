"""BentoML around the trees alone: features that are ready go in, so that it is spared what ours does."""

import os

import bentoml  # type: ignore[import-not-found]
import numpy as np
import xgboost


@bentoml.service(workers=1)
class Trees:
    """The booster."""

    def __init__(self) -> None:
        self.booster = xgboost.Booster(model_file=os.environ["BENCH_TREES"])
        self.booster.set_param({"nthread": 1})

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, features: list[list[float]]) -> list[float]:
        """The sum of the trees."""
        prices: list[float] = self.booster.inplace_predict(np.array(features, dtype=np.float32)).tolist()
        return prices
