"""Several workers at one port: one champion, whole counts, and no request lost over a change or an end."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_process import ApiProcess, Load, api_process, keep_champion
from running_api import wait_for
from tiny_champion import promote

from appraiser_api.workers import Workers
from appraiser_model import Bundle, Registry


@pytest.fixture(scope="module")
def registry_of_two(tmp_path_factory: pytest.TempPathFactory, bundles: tuple[Bundle, Bundle]) -> Registry:
    """A registry with two versions; the first is the champion."""
    registry = Registry(f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}")
    for bundle in bundles:
        registry.register(bundle)
    promote(registry, 1)
    return registry


@pytest.fixture
def cached(tmp_path: Path, registry_of_two: Registry, bundles: tuple[Bundle, Bundle]) -> Path:
    """A state folder whose cache has version 1."""
    promote(registry_of_two, 1)
    keep_champion(bundles[0], registry_of_two.version(1), tmp_path / "models")
    return tmp_path


@pytest.fixture
def two(cached: Path, registry_of_two: Registry) -> Iterator[ApiProcess]:
    """An API with two workers that serve version 1, and look by themselves once an hour."""
    settings = {"APPRAISER_API_WORKERS": "2", "APPRAISER_POLL_SECONDS": "3600"}
    with api_process(cached, registry_of_two.tracking_uri, settings) as api:
        yield api


def worker_pids(api: ApiProcess) -> set[int]:
    """Process ids of the workers."""
    return {worker["pid"] for worker in api.get("/health/ready").json()["workers"]}


class TestTwoWorkers:
    """What holds while two processes answer at one port."""

    def test_champion_changes_under_load(self, two: ApiProcess, registry_of_two: Registry, cached: Path) -> None:
        """Every push reaches both workers, no request fails, and every answer names a version that there is."""
        load = Load()
        asking = threading.Thread(target=lambda: asyncio.run(load.ask(two.port, 4)))
        asking.start()
        try:
            for change in range(10):
                version = 2 - change % 2
                promote(registry_of_two, version)
                wait_for(lambda: two.post("/admin/reload").json()["complete"])
                told = two.get("/health/ready").json()
                assert [worker["model"]["version"] for worker in told["workers"]] == [version, version]
        finally:
            load.stopped = True
            asking.join()
        assert not load.failed
        assert set(load.answered) == {1, 2}
        ready = two.get("/health/ready").json()
        assert (ready["ready"], len(ready["workers"])) == (True, 2)
        self._counts_are_whole(two, load)
        self._worker_is_replaced(two, load, cached)
        assert two.stop() == 0

    def _counts_are_whole(self, api: ApiProcess, load: Load) -> None:
        """Counters and histograms add up over both workers, with the version, and gauges are one number."""
        answered = sum(load.answered.values())
        for _ in range(4):
            text = api.get("/metrics").text
            assert f'appraiser_requests_total{{method="POST",route="/predict",status="200"}} {answered}.0' in text
        for version, answers in load.answered.items():
            assert f'appraiser_request_seconds_count{{model_version="{version}",route="/predict"}} {answers}.0' in text
        assert "appraiser_champion_version 1.0" in text
        assert 'appraiser_workers{model_version="1"} 2.0' in text
        assert "appraiser_requests_in_flight 1.0" in text
        assert "pid=" not in text

    def _worker_is_replaced(self, api: ApiProcess, load: Load, folder: Path) -> None:
        """A worker that was killed is replaced, and forgotten; its counts stay, and no files pile up."""
        (metrics,) = folder.glob("run/*/metrics")
        before = sorted(file.name for file in metrics.iterdir())
        for _ in range(2):
            killed = min(worker_pids(api))
            os.kill(killed, signal.SIGKILL)
            wait_for(lambda killed=killed: killed not in worker_pids(api) and len(worker_pids(api)) == 2)
        assert api.get("/health/ready").status_code == 200
        wait_for(lambda: sorted(file.name for file in metrics.iterdir()) == before)
        counted = f'appraiser_requests_total{{method="POST",route="/predict",status="200"}} {load.answered.total()}.0'
        text = api.get("/metrics").text
        assert counted in text
        assert "appraiser_requests_in_flight 1.0" in text

    def test_parent_dies(self, two: ApiProcess) -> None:
        """Workers whose parent was killed end by themselves: none goes on serving, seen by nobody."""
        pids = worker_pids(two)
        two.process.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


class TestEnd:
    """The service is told to stop."""

    @pytest.mark.parametrize("workers", [1, 2])
    def test_under_load(self, cached: Path, registry_of_two: Registry, workers: int) -> None:
        """What was taken is answered, connections end with a word, the exit code is 0."""
        settings = {"APPRAISER_API_WORKERS": str(workers)}
        with api_process(cached, registry_of_two.tracking_uri, settings) as api:
            load = Load()
            asking = threading.Thread(target=lambda: asyncio.run(load.ask(api.port, 8)))
            asking.start()
            wait_for(lambda: sum(load.answered.values()) > 200)
            assert api.stop() == 0
            asking.join(30)
            assert not asking.is_alive()
        assert not load.failed
        assert sum(load.answered.values()) > 200

    def test_logs_know_no_house(self, cached: Path, registry_of_two: Registry) -> None:
        """The log has every request by its id, and nothing of the house, whether the answer was good or bad."""
        house = {"state": "Texas", "city": "Secretville", "zip_code": "77005", "street": "Hidden Lane 7", "bed": 3}
        with api_process(cached, registry_of_two.tracking_uri) as api:
            for number, body in enumerate((house, {**house, "bed": "many"}, {**house, "state": "Nowhere"})):
                for path in ("/predict", "/explain"):
                    api.post(path, json=body, headers={"X-Request-ID": f"seen-{number}"})
            api.post("/predict", content=json.dumps(house)[:-5], headers={"Content-Type": "application/json"})
            api.get("/nothing/Secretville?city=Secretville")
            api.stop()
            log = api.log.read_text()
        assert "seen-2" in log
        assert all(json.loads(line)["event"] for line in log.splitlines())
        for secret in ("Secretville", "77005", "Hidden Lane", "Nowhere"):
            assert secret not in log


class TestFolder:
    """Where the workers of one server meet."""

    def test_dead_worker(self, tmp_path: Path) -> None:
        """A worker that is gone is forgotten, and one whose file is damaged is left out."""
        workers = Workers(tmp_path)
        workers.publish(None, "well", 3, {})
        shutil.copy(tmp_path / f"{os.getpid()}.json", tmp_path / "999999999.json")
        (tmp_path / "1.json").write_text("{")
        assert workers.pids() == (os.getpid(),)
        assert not (tmp_path / "999999999.json").exists()

    @pytest.mark.parametrize("several", [False, True])
    def test_asked_to_look(self, tmp_path: Path, *, several: bool) -> None:
        """Each request to look is a later one, also where the clock went back."""
        workers = Workers(tmp_path if several else None)
        assert workers.asked() == 0
        first = workers.ask_to_look()
        second = workers.ask_to_look()
        assert workers.asked() == second > first
        assert first <= time.time_ns()


class TestFaults:
    """A fault while a house is asked about."""

    def test_message_stays_out(self) -> None:
        """The log says where it happened and of which kind, and not what the message of the error holds."""
        code = (
            "import structlog; from appraiser_api.logs import configure_logs; configure_logs()\n"
            "log = structlog.get_logger('appraiser_api')\n"
            "try: raise ValueError('Secretville')\n"
            "except ValueError: log.exception('request_failed', request_id='x')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
        line = json.loads(done.stderr)
        assert "ValueError" in line["exception"]
        assert "Secretville" not in done.stderr

    @pytest.mark.parametrize("how", ["log", "logging.getLogger('uvicorn.error')"])
    @pytest.mark.parametrize("terminal", [False, True])
    def test_values_stay_out(self, how: str, *, terminal: bool) -> None:
        """Nor do messages of what led to it, or values of variables, on a terminal and in others' events either."""
        code = (
            "import logging, structlog, sys; from appraiser_api.logs import configure_logs\n"
            f"sys.stderr.isatty = lambda: {terminal}\n"
            "configure_logs(); log = structlog.get_logger('appraiser_api')\n"
            "def fail(house):\n"
            "    try: raise KeyError(house)\n"
            "    except KeyError as error: raise ValueError(house) from error\n"
            f"try: fail('Secret' + 'ville')\nexcept ValueError: {how}.exception('failed')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
        assert "KeyError" in done.stderr
        assert "ValueError" in done.stderr
        assert "in fail" in done.stderr
        assert "Secretville" not in done.stderr
