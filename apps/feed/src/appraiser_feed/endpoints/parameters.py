"""What the endpoints are asked with."""

from typing import Annotated, Final

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BeforeValidator

from appraiser_feed.cursors import Day
from appraiser_feed.feed import Feed
from appraiser_feed.metrics import FeedMetrics

GROUPS: Final = range(1, 11)
BAD_GROUP: Final = "Número de grupo inválido"


def _served(request: Request) -> Feed:
    feed: Feed = request.app.state.feed
    return feed


def _counted(request: Request) -> FeedMetrics:
    metrics: FeedMetrics = request.app.state.metrics
    return metrics


def _known_group(
    group_number: Annotated[int, Query(description="Number of the group that asks, 1 to 10.")],
) -> int:
    if group_number not in GROUPS:
        raise HTTPException(400, BAD_GROUP)
    return group_number


Served = Annotated[Feed, Depends(_served)]
Counted = Annotated[FeedMetrics, Depends(_counted)]
Group = Annotated[int, Depends(_known_group)]
OptionalDay = Annotated[
    Day | None,
    BeforeValidator(lambda value: value or None),
    Query(description="Tuesday or Wednesday; absent or empty as in the edition of 2026, with a cursor of its own."),
]
