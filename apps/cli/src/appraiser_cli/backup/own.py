"""Whether all stores are the state folder's own: others are backed up by their own means."""

from appraiser_cli.errors import UsageError
from appraiser_cli.home import Home
from appraiser_cli.services.environment import tracking_file
from appraiser_cli.services.profile import Profile
from appraiser_cli.services.stores import Stores
from appraiser_cli.settings import Settings


def check_own(home: Home, settings: Settings, profile: Profile) -> None:
    """See that no variable names a store that is elsewhere.

    Raises:
        UsageError: One does.
    """
    if profile is Profile.SERVICES:
        elsewhere = Stores(home, settings, {}).elsewhere()
    else:
        named = {
            "APPRAISER_LEDGER_URL": (settings.ledger_url, f"sqlite:///{home.ledger}"),
            "APPRAISER_LAKE_CATALOG_URL": (settings.lake_catalog_url, None),
            "MLFLOW_TRACKING_URI": (settings.mlflow_tracking_uri, tracking_file(home)),
        }
        elsewhere = [name for name, (given, own) in named.items() if given not in {None, own}]
    if elsewhere:
        raise UsageError(
            f"{' and '.join(elsewhere)} names a store that is none of this state folder's own. Back it up, and restore "
            "it, by its own means; or unset that, where it is not used."
        )
