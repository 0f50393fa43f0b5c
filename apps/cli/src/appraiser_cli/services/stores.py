"""Where the stores of a state folder are: its own servers, or those that settings name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from appraiser_cli.errors import NotThereError, UsageError
from appraiser_cli.home import Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.services.store_credentials import DATABASES, StoreCredentials, password_file
from appraiser_cli.settings import Settings

_SETTINGS: Final = {
    "appraiser": ("ledger_url", "APPRAISER_LEDGER_URL"),
    "lake": ("lake_catalog_url", "APPRAISER_LAKE_CATALOG_URL"),
    "mlflow": ("mlflow_database_url", "MLFLOW_BACKEND_STORE_URI"),
    "airflow": ("airflow_database_url", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
}
"""Name of the setting and of the variable that put a database elsewhere, by database."""


@dataclass(frozen=True, slots=True)
class S3:
    """An object store as one of its users sees it."""

    endpoint: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    @property
    def variables(self) -> dict[str, str]:
        """The same, as the programs read it that use it; what is empty is left to the machine's own rights."""
        named = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return {name: value for name, value in named.items() if value} | {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "MLFLOW_S3_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
        }


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of the profile with services.

    Attributes:
        home: State folder.
        settings: What is elsewhere.
        ports: Of the servers that are our own; one that does not run has none.
    """

    home: Home
    settings: Settings
    ports: Mapping[str, int]

    @property
    def needs_postgresql(self) -> bool:
        """Whether a server of our own is needed: unless every database is elsewhere."""
        return any(given_database(self.settings, name) is None for name in self._used())

    @property
    def needs_seaweedfs(self) -> bool:
        """Whether an object store of our own is needed."""
        return self.settings.s3_endpoint is None

    @property
    def needs_mlflow(self) -> bool:
        """Whether a server of MLflow is needed."""
        return self.settings.mlflow_tracking_uri is None

    def database(self, name: str) -> str:
        """Address of a database, as SQLAlchemy writes them.

        Raises:
            NotThereError: Our own server does not run.
        """
        given = given_database(self.settings, name)
        if given is not None:
            return given
        return own_database(self.home, name, self._port("postgresql", "PostgreSQL"))

    def s3(self, bucket: str) -> S3:
        """The object store, for the user of a bucket.

        Raises:
            NotThereError: Our own does not run.
        """
        s = self.settings
        if s.s3_endpoint is not None:
            return S3(s.s3_endpoint, s.s3_access_key_id, s.s3_secret_access_key, s.s3_region)
        key = StoreCredentials.load_or_make(self.home).keys[bucket]
        return S3(f"http://{LOOPBACK}:{self._port('seaweedfs', 'SeaweedFS')}", key.access_key, key.secret_key)

    def lake(self) -> dict[str, str]:
        """What the pipeline is told of the lake."""
        return {
            "APPRAISER_LAKE_CATALOG_URL": self.database("lake"),
            "APPRAISER_LAKE_WAREHOUSE": self.settings.lake_warehouse,
            **self.s3("lake").variables,
        }

    def elsewhere(self) -> list[str]:
        """Variables that name a store which is none of the state folder's own."""
        s = self.settings
        named = {variable: getattr(s, setting) for setting, variable in _SETTINGS.values()} | {
            "APPRAISER_POSTGRESQL_URL": s.postgresql_url,
            "AWS_ENDPOINT_URL_S3": s.s3_endpoint,
            "MLFLOW_TRACKING_URI": s.mlflow_tracking_uri,
        }
        return [variable for variable, value in named.items() if value is not None]

    def _used(self) -> tuple[str, ...]:
        return tuple(name for name in DATABASES if name != "mlflow" or self.needs_mlflow)

    def _port(self, service: str, title: str) -> int:
        try:
            return self.ports[service]
        except KeyError:
            raise NotThereError(
                f"the {title} of {str(self.home.folder)!r} does not run; start the system with './appraiser up', or "
                "name another state folder with --home DIR."
            ) from None


def given_database(settings: Settings, name: str) -> str | None:
    """Address of a database that is elsewhere; None where our own server has it.

    Raises:
        UsageError: It is no address of a server.
    """
    setting, variable = _SETTINGS[name]
    given: str | None = getattr(settings, setting)
    whole = given is not None
    if given is None:
        given, variable = settings.postgresql_url, "APPRAISER_POSTGRESQL_URL"
    if given is None:
        return None
    try:
        url = make_url(given)
    except ArgumentError:
        raise UsageError(
            f"{variable} is no address of a database, such as postgresql+psycopg://user@db:5432/postgres."
        ) from None
    return given if whole else url.set(database=name).render_as_string(hide_password=False)


def own_database(home: Home, role: str, port: int, database: str | None = None) -> str:
    """Address of a database of our own server; the password stands in a file that the address names."""
    passwords = quote(str(password_file(home)), safe="/")
    return f"postgresql+psycopg://{role}@{LOOPBACK}:{port}/{database or role}?passfile={passwords}"


def bucket_of(place: str) -> str:
    """Name of the bucket in an address such as s3://lake/warehouse."""
    return place.removeprefix("s3://").split("/", maxsplit=1)[0]
