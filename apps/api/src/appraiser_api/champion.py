"""A model that serves: one house in, the answer out."""

import math
from dataclasses import dataclass
from functools import cached_property

from appraiser_api.errors import ChampionError
from appraiser_model import Appraised, Bundle, explanation_of, warnings_for
from appraiser_schema import (
    Appraisal,
    Explanation,
    Interval,
    Listing,
    ModelDetail,
    ModelRef,
    ModelVersion,
    example_listing,
)
from appraiser_schema.columns import listing_columns


@dataclass(frozen=True)
class Champion:
    """A loaded bundle with what the registry said of it. It never changes; another champion is another object.

    Attributes:
        bundle: The model and its card.
        facts: The version, as the registry had it when it was loaded.
    """

    bundle: Bundle
    facts: ModelVersion

    @cached_property
    def reference(self) -> ModelRef:
        """What every answer says of the model that gave it."""
        return ModelRef(
            name=self.bundle.card.name, version=self.facts.version, simulated_data=self.bundle.card.simulated_data
        )

    def appraise(self, listing: Listing, request_id: str) -> Appraisal:
        """Appraise one house, with the same bits as the pipeline would in a table."""
        return self._answer(listing, self.bundle.model.appraise(listing_columns([listing])), request_id)

    def explain(self, listing: Listing, request_id: str) -> Explanation:
        """Appraise one house and say why."""
        columns = listing_columns([listing])
        model = self.bundle.model
        base_usd, contributions = explanation_of(model.encoder, listing, model.explain(columns))
        appraisal = self._answer(listing, model.appraise(columns), request_id)
        return Explanation(appraisal=appraisal, base_usd=base_usd, contributions=contributions)

    def detail(self) -> ModelDetail:
        """The version with its card."""
        return ModelDetail(**self.facts.model_dump(), card=self.bundle.card.to_dict())

    def check(self) -> None:
        """Appraise the example listing once, so that a model which cannot never serves.

        Raises:
            ChampionError: The answer is no price with an interval around it.
        """
        listing = Listing.model_validate(example_listing())
        appraised = self.bundle.model.appraise(listing_columns([listing]))
        price, lower, upper = appraised.price_usd[0], appraised.lower_usd[0], appraised.upper_usd[0]
        if not 0 < lower <= price <= upper < math.inf:
            raise ChampionError(self.facts.version, float(price))

    def _answer(self, listing: Listing, appraised: Appraised, request_id: str) -> Appraisal:
        price = float(appraised.price_usd[0])
        return Appraisal(
            price_usd=price,
            interval=Interval(
                lower_usd=float(appraised.lower_usd[0]),
                upper_usd=float(appraised.upper_usd[0]),
                coverage=self.bundle.model.interval.coverage,
            ),
            model=self.reference,
            warnings=warnings_for(self.bundle.model, listing, price),
            request_id=request_id,
        )
