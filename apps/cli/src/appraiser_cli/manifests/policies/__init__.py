"""What must be true of the manifests, one policy per module."""

from collections.abc import Callable, Iterator
from typing import Final

from appraiser_cli.manifests.failure import Failure
from appraiser_cli.manifests.policies import (
    actions,
    addresses,
    alerts,
    applications,
    charts,
    data,
    flows,
    images,
    namespaces,
    probes,
    projects,
    references,
    resources,
    rollouts,
    routes,
    schemas,
    secrecy,
    security,
    services,
    waves,
    written,
)
from appraiser_cli.manifests.world import World

type Policy = Callable[[World], Iterator[Failure]]

POLICIES: Final[dict[str, Policy]] = {
    "written": written.check,
    "schemas": schemas.check,
    "images": images.check,
    "resources": resources.check,
    "probes": probes.check,
    "security": security.check,
    "namespaces": namespaces.check,
    "references": references.check,
    "services": services.check,
    "routes": routes.check,
    "addresses": addresses.check,
    "flows": flows.check,
    "rollouts": rollouts.check,
    "data": data.check,
    "secrecy": secrecy.check,
    "applications": applications.check,
    "projects": projects.check,
    "waves": waves.check,
    "charts": charts.check,
    "alerts": alerts.check,
    "actions": actions.check,
}
"""The checks by name, in the order in which they are told."""
