"""The ledger and the registry of a state folder, for commands that show or change what they hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from appraiser_cli.errors import NotThereError
from appraiser_cli.home import Home
from appraiser_cli.services import addresses
from appraiser_cli.services.environment import ledger_url, tracking_file
from appraiser_cli.settings import Settings
from appraiser_store import Ledger

if TYPE_CHECKING:
    from appraiser_model import Registry


@contextmanager
def open_ledger(home: Home, settings: Settings) -> Iterator[Ledger]:
    """The ledger, closed afterwards.

    Raises:
        NotThereError: Nothing was ever recorded in this state folder.
    """
    if settings.ledger_url is None and not home.ledger.exists():
        raise NotThereError(
            f"there is no ledger in {str(home.folder)!r} yet; start the system with './appraiser up', "
            "or name its state folder with --home DIR."
        )
    ledger = Ledger(ledger_url(home, settings))
    try:
        yield ledger
    finally:
        ledger.close()


def tracking_uri(home: Home, settings: Settings) -> str:
    """Where MLflow is: as configured, else the server that runs, else its file.

    Raises:
        NotThereError: There is none of them.
    """
    if settings.mlflow_tracking_uri:
        return settings.mlflow_tracking_uri
    ports = addresses.running(home)
    if "mlflow" in ports:
        return addresses.Addresses(ports, {}).url("mlflow")
    if not home.mlflow_database.exists():
        raise NotThereError(
            f"there are no models in {str(home.folder)!r} yet; start the system with './appraiser up', "
            "or name its state folder with --home DIR."
        )
    return tracking_file(home)


def open_registry(home: Home, settings: Settings) -> "Registry":
    """The registry of models."""
    uri = tracking_uri(home, settings)
    # It brings the model's libraries, which take a second, and the ledger alone does without them.
    from appraiser_model import Registry  # noqa: PLC0415

    return Registry(uri)
