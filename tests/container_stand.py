"""Containers of our images as a cluster runs them: their own user, a root that nobody can write to, one volume, /tmp.

Started with buildah in a chroot, on the ports of this machine: no engine, no daemon. Needs root.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from base_image import run

UID = 10001
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Container:
    """A service in a container, on a port of this machine.

    Attributes:
        port: Where it listens.
        root: Its file system, as it lies on this machine.
        log: What it said.
    """

    port: int
    root: Path
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, key: str = "", headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """Ask something; with a key where one is given."""
        sent = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        return httpx.request(method, f"{self.url}{path}", headers=sent, timeout=60, trust_env=False, **body)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def writable(folder: Path) -> Path:
    """Make a folder that a container's user may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, UID, UID)
    # The folders of pytest are closed to others.
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    return folder


@contextmanager
def serving(
    tag: str,
    folder: Path,
    settings: Mapping[str, str],
    ready: str,
    *,
    port: int,
    command: Sequence[str] = (),
    volumes: Sequence[str] = (),
) -> Iterator[Container]:
    """A service, from the moment at which it answers 200 until the end.

    Args:
        tag: Its image.
        folder: Where its volume, /tmp and log are put.
        settings: Its variables.
        ready: Path to ask.
        port: Where it will listen.
        command: What runs in it; the image's own where empty.
        volumes: More of them, as buildah takes them.
    """
    with _started(tag, folder, settings, command or _own_command(tag), volumes) as (process, root):
        container = Container(port, root, folder / "log")
        _wait_for(f"{container.url}{ready}", process, container.log)
        yield container


def finished(
    tag: str, folder: Path, settings: Mapping[str, str], command: str, *, volumes: Sequence[str] = ()
) -> tuple[int, str]:
    """Run a shell command in a container to its end: its exit code, and what it said.

    buildah 1.28 itself fails when it tidies up below a root that cannot be written to, so the code comes from inside.
    """
    line = ["sh", "-c", f"{command}; echo exit code $?"]
    with _started(tag, folder, settings, line, volumes) as (process, _):
        process.wait(PATIENCE_SECONDS)
    said = (folder / "log").read_text(encoding="utf-8", errors="replace").partition("\npanic: ")[0]
    code = said.rpartition("exit code ")[2].split()
    return (int(code[0]) if code and code[0].isdigit() else -1), said


@contextmanager
def _started(
    tag: str, folder: Path, settings: Mapping[str, str], command: Sequence[str], volumes: Sequence[str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    state, temporary = writable(folder / "state"), writable(folder / "tmp")
    name = run("buildah", "from", "--pull-never", tag)
    root = Path(run("buildah", "mount", name))
    # The only things that buildah itself would write: its mark, and the places of volumes.
    (root / "run" / ".containerenv").touch()
    for volume in volumes:
        (root / volume.split(":")[1].lstrip("/")).mkdir(parents=True, exist_ok=True)
    run("mount", "--bind", str(root), str(root))
    run("mount", "-o", "remount,bind,ro", str(root))
    line = [
        "buildah",
        "run",
        "--isolation=chroot",
        f"--volume={state}:/var/lib/appraiser",
        f"--volume={temporary}:/tmp",
    ]
    line += [f"--volume={one}" for one in volumes] + [f"--env={each}={value}" for each, value in settings.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*line, name, "--", *command], stdout=log, stderr=log, start_new_session=True)
    try:
        yield process, root
    finally:
        _end(process)
        run("umount", str(root))
        run("buildah", "umount", name)
        run("buildah", "rm", name)


def _own_command(tag: str) -> list[str]:
    found: list[str] = json.loads(run("buildah", "inspect", "--type=image", tag))["Docker"]["config"]["Cmd"]
    return found


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when something answers 200."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail(f"{url} does not answer: {log.read_text(errors='replace')[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, in a session of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
