"""What can be set when an encoder is fitted."""

from pydantic import BaseModel, ConfigDict, Field


class FeatureConfig(BaseModel):
    """How strongly the statistics of a small place are drawn to those of the place around it.

    A place with as many listings as its weight stands half way between its own mean and that of the place around
    it (the shrinkage of Micci-Barreca, 2001, with m-estimates). Chosen by five-fold cross-validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_weight: float = Field(default=20.0, gt=0, description="Of the country, seen from a state. [listings]")
    zip3_weight: float = Field(
        default=10.0,
        gt=0,
        description="Of the state, seen from the area of a zip code's first three digits. [listings]",
    )
    zip_weight: float = Field(default=5.0, gt=0, description="Of the zip area, seen from a zip code. [listings]")
    city_weight: float = Field(default=5.0, gt=0, description="Of the state, seen from a city. [listings]")
    nearby_zips: int = Field(default=8, gt=0, description="Zip codes with listings that count as nearby.")
    nearby_miles: float = Field(default=2.0, gt=0, description="Distance at which a listing counts half. [miles]")
    nearby_weight: float = Field(default=0.1, gt=0, description="Of the country, seen from nearby. [listings]")
