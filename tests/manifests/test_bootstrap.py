"""The scripts that bring the system into a cluster and out of it; kubectl and a cluster are stood in for."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from manifest_stand import ROOT

SCRIPTS = ("up", "down", "air-gap")
ZEROS = f"sha256:{'0' * 64}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the scripts read, with digests and secrets; `kubectl` writes down what it is told."""
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "gitops", root / "gitops")
    (root / "gitops/bootstrap/argocd.sha256").unlink(missing_ok=True)
    for file in root.glob("gitops/images/*/kustomization.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(ZEROS, f"sha256:{'1' * 64}"), encoding="utf-8")
    (root / "gitops/secrets").mkdir(exist_ok=True)
    (root / "gitops/secrets/dev.sops.yaml").write_text("kind: List\n", encoding="utf-8")
    (root / "install.yaml").write_text("kind: List\n", encoding="utf-8")
    for name, told in ((root / "bin/kubectl", "kubectl"), (root / "appraiser", "appraiser")):
        name.parent.mkdir(exist_ok=True)
        name.write_text(f'#!/bin/sh\necho "{told} $*" >>{root}/heard\n', encoding="utf-8")
        name.chmod(0o755)
    return root


def run(checkout: Path, script: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script of the copy."""
    path = f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"
    manifest = (checkout / "install.yaml").as_uri()
    return subprocess.run(
        [str(checkout / "gitops/bootstrap" / script), *words],
        env={**os.environ, "PATH": path, "ARGOCD_MANIFEST": manifest},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def heard(checkout: Path) -> str:
    """What kubectl and our own command were told, line by line."""
    file = checkout / "heard"
    return file.read_text(encoding="utf-8") if file.exists() else ""


class TestScripts:
    """All of them."""

    @pytest.mark.parametrize("script", SCRIPTS)
    def test_shellcheck(self, script: str) -> None:
        """Nothing to complain of."""
        shellcheck = Path(sys.executable).with_name("shellcheck")
        file = ROOT / "gitops/bootstrap" / script
        done = subprocess.run([shellcheck, "-x", "-P", ROOT, file], capture_output=True, text=True, check=False)
        assert done.stdout + done.stderr == ""

    @pytest.mark.parametrize("script", SCRIPTS)
    def test_unknown_word(self, checkout: Path, script: str) -> None:
        """A slip of the pen changes nothing."""
        done = run(checkout, script, "prd")
        assert done.returncode == 1
        assert "apply" not in heard(checkout)
        assert "delete" not in heard(checkout)


class TestUp:
    """`gitops/bootstrap/up`."""

    def test_order(self, checkout: Path) -> None:
        """Argo CD with its health check before the root, namespaces before secrets, the root last."""
        done = run(checkout, "up", "dev")
        assert done.returncode == 0, done.stderr
        lines = heard(checkout).splitlines()
        wanted = (
            "--namespace argocd --filename",
            "--kustomize",
            "namespaces/overlays/dev",
            "secrets apply --overlay dev",
            "bootstrap/root/overlays/dev",
        )
        places = [next(i for i, line in enumerate(lines) if part in line) for part in wanted]
        assert places == sorted(places)

    def test_checksum(self, checkout: Path) -> None:
        """The first run writes down what it saw; another manifest later is not applied."""
        assert run(checkout, "up").returncode == 0
        written = (checkout / "gitops/bootstrap/argocd.sha256").read_text(encoding="utf-8")
        assert written.startswith(hashlib.sha256(b"kind: List\n").hexdigest())
        (checkout / "install.yaml").write_text("kind: Evil\n", encoding="utf-8")
        (checkout / "heard").unlink()
        done = run(checkout, "up")
        assert done.returncode == 1
        assert "is not the one that was seen before" in done.stderr
        assert "apply" not in heard(checkout)

    def test_unknown_digests(self, checkout: Path) -> None:
        """Images that nobody has looked up are not rolled out, unless that is asked for."""
        file = checkout / "gitops/images/dev/kustomization.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(f"sha256:{'1' * 64}", ZEROS, 1), encoding="utf-8")
        done = run(checkout, "up", "dev")
        assert (done.returncode, "apply" in heard(checkout)) == (1, False)
        assert "image-pull.md" in done.stderr
        assert run(checkout, "up", "dev", "--unreleased").returncode == 0

    def test_no_secrets(self, checkout: Path) -> None:
        """Without secrets it says which command makes them."""
        done = run(checkout, "up", "prod")
        assert done.returncode == 1
        assert "./appraiser secrets create --overlay prod" in done.stderr


class TestDown:
    """`gitops/bootstrap/down`."""

    def test_keeps_data(self, checkout: Path) -> None:
        """Applications before Argo CD; no namespace with data is touched."""
        assert run(checkout, "down").returncode == 0
        told = heard(checkout)
        assert told.index("delete application root") < told.index("delete namespace argocd")
        assert "delete namespace --ignore-not-found" not in told

    def test_data_is_asked_for(self, checkout: Path) -> None:
        """Data goes only after the word was typed."""
        assert run(checkout, "down", "--data", stdin="yes\n").returncode == 1
        assert "delete" not in heard(checkout)
        assert run(checkout, "down", "--data", stdin="delete\n").returncode == 0
        assert "fastapi airflow mlflow" in heard(checkout)


class TestAirGap:
    """`gitops/bootstrap/air-gap`."""

    def test_list(self, checkout: Path) -> None:
        """Every image of the overlay, by its digest, and the operator's."""
        done = run(checkout, "air-gap", "list", "prod")
        lines = done.stdout.splitlines()
        entries = (checkout / "gitops/images/prod/kustomization.yaml").read_text(encoding="utf-8").count("newName:")
        assert len(lines) == entries + 1
        assert all("@sha256:" in line for line in lines[:-1])
        assert lines[-1].startswith("ghcr.io/cloudnative-pg/cloudnative-pg:")

    def test_damaged(self, checkout: Path, tmp_path: Path) -> None:
        """A bundle that was damaged on its way is not imported."""
        (tmp_path / "images.txt").write_text("a\n", encoding="utf-8")
        (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  images.txt\n", encoding="utf-8")
        done = run(checkout, "air-gap", "import", str(tmp_path))
        assert done.returncode == 1
        assert "damaged" in done.stderr
