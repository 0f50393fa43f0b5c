"""Alerts say how bad it is, whom it is about and what to do, and get to somebody; see `appraiser_cli.monitoring`."""

from collections.abc import Iterator

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.world import World


def check(world: World) -> Iterator[Failure]:
    """Look at the rules and at Alertmanager's routes."""
    from appraiser_cli.monitoring.alerts import alert_faults  # noqa: PLC0415 - it brings a parser of queries

    for fault in alert_faults(world.root):
        yield Failure("alerts", str(fault.file), fault.problem, fault.cure)
