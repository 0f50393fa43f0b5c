"""Rows per second of POST /predict/batch, as a share of what the model alone does in the same server."""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import polars as pl
from stand import RunningApi, clean_listings, family, keep_champion, running_api, sample_file, train_champion

from appraiser_api.batch.kinds import Kind
from appraiser_schema import LISTING_COLUMNS, example_listing
from appraiser_schema.frames import to_columns

COLUMNS: Final = "columns"
FORMS: Final[Mapping[str, Kind]] = {
    "Arrow": Kind.ARROW,
    "Parquet": Kind.PARQUET,
    "JSON, columns": Kind.JSON,
    "JSON, rows": Kind.JSON,
    "JSON lines": Kind.LINES,
    "CSV": Kind.CSV,
}
REPEATS: Final = 5
SINGLES_SECONDS: Final = 8.0


def listings_of(sample: pl.DataFrame, rows: int) -> pl.DataFrame:
    """As many listings as asked for: the sample, as often as it takes."""
    times = -(-rows // sample.height)
    return pl.concat([sample.select(LISTING_COLUMNS)] * times).head(rows)


def body_of(form: str, listings: pl.DataFrame) -> bytes:
    """Listings in one of the forms."""
    target = io.BytesIO()
    plain = listings.with_columns(pl.col("prev_sold_date").dt.to_string("%Y-%m-%d"))
    match form:
        case "Arrow":
            listings.write_ipc_stream(target)
        case "Parquet":
            listings.write_parquet(target)
        case "JSON, columns":
            return json.dumps(plain.to_dict(as_series=False)).encode()
        case "JSON, rows":
            return json.dumps(plain.to_dicts()).encode()
        case "JSON lines":
            plain.write_ndjson(target)
        case _:
            listings.write_csv(target)
    return target.getvalue()


def measure(
    api: RunningApi, idle: RunningApi, sample: pl.DataFrame, sizes: Sequence[int], forms: Sequence[str] = tuple(FORMS)
) -> list[dict[str, Any]]:
    """Each form at each size.

    The machine's own speed changes within seconds. So each request stands between two runs of the model alone, and its
    share is told against the mean of those two; the median share of a form's requests counts.

    Args:
        api: The server that is asked.
        idle: The same server once more, where the model is run alone: the memory that takes is not counted.
        sample: Listings to ask about.
        sizes: Rows of the tables.
        forms: Which of FORMS.
    """
    with httpx.Client(base_url=api.url, timeout=600) as client, httpx.Client(base_url=idle.url, timeout=600) as other:
        for rows in (min(sizes), *sizes):
            _alone(other, rows)
        asked = [(rows, form) for rows in sizes for form in forms]
        return [
            {"rows": rows, "form": form, **_measure(api, client, other, form, listings_of(sample, rows))}
            for rows, form in asked
        ]


def _measure(
    api: RunningApi, client: httpx.Client, other: httpx.Client, form: str, listings: pl.DataFrame
) -> dict[str, float]:
    body, rows = body_of(form, listings), listings.height
    # The first table of all starts a process.
    _ask(client, FORMS[form], body_of(form, listings.head(1)))
    _wait_until_shipped(client)
    _forget_peak(api.pid)
    before = _memory_mb(api.pid, "VmRSS")
    alone, seconds = [_alone(other, rows)], []
    for _ in range(1 if rows > 300_000 else REPEATS if rows > 10_000 else 2 * REPEATS):
        seconds.append(_ask(client, FORMS[form], body))
        _wait_until_shipped(client)
        alone.append(_alone(other, rows))
    shares = [(a + b) / 2 / took for a, b, took in zip(alone[:-1], alone[1:], seconds, strict=True)]
    peak = _memory_mb(api.pid, "VmHWM")
    return {
        "body_mb": len(body) / 1e6,
        "seconds": statistics.median(seconds),
        "rows_per_s": rows / statistics.median(seconds),
        "alone_rows_per_s": rows / statistics.median(alone),
        "share": statistics.median(shares),
        "peak_mb": peak,
        "growth_mb": peak - before,
    }


def _ask(client: httpx.Client, kind: Kind, body: bytes) -> float:
    began = time.perf_counter()
    response = client.post("/predict/batch", content=body, headers={"Content-Type": kind.value})
    if response.is_error:
        raise RuntimeError(f"the table was refused: {response.text}")
    return time.perf_counter() - began


def _alone(client: httpx.Client, rows: int) -> float:
    return float(client.get("/bench/alone", params={"rows": rows}).raise_for_status().json()["seconds"])


def _wait_until_shipped(client: httpx.Client) -> None:
    """The ledger takes what was answered in the background.

    The next request, and the model alone, shall not pay for the last one's.
    """
    deadline = time.monotonic() + 900
    time.sleep(1.2)  # It tells every second how much is waiting.
    while time.monotonic() < deadline:
        lines = client.get("/metrics").text.splitlines()
        if any(line.split() == ["appraiser_prediction_backlog_records", "0.0"] for line in lines):
            return
        time.sleep(0.5)
    raise RuntimeError("the ledger has not taken all records after a quarter of an hour")


def _memory_mb(pid: int, what: str) -> float:
    """Of the process that serves, and of the one that works on tables."""
    return sum(_memory_of(each, what) for each in family(pid))


def _memory_of(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


def _forget_peak(pid: int) -> None:
    for each in family(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5", encoding="utf-8")


def singles_beside(api: RunningApi, sample: pl.DataFrame) -> dict[str, float]:
    """p50 and p99 of single houses, alone and while large tables and explanations are worked on. [ms].

    They are alone before and after, as the machine may become faster or slower meanwhile.
    """
    body = body_of("Parquet", listings_of(sample, 100_000))
    tables = 0
    with httpx.Client(base_url=api.url, timeout=600) as client, tempfile.TemporaryFile() as printed:
        _ask(client, Kind.PARQUET, body)
        _wait_until_shipped(client)
        idle = _singles(api.url)
        singles = subprocess.Popen([sys.executable, __file__, "--singles", api.url], stdout=printed)
        while singles.poll() is None:
            _ask(client, Kind.PARQUET, body)
            client.post("/explain", json=example_listing()).raise_for_status()
            tables += 1
        printed.seek(0)
        busy = statistics.quantiles(json.load(printed), n=100)
        _wait_until_shipped(client)
    idle += _singles(api.url)
    quiet = statistics.quantiles(idle, n=100)
    return {
        "idle_p50_ms": quiet[49],
        "idle_p99_ms": quiet[98],
        "busy_p50_ms": busy[49],
        "busy_p99_ms": busy[98],
        "p99_ratio": busy[98] / quiet[98],
        "tables": tables,
    }


def _singles(url: str) -> list[float]:
    """What each of the houses took that were asked for one after the other. [ms]."""
    took: list[float] = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(200):
            client.post("/predict", json=example_listing()).raise_for_status()
        end = time.monotonic() + SINGLES_SECONDS
        while time.monotonic() < end:
            began = time.perf_counter()
            client.post("/predict", json=example_listing()).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return took


def serve() -> None:
    """The API with one more address, that times the model without anything around it."""
    from anyio import to_thread  # noqa: PLC0415

    from appraiser_api import interpreter  # noqa: PLC0415
    from appraiser_api.listening import listen  # noqa: PLC0415
    from appraiser_api.main import serve as application  # noqa: PLC0415
    from appraiser_api.server import Server  # noqa: PLC0415
    from appraiser_api.settings import Settings  # noqa: PLC0415

    interpreter.answer_quickly()
    app = application()
    sample = clean_listings(sample_file())

    def alone(rows: int) -> dict[str, float]:
        columns = to_columns(listings_of(sample, rows), coded=True)
        model = app.state.services.holder.champion().bundle.model
        began = time.perf_counter()
        model.appraise(columns)
        return {"seconds": time.perf_counter() - began}

    @app.get("/bench/alone")
    async def timed(rows: int) -> dict[str, float]:
        return await to_thread.run_sync(alone, rows)

    settings = Settings()
    Server(app, settings).run([listen(settings.api_host, settings.api_port)])


def render(report: Mapping[str, Any]) -> str:
    """The report as tables."""
    head = f"{'rows':>10}  {'form':<14}{'body MB':>9}{'rows/s':>11}{'alone':>11}{'share':>7}{'peak MB':>9}{'growth':>8}"
    lines = [head, "-" * len(head)]
    lines += [
        f"{r['rows']:>10,}  {r['form']:<14}{r['body_mb']:>9.1f}{r['rows_per_s']:>11,.0f}"
        f"{r['alone_rows_per_s']:>11,.0f}{r['share']:>7.2f}{r['peak_mb']:>9,.0f}{r['growth_mb']:>8,.0f}"
        for r in report["batches"]
    ]
    singles = report.get("singles")
    lines += (
        []
        if singles is None
        else [
            "",
            "Single houses, alone and beside tables of 100,000 rows and explanations:",
            f"p50 {singles['idle_p50_ms']:.2f} and {singles['busy_p50_ms']:.2f} ms",
            f"p99 {singles['idle_p99_ms']:.2f} and {singles['busy_p99_ms']:.2f} ms, {singles['p99_ratio']:.1f} times",
        ]
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", default="1000,100000,1000000", help="sizes of the tables, with commas between them")
    parser.add_argument("--forms", default="; ".join(FORMS), help="which of the forms, with semicolons between them")
    parser.add_argument("--no-singles", action="store_true", help="ask for no single houses beside tables")
    parser.add_argument("--models", type=Path, help="folder of the champion; one is trained where it is absent")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--singles", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve()
        return 0
    if options.singles:
        print(json.dumps(_singles(options.singles)))
        return 0
    sample = clean_listings(sample_file())
    sizes, forms = [int(size) for size in options.rows.split(",")], [form.strip() for form in options.forms.split(";")]
    with tempfile.TemporaryDirectory(prefix="appraiser-bench-") as name:
        folder = Path(name)
        models = (options.models or folder / "models").resolve()
        if not models.is_dir():
            sys.stderr.write("training the champion ...\n")
            keep_champion(train_champion(sample), models)
        settings = {"APPRAISER_MODEL_CACHE": str(models)}
        serve_too = [sys.executable, __file__, "--serve"]
        for one in ("idle", "plain"):
            (folder / one).mkdir()
        with running_api(folder, serve_too, settings) as api, running_api(folder / "idle", serve_too, settings) as idle:
            sys.stderr.write("asking ...\n")
            report: dict[str, Any] = {"batches": measure(api, idle, sample, sizes, forms)}
        if not options.no_singles:
            # As it is installed: what was prepared to time the model alone has started threads of another priority.
            with running_api(folder / "plain", settings=settings) as api:
                report["singles"] = singles_beside(api, sample)
    print(json.dumps(report, indent=2) if options.json else render(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
