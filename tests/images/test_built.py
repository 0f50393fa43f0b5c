"""All images, built from their Dockerfiles and started together: from the feed's first batch to an appraised house.

Takes minutes, so that it is left out unless asked for: './appraiser images check'.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from base_image import BASE, is_there, make, run
from container_stand import UID, Container, finished, free_port, serving, writable

from appraiser_cli.home import ROOT
from appraiser_cli.images import Measured, Recipe, build, measure
from appraiser_cli.keys import create_key
from appraiser_cli.locks import IMAGES
from appraiser_schema import Scope, example_listing

pytestmark = [pytest.mark.images, pytest.mark.timeout(2400)]

CONTEXT = Path(os.environ.get("APPRAISER_IMAGE_CONTEXT", ROOT))
"""What they are built from; another checkout, where that is to be tried."""

LARGEST_DOWNLOAD = {"feed": 200e6, "ui": 500e6, "api": 450e6, "mlflow": 350e6, "airflow": 550e6}
"""Of all layers as a registry has them. [bytes]"""

LEDGER = "sqlite:////ledger/ledger.db"
_ANSWERS: dict[str, str] = {}
"""What each image answered, for the table at the end."""


def tag(image: str) -> str:
    """Name of an image that was built here."""
    return f"localhost/appraiser-test-{image}:built"


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
def images(base_image: str) -> dict[str, str]:
    """Every image from its Dockerfile, by its tag; layers that were built before are taken again."""
    for image in IMAGES:
        options = ("--pull-never",)
        build(Recipe(image, "buildah", tag(image), base=base_image, revision="0" * 40, root=CONTEXT, options=options))
    return {image: tag(image) for image in IMAGES}


@pytest.fixture(scope="module")
def measured(images: dict[str, str]) -> Iterator[dict[str, Measured]]:
    """What each image is; and at the end, beside it, what it answered."""
    found = {image: measure(name) for image, name in images.items()}
    yield found
    lines = [
        "| image | unpacked [MB] | download [MB] | layers | user | what it answered |",
        "|---|--:|--:|--:|---|---|",
    ]
    lines += [
        f"| {name} | {_mb(one.unpacked)} | {_mb(one.packed)} | {one.layers} | {one.user} | {_ANSWERS.get(name, '-')} |"
        for name, one in found.items()
    ]
    print("\n" + "\n".join(lines))  # noqa: T201 - shown by `images check`


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f}"


@pytest.fixture(scope="module")
def feed(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The listing API over its simulator."""
    port = free_port()
    settings = {"APPRAISER_FEED_HOST": "127.0.0.1", "APPRAISER_FEED_PORT": str(port), "APPRAISER_FEED_ROWS": "12000"}
    with serving(images["feed"], tmp_path_factory.mktemp("feed"), settings, "/health", port=port) as container:
        yield container


@pytest.fixture(scope="module")
def mlflow(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """MLflow's server, through which artifacts pass."""
    port = free_port()
    settings = {
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": str(port),
        "MLFLOW_BACKEND_STORE_URI": "sqlite:////var/lib/appraiser/mlflow.db",
        "MLFLOW_ARTIFACTS_DESTINATION": "/var/lib/appraiser/artifacts",
    }
    with serving(images["mlflow"], tmp_path_factory.mktemp("mlflow"), settings, "/health", port=port) as container:
        yield container


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The volume with the ledger that pipeline and API share."""
    return f"{writable(tmp_path_factory.mktemp('ledger') / 'volume')}:/ledger"


@pytest.fixture(scope="module")
def champion(
    images: dict[str, str],
    feed: Container,
    mlflow: Container,
    ledger: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """The pipeline in Airflow's image takes the first batch and promotes the first model: where others find it."""
    stores = {"APPRAISER_LEDGER_URL": LEDGER, "MLFLOW_TRACKING_URI": mlflow.url}
    settings = {**stores, "APPRAISER_FEED_URL": feed.url, "OMP_WAIT_POLICY": "passive"}
    folder = tmp_path_factory.mktemp("pipeline")
    line = "python -m appraiser_pipeline run --batches 1"
    code, said = finished(images["airflow"], folder, settings, line, volumes=[ledger])
    assert code == 0, said[-4000:]
    return stores


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A key for people and for the page, and the volume with the API's keys."""
    folder = writable(tmp_path_factory.mktemp("keys") / "volume")
    key = create_key(folder / "keys.json", "test", [Scope.PREDICT, Scope.READ])
    os.chown(folder / "keys.json", UID, UID)
    return key, f"{folder}:/keys:ro"


@pytest.fixture(scope="module")
def api(
    images: dict[str, str],
    champion: dict[str, str],
    ledger: str,
    key_file: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Container]:
    """The API, once it is ready: once every worker has the champion."""
    port = free_port()
    settings = {
        **champion,
        "APPRAISER_API_HOST": "127.0.0.1",
        "APPRAISER_API_PORT": str(port),
        "APPRAISER_API_KEYS": "/keys/keys.json",
        "APPRAISER_API_WORKERS": "2",
    }
    folder, volumes = tmp_path_factory.mktemp("api"), [ledger, key_file[1]]
    with serving(images["api"], folder, settings, "/health/ready", port=port, volumes=volumes) as container:
        yield container


@pytest.fixture(scope="module")
def key(key_file: tuple[str, str]) -> str:
    """The key of people and of the page."""
    return key_file[0]


class TestApi:
    """The API's image, with a model that the pipeline's image has trained."""

    def test_appraises_a_house(self, api: Container, key: str) -> None:
        """Asked over HTTP, it gives a price by the registry's champion, and says which version that is."""
        answer = api.ask("POST", "/predict", key, json=example_listing())
        assert answer.status_code == 200, answer.text
        told = answer.json()
        print(f"\nPOST /predict -> {answer.status_code} {answer.text}")  # noqa: T201 - shown by `images check`
        assert told["price_usd"] > 0
        assert told["model"]["version"] == 1
        assert api.ask("GET", "/health/ready").json()["model"]["version"] == 1
        _ANSWERS["api"] = f"POST /predict {answer.status_code}, {told['price_usd']:,.0f} USD"

    def test_explains_and_takes_tables(self, api: Container, key: str) -> None:
        """The other engine and the readers of tables are in the image too: nothing that was taken out is missed."""
        explained = api.ask("POST", "/explain", key, json=example_listing())
        assert explained.status_code == 200, explained.text
        table = api.ask("POST", "/predict/batch", key, json=[example_listing()] * 3)
        assert table.status_code == 200, table.text
        for kind in ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream", "text/csv"):
            answer = api.ask("POST", "/predict/batch", key, json=[example_listing()], headers={"Accept": kind})
            assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, kind)

    def test_asks_for_a_key(self, api: Container) -> None:
        """It listens to everybody, and answers those who have a key."""
        assert api.ask("POST", "/predict", json=example_listing()).status_code == 401

    def test_is_healthy_by_its_own_check(self, api: Container) -> None:
        """The health check of the image, run inside of it, finds it well."""
        line = ["chroot", f"--userspec={UID}:{UID}", str(api.root), "/opt/appraiser/bin/python", "-I"]
        run(*line, "/opt/appraiser/healthy", str(api.port), "/health/live")

    def test_writes_nowhere_else(self, api: Container) -> None:
        """Its root is read-only for root too; it serves all the same."""
        with pytest.raises(OSError, match="Read-only file system"):
            (api.root / "opt" / "try").touch()


class TestOthers:
    """The other images do their work."""

    def test_feed_sends_a_batch(self, feed: Container) -> None:
        """Its first batch, to a group that has asked for none."""
        answer = feed.ask("GET", "/data?group_number=2&day=Tuesday")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]
        _ANSWERS["feed"] = f"GET /data 200, {len(answer.json()['data']):,} rows"

    @pytest.mark.usefixtures("champion")
    def test_pipeline_promotes(self, mlflow: Container) -> None:
        """The steps ran in Airflow's image, and the registry in MLflow's has the alias."""
        answer = mlflow.ask("GET", "/api/2.0/mlflow/registered-models/alias?name=house-price&alias=champion")
        assert answer.status_code == 200, answer.text
        assert answer.json()["model_version"]["version"] == "1"
        _ANSWERS["mlflow"] = "GET alias champion 200, version 1"

    def test_airflow_answers(self, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
        """Its tables are made, its DAGs can be read, and its API server answers."""
        port = free_port()
        settings = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////var/lib/appraiser/airflow.db",
            "AIRFLOW__CORE__AUTH_MANAGER": (
                "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": "/tmp/passwords.json",  # noqa: S108
        }
        line = (
            "airflow db migrate && airflow dags list-import-errors && "
            f"exec airflow api-server --host 127.0.0.1 --port {port} --workers 1"
        )
        folder = tmp_path_factory.mktemp("airflow")
        with serving(
            images["airflow"],
            folder,
            settings,
            "/api/v2/monitor/health",
            port=port,
            command=["sh", "-c", line],
        ) as container:
            told = container.ask("GET", "/api/v2/version").json()
        assert told["version"] == "3.3.2"
        assert "No data found" in (folder / "log").read_text(errors="replace")
        _ANSWERS["airflow"] = f"GET /api/v2/version 200, {told['version']}"

    def test_page_is_served(
        self, images: dict[str, str], api: Container, key: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """The page comes, with what it is drawn by; it is the API's in the other container that it asks."""
        port = free_port()
        settings = {
            "APPRAISER_UI_HOST": "127.0.0.1",
            "APPRAISER_UI_PORT": str(port),
            "APPRAISER_API_URL": api.url,
            "APPRAISER_API_KEY": key,
        }
        folder = tmp_path_factory.mktemp("ui")
        with serving(images["ui"], folder, settings, "/_stcore/health", port=port) as page:
            answer = page.ask("GET", "/")
        assert answer.status_code == 200
        assert '<div id="root">' in answer.text
        _ANSWERS["ui"] = "GET / 200"


@pytest.mark.parametrize("image", IMAGES)
class TestImage:
    """What each image is."""

    def test_size_layers_and_user(self, measured: dict[str, Measured], image: str) -> None:
        """A node downloads no more than is allowed, and its program is nobody's root."""
        found = measured[image]
        assert found.packed < LARGEST_DOWNLOAD[image]
        assert found.user == f"{UID}:{UID}"
        assert found.layers <= 8

    def test_no_tools_are_left(self, images: dict[str, str], image: str) -> None:
        """No compiler, no installer and nothing that tests or checks is inside."""
        name = run("buildah", "from", "--pull-never", images[image])
        root = Path(run("buildah", "mount", name))
        try:
            programs = {
                path.name for folder in ("usr/bin", "usr/local/bin", "opt/appraiser/bin")
                for path in (root / folder).glob("*")
            }  # fmt: skip
            packages = root / "opt" / "appraiser" / "lib" / "python3.12" / "site-packages"
            installed = {path.name for path in packages.glob("*")}
        finally:
            run("buildah", "umount", name)
            run("buildah", "rm", name)
        assert not programs & {"gcc", "cc", "g++", "make", "pip", "uv", "pytest", "mypy", "ruff", "git", "curl"}
        others = {"pip", "pytest", "mypy", "streamlit", "airflow"} - {{"ui": "streamlit"}.get(image, image)}
        assert not installed & others
