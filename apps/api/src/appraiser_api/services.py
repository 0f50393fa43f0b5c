"""What the endpoints share: built once with the application, reached through `Shared`."""

from dataclasses import dataclass, field
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from appraiser_api.batch.process import TableProcess
from appraiser_api.holder import Holder
from appraiser_api.kept import Kept
from appraiser_api.live import LiveInputs
from appraiser_api.metrics import Metrics
from appraiser_api.parts import Parts
from appraiser_api.prediction_log import PredictionLog
from appraiser_api.settings import Settings
from appraiser_api.stores import Stores
from appraiser_api.versions import Versions
from appraiser_api.workers import Workers


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one running application.

    Attributes:
        table_process: What tables are worked on in; single houses go first on a busy machine.
        tables: Counts the tables that wait or are worked on.
        kept: Listings that the champion has learned from.
        parts: Asks the parts of the system how they stand.
        versions: Knows whether the versions of what works together fit.
    """

    settings: Settings
    metrics: Metrics
    holder: Holder
    stores: Stores
    log: PredictionLog
    workers: Workers
    live: LiveInputs
    table_process: TableProcess
    tables: CapacityLimiter = field(init=False)
    kept: Kept = field(init=False)
    parts: Parts = field(init=False)
    versions: Versions = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", CapacityLimiter(self.settings.batch_waiting))
        object.__setattr__(self, "kept", Kept(self.stores.registry, self.settings.model_cache))
        object.__setattr__(self, "parts", Parts(self.settings, self.stores, self.holder, self.metrics))
        object.__setattr__(self, "versions", Versions(self.settings.tracking_uri))


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _request_id(request: Request) -> str:
    request_id: str = request.state.request_id
    return request_id


Shared = Annotated[Services, Depends(_services)]
RequestId = Annotated[str, Depends(_request_id)]
