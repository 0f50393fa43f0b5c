"""Airflow as separate processes on one small machine, with a reason for each setting."""

import json
import sys
from typing import Final

from appraiser_cli.home import AIRFLOW_CONFIG, DAGS, Home
from appraiser_cli.running.ports import LOOPBACK
from appraiser_cli.running.service import Service
from appraiser_cli.services import stamps
from appraiser_cli.services.addresses import Addresses
from appraiser_cli.services.credentials import Credentials

DAG_ID: Final = "house_price_pipeline"
PARTS: Final = ("airflow", "airflow-scheduler", "airflow-dag-processor")


def settings(home: Home, addresses: Addresses, credentials: Credentials, database: str | None = None) -> dict[str, str]:
    """Airflow's configuration, as environment variables; its database is SQLite in the state folder by default."""
    sections: dict[str, dict[str, str]] = {
        "core": {
            "dags_folder": str(DAGS),
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            "executor": "LocalExecutor",
            # The pipeline runs one step at a time; a second worker lets a person's own task through.
            "parallelism": "2",
            "execution_api_server_url": f"{addresses.url('airflow')}/execution/",
            "fernet_key": credentials.fernet_key,
            "simple_auth_manager_users": f"{credentials.user}:admin",
            "simple_auth_manager_passwords_file": str(home.airflow / "passwords.json"),
        },
        "database": _database(database) if database else {"sql_alchemy_conn": f"sqlite:///{home.airflow}/airflow.db"},
        "scheduler": {
            # Between two steps the scheduler sleeps this long at most: 1 s would cost 9 s a batch, and less costs more
            # of a core while nothing happens. [s]
            "scheduler_idle_sleep_time": "0.4",
            # A scheduler that was killed counts as dead after this time, and its steps are run again by the next
            # one within the interval; by default that takes five minutes. [s]
            "scheduler_health_check_threshold": "20",
            "orphaned_tasks_check_interval": "10",
        },
        "dag_processor": {
            # Four small files: a second parser would only take a core from the steps.
            "parsing_processes": "1",
            # DAGs change when a developer changes them; parsing one costs up to a second of one core. [s]
            "min_file_process_interval": "60",
            "refresh_interval": "60",
        },
        "api": {
            "host": LOOPBACK,
            "port": str(addresses.ports["airflow"]),
            "base_url": addresses.url("airflow"),
            # One is enough for one person and one executor; each costs 300 MB and 8 s of one core to start.
            "workers": "1",
            "secret_key": credentials.secret_key,
        },
        "api_auth": {"jwt_secret": credentials.jwt_secret},
        "logging": {"colored_console_log": "False"},
        "usage_data_collection": {"enabled": "False"},
    }
    return {
        f"AIRFLOW__{section.upper()}__{option.upper()}": value
        for section, options in sections.items()
        for option, value in options.items()
    } | {"AIRFLOW_HOME": str(home.airflow)}


def _database(url: str) -> dict[str, str]:
    # Otherwise it takes another driver for what it does asynchronously; this one can do both.
    return {"sql_alchemy_conn": url, "sql_alchemy_conn_async": url}


def needs_migration(home: Home) -> bool:
    """Whether Airflow's file is absent or of another version; asking Airflow itself would cost six seconds."""
    return stamps.is_due(home, "apache-airflow") or not (home.airflow / "airflow.db").exists()


def note_migration(home: Home) -> None:
    """Remember that the file fits the version that is installed."""
    stamps.note(home, "apache-airflow")


def migration(environment: dict[str, str]) -> Service:
    """Make Airflow's database, or bring it up to date."""
    return Service("airflow-migrate", (*_AIRFLOW, "db", "migrate"), environment, once=True)


def triggerer(addresses: Addresses, environment: dict[str, str]) -> Service:
    """What waits for others, many at a time and in one process."""
    return Service(
        "airflow-triggerer",
        (*_AIRFLOW, "triggerer", "--skip-serve-logs"),
        environment,
        health=f"{addresses.url('airflow')}/api/v2/monitor/health",
        part="triggerer",
    )


def processes(addresses: Addresses, environment: dict[str, str], *, reload: bool = False) -> tuple[Service, ...]:
    """The API server, the scheduler with its executor, and the DAG processor.

    Args:
        addresses: Where they listen.
        environment: Variables that all of them get.
        reload: Whether they start anew when their code changes, and see a changed DAG at once.
    """
    dev = ("--dev",) if reload else ()
    quick = {
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    }
    monitor = f"{addresses.url('airflow')}/api/v2/monitor/health"
    return (
        Service(
            "airflow",
            (*_AIRFLOW, "api-server", *dev),
            environment,
            port=addresses.ports["airflow"],
            # The part that tasks talk to is built at its first question: asked here, no task waits 3 s for it.
            health="/execution/health",
        ),
        Service(
            "airflow-scheduler",
            # Logs are read from the disk, so that no log server has to listen on every address.
            (*_AIRFLOW, "scheduler", "--skip-serve-logs", *dev),
            # Each step runs in a fork of a worker, which is a fork of the scheduler: what the scheduler has
            # imported, no step imports again. Measured: 4 to 6 s a step.
            {**environment, "PYTHONPATH": str(AIRFLOW_CONFIG), "APPRAISER_PRELOAD": "" if reload else "1"},
            health=monitor,
            part="scheduler",
        ),
        Service(
            "airflow-dag-processor",
            (*_AIRFLOW, "dag-processor", *dev),
            {**environment, **(quick if reload else {})},
            health=monitor,
            part="dag_processor",
        ),
    )


def write_passwords(home: Home, credentials: Credentials) -> None:
    """Give Airflow the password of its one user; only the owner can read the file."""
    path = home.airflow / "passwords.json"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({credentials.user: credentials.password}) + "\n", encoding="utf-8")


_AIRFLOW: Final = (sys.executable, "-m", "airflow")
