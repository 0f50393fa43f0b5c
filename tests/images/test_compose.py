"""compose.yaml: held against Compose itself, the images, the settings of the apps and the images of the cluster."""

import importlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import DOCKERFILES

from appraiser_cli.compose import VARIABLES, Places, compose_config, make_secrets, read_variables
from appraiser_cli.errors import CliError
from appraiser_cli.home import ROOT
from appraiser_cli.images import name
from appraiser_cli.locks import IMAGES

FILE = ROOT / "compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
ONCE = {"mlflow-migrate", "airflow-migrate"}
PACKAGES = {"feed": "appraiser_feed", "api": "appraiser_api", "ui": "appraiser_ui", "airflow": "appraiser_pipeline"}
OTHERS = {"seaweedfs", "prometheus", "alertmanager", "grafana", "statsd-exporter"}
"""Services of other makers that the cluster runs, too."""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The secrets of a new stack."""
    places = Places(tmp_path_factory.mktemp("compose"))
    make_secrets(places)
    return {**read_variables(places.variables), "": str(places.variables)}


@pytest.fixture(scope="module")
def services(variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The services as Compose reads them."""
    found: dict[str, dict[str, Any]] = compose_config(Path(variables[""]))["services"]
    return found


def image_of(service: dict[str, Any]) -> str | None:
    """Which of our images a service runs."""
    found = re.search(r"/appraiser-(\w+):", service["image"])
    return found[1] if found else None


def ports_inside(service: dict[str, Any]) -> set[int]:
    """Ports in the container that are published."""
    return {int(port["target"]) for port in service.get("ports", [])}


class TestFile:
    """What Compose says to it."""

    def test_fits_the_schema(self) -> None:
        """The schema of Compose's specification has nothing to object."""
        program = str(ROOT / ".venv" / "bin" / "check-jsonschema")
        line = [program, "--builtin-schema", "vendor.compose-spec", str(FILE)]
        result = subprocess.run(line, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout

    def test_has_the_whole_stack(self, services: dict[str, dict[str, Any]]) -> None:
        """Every part is there, in one of two profiles."""
        airflow = {"airflow", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
        core = {"postgres", "seaweedfs", "mlflow", "feed", "api", "ui", *airflow, *ONCE}
        found = {
            profile: {n for n, s in services.items() if s["profiles"] == [profile]}
            for profile in ("core", "monitoring")
        }
        assert found["core"] == core
        assert {"prometheus", "grafana", "alertmanager"} <= found["monitoring"]
        assert set(services) == found["core"] | found["monitoring"]

    @pytest.mark.parametrize("absent", sorted({*VARIABLES, "UI_API_KEY"} - {"AIRFLOW_PASSWORD"}))
    def test_refuses_to_start_without_a_secret(self, variables: dict[str, str], tmp_path: Path, absent: str) -> None:
        """Without one of them Compose starts nothing, names it, and says what makes it."""
        lines = [f"{key}={value}" for key, value in variables.items() if key and key != absent]
        (tmp_path / ".env").write_text("\n".join(lines))
        with pytest.raises(CliError, match=rf"{absent}.*compose secrets"):
            compose_config(tmp_path / ".env")

    def test_no_secret_has_a_default(self) -> None:
        """Each secret in the file is a variable that must be given; nothing else looks like one."""
        defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
        assert not {key for key in defaults if re.search("PASSWORD|SECRET|KEY|TOKEN", key)}
        required = set(re.findall(r"\$\{(\w+):\?", TEXT))
        assert required <= {*VARIABLES, "UI_API_KEY"}
        written = re.findall(r"^\s+\w*(?:PASSWORD|PASS|SECRET|_KEY|FERNET_KEY): (.+)$", TEXT, re.MULTILINE)
        assert written
        assert all(value.startswith("${") for value in written)


class TestServices:
    """What every service has."""

    def test_ports_are_published_on_loopback_only(self, services: dict[str, dict[str, Any]]) -> None:
        """Nobody but this machine reaches any of them."""
        published = [port for service in services.values() for port in service.get("ports", [])]
        assert len(published) >= 7
        assert {port["host_ip"] for port in published} == {"127.0.0.1"}
        assert len({port["published"] for port in published}) == len(published)

    def test_limits(self, services: dict[str, dict[str, Any]]) -> None:
        """Each has a limit of memory and of processors, keeps short logs, and comes back after a restart."""
        for each, service in services.items():
            assert int(service["mem_limit"]) >= 128 * 2**20, each
            assert float(service["cpus"]) > 0, each
            assert service["logging"]["options"]["max-size"], each
            assert service["restart"] in {"unless-stopped", "on-failure:3"}, each

    def test_health(self, services: dict[str, dict[str, Any]]) -> None:
        """Each says whether it is well: by its own check, its image's, or by ending once it is done."""
        for each, service in services.items():
            if each in ONCE:
                assert service["healthcheck"] == {"disable": True}, each
                waiting = [
                    s["depends_on"][each]["condition"] for s in services.values() if each in s.get("depends_on", {})
                ]
                assert set(waiting) == {"service_completed_successfully"}, each
            elif "healthcheck" not in service:
                assert image_of(service) in IMAGES, each

    def test_starts_in_order(self, services: dict[str, dict[str, Any]]) -> None:
        """Who needs another one waits until it is well, not until it was started; nobody waits in a circle."""
        needs = {each: service.get("depends_on", {}) for each, service in services.items()}
        conditions = {one["condition"] for need in needs.values() for one in need.values()}
        assert conditions == {"service_healthy", "service_completed_successfully"}
        left = dict(needs)
        while ready := [each for each, need in left.items() if not set(need) & set(left)]:
            for each in ready:
                del left[each]
        assert left == {}

    def test_profile_of_what_is_needed(self, services: dict[str, dict[str, Any]]) -> None:
        """The core needs nothing of the monitoring."""
        for each, service in services.items():
            if service["profiles"] == ["core"]:
                assert {services[n]["profiles"][0] for n in service.get("depends_on", {})} <= {"core"}, each

    def test_images_are_exact(self, services: dict[str, dict[str, Any]]) -> None:
        """No image is named without a tag, or by one that moves to another major version by itself."""
        for each, service in services.items():
            tag = service["image"].rpartition(":")[2]
            assert re.match(r"v?\d", tag), each

    def test_mounted_files_exist(self, services: dict[str, dict[str, Any]]) -> None:
        """Whatever is mounted from the repository is there; the rest lies in the ignored state folder."""
        for each, service in services.items():
            for mount in service.get("volumes", []):
                if mount["type"] == "bind" and not Path(mount["source"]).is_relative_to(ROOT / "var"):
                    assert Path(mount["source"]).exists(), f"{each}: {mount['source']}"
                    assert mount["read_only"], each


class TestOurImages:
    """What the services of our images say against the images."""

    def test_names_as_they_are_built(self, services: dict[str, dict[str, Any]]) -> None:
        """Name and tag are those that `images build` gives; each image is built by one service from its Dockerfile."""
        ours = {each: image for each, service in services.items() if (image := image_of(service))}
        assert {services[each]["image"] for each in ours} == {name(image) for image in IMAGES}
        built = {image_of(service): service["build"] for service in services.values() if "build" in service}
        assert {image: build["dockerfile"] for image, build in built.items()} == {
            image: f"apps/{image}/Dockerfile" for image in IMAGES
        }

    def test_ports(self, services: dict[str, dict[str, Any]]) -> None:
        """What is published is what the image exposes, and what the others ask at."""
        for each, service in services.items():
            if (image := image_of(service)) and "ports" in service:
                assert ports_inside(service) == {DOCKERFILES[image].port}, each
        asked = set(re.findall(r"http://(feed|api|mlflow|airflow):(\d+)", TEXT))
        assert {(image, str(DOCKERFILES[image].port)) for image in ("feed", "api", "mlflow", "airflow")} == asked

    def test_variables_are_settings(self, services: dict[str, dict[str, Any]]) -> None:
        """Each variable of ours is a setting of the program in the image: none is spelt wrong."""
        for each, service in services.items():
            if (image := image_of(service)) in PACKAGES:
                settings = importlib.import_module(f"{PACKAGES[image]}.settings").Settings
                prefix = settings.model_config["env_prefix"]
                known = {f"{prefix}{field.upper()}" for field in settings.model_fields}
                known |= {str(field.validation_alias) for field in settings.model_fields.values()}
                given = {
                    key for key in service["environment"] if key.startswith(("APPRAISER_", "AWS_", "MLFLOW_TRACKING"))
                }
                assert given - {"APPRAISER_PRELOAD"} <= known, each

    def test_settings_are_accepted(self, services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
        """Each program starts with the variables of its image and of its service: none refuses one."""
        for image, service in (("feed", "feed"), ("api", "api"), ("ui", "ui"), ("airflow", "airflow-scheduler")):
            with monkeypatch.context() as patched:
                for key, value in (DOCKERFILES[image].environment | services[service]["environment"]).items():
                    if key != "PATH" and value is not None:
                        patched.setenv(key, value)
                importlib.import_module(f"{PACKAGES[image]}.settings").Settings()

    def test_airflow_options_exist(self, services: dict[str, dict[str, Any]]) -> None:
        """Each option of Airflow is one that this version knows, in the section where it stands."""
        listed = ROOT / ".venv/lib/python3.12/site-packages/airflow/config_templates/config.yml"
        known = {section: set(content["options"]) for section, content in yaml.safe_load(listed.read_text()).items()}
        auth = {"simple_auth_manager_users", "simple_auth_manager_passwords_file"}
        for key in services["airflow-scheduler"]["environment"]:
            if key.startswith("AIRFLOW__"):
                _, section, option = key.lower().split("__")
                assert option in known[section] | auth, key

    def test_mlflow_options_exist(self, services: dict[str, dict[str, Any]]) -> None:
        """Each variable of the MLflow server is one that this version reads."""
        folder = ROOT / ".venv/lib/python3.12/site-packages/mlflow"
        files = [folder / "cli" / "__init__.py", folder / "utils" / "cli_args.py", folder / "environment_variables.py"]
        source = "".join(file.read_text() for file in files)
        given = {**DOCKERFILES["mlflow"].environment, **services["mlflow"]["environment"]}
        unknown = {key for key in given if key.startswith("MLFLOW_") and f'"{key}"' not in source}
        assert unknown == set()

    def test_nothing_is_written_to_the_image(self, services: dict[str, dict[str, Any]]) -> None:
        """The file system is read-only, no right is left, and each folder that is written to is a volume."""
        for each, service in services.items():
            if image := image_of(service):
                assert service["read_only"], each
                assert service["cap_drop"] == ["ALL"], each
                assert service["security_opt"] == ["no-new-privileges:true"], each
                written = [v for k, v in DOCKERFILES[image].environment.items() if v.startswith("/var/lib/appraiser")]
                volumes = {mount["target"] for mount in service.get("volumes", []) if mount["type"] == "volume"}
                assert not written or "/var/lib/appraiser" in volumes, each


class TestCluster:
    """What compose.yaml and the cluster have in common."""

    def test_same_versions_of_others(self, services: dict[str, dict[str, Any]]) -> None:
        """Both run the same image of every other maker."""
        listed = yaml.safe_load((ROOT / "gitops/images/dev/kustomization.yaml").read_text())["images"]
        cluster = {f"{one['newName']}:{one['newTag']}" for one in listed}
        assert {services[each]["image"] for each in OTHERS} <= cluster

    def test_prometheus_finds_its_targets(self, services: dict[str, dict[str, Any]]) -> None:
        """Every target of Prometheus is a service of this name."""
        told = yaml.safe_load((ROOT / "gitops/platform/monitoring/prometheus.yml").read_text())["scrape_configs"]
        hosts = {t.partition(":")[0] for job in told for s in job.get("static_configs", []) for t in s["targets"]}
        assert hosts - {"127.0.0.1", "localhost"} <= set(services)
