"""Things broken on purpose: each is found, in the file where it stands, with what to do."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from manifest_stand import ROOT, copy_of, judged_after

from appraiser_cli.manifests.check import judge
from appraiser_cli.manifests.world import World


@dataclass(frozen=True)
class Breakage:
    """Something to break.

    Attributes:
        what: In words.
        file: Where, relative to the repository.
        old: What stands there.
        new: What stands there instead.
        policy: The check that must find it.
        says: Part of what it must say.
        only: How the folders begin that have to be rendered again; nothing where empty.
        found_in: File that must be named; `file` where empty.
    """

    what: str
    file: str
    old: str
    new: str
    policy: str
    says: str
    only: str = "-"
    found_in: str = ""


WORKFLOW = ".github/workflows/broken.yaml"
BREAKAGES = (
    Breakage(
        "a typo in a field",
        "gitops/services/mlflow/base/mlflow.yaml",
        "readinessProbe:",
        "readinesProbe:",
        "schemas",
        "readinesProbe",
        "gitops/services/mlflow/",
    ),
    Breakage(
        "a missing path",
        "gitops/applications/base/mlflow.yaml",
        "path: gitops/services/mlflow/",
        "path: gitops/services/mlfow/",
        "applications",
        "gitops/services/mlfow/overlays/dev, where there is no kustomization.yaml",
        "gitops/applications/",
    ),
    Breakage(
        "latest",
        "gitops/images/prod/kustomization.yaml",
        'newName: quay.io/prometheus/prometheus\n    newTag: "v3.14.0"',
        'newName: quay.io/prometheus/prometheus\n    newTag: "latest"',
        "images",
        "prometheus:latest",
        "gitops/platform/prometheus/overlays/prod",
        "gitops/platform/prometheus/base/prometheus.yaml",
    ),
    Breakage(
        "no limit",
        "gitops/services/feed/base/feed.yaml",
        '            limits: {cpu: "1", memory: 1Gi}\n',
        "",
        "resources",
        "limits.cpu, limits.memory",
        "gitops/services/feed/",
    ),
    Breakage(
        "a secret in values",
        "gitops/services/airflow/values.yaml",
        "fernetKeySecretName: airflow-fernet\n",
        "fernetKey: q0Tz5oQJkCk6pWk0h6nXrjv4o4bqNq1K1f6yF3cV2aE=\n",
        "secrecy",
        "fernetKey",
    ),
    Breakage(
        "a wrong port",
        "gitops/services/streamlit/base/ui.yaml",
        "http://api.fastapi:8000",
        "http://api.fastapi:8001",
        "addresses",
        "asks api.fastapi at port 8001",
        "gitops/services/streamlit/",
    ),
    Breakage(
        "a wrong label in an alert",
        "gitops/platform/monitoring/rules/platform.rules.yaml",
        "severity: critical",
        "severity: criticl",
        "alerts",
        "criticl",
    ),
    Breakage(
        "an action by tag",
        WORKFLOW,
        "",
        "jobs: {test: {steps: [\n  {\n  uses: actions/checkout@v7\n}]}}\n",
        "actions",
        "actions/checkout is taken by 'v7'",
        found_in=f"{WORKFLOW}:3",
    ),
    Breakage(
        "an unknown namespace",
        "gitops/services/mlflow/base/kustomization.yaml",
        "namespace: mlflow",
        "namespace: mlfow",
        "namespaces",
        "the namespace 'mlfow', which nothing makes",
        "gitops/services/mlflow/",
        "gitops/services/mlflow/base/mlflow.yaml",
    ),
    Breakage(
        "a wave cycle",
        "gitops/applications/base/storage.yaml",
        "appraiser/needs: namespaces",
        "appraiser/needs: mlflow",
        "waves",
        "a cycle: mlflow needs storage needs mlflow",
        "gitops/applications/",
        "gitops/applications/base/mlflow.yaml",
    ),
    # Beyond the ten.
    Breakage(
        "a file that does not exist",
        "gitops/services/feed/base/kustomization.yaml",
        "- feed.yaml",
        "- fed.yaml",
        "renders",
        "fed.yaml",
        "gitops/services/feed/overlays/dev",
        "gitops/services/feed/overlays/dev/kustomization.yaml",
    ),
    Breakage(
        "a Secret that nobody makes",
        "gitops/services/fastapi/base/workload/api.yaml",
        "name: api-ledger",
        "name: api-leger",
        "references",
        "the Secret 'api-leger' of 'fastapi' is made by nobody",
        "gitops/services/fastapi/",
    ),
    Breakage(
        "a key that a Secret has not",
        "gitops/services/mlflow/base/mlflow.yaml",
        "key: url",
        "key: uri",
        "references",
        "has no key 'uri' but url",
        "gitops/services/mlflow/",
    ),
    Breakage(
        "readiness that ignores the model",
        "gitops/services/fastapi/base/workload/api.yaml",
        "path: /health/ready",
        "path: /health/live",
        "probes",
        "is asked by readinessProbe at '/health/live'",
        "gitops/services/fastapi/",
    ),
    Breakage(
        "root",
        "gitops/services/feed/base/feed.yaml",
        "        runAsNonRoot: true\n",
        "",
        "security",
        "may run as root",
        "gitops/services/feed/",
    ),
    Breakage(
        "a model from the host",
        "gitops/services/fastapi/base/workload/api.yaml",
        "        - name: tmp\n",
        "        - name: model\n          hostPath: {path: /home/student/model}\n        - name: tmp\n",
        "security",
        "/home/student/model",
        "gitops/services/fastapi/",
    ),
    Breakage(
        "a way that is not let in",
        "gitops/services/mlflow/base/network.yaml",
        "kubernetes.io/metadata.name: fastapi",
        "kubernetes.io/metadata.name: streamlit",
        "flows",
        "of 'fastapi' lets out to {'app.kubernetes.io/name': 'mlflow'} of 'mlflow' at port 5000",
        "gitops/services/mlflow/",
        "gitops/services/fastapi/base/front/network.yaml",
    ),
    Breakage(
        "an end in mid-request",
        "gitops/services/fastapi/base/workload/api.yaml",
        "terminationGracePeriodSeconds: 45",
        "terminationGracePeriodSeconds: 15",
        "rollouts",
        "is killed after 15 s",
        "gitops/services/fastapi/",
    ),
    Breakage(
        "data that goes with its application",
        "gitops/platform/database/base/cluster.yaml",
        "Prune=false,Delete=false",
        "Prune=false",
        "data",
        "would be deleted with its application",
        "gitops/platform/database/",
    ),
    Breakage(
        "the default project",
        "gitops/applications/base/feed.yaml",
        "project: services",
        "project: default",
        "applications",
        "belongs to the project 'default'",
        "gitops/applications/",
    ),
    Breakage(
        "a kind that the project does not allow",
        "gitops/applications/base/projects.yaml",
        "    - {group: policy, kind: PodDisruptionBudget}\n",
        "",
        "projects",
        "a kind not allowed by 'services'",
        "gitops/applications/",
        "gitops/applications/base/fastapi.yaml",
    ),
    Breakage(
        "a chart that moves",
        "gitops/applications/base/airflow.yaml",
        "targetRevision: 1.22.0",
        "targetRevision: 1.*",
        "applications",
        "takes the chart airflow at '1.*'",
        "gitops/applications/",
    ),
    Breakage(
        "a value that the chart does not know",
        "gitops/services/airflow/values.yaml",
        "dagProcessor:\n  enabled: true",
        "dagProcesor:\n  enabled: true",
        "charts",
        "dagProcesor",
    ),
    Breakage(
        "a route to nowhere",
        "gitops/services/streamlit/base/ingress.yaml",
        "name: ui\n                port",
        "name: page\n                port",
        "routes",
        "leads to the Service 'page'",
        "gitops/services/streamlit/",
    ),
    Breakage(
        "an ingress class that the cluster has not",
        "gitops/services/streamlit/base/ingress.yaml",
        "ingressClassName: traefik",
        "ingressClassName: nginx",
        "routes",
        "has the class 'nginx'",
        "gitops/services/streamlit/",
    ),
    Breakage(
        "a service without pods",
        "gitops/services/feed/base/feed.yaml",
        "  selector:\n    app.kubernetes.io/name: feed\n",
        "  selector:\n    app.kubernetes.io/name: fed\n",
        "services",
        "no pod has the labels",
        "gitops/services/feed/",
    ),
    Breakage(
        "the same thing twice",
        "gitops/services/feed/base/feed.yaml",
        "  replicas: 1\n",
        "  replicas: 1\n  replicas: 2\n",
        "written",
        "duplication of key",
        "gitops/services/feed/overlays/dev",
        "gitops/services/feed/base/feed.yaml:24",
    ),
    Breakage(
        "another image for the chart",
        "gitops/services/airflow/overlays/prod/values.yaml",
        "appraiser-airflow",
        "appraiser-airflo",
        "images",
        "unlike gitops/images/prod",
    ),
)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.what.replace(" ", "-"))
class TestBreakages:
    """A check that lets any of these through is none."""

    def test_is_found(self, manifests: World, breakage: Breakage, tmp_path: Path) -> None:
        """The failure names its file and a cure."""
        root = copy_of(ROOT, tmp_path / "repository")
        file = root / breakage.file
        file.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        assert breakage.old in text, "the test is out of date"
        file.write_text(text.replace(breakage.old, breakage.new, 1), encoding="utf-8")
        report = judge(judged_after(manifests, root, breakage.only))
        found = [one for one in report.failures if one.policy == breakage.policy and breakage.says in one.problem]
        assert found, [str(one) for one in report.failures]
        assert (breakage.found_in or breakage.file) in {one.file for one in found}
        assert all(one.cure for one in found)
        assert len(set(report.failures)) == len(report.failures), "what two overlays share is told once"
