"""What can be set when a model is trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appraiser_features import FeatureConfig


class TrainingConfig(BaseModel):
    """How a model is trained. The same rows and the same configuration give the same file, byte for byte.

    The defaults were chosen on held-out rows of 44,000 US listings. The mean absolute error of the logarithm, whose
    optimum is the median, lowered the median error by a point against the squared error: listings have typing errors,
    and a few of them pull a mean far. Depths of 7 to 9 and learning rates of .08 to .12 differ by less than chance, so
    the defaults are those of them that need the fewest trees and leaves (decision record 0017).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    objective: Literal["reg:absoluteerror", "reg:squarederror"] = Field(
        default="reg:absoluteerror", description="Loss on the natural logarithm of the price."
    )
    learning_rate: float = Field(default=0.12, gt=0, le=1)
    max_depth: int = Field(default=7, ge=1, le=16)
    min_child_weight: float = Field(default=10.0, ge=0, description="Least weight of a leaf. [listings]")
    subsample: float = Field(default=0.8, gt=0, le=1, description="Share of the listings that a tree sees.")
    colsample: float = Field(default=0.9, gt=0, le=1, description="Share of the features that a tree sees.")
    l2: float = Field(default=5.0, ge=0, description="Penalty on squared leaf values.")
    max_rounds: int = Field(default=800, ge=1, description="Most trees; explaining a house takes 5 µs for each.")
    patience: int = Field(default=40, ge=1, description="Trees without a better validation error before it stops.")
    least_gain: float = Field(
        default=0.0004,
        ge=0,
        description="By how much the error must fall to count as better. [logarithm: .0004 is .04 %]",
    )
    folds: int = Field(default=5, ge=2, description="Folds of the out-of-fold location features.")
    coverage: float = Field(default=0.9, gt=0, lt=1, description="Share of houses that the interval shall hold.")
    seed: int = Field(default=1, ge=0)
    threads: int = Field(default=2, ge=1)
    features: FeatureConfig = FeatureConfig()

    def booster_parameters(self) -> dict[str, object]:
        """The parameters by the names that XGBoost gives them."""
        return {
            "objective": self.objective,
            "eval_metric": "mae",
            "base_score": 0.0,
            "tree_method": "hist",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample,
            "reg_lambda": self.l2,
            "seed": self.seed,
            "nthread": self.threads,
        }
