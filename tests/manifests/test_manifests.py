"""The manifests of this repository: nothing to complain of, and each change to be seen in review."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from manifest_stand import GOLDEN, ROOT, golden_name
from typer.testing import CliRunner

from appraiser_api.server import DRAIN_SECONDS, GRACE_SECONDS, LAST_SECONDS
from appraiser_api.watcher import _STOP_SECONDS
from appraiser_cli.cluster_secrets.declared import DECLARED, READERS
from appraiser_cli.main import app
from appraiser_cli.manifests.check import Report
from appraiser_cli.manifests.objects import name, namespace, pods
from appraiser_cli.manifests.policies import POLICIES
from appraiser_cli.manifests.policies.images import unknown_digests
from appraiser_cli.manifests.policies.rollouts import API_END_SECONDS
from appraiser_cli.manifests.world import World

NAMESPACES = {"airflow", "database", "fastapi", "ingress", "mlflow", "monitoring", "storage", "streamlit"}


class TestManifests:
    """What stands below gitops/."""

    def test_no_failures(self, report: Report) -> None:
        """Every policy holds."""
        assert [str(failure) for failure in report.failures] == []
        assert list(report.policies) == ["renders", *POLICIES]

    def test_nothing_left_out(self, manifests: World, report: Report) -> None:
        """Every overlay is rendered, and every kustomization is reached by one."""
        overlays = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("gitops/**/overlays/*/kust*.yaml")}
        assert overlays <= {one.folder for one in manifests.rendered}
        assert report.resources["Application"] == 2 * len(list((ROOT / "gitops/applications/base").glob("*.yaml"))) - 2

    def test_namespaces(self, manifests: World) -> None:
        """There are those that the architecture names; argocd is made by the bootstrap."""
        for _, documents in manifests.overlays():
            assert {name(one) for one in documents if one["kind"] == "Namespace"} == NAMESPACES

    @pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.yaml")), ids=lambda file: file.stem)
    def test_golden(self, golden: dict[str, str], file: Path) -> None:
        """What a folder comes to is what was reviewed; `python tests/manifest_stand.py` writes it anew."""
        assert golden.get(file.name) == file.read_text(encoding="utf-8")

    def test_golden_of_all(self, golden: dict[str, str]) -> None:
        """Each folder has its golden file."""
        assert set(golden) == {file.name for file in GOLDEN.glob("*.yaml")}

    def test_overlays_differ_little(self, manifests: World, golden: dict[str, str]) -> None:
        """Prod is dev but for sizes, counts, schedules, addresses and what they follow from."""
        texts = {overlay: {} for overlay in ("dev", "prod")}
        for one in manifests.rendered:
            if one.overlay and not one.folder.startswith(("gitops/applications", "gitops/bootstrap")):
                texts[one.overlay][one.folder.rsplit("/", 1)[0]] = golden[golden_name(one)].splitlines()
        for folder, lines in texts["dev"].items():
            added = set(texts["prod"][folder]) - set(lines)
            assert len(added) <= 32, (folder, added)


class TestApi:
    """What the cluster promises of the API and what the API does."""

    def test_end(self) -> None:
        """The time that the manifests grant it to end is counted from the program's own figures."""
        assert pytest.approx(API_END_SECONDS) == DRAIN_SECONDS + LAST_SECONDS + GRACE_SECONDS + _STOP_SECONDS

    def test_metric_of_the_autoscaler(self, manifests: World) -> None:
        """It scales on what the adapter brings, and the adapter reads what the API counts."""
        documents = dict(manifests.overlays())["dev"]
        scaler = next(one for one in documents if one["kind"] == "HorizontalPodAutoscaler")
        settings = next(one for one in documents if name(one).startswith("prometheus-adapter-config"))
        rule = yaml.safe_load(settings["data"]["config.yaml"])["rules"][0]
        assert scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] == rule["name"]["as"]
        assert rule["seriesQuery"].startswith("appraiser_requests_total")

    def test_canary(self, manifests: World) -> None:
        """It serves the challenger and is otherwise the same as the champion's, to the letter."""
        canary = next(one for one in manifests.rendered if one.folder == "gitops/services/fastapi/overlays/dev+canary")
        found = {name(pod.owner): pod for pod in pods(canary.documents)}
        own = {one["name"]: one for one in found["api-canary"].spec["containers"][0]["env"]}
        stable = {one["name"]: one for one in found["api"].spec["containers"][0]["env"]}
        assert own.pop("APPRAISER_API_ALIAS")["value"] == "challenger"
        assert stable.pop("APPRAISER_API_ALIAS")["value"] == "champion"
        assert own == stable
        assert found["api-canary"].spec["containers"][0]["image"] == found["api"].spec["containers"][0]["image"]


class TestSecrets:
    """What './appraiser secrets' makes and what the manifests read."""

    def test_all_are_read(self, manifests: World) -> None:
        """No Secret is made that nobody reads, but for the operator's own key."""
        read = json.dumps([one for _, documents in manifests.overlays() for one in documents])
        values = (ROOT / "gitops/services/airflow/values.yaml").read_text(encoding="utf-8")
        unread = [one.name for one in DECLARED if f'"{one.name}"' not in read and one.name not in values]
        assert unread == ["operator-key"]

    def test_readers(self, manifests: World) -> None:
        """Whoever is told to begin anew exists; Airflow's parts are named by its chart."""
        workloads = {
            f"{namespace(pod.owner)}/{pod.owner['kind'].lower()}/{name(pod.owner)}"
            for _, documents in manifests.overlays()
            for pod in pods(documents)
        }
        assert {reader for reader in READERS if not reader.startswith("airflow/deployment/airflow-")} <= workloads


class TestCommand:
    """`./appraiser check manifests`."""

    def test_json(self, report: Report) -> None:
        """It counts files, objects by kind and policies, and ends with 0 where nothing fails."""
        done = CliRunner().invoke(app, ["check", "manifests", "--json"])
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert (found["failures"], found["files"]) == ([], report.files)
        assert (found["resources"], set(found["policies"].values())) == (dict(report.resources), {0})

    def test_table(self, report: Report) -> None:
        """People get a table, its sum, and which images nobody may roll out yet."""
        done = CliRunner().invoke(app, ["check", "manifests"])
        assert f"{report.files} files, {report.folders} folders rendered" in done.output
        assert "0 failures" in done.output

    def test_released(self, manifests: World) -> None:
        """Before a release, digests that nobody has looked up are failures."""
        found = list(POLICIES["images"](replace(manifests, released=True)))
        unknown = {image for images in unknown_digests(manifests).values() for image in images}
        assert all(any(image in one.problem for one in found) for image in unknown)
        assert bool(found) == bool(unknown)
