"""From a listing to an appraisal that is on record: what every endpoint for single houses does."""

import math
import time
from typing import Final

from appraiser_api.asked import Asked
from appraiser_api.champion import Champion
from appraiser_api.services import Services
from appraiser_api.spans import span
from appraiser_schema import Appraisal, Listing

_TO_JSON: Final = Listing.__pydantic_serializer__.to_json


def appraise(services: Services, listing: Listing, asked: Asked) -> Appraisal:
    """Appraise a house by the model that serves.

    Raises:
        NoChampionError: None does.
        LogFullError: The answer cannot be put on record.
    """
    champion = services.holder.champion()
    with span("appraise"):
        appraisal = champion.appraise(listing, asked.record_id)
    put_on_record(services, champion, listing, appraisal, asked)
    return appraisal


def put_on_record(services: Services, champion: Champion, listing: Listing, appraisal: Appraisal, asked: Asked) -> None:
    """Write an appraisal down before it is answered, and count it.

    Raises:
        LogFullError: It cannot be written.
    """
    interval = appraisal.interval
    lower, upper = (math.nan, math.nan) if interval is None else (interval.lower_usd, interval.upper_usd)
    with span("record"):
        services.log.append(
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
    asked.on_record, asked.model_version = True, champion.facts.version
    services.metrics.appraised(appraisal)
    services.live.note(listing)
