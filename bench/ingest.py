"""How fast a batch is taken in and in how much memory: the original's scripts and our steps, on the same bytes.

Each way runs in a process of its own, again and again by turns; the last part takes in many batches, one after another.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

ROOT: Final = Path(__file__).resolve().parents[1]
ROWS: Final = 300_000
BATCHES: Final = 20
TURNS: Final = 5
SEED: Final = 1
EARLY: Final = slice(1, 4)
"""The second batch and the two after it, in the place of the first, that also warms up; the last three stand for the
last. The median of three is what one disturbance does not move."""

_CHUNK: Final = 1 << 20


def listings(path: Path) -> pl.DataFrame:
    """Complete listings of a file, as the feed sends them."""
    from appraiser_feed.listing_file import read_listing_file  # noqa: PLC0415 - the measured processes do without

    return read_listing_file(path).listings


def write_body(sample: pl.DataFrame, rows: int, batch_number: int, file: Path) -> None:
    """Write a batch as the feed sends it: listings drawn from the sample, with numbers of their own."""
    from appraiser_feed.cursors import Day  # noqa: PLC0415
    from appraiser_feed.encoding import encode  # noqa: PLC0415
    from appraiser_feed.endpoints.data import envelope  # noqa: PLC0415

    random = np.random.default_rng([SEED, batch_number])

    def jittered(name: str, spread: float, digits: int) -> pl.Expr:
        return (pl.col(name) * pl.Series(random.lognormal(0, spread, rows))).round(digits)

    drawn = sample[random.integers(0, sample.height, rows)].with_columns(
        jittered("price", 0.05, 0),
        jittered("acre_lot", 0.1, 2),
        jittered("house_size", 0.05, 0),
        street=pl.Series(random.integers(1, 2_000_000, rows).astype(np.float64)),
    )
    around = envelope(1, Day.TUESDAY, batch_number)
    with file.open("wb") as out:
        out.write(around[:-2])
        out.writelines(encode(drawn))
        out.write(around[-2:])


def original(body: Path, folder: Path) -> dict[str, float]:
    """The original's scripts: the answer by json into pandas and a CSV; that cleaned into a CSV; that split into CSVs.

    Its three scripts run in one process here and pass rows on by files, as they do there.
    """
    began = time.perf_counter()
    import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]  # noqa: PLC0415

    imported = _mark(began)
    # Collect.
    answer = json.loads(body.read_text(encoding="utf-8"))
    frame = pd.DataFrame(answer["data"])
    frame["batch_number"] = answer["batch_number"]
    frame.to_csv(folder / "raw.csv", index=False)
    # Clean.
    frame = pd.read_csv(folder / "raw.csv").drop_duplicates().dropna()
    frame = frame[(frame["price"] >= 10_000) & (frame["price"] <= 5_000_000)]
    frame.to_csv(folder / "clean.csv", index=False)
    # Split, on the four features that it trains on.
    frame = pd.read_csv(folder / "clean.csv")
    features, price = frame[["bed", "bath", "acre_lot", "house_size"]], frame["price"]
    train, rest, train_price, rest_price = train_test_split(features, price, test_size=0.3, random_state=1)
    validation, test, validation_price, test_price = train_test_split(rest, rest_price, test_size=0.5, random_state=1)
    parts = {"X_train": train, "X_val": validation, "X_test": test}
    parts |= {"y_train": train_price, "y_val": validation_price, "y_test": test_price}
    for name, part in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
    return _figures(began, imported, rows=len(frame))


def ours(body: Path, folder: Path) -> dict[str, float]:
    """Our steps: the bytes landed, the head read, then validate and clean_and_split into the lake."""
    began = time.perf_counter()
    with _pipeline(folder) as take:
        imported = _mark(began)
        kept = take(body)
    return _figures(began, imported, rows=kept)


def stream(folder: Path, bodies: Sequence[Path]) -> dict[str, Any]:
    """Many batches into one lake, one after the other: seconds, and processor seconds, of each."""
    seconds, processor = [], []
    with _pipeline(folder) as take:
        for body in bodies:
            began, used = time.perf_counter(), time.process_time()
            take(body)
            seconds.append(round(time.perf_counter() - began, 4))
            processor.append(round(time.process_time() - used, 4))
    return {"seconds": seconds, "processor_seconds": processor, "peak_mb": _peak_mb()}


@contextmanager
def _pipeline(folder: Path) -> Iterator[Callable[[Path], int]]:
    """The pipeline without a source; gives what takes in a body and returns the rows it kept."""
    import structlog  # noqa: PLC0415

    from appraiser_pipeline.body import read_head  # noqa: PLC0415
    from appraiser_pipeline.context import Context  # noqa: PLC0415
    from appraiser_pipeline.settings import Settings  # noqa: PLC0415
    from appraiser_pipeline.steps.clean_and_split import clean_and_split  # noqa: PLC0415
    from appraiser_pipeline.steps.validate import validate  # noqa: PLC0415
    from appraiser_schema import Batch  # noqa: PLC0415

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

    def take(body: Path) -> int:
        with body.open("rb") as chunks:
            landed = context.landing.land(iter(lambda: chunks.read(_CHUNK), b""))
        with context.landing.path(landed.path).open("rb") as landed_body:
            head = read_head(landed_body)
        context.ledger.save_batch(
            Batch(
                source="benchmark",
                group_number=head.group_number,
                day=head.day,
                batch_number=head.batch_number,
                digest=landed.digest,
                size_bytes=landed.size_bytes,
                received_at=dt.datetime.now(dt.UTC),
                simulated=False,
                landing_path=landed.path,
            )
        )
        validate(context, head.batch_number)
        batch = clean_and_split(context, head.batch_number)
        return (batch.rows_train or 0) + (batch.rows_validation or 0) + (batch.rows_test or 0)

    settings = Settings(lake=folder / "lake", ledger_url=f"sqlite:///{folder / 'ledger.db'}")
    with closing(Context(settings)) as context:
        _ = context.lake, context.ledger
        yield take


def _peak_mb() -> float:
    """The most that this process ever held, in MiB."""
    # Not `ru_maxrss`, which a child takes over from the process that started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def _mark(began: float) -> tuple[float, float, float]:
    return time.perf_counter() - began, time.process_time(), _peak_mb()


def _figures(began: float, imported: tuple[float, float, float], rows: int) -> dict[str, float]:
    total, processor = time.perf_counter() - began, time.process_time()
    return {
        "seconds": round(total - imported[0], 3),
        "processor_seconds": round(processor - imported[1], 3),
        "import_seconds": round(imported[0], 3),
        "peak_mb": _peak_mb(),
        "import_mb": imported[2],
        "growth_mb": round(_peak_mb() - imported[2], 1),
        "rows": rows,
    }


def in_own_process(*arguments: str) -> dict[str, Any]:
    """Run a part of this file in a process of its own; what it says."""
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(body: Path, folder: Path, turns: int) -> dict[str, Any]:
    """Both ways by turns, each in a new process and folder; of each figure the median."""
    runs: dict[str, list[dict[str, float]]] = {"original": [], "ours": []}
    for turn in range(turns):
        for way, done in runs.items():
            sys.stderr.write(f"{way}: turn {turn + 1} of {turns}\n")
            with tempfile.TemporaryDirectory(dir=folder) as place:
                done.append(in_own_process("--part", way, str(body), place))
    found: dict[str, Any] = {
        way: {name: statistics.median(run[name] for run in done) for name in done[0]} for way, done in runs.items()
    }
    theirs, mine = found["original"], found["ours"]
    found["ratio"] = {
        "speed": round(theirs["seconds"] / mine["seconds"], 2),
        "speed_with_imports": round(
            (theirs["seconds"] + theirs["import_seconds"]) / (mine["seconds"] + mine["import_seconds"]), 2
        ),
        "processor": round(theirs["processor_seconds"] / mine["processor_seconds"], 2),
        "memory": round(mine["peak_mb"] / theirs["peak_mb"], 2),
        "memory_growth": round(mine["growth_mb"] / theirs["growth_mb"], 2),
    }
    return found


def growth(sample: pl.DataFrame, rows: int, batches: int, folder: Path) -> dict[str, Any]:
    """What the last batches cost beside the early ones."""
    bodies = [folder / f"{number}.json" for number in range(batches)]
    for number, body in enumerate(bodies):
        write_body(sample, rows, number, body)
    sys.stderr.write(f"{batches} batches of {rows:,} rows\n")
    found = in_own_process("--part", "stream", str(folder / "stream"), *map(str, bodies))
    for name in ("seconds", "processor_seconds"):
        early, late = (statistics.median(found[name][part]) for part in (EARLY, slice(-3, None)))
        found[f"late_over_early_{name}"] = round(late / early, 3)
    return {"rows": rows, "batches": batches, **found}


def render(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        (
            f"{report['rows']:,} rows ({report['body_mb']:.0f} MB) of {report['data']}, "
            f"{report['machine']['cores']} cores."
        ),
        "Each way in a process of its own, by turns; medians.",
        "",
        f"{'':34}{'original':>12}{'ours':>12}{'ratio':>12}",
    ]
    both, ratio = (report["original"], report["ours"]), report["ratio"]
    for label, name, compared in (
        ("Seconds from bytes to tables", "seconds", "speed"),
        ("Processor seconds", "processor_seconds", "processor"),
        ("Seconds for imports", "import_seconds", None),
        ("Peak memory, imports and all [MB]", "peak_mb", "memory"),
        ("Memory after the imports [MB]", "import_mb", None),
        ("What the work adds to it [MB]", "growth_mb", "memory_growth"),
        ("Rows kept", "rows", None),
    ):
        figures = "".join(f"{each[name]:>12,.{0 if name == 'rows' else 1}f}" for each in both)
        lines.append(f"{label:34}{figures}{ratio[compared] if compared else '-':>12}")
    lines += [f"{'Imports and all, the ratio is':58}{ratio['speed_with_imports']:>12}", ""]
    if stream_figures := report.get("stream"):
        seconds, processor = (stream_figures[f"late_over_early_{name}"] for name in ("seconds", "processor_seconds"))
        lines += [
            f"{stream_figures['batches']} batches of {stream_figures['rows']:,} rows into one lake.",
            (
                f"The last three over the second to fourth: {seconds:.2f} in seconds, "
                f"{processor:.2f} in processor seconds."
            ),
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit code 2 where there is nothing to measure on."""
    parser = argparse.ArgumentParser(prog="ingest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="write JSON, for programs")
    parser.add_argument("--data", type=Path, help="CSV or Parquet file of listings; the sample data by default")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of a batch")
    parser.add_argument(
        "--batches", type=int, default=BATCHES, help="batches that follow each other; 0 leaves this out"
    )
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each way is measured")
    options = parser.parse_args(arguments)
    sample_data = Path(os.environ.get("APPRAISER_SAMPLE_DATA", ROOT / "../shared/data")).resolve()
    data = options.data or sample_data / "listings" / "us_sample.csv"
    if not data.is_file():
        sys.stderr.write(f"There is no {data}. Give --data FILE, or set APPRAISER_SAMPLE_DATA to its folder.\n")
        return 2
    sample = listings(data)
    with tempfile.TemporaryDirectory(prefix="appraiser-ingest-") as place:
        folder = Path(place)
        body = folder / "body.json"
        write_body(sample, options.rows, 0, body)
        report: dict[str, Any] = {
            "data": data.name,
            "rows": options.rows,
            "body_mb": round(body.stat().st_size / 1e6, 1),
            "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
            **compare(body, folder, options.turns),
        }
        if options.batches:
            report["stream"] = growth(sample, options.rows, options.batches, folder)
    print(json.dumps(report, indent=2) if options.json else render(report))
    return 0


def part(way: str, *arguments: str) -> None:
    """What a process of its own does; prints its figures as JSON."""
    paths = [Path(argument) for argument in arguments]
    found = stream(paths[0], paths[1:]) if way == "stream" else {"original": original, "ours": ours}[way](*paths)
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        part(*sys.argv[2:])
        sys.exit(0)
    sys.exit(main())
