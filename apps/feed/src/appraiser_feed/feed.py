"""What is served: the batches of a file or of the simulator, and where each reader stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import structlog

from appraiser_feed.cursors import Cursors
from appraiser_feed.encoding import Batch
from appraiser_feed.errors import NoListingsError
from appraiser_feed.faults import Faults
from appraiser_feed.listing_file import read_listing_file
from appraiser_feed.plan import Planned, cut
from appraiser_feed.settings import Settings
from appraiser_feed.simulator import simulate

log = structlog.stdlib.get_logger()

SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class Feed:
    """A source of listings, cut into batches.

    Attributes:
        source: Name of the file, or 'simulator'.
        simulated: Whether the listings are made up.
        batches: The batches, in the order in which they are sent.
        cursors: Where each reader stands.
        faults: What goes wrong on purpose.
    """

    source: str
    simulated: bool
    batches: tuple[Batch, ...]
    cursors: Cursors
    faults: Faults


def open_feed(settings: Settings) -> Feed:
    """Read or simulate the listings and cut them into batches.

    Batches of the plan that have no rows are left out and the others numbered from 0 without a gap: a client takes a
    missing number for a lost batch.

    Raises:
        DataError: The file cannot be served.
    """
    planned = _simulated(settings) if settings.data is None else _from_file(settings.data)
    batches = tuple(Batch(number, batch.rows) for number, batch in enumerate(planned))
    for batch, plan in zip(batches, planned, strict=True):
        log.info("batch", batch_number=batch.number, plan_number=plan.plan_number, rows=batch.rows, rule=plan.words)
    if planned[-1].plan_number != len(planned) - 1:
        log.warning("batches_renumbered", reason="a batch of the plan has no rows; numbers stay without a gap")
    if absent := sorted((settings.drop | settings.repeat) - set(range(len(batches)))):
        log.warning("no_fault_to_play", batch_numbers=absent, reason="there are no batches of these numbers")
    return Feed(
        source=SIMULATOR if settings.data is None else settings.data.name,
        simulated=settings.data is None,
        batches=batches,
        cursors=Cursors(len(batches)),
        faults=Faults(settings.drop, settings.repeat, settings.delay),
    )


def _simulated(settings: Settings) -> Sequence[Planned]:
    log.info("listings_simulated", rows=settings.rows, seed=settings.seed)
    return cut(simulate(settings.rows, settings.seed))


def _from_file(path: Path) -> Sequence[Planned]:
    file = read_listing_file(path)
    planned = cut(file.listings)
    if not planned:
        raise NoListingsError(path, f"has {file.rows_read:,} row(s) but none belongs to any batch")
    log.info(
        "listings_read",
        file=str(path),
        rows_read=file.rows_read,
        rows_dropped_incomplete=file.rows_read - file.listings.height,
        rows_broken=file.broken,
        rows_outside_plan=file.listings.height - sum(batch.rows.height for batch in planned),
        incomplete=file.unknown,
        codes_as_text=[name for name in ("brokered_by", "street") if file.listings.schema[name] == pl.String],
    )
    return planned
