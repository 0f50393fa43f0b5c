"""The ledger and the registry of a state folder, for commands that show or change what they hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from appraiser_cli.errors import NotThereError
from appraiser_cli.home import Home
from appraiser_cli.services.environment import ledger_url, tracking_file, tracking_uri
from appraiser_cli.settings import Settings
from appraiser_store import Ledger

if TYPE_CHECKING:
    from appraiser_model import Registry


@contextmanager
def open_ledger(home: Home, settings: Settings) -> Iterator[Ledger]:
    """The ledger, closed afterwards.

    Raises:
        NotThereError: Nothing was ever recorded in this state folder, or its server does not run.
    """
    url = ledger_url(home, settings)
    if url == f"sqlite:///{home.ledger}" and not home.ledger.exists():
        raise NotThereError(
            f"there is no ledger in {str(home.folder)!r} yet; start the system with './appraiser up', "
            "or name its state folder with --home DIR."
        )
    ledger = Ledger(url)
    try:
        yield ledger
    finally:
        ledger.close()


def open_registry(home: Home, settings: Settings) -> "Registry":
    """The registry of models.

    Raises:
        NotThereError: There is none yet.
    """
    uri = tracking_uri(home, settings)
    if uri == tracking_file(home) and not home.mlflow_database.exists():
        raise NotThereError(
            f"there are no models in {str(home.folder)!r} yet; start the system with './appraiser up', "
            "or name its state folder with --home DIR."
        )
    # It brings the model's libraries, which take a second, and the ledger alone does without them.
    from appraiser_model import Registry  # noqa: PLC0415

    return Registry(uri)
