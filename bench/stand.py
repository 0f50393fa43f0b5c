"""What benchmarks of the API stand on: the sample, a champion trained on it in the API's cache, and a running API."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Final

import httpx
import polars as pl

from appraiser_api.cache import ModelCache, Pointer
from appraiser_api.processes import children
from appraiser_model import Bundle, Card, TrainingConfig, train
from appraiser_pipeline.splitting import hash_rows
from appraiser_schema import RAW_COLUMNS, ModelVersion
from appraiser_schema.frames import ROW_NUMBER, check_clean, check_raw, coerce, normalise

ROOT: Final = Path(__file__).resolve().parents[1]


def sample_file() -> Path:
    """The sample listings.

    Raises:
        SystemExit: They are absent; exit code 2.
    """
    folder = (ROOT / os.environ.get("APPRAISER_SAMPLE_DATA", "../shared/data")).resolve()
    file = folder / "listings" / "us_sample.csv"
    if not file.is_file():
        sys.stderr.write(f"no sample data in {str(folder)!r}; set APPRAISER_SAMPLE_DATA to its folder\n")
        raise SystemExit(2)
    return file


def clean_listings(file: Path) -> pl.DataFrame:
    """Clean listings of a CSV file, with their `row_hash`."""
    raw = coerce(pl.read_csv(file, infer_schema=False), columns=RAW_COLUMNS)
    clean = check_clean(normalise(check_raw(raw.good).good)).good.unique(RAW_COLUMNS, maintain_order=True)
    return clean.with_columns(hash_rows(clean), batch_number=pl.lit(0, pl.Int64)).drop(ROW_NUMBER)


def train_champion(listings: pl.DataFrame, config: TrainingConfig | None = None) -> Bundle:
    """A model as the pipeline would train it: 15 of 85 listings, by their hash, are for validation."""
    config = config or TrainingConfig()
    validation = pl.col("row_hash") % 100 < 18
    rows = listings.filter(~validation), listings.filter(validation)
    model = train(*rows, config)
    card = Card.of(
        model, rows[0], config=config, source="us_sample.csv", simulated_data=False, batch_number=0, snapshot_id=1
    )
    return Bundle(model, card)


def keep_champion(bundle: Bundle, cache: Path, version: int = 1) -> None:
    """Put a model where the API looks first, so that it serves without a registry."""
    models = ModelCache(cache)
    bundle.save(models.root / bundle.digest)
    known = {name: value for name, value in bundle.card.to_dict().items() if name in ModelVersion.model_fields}
    facts = ModelVersion.model_validate({**known, "version": version, "aliases": (), "run_id": "1"})
    models.point_to(Pointer(digest=bundle.digest, facts=facts))


@dataclass(frozen=True, slots=True)
class RunningApi:
    """An API that serves.

    Attributes:
        url: Its address.
        pid: Its process.
        start_to_ready_s: From the start of the process until it was ready.
    """

    url: str
    pid: int
    start_to_ready_s: float

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.url.rsplit(":", 1)[1])


@contextmanager
def running_api(
    folder: Path, command: list[str] | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[RunningApi]:
    """Start the API over the model in `folder/models` and end it afterwards; its log is `folder/api.log`.

    Args:
        folder: State of this API.
        command: What to start instead of `python -m appraiser_api`; it finds the port in APPRAISER_API_PORT.
        settings: Further environment variables.
    """
    port = free_port()
    environment = {
        **os.environ,
        "APPRAISER_API_PORT": str(port),
        "APPRAISER_MODEL_CACHE": str(folder / "models"),
        "APPRAISER_PREDICTION_LOG": str(folder / "predictions"),
        "APPRAISER_BATCH_FOLDER": str(folder / "spool"),
        "APPRAISER_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'no-registry' / 'mlflow.db'}",
        "APPRAISER_POLL_SECONDS": "3600",
        **(settings or {}),
    }
    with (folder / "api.log").open("ab") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command or [sys.executable, "-m", "appraiser_api"], env=environment, stdout=log, stderr=log, cwd=folder
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{url}/health/ready", process)
        yield RunningApi(url, process.pid, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", seconds: float = 120.0) -> None:
    """Wait until an address answers with 200.

    Raises:
        RuntimeError: The process ended, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode} before it was ready")
        try:
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"{url} was not ready after {seconds:g} s")


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """A process and all that it started, by their ids."""
    found = [pid]
    for each in found:
        found.extend(children(each))
    return found
