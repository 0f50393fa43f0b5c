"""From listings to appraisals that are on record: what every endpoint for single houses does."""

import math
import time
from collections.abc import Sequence
from typing import Final

from appraiser_api.asked import Asked
from appraiser_api.champion import Champion
from appraiser_api.prediction_log import single_house
from appraiser_api.services import Services
from appraiser_api.spans import span
from appraiser_schema import Appraisal, Listing

type Question = tuple[Listing, Asked]

_TO_JSON: Final = Listing.__pydantic_serializer__.to_json


def appraise(services: Services, questions: Sequence[Question]) -> list[Appraisal]:
    """Appraise the houses of a few requests by the model that serves, and put all of it on record at once.

    To `count` them is the caller's: where that can be, after they were answered.

    Raises:
        NoChampionError: None does.
        LogFullError: The answers cannot be put on record.
    """
    champion = services.holder.champion()
    with span("appraise"):
        appraisals = champion.appraise(
            [listing for listing, _ in questions], [asked.record_id for _, asked in questions]
        )
    put_on_record(services, champion, questions, appraisals)
    return appraisals


def put_on_record(
    services: Services, champion: Champion, questions: Sequence[Question], appraisals: Sequence[Appraisal]
) -> None:
    """Write appraisals down before they are answered.

    Raises:
        LogFullError: They cannot be written.
    """
    with span("record"):
        services.log.append(*[_record(champion, *pair) for pair in zip(questions, appraisals, strict=True)])
    for _, asked in questions:
        asked.on_record, asked.model_version = True, champion.facts.version


def count(services: Services, listing: Listing, appraisal: Appraisal) -> None:
    """Count an appraisal that is on record."""
    services.metrics.appraised(appraisal)
    services.live.note(listing)


def _record(champion: Champion, question: Question, appraisal: Appraisal) -> bytes:
    listing, asked = question
    interval = appraisal.interval
    lower, upper = (math.nan, math.nan) if interval is None else (interval.lower_usd, interval.upper_usd)
    return single_house(
        asked.record_id,
        _TO_JSON(listing),
        at=time.time(),
        price_usd=appraisal.price_usd,
        lower_usd=lower,
        upper_usd=upper,
        model=champion.logged,
        latency_seconds=time.perf_counter() - asked.began,
        client_request_id=asked.client_id,
    )
