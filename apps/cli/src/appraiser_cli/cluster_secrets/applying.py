"""Bringing the Secrets into the cluster that kubectl is set to."""

import subprocess

from appraiser_cli.cluster_secrets.declared import READERS
from appraiser_cli.cluster_secrets.errors import SecretsError


def apply(manifest: str) -> None:
    """Apply decrypted Secrets; they pass through a pipe.

    Raises:
        SecretsError: kubectl is missing, or the cluster refuses.
    """
    _kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=appraiser-secrets", "-f", "-"], manifest)


def restart() -> list[str]:
    """Let whoever reads a Secret at its start begin anew, one after another; what is not there is left out.

    Returns:
        What was told to, as 'namespace/kind/name'.
    """
    told = []
    for reader in READERS:
        namespace, kind, name = reader.split("/")
        found = _kubectl(["get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "name"])
        if found.strip():
            _kubectl(["rollout", "restart", f"{kind}/{name}", "--namespace", namespace])
            told.append(reader)
    return told


def _kubectl(words: list[str], stdin: str = "") -> str:
    # The cluster's own kubectl first: this repository's is for rendering.
    try:
        result = subprocess.run(["kubectl", *words], input=stdin, capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise SecretsError("kubectl was not found; K3s brings it.") from None
    if result.returncode:
        raise SecretsError(
            f"kubectl refuses: {result.stderr.strip()}. Is KUBECONFIG set, and are the namespaces there? "
            "gitops/bootstrap/up makes them first."
        )
    return result.stdout
