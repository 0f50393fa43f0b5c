"""The API's image, built from its Dockerfile and started: it appraises a house with the champion of a real registry.

Takes minutes, so that it is left out unless asked for: './appraiser images check'.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from base_image import BASE, is_there, make, run
from tiny_champion import promote, train_tiny

from appraiser_cli.home import ROOT
from appraiser_cli.images import Measured, Recipe, build, measure
from appraiser_cli.keys import create_key
from appraiser_model import Registry
from appraiser_schema import Scope, example_listing

pytestmark = [pytest.mark.images, pytest.mark.timeout(1800)]

TAG = "localhost/appraiser-test-api:built"
UID = 10001
CONTEXT = Path(os.environ.get("APPRAISER_IMAGE_CONTEXT", ROOT))
"""What it is built from; another checkout, where that is to be tried."""

LARGEST_DOWNLOAD = 450e6
"""Of all layers as a registry has them. [bytes]"""


@dataclass
class Container:
    """An API in a container, on a port of this machine.

    Attributes:
        port: Where it listens.
        key: Lets in with every scope that is needed.
        root: Its file system, as it lies on this machine.
        log: What it said.
        started: When. [s since 1970]
    """

    port: int
    key: str
    root: Path
    log: Path
    started: float

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Ask something."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, headers=sent, timeout=60, trust_env=False, **body)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    """Return when something answers 200."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail(f"{url} does not answer: {log.read_text()[-4000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, in a session of its own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def base_image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image to build on: APPRAISER_PYTHON_IMAGE, or one that is made here, once per machine."""
    for program in ("buildah", "debootstrap"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine; install the packages buildah and debootstrap")
    if os.geteuid() != 0:
        pytest.skip("only root may change into another root: run it as root")
    if named := os.environ.get("APPRAISER_PYTHON_IMAGE"):
        return named
    if not is_there():
        make(tmp_path_factory.mktemp("base"))
    return BASE


@pytest.fixture(scope="module")
def image(base_image: str) -> Iterator[Measured]:
    """The API's image, from its Dockerfile."""
    recipe = Recipe("api", "buildah", TAG, base=base_image, revision="0" * 40, root=CONTEXT, options=("--pull-never",))
    build(recipe)
    yield measure(TAG)
    run("buildah", "rmi", "--force", TAG, check=False)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an MLflow server with a champion, whose artifacts pass through it."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    line = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    line += [f"--backend-store-uri=sqlite:///{folder / 'mlflow.db'}", f"--artifacts-destination={folder / 'artifacts'}"]
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, env=os.environ | settings, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", server, folder / "log")
        registered = Registry(url)
        promote(registered, registered.register(train_tiny()).version)
        yield url
    finally:
        end(server)


@pytest.fixture(scope="module")
def container(image: Measured, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The API, started from the image as its own user, with one volume, once it is ready."""
    folder, port = tmp_path_factory.mktemp("api"), free_port()
    keys, state = folder / "keys", folder / "state"
    key = create_key(keys / "keys.json", "test", [Scope.PREDICT, Scope.READ])
    state.mkdir()
    for path in (state, keys, keys / "keys.json"):
        os.chown(path, UID, UID)
    # The folders of pytest are closed to others.
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    name = run("buildah", "from", "--pull-never", image.tag)
    root = Path(run("buildah", "mount", name))
    settings = {
        "APPRAISER_API_PORT": str(port),
        "APPRAISER_API_KEYS": "/run/secrets/api/keys.json",
        "APPRAISER_API_WORKERS": "2",
        "APPRAISER_LEDGER_URL": "sqlite:////var/lib/appraiser/ledger.db",
        "MLFLOW_TRACKING_URI": registry,
    }
    line = ["buildah", "run", "--isolation=chroot", f"--volume={state}:/var/lib/appraiser"]
    line += [f"--volume={keys}:/run/secrets/api:ro", *(f"--env={each}={value}" for each, value in settings.items())]
    started = time.time()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*line, name, "--", "python", "-m", "appraiser_api"], stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready", process, folder / "log")
        yield Container(port, key, root, folder / "log", started)
    finally:
        end(process)
        run("buildah", "umount", name)
        run("buildah", "rm", name)


class TestBuiltApi:
    """What the container does."""

    def test_appraises_a_house(self, container: Container) -> None:
        """Asked over HTTP, it gives a price from the registry's champion, and says which version that is."""
        answer = container.ask("POST", "/predict", json=example_listing())
        assert answer.status_code == 200, answer.text
        told = answer.json()
        print(f"\nPOST /predict -> {answer.status_code} {answer.text}")  # noqa: T201 - shown by `images check`
        assert told["price_usd"] > 0
        assert told["model_version"] == 1
        assert container.ask("GET", "/health/ready").json()["model"]["version"] == 1

    def test_explains_and_takes_tables(self, container: Container) -> None:
        """The other engine and the readers of tables are in the image too: nothing that was taken out is missed."""
        explained = container.ask("POST", "/explain", json=example_listing())
        assert explained.status_code == 200, explained.text
        table = container.ask("POST", "/predict/batch", json=[example_listing()] * 3)
        assert table.status_code == 200, table.text
        for kind in ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream", "text/csv"):
            answer = container.ask("POST", "/predict/batch", json=[example_listing()], headers={"Accept": kind})
            assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, kind)

    def test_asks_for_a_key(self, container: Container) -> None:
        """It listens to everybody, and answers those who have a key."""
        url = f"http://127.0.0.1:{container.port}/predict"
        assert httpx.post(url, json=example_listing(), trust_env=False).status_code == 401

    def test_is_healthy_by_its_own_check(self, container: Container) -> None:
        """The health check of the image, run inside of it, finds it well."""
        line = ["chroot", f"--userspec={UID}:{UID}", str(container.root), "/opt/appraiser/bin/python", "-I"]
        run(*line, "/opt/appraiser/healthy", str(container.port), "/health/live")

    def test_writes_nowhere_else(self, container: Container) -> None:
        """Nothing changed outside its volume and /tmp: the rest of its file system may be read-only."""
        looked = [container.root / part for part in ("opt", "usr", "etc", "var", "home", "root", "srv")]
        newer = [
            path for part in looked for path in part.rglob("*")
            if not path.is_symlink() and path.is_file() and path.stat().st_mtime > container.started
            and not path.is_relative_to(container.root / "etc")
        ]  # fmt: skip
        assert newer == []


class TestBuiltImage:
    """What the image is."""

    def test_size_layers_and_user(self, image: Measured) -> None:
        """A node downloads less than 450 MB, and its program is nobody's root."""
        print(f"\n{image}")  # noqa: T201 - shown by `images check`
        assert image.packed < LARGEST_DOWNLOAD
        assert image.user == f"{UID}:{UID}"
        assert image.layers <= 8

    def test_no_tools_are_left(self, container: Container) -> None:
        """No compiler, no installer and nothing that tests or checks is inside."""
        programs = {path.name for folder in ("usr/bin", "usr/local/bin", "opt/appraiser/bin")
                    for path in (container.root / folder).glob("*")}  # fmt: skip
        assert not programs & {"gcc", "cc", "g++", "make", "pip", "uv", "pytest", "mypy", "ruff", "git", "curl"}
        packages = container.root / "opt" / "appraiser" / "lib" / "python3.12" / "site-packages"
        assert not {path.name for path in packages.glob("*")} & {"pip", "pytest", "mypy", "streamlit", "airflow"}
