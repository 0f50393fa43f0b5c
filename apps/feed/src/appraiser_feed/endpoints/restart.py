"""GET /restart_data_generation: back to the first batch."""

import structlog
from fastapi import APIRouter

from appraiser_feed.endpoints.parameters import Counted, Group, OptionalDay, Served

log = structlog.stdlib.get_logger()
router = APIRouter()


@router.get("/restart_data_generation")
async def restart(feed: Served, counted: Counted, group_number: Group, day: OptionalDay = None) -> dict[str, bool]:
    """Set the cursor of this group and day back to the first batch."""
    feed.cursors.restart(group_number, day)
    counted.restarted()
    log.info("restarted", group_number=group_number, day=day)
    return {"ok": True}
