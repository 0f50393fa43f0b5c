"""The Dockerfiles: one recipe, held against the settings, the workspace and the locks that they must match."""

import importlib
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from dockerfile import DOCKERFILES, Dockerfile

from appraiser_cli.affected import workspace
from appraiser_cli.home import ROOT

ALL = pytest.mark.parametrize("dockerfile", DOCKERFILES.values(), ids=DOCKERFILES)
UID = "10001:10001"
PORT_SETTINGS = {
    "feed": ("appraiser_feed", "port"),
    "api": ("appraiser_api", "api_port"),
    "ui": ("appraiser_ui", "ui_port"),
}


def needed(app: str) -> set[str]:
    """Folders of the member of an app and of those that it uses, also through others."""
    members = {member.name: member for member in workspace()}
    waiting = [member for member in members.values() if member.folder == f"apps/{app}"]
    found: set[str] = set()
    while waiting:
        member = waiting.pop()
        found.add(member.folder)
        waiting += [members[name] for name in member.needs if members[name].folder not in found]
    return found


@pytest.fixture
def answering() -> Iterator[int]:
    """Port of a service that is well at /well and not at any other address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/well" else 503)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


class TestRecipe:
    """What every image has in common."""

    def test_hadolint_finds_nothing(self) -> None:
        """The checker of Dockerfiles has nothing to say, at any level."""
        files = [str(ROOT / "apps" / image / "Dockerfile") for image in DOCKERFILES]
        program = str(ROOT / ".venv" / "bin" / "hadolint")
        result = subprocess.run([program, *files], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, "")

    @ALL
    def test_nobody_is_root(self, dockerfile: Dockerfile) -> None:
        """The image runs as a fixed user without name or home on the host, and no later instruction changes that."""
        assert dockerfile.last("USER") == UID
        names = [name for name, _ in dockerfile.final]
        assert "RUN" not in names[names.index("USER") :]

    @ALL
    def test_only_the_environment_comes_from_the_build(self, dockerfile: Dockerfile) -> None:
        """What was needed to build stays behind: two folders come over, and no pip is left."""
        copied = [rest.split()[1] for name, rest in dockerfile.final if name == "COPY" and rest.startswith("--from")]
        assert set(copied) <= {"/opt/appraiser", "/opt/members"}
        assert "pip uninstall" in dockerfile.last("RUN")
        assert not re.search(r"apt-get|apk|curl|wget|gcc", " ".join(dockerfile.all("RUN")))

    @ALL
    def test_base_can_be_pinned(self, dockerfile: Dockerfile) -> None:
        """Both stages start from the one base that is an argument, by an exact tag unless a digest is given."""
        assert dockerfile.instructions[0][0] == "ARG"
        assert re.fullmatch(r"PYTHON_IMAGE=docker\.io/library/python:3\.12-slim-\w+", dockerfile.instructions[0][1])
        assert {rest.split()[0] for rest in dockerfile.all("FROM")} <= {"${PYTHON_IMAGE}", "dependencies"}

    @ALL
    def test_own_lock_by_hash(self, dockerfile: Dockerfile) -> None:
        """It installs what its own lock names, each by hash, from an index that is written nowhere."""
        assert any(f"images/dependencies {dockerfile.image}" in run for run in dockerfile.all("RUN"))
        lock = (ROOT / "locks" / f"{dockerfile.image}.txt").read_text()
        pinned = re.findall(r"^[\w.-]+==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+$", lock, re.MULTILINE)
        assert pinned
        assert len(pinned) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE))
        assert "://" not in lock

    @ALL
    def test_own_member_and_its_libraries(self, dockerfile: Dockerfile) -> None:
        """The members inside are the app's own and those that it uses: no fewer, no more."""
        built = [run for run in dockerfile.all("RUN") if "images/members" in run]
        folders = shlex.split(built[0].partition("images/members")[2]) if built else []
        assert set(folders) == needed(dockerfile.image)
        copied = {rest.split()[0] for rest in dockerfile.all("COPY") if rest.startswith(("libs/", "apps/"))}
        assert copied >= set(folders)

    @ALL
    def test_labels(self, dockerfile: Dockerfile) -> None:
        """A registry can tell what it is, and which commit it comes from."""
        labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', dockerfile.last("LABEL")))
        assert labels["title"] == f"appraiser-{dockerfile.image}"
        assert labels["revision"] == "${REVISION}"
        assert {"description", "version", "source", "base.name"} <= set(labels)


class TestSettings:
    """What an image says against what its program reads."""

    @pytest.mark.parametrize("image", PORT_SETTINGS)
    def test_port_is_the_default(self, image: str) -> None:
        """The image exposes the port that its program takes by itself, and asks it there whether it is well."""
        package, field = PORT_SETTINGS[image]
        settings = importlib.import_module(f"{package}.settings").Settings
        assert DOCKERFILES[image].port == settings.model_fields[field].default
        assert f'"{DOCKERFILES[image].port}"' in DOCKERFILES[image].last("HEALTHCHECK")

    @pytest.mark.parametrize("image", ["feed", "api", "ui", "airflow"])
    def test_variables_exist(self, image: str) -> None:
        """Each variable that the image sets is one that its program knows."""
        package = {
            "feed": "appraiser_feed",
            "api": "appraiser_api",
            "ui": "appraiser_ui",
            "airflow": "appraiser_pipeline",
        }
        settings = importlib.import_module(f"{package[image]}.settings").Settings
        prefix = settings.model_config["env_prefix"]
        known = {f"{prefix}{name.upper()}" for name in settings.model_fields}
        assert {name for name in DOCKERFILES[image].environment if name.startswith("APPRAISER_")} <= known

    @ALL
    def test_writes_below_one_folder(self, dockerfile: Dockerfile) -> None:
        """Every folder that is written to lies in the volume or in /tmp; the rest may be read-only."""
        written = ("HOME", "AIRFLOW_HOME", "APPRAISER_LAKE", "APPRAISER_API_RUN", "APPRAISER_MODEL_CACHE")
        written += ("APPRAISER_PREDICTION_LOG", "APPRAISER_BATCH_FOLDER", "MPLCONFIGDIR")
        folders = [value for name, value in dockerfile.environment.items() if name in written]
        assert all(folder.startswith(("/var/lib/appraiser", "/tmp")) for folder in folders)  # noqa: S108
        assert dockerfile.last("WORKDIR") == "/var/lib/appraiser"

    def test_api_keeps_nothing_elsewhere(self) -> None:
        """Each folder of the API's settings is set by its image: none is left to a default beside the code."""
        from appraiser_api.settings import Settings

        default = {name: field.default for name, field in Settings.model_fields.items()}
        folders = {name for name, value in default.items() if str(value).startswith("var/")}
        assert {f"APPRAISER_{name.upper()}" for name in folders} <= set(DOCKERFILES["api"].environment)


class TestContext:
    """What reaches the builder."""

    def test_no_secret_and_no_state(self) -> None:
        """Only four folders do, and none of their tests; what is not named is left out."""
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        rules = [line for line in lines if line and not line.startswith("#")]
        assert rules[0] == "*"
        assert {rule for rule in rules if rule.startswith("!")} == {"!apps", "!images", "!libs", "!locks"}
        assert "**/tests" in rules

    def test_scripts_can_be_run(self) -> None:
        """What the Dockerfiles call may be executed, and a shell's checker finds nothing in it."""
        scripts = [ROOT / "images" / "dependencies", ROOT / "images" / "members", ROOT / "compose" / "databases.sh"]
        assert all(os.access(script, os.X_OK) for script in scripts)
        program = str(ROOT / ".venv" / "bin" / "shellcheck")
        result = subprocess.run([program, *map(str, scripts)], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (0, "")


class TestHealthy:
    """The health check of every image."""

    @pytest.mark.parametrize(("path", "code"), [("/well", 0), ("/ill", 1)])
    def test_says_what_the_service_says(self, answering: int, path: str, code: int) -> None:
        """200 is healthy, another status is not."""
        line = [sys.executable, "-I", str(ROOT / "images" / "healthy"), str(answering), path]
        result = subprocess.run(line, capture_output=True, text=True, check=False)
        assert result.returncode == code
        assert result.stderr == ("" if code == 0 else "/ill answers 503\n")

    def test_nobody_answers(self) -> None:
        """A service that is not there is not healthy, and it says so in a sentence."""
        line = [sys.executable, "-I", str(ROOT / "images" / "healthy"), "1", "/well"]
        result = subprocess.run(line, capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert result.stderr.startswith("nothing answers at port 1")
