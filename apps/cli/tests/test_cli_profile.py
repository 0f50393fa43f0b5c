"""The profile with services: what it remembers, where its stores are, and in which order they end."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest
import yaml

from appraiser_cli.errors import NotThereError, UsageError
from appraiser_cli.home import ROOT, Home
from appraiser_cli.running.ports import free_port
from appraiser_cli.running.service import Service
from appraiser_cli.running.supervisor import Supervisor
from appraiser_cli.services import prometheus, stamps
from appraiser_cli.services.environment import ledger_url, tracking_uri
from appraiser_cli.services.profile import Profile, choose, profile_of, remember
from appraiser_cli.services.store_credentials import StoreCredentials, password_file
from appraiser_cli.services.stores import Stores, bucket_of, given_database
from appraiser_cli.settings import Settings
from appraiser_cli.up import Wish, run

PORTS = {"postgresql": 5433, "seaweedfs": 8334}

# Ends slowly, and tells whether the store that it was told of lives on meanwhile.
CLIENT = """
import os, signal, sys, time
def end(*_):
    time.sleep(0.5)
    try:
        os.kill(int(sys.argv[1]), 0)
        print('the store lives', flush=True)
    except OSError:
        print('the store has gone', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('ready', flush=True)
time.sleep(600)
"""

# As PostgreSQL does: at SIGTERM it waits for its clients, at SIGINT it ends.
STORE = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, lambda *_: (print('asked to end', flush=True), sys.exit(0)))
print('ready', flush=True)
time.sleep(600)
"""


def settings(**changed: str) -> Settings:
    """Settings by the names of their variables, whatever this process has."""
    return Settings.model_validate(changed)


def until_says(path: Path, word: str) -> None:
    """Wait until a log has a word."""
    deadline = time.monotonic() + 20
    while not path.exists() or word not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestProfile:
    """What a state folder remembers."""

    def test_remembered(self, home: Home) -> None:
        """A new folder is embedded; what was chosen stays, and every later command finds the stores by it."""
        home.make()
        assert choose(home, None, fresh=False) is Profile.EMBEDDED
        assert ledger_url(home, settings()).startswith("sqlite")
        remember(home, choose(home, Profile.SERVICES, fresh=False))
        assert profile_of(home) is Profile.SERVICES
        assert choose(home, None, fresh=False) is Profile.SERVICES
        assert ledger_url(home, settings(), PORTS).startswith("postgresql+psycopg://appraiser@127.0.0.1:5433/")

    def test_other_profile_is_refused(self, home: Home) -> None:
        """State of one profile is not started as the other, unless it is moved away."""
        home.make()
        home.ledger.touch()
        with pytest.raises(UsageError, match="was made with the profile 'embedded'"):
            choose(home, Profile.SERVICES, fresh=False)
        assert choose(home, Profile.SERVICES, fresh=True) is Profile.SERVICES

    @pytest.mark.parametrize("ask", [ledger_url, tracking_uri])
    def test_servers_that_do_not_run(self, home: Home, ask: object) -> None:
        """What is in a server that does not run cannot be read, and how to start it is told."""
        home.make()
        remember(home, Profile.SERVICES)
        with pytest.raises(NotThereError, match="does not run; start the system with"):
            ask(home, settings())  # type: ignore[operator]

    def test_fresh_leaves_nothing_elsewhere(self, home: Home) -> None:
        """State that lies in somebody else's server cannot be moved away: --fresh is refused, and names it."""
        wish = Wish(data=None, batches=0, once=False, fresh=True, ports={}, profile=Profile.SERVICES)
        with pytest.raises(UsageError, match="APPRAISER_POSTGRESQL_URL and AWS_ENDPOINT_URL_S3 names"):
            run(home, settings(postgresql_url="postgresql://db/postgres", AWS_ENDPOINT_URL_S3="http://s3"), wish)
        assert not home.secrets.exists()


class TestStores:
    """Where the stores are."""

    def test_own(self, home: Home) -> None:
        """Our own are on loopback; no address holds a password, and the file that does is its owner's alone."""
        stores = Stores(home, settings(), PORTS)
        known = StoreCredentials.load_or_make(home)
        known.write_passwords(home)
        assert stores.needs_postgresql
        assert stores.needs_seaweedfs
        assert stores.needs_mlflow
        assert known.passwords["lake"] not in stores.lake()["APPRAISER_LAKE_CATALOG_URL"]
        assert stores.lake()["AWS_SECRET_ACCESS_KEY"] == known.keys["lake"].secret_key
        assert known.keys["lake"] != known.keys["mlflow"]
        assert known.keys["lake"].secret_key not in repr(stores.s3("lake"))
        assert StoreCredentials.load_or_make(home) == known
        assert stat.S_IMODE(password_file(home).stat().st_mode) == 0o600
        assert f"*:*:*:lake:{known.passwords['lake']}" in password_file(home).read_text().splitlines()

    def test_one_server_elsewhere(self, home: Home) -> None:
        """A server that is named gets all databases, and none is started."""
        stores = Stores(home, settings(postgresql_url="postgresql+psycopg://me:word@db:5432/postgres"), {})
        assert not stores.needs_postgresql
        assert stores.database("lake") == "postgresql+psycopg://me:word@db:5432/lake"
        assert stores.elsewhere() == ["APPRAISER_POSTGRESQL_URL"]

    def test_one_database_elsewhere(self, home: Home) -> None:
        """A single database that is named is used, beside our own server for the others."""
        stores = Stores(home, settings(MLFLOW_BACKEND_STORE_URI="postgresql+psycopg://db/other"), PORTS)
        assert stores.needs_postgresql
        assert stores.database("mlflow") == "postgresql+psycopg://db/other"
        assert "127.0.0.1:5433" in stores.database("airflow")

    def test_everything_elsewhere(self, home: Home) -> None:
        """With MLflow elsewhere its database is nobody's concern here; with all named, nothing is started."""
        given = {
            "MLFLOW_TRACKING_URI": "http://mlflow",
            "AWS_ENDPOINT_URL_S3": "http://s3",
            "AWS_ACCESS_KEY_ID": "me",
            "AWS_SECRET_ACCESS_KEY": "word",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://db/airflow",
            "ledger_url": "postgresql+psycopg://db/ledger",
            "lake_catalog_url": "postgresql+psycopg://db/lake",
        }
        stores = Stores(home, settings(**given), {})
        assert [stores.needs_postgresql, stores.needs_seaweedfs, stores.needs_mlflow] == [False] * 3
        assert stores.lake()["AWS_ENDPOINT_URL_S3"] == "http://s3"
        assert not home.secrets.exists()

    def test_no_address(self) -> None:
        """What is no address is named by its variable, and not repeated: it may hold a password."""
        with pytest.raises(UsageError, match="APPRAISER_POSTGRESQL_URL is no address") as raised:
            given_database(settings(postgresql_url="me word@db"), "lake")
        assert "word" not in str(raised.value)

    def test_bucket(self) -> None:
        """A bucket is the first part of a place."""
        assert bucket_of("s3://lake/warehouse/deep") == "lake"


class TestStamps:
    """Which version's tables a database has."""

    def test_due(self, home: Home) -> None:
        """A migration is due once per version and database."""
        home.make()
        assert stamps.is_due(home, "mlflow", "own")
        stamps.note(home, "mlflow", "own")
        assert not stamps.is_due(home, "mlflow", "own")
        assert stamps.is_due(home, "mlflow", "postgresql://db/mlflow")
        assert stamps.is_due(home, "apache-airflow", "own")


class TestPrometheus:
    """What is asked."""

    def test_configuration(self) -> None:
        """Services that run are asked at their own addresses, by the committed rules; those that do not are not."""
        found = prometheus.configuration({"api": 1, "feed": 2, "pipeline-metrics": 3, "mlflow": 4})
        jobs = {job["job_name"]: job for job in found["scrape_configs"]}  # type: ignore[attr-defined]
        targets = {name: job["static_configs"][0]["targets"] for name, job in jobs.items()}
        assert targets == {
            "api": ["127.0.0.1:1"],
            "feed": ["127.0.0.1:2"],
            "pipeline": ["127.0.0.1:3"],
            "mlflow": ["127.0.0.1:4"],
        }
        assert "authorization" not in jobs["api"]
        (rules,) = found["rule_files"]  # type: ignore[misc]
        assert list(Path(rules).parent.glob(Path(rules).name))
        committed = yaml.safe_load((ROOT / "gitops/platform/monitoring/prometheus.yml").read_text())
        assert found["global"] == committed["global"]


class TestOrder:
    """How everything ends."""

    def test_stores_end_last(self, home: Home) -> None:
        """A store ends after those who use it, at once and not when its last client has gone."""
        with Supervisor(home) as supervisor:
            supervisor.start(Service("store", (sys.executable, "-c", STORE), port=free_port(0), store=True))
            until_says(supervisor.log("store"), "ready")
            pid = supervisor.started["store"].process.pid
            supervisor.start(Service("client", (sys.executable, "-c", CLIENT, str(pid))))
            until_says(supervisor.log("client"), "ready")
            assert json.loads((home.run / "store.json").read_text())["store"] is True
        assert supervisor.log("client").read_text().split("\n")[1] == "the store lives"
        assert supervisor.log("store").read_text().split("\n")[1] == "asked to end"

    def test_probe(self, home: Home) -> None:
        """A service that does not speak HTTP is ready when its probe says so."""
        said = [False]
        with Supervisor(home) as supervisor:
            supervisor.start(Service("store", (sys.executable, "-c", STORE), probe=lambda: said[0]))
            assert supervisor.check() == []
            said[0] = True
            assert [started.service.name for started in supervisor.check()] == ["store"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a process as somebody else")
    def test_other_user(self, home: Home) -> None:
        """A service can be run by another user than root."""
        with Supervisor(home) as supervisor:
            supervisor.start(Service("store", ("/usr/bin/id", "-u"), user="nobody", once=True))
            until_says(supervisor.log("store"), "65534")
