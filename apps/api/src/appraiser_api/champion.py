"""A model that serves: houses in, answers out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from appraiser_api.errors import ChampionError
from appraiser_api.prediction_log import LoggedModel
from appraiser_model import Bundle, cautions_for, explanation_of, warnings_for
from appraiser_model.agreement import LARGEST, largest_difference
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

    @cached_property
    def logged(self) -> LoggedModel:
        """What the record of every answer says of the model."""
        return LoggedModel(self.bundle.card.name, self.facts.version, self.facts.features_fingerprint)

    def appraise(self, listings: Sequence[Listing], request_ids: Sequence[str]) -> list[Appraisal]:
        """Appraise a few houses, each with the same bits as on its own, and as the pipeline would in a table."""
        model, reference, coverage = self.bundle.model, self.reference, self.bundle.model.interval.coverage
        return [
            Appraisal(
                price_usd=price,
                interval=Interval(lower_usd=lower, upper_usd=upper, coverage=coverage),
                model=reference,
                warnings=warnings_for(model, listing, price),
                request_id=request_id,
            )
            for listing, request_id, (price, lower, upper) in zip(
                listings, request_ids, model.appraise_few(*listings), strict=True
            )
        ]

    def explain(self, listing: Listing, request_id: str) -> Explanation:
        """Appraise one house and say why; milliseconds, and the first time seconds if XGBoost is not there yet."""
        model = self.bundle.model
        base_usd, contributions = explanation_of(model.encoder, listing, model.explain(listing_columns([listing])))
        (appraisal,) = self.appraise([listing], [request_id])
        cautions = cautions_for(model, listing, appraisal.price_usd)
        return Explanation(appraisal=appraisal, base_usd=base_usd, contributions=contributions, cautions=cautions)

    def detail(self) -> ModelDetail:
        """The version with its card."""
        return ModelDetail(**self.facts.model_dump(), card=self.bundle.card.to_dict())

    def check(self) -> None:
        """Appraise the example listing once, so that a model which cannot never serves.

        Raises:
            ChampionError: The answer is no price with an interval around it.
        """
        ((price, lower, upper),) = self.bundle.model.appraise_few(Listing.model_validate(example_listing()))
        if not 0 < lower <= price <= upper < math.inf:
            raise ChampionError(self.facts.version, price)

    def complete(self) -> None:
        """Load what tables and explanations need as well, which takes seconds the first time, and try it.

        Raises:
            ChampionError: For tables the price is another one than for single houses.
            ValueError: The trees cannot be read.
        """
        columns = listing_columns([Listing.model_validate(example_listing())])
        if largest_difference(self.bundle.model, columns) > LARGEST:
            raise ChampionError(self.facts.version, float(self.bundle.model.appraise(columns).price_usd[0]))
