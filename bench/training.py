"""How much a training costs beside the trees themselves: time and peak memory of four ways to as many trees."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

ROWS: Final = 2_200_000
ROUNDS: Final = 100
ROWS_PER_BATCH: Final = 400_000
IN_VALIDATION: Final = 11
"""One listing of so many is for validation; the training listings are as many as was asked for."""

SEED: Final = 1

WAYS: Final = ("xgboost", "ours", "pandas", "external")
LABELS: Final = {
    "xgboost": "xgboost.train alone",
    "ours": "ours, the whole step",
    "pandas": "the pandas way",
    "external": "ours, bins on disk",
}


def made_listings(rows: int) -> Iterator[pl.DataFrame]:
    """The sample again and again, each time with other prices, areas and days, as batches of clean.listings."""
    from stand import clean_listings, sample_file  # noqa: PLC0415 - brings the API, which no measured way needs

    from appraiser_pipeline.splitting import hash_rows  # noqa: PLC0415

    sample = clean_listings(sample_file()).drop("row_hash", "batch_number")
    rng = np.random.default_rng(SEED)
    total = rows + rows // (IN_VALIDATION - 1)
    for start in range(0, total, ROWS_PER_BATCH):
        count = min(ROWS_PER_BATCH, total - start)
        batch = sample[rng.integers(0, sample.height, count)]
        days = pl.Series(rng.integers(-60, 1, count)).cast(pl.Duration("ms")) * 86_400_000
        batch = batch.with_columns(
            price=(pl.col("price") * rng.lognormal(0, 0.1, count)).round().clip(10_000, 5_000_000),
            house_size=(pl.col("house_size") * rng.uniform(0.95, 1.05, count)).round(),
            acre_lot=(pl.col("acre_lot") * rng.uniform(0.9, 1.1, count)).round(2),
            prev_sold_date=pl.col("prev_sold_date") + days,
        )
        numbered = batch.with_columns(row_number=pl.int_range(1, count + 1, dtype=pl.UInt32), row_hash=hash_rows(batch))
        validates = (pl.col("row_hash") // 2**30) % IN_VALIDATION == 0
        yield numbered.with_columns(split=pl.when(validates).then(pl.lit("validation")).otherwise(pl.lit("train")))


def prepare(folder: Path, rows: int) -> dict[str, Any]:
    """Write the lake, and the matrix that XGBoost is given when it is alone."""
    from appraiser_model.kept import Gathered, Pages  # noqa: PLC0415
    from appraiser_store import Lake, Table  # noqa: PLC0415

    lake = Lake.open(folder / "lake")
    for number, batch in enumerate(made_listings(rows)):
        lake.replace_batch(Table.CLEAN, number, batch)
    gathered = Gathered(_config(ROUNDS), folder)
    for split, frame in _chunks(folder):
        gathered.add(split, frame)
    encoder, encoded = gathered.fit.finish()
    centre = float(np.median(np.log(gathered.train.price_usd())))
    stopping = Pages(encoder.encode(gathered.stopping[0]), gathered.stopping[1])
    for name, pages in (("train", Pages(encoded, gathered.train)), ("stopping", stopping)):
        parts = list(pages)
        np.save(folder / f"{name}_matrix.npy", np.concatenate([matrix for matrix, _ in parts]))
        np.save(folder / f"{name}_label.npy", np.log(np.concatenate([price for _, price in parts])) - centre)
    return {"rows": len(encoded), "rows_stopping": len(stopping.rows)}


def xgboost_alone(folder: Path, rounds: int) -> dict[str, Any]:
    """The trees on a matrix that is prepared: `xgboost.train` bins it and grows them; how long bins take is told."""
    import xgboost  # noqa: PLC0415

    data = {name: np.load(folder / f"{name}.npy") for name in ("train_matrix", "train_label")}
    held = {name: np.load(folder / f"stopping_{name}.npy") for name in ("matrix", "label")}
    train = xgboost.DMatrix(data["train_matrix"], data["train_label"], nthread=2)
    stopping = xgboost.DMatrix(held["matrix"], held["label"], nthread=2)
    _grow(train, stopping, rounds)
    start = time.perf_counter()
    xgboost.QuantileDMatrix(data["train_matrix"], data["train_label"], nthread=2)
    return {"binning_s": round(time.perf_counter() - start, 2)}


def ours(folder: Path, rounds: int, external_rows: int | None = None) -> dict[str, Any]:
    """The training step as the pipeline runs it, from the lake to the model."""
    from appraiser_model.training import train_from  # noqa: PLC0415

    more = {} if external_rows is None else {"external_rows": external_rows}
    trained = train_from(_chunks(folder), _config(rounds), folder / "scratch", **more)
    return {"digest": hashlib.sha256(trained.model.trees.ubj).hexdigest()}


def pandas_way(folder: Path, rounds: int) -> dict[str, Any]:
    """Read with pandas, the same features of the whole table, a DMatrix, the trees; neither interval nor figures."""
    import pandas as pd  # type: ignore[import-untyped]  # noqa: PLC0415
    import xgboost  # noqa: PLC0415

    from appraiser_features import FeatureEncoder  # noqa: PLC0415
    from appraiser_model.kept import FOLD_SALT, HALF_SALT  # noqa: PLC0415
    from appraiser_model.shares import share  # noqa: PLC0415

    files = sorted((folder / "lake" / "warehouse").rglob("*clean*/**/*.parquet"))
    frame = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    frame["folds"] = share(frame["row_hash"].to_numpy(), 5, FOLD_SALT)
    rows = frame[frame["split"] == "train"]
    validation = frame[frame["split"] == "validation"]
    validation = validation[share(validation["row_hash"].to_numpy(), 2, HALF_SALT) == 0]
    price = rows["price"].to_numpy()
    encoder, matrix = FeatureEncoder.fit(_pandas_columns(rows), price, rows["folds"].to_numpy())
    held_out = encoder.transform(_pandas_columns(validation))
    centre = np.median(np.log(price))
    train = xgboost.DMatrix(matrix, np.log(price) - centre, nthread=2)
    stopping = xgboost.DMatrix(held_out, np.log(validation["price"].to_numpy()) - centre, nthread=2)
    _grow(train, stopping, rounds)
    return {}


def _pandas_columns(frame: Any) -> dict[str, Any]:
    import pandas as pd  # noqa: PLC0415

    from appraiser_schema.columns import Coded  # noqa: PLC0415

    columns = {name: frame[name].to_numpy(dtype=float) for name in ("bed", "bath", "acre_lot", "house_size")}
    sold = pd.to_datetime(frame["prev_sold_date"])
    columns["prev_sold_date"] = ((sold - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    for name in ("status", "state", "city", "zip_code"):
        codes, values = pd.factorize(frame[name])
        columns[name] = Coded((*values.tolist(), None), np.where(codes < 0, len(values), codes).astype(np.int64))
    return columns


def _grow(train: Any, stopping: Any, rounds: int) -> None:
    import xgboost  # noqa: PLC0415

    parameters = _config(rounds).booster_parameters()
    start, cpu = time.perf_counter(), time.process_time()
    xgboost.train(parameters, train, rounds, evals=[(stopping, "validation")], verbose_eval=False)
    _MARKS["trees_s"] = round(time.perf_counter() - start, 2)
    _MARKS["trees_cpu_s"] = round(time.process_time() - cpu, 2)


_MARKS: Final[dict[str, float]] = {}


def _config(rounds: int) -> Any:
    from appraiser_model.config import TrainingConfig  # noqa: PLC0415

    return TrainingConfig(max_rounds=rounds, patience=rounds)


def _chunks(folder: Path) -> Iterator[Any]:
    from appraiser_pipeline.steps.train_model import listings_of  # noqa: PLC0415
    from appraiser_store import Lake, Table  # noqa: PLC0415

    lake = Lake.open(folder / "lake")
    snapshot = lake.snapshot_id(Table.CLEAN)
    return listings_of(lake, lake.batch_rows(Table.CLEAN), snapshot or 0)


_DO: Final[dict[str, Callable[[Path, int], dict[str, float]]]] = {
    "xgboost": xgboost_alone,
    "ours": ours,
    "pandas": pandas_way,
    "external": lambda folder, rounds: ours(folder, rounds, 0),
}


def _import_everything() -> None:
    """What every way is given before it is measured: no way pays for another's imports."""
    import pandas as pd  # noqa: PLC0415
    import scipy.spatial  # type: ignore[import-untyped]  # noqa: PLC0415
    import xgboost  # noqa: PLC0415

    from appraiser_model import training  # noqa: PLC0415
    from appraiser_pipeline.steps import train_model  # noqa: PLC0415
    from appraiser_schema import frames  # noqa: PLC0415
    from appraiser_store import Lake  # noqa: PLC0415

    del pd, scipy, xgboost, training, train_model, frames, Lake


def _memory_mb(what: str) -> float:
    """VmRSS, what this process holds, or VmHWM, the most that it ever held, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(what)


def measured(way: str, folder: Path, rounds: int) -> dict[str, Any]:
    """One way, in this process."""
    _import_everything()
    before = _memory_mb("VmRSS")
    start, cpu = time.perf_counter(), time.process_time()
    found = _DO[way](folder, rounds)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if way == "xgboost":
        seconds, cpu = _MARKS["trees_s"], _MARKS["trees_cpu_s"]
    peak = _memory_mb("VmHWM")
    figures = {"seconds": round(seconds, 2), "cpu_s": round(cpu, 2)}
    return {**figures, "peak_mb": round(peak), "growth_mb": round(peak - before), **_MARKS, **found}


def run(rows: int, rounds: int) -> dict[str, Any]:
    """Every way in a process of its own, one after the other, on one lake; the trees alone before ours and after."""
    with tempfile.TemporaryDirectory(prefix="appraiser-bench-") as name:
        made = _child("prepare", Path(name), rows)
        # The machine's own speed changes from minute to minute: ours stands between two runs of the trees alone.
        first, whole, again = (_child(way, Path(name), rounds) for way in ("xgboost", "ours", "xgboost"))
        mean = {key: round((first[key] + again[key]) / 2, 2) for key in first}
        rest = {way: _child(way, Path(name), rounds) for way in WAYS[2:]}
    ways = {"xgboost": mean, "ours": whole, **rest}
    alone, pandas = ways["xgboost"], ways["pandas"]
    ratios = {
        "time_to_xgboost": ways["ours"]["seconds"] / alone["seconds"],
        "cpu_to_xgboost": ways["ours"]["cpu_s"] / alone["cpu_s"],
        "time_to_xgboost_binned": ways["ours"]["seconds"] / (alone["seconds"] - alone["binning_s"]),
        "time_to_pandas": ways["ours"]["seconds"] / pandas["seconds"],
        "peak_to_pandas": ways["ours"]["peak_mb"] / pandas["peak_mb"],
        "external_time_to_ours": ways["external"]["seconds"] / ways["ours"]["seconds"],
    }
    return {
        **made, "rounds": rounds, "cores": os.cpu_count(), "ways": ways,
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
    }  # fmt: skip


def _child(what: str, folder: Path, number: int) -> Any:
    sys.stderr.write(f"{what}\n")
    command = [sys.executable, __file__, "--child", what, "--folder", str(folder), "--number", str(number)]
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise SystemExit(result.returncode)
    return json.loads(result.stdout.splitlines()[-1])


def render(result: dict[str, Any]) -> str:
    """The result as a table."""
    lines = [
        f"{result['rows']:,} listings to learn from and {result['rows_stopping']:,} to stop by",
        f"{result['rounds']} trees on {result['cores']} cores",
        "",
        f"{'':24}{'seconds':>9}{'cpu s':>9}{'peak MB':>9}{'above imports':>15}",
    ]
    for way, found in result["ways"].items():
        lines.append(
            f"{LABELS[way]:24}{found['seconds']:9.1f}{found['cpu_s']:9.1f}{found['peak_mb']:9,.0f}{found['growth_mb']:15,.0f}"
        )
    ratios = result["ratios"]
    lines += [
        "",
        f"ours takes {ratios['time_to_xgboost']:.2f} times xgboost.train alone; at most 1.20 is wanted",
        f"ours takes {ratios['cpu_to_xgboost']:.2f} times its processor time, which other work disturbs less",
        f"ours takes {ratios['time_to_xgboost_binned']:.2f} times xgboost.train less the making of bins",
        f"ours takes {ratios['time_to_pandas']:.2f} times the pandas way",
        f"ours takes {ratios['peak_to_pandas']:.2f} times the peak memory of the pandas way; less than 1 is wanted",
        f"with its bins on disk it takes {ratios['external_time_to_ours']:.2f} times as long",
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the command line and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=ROWS, help="training listings")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="trees")
    for name, kind in (("--child", str), ("--folder", Path), ("--number", int)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child == "prepare":
        print(json.dumps(prepare(options.folder, options.number)))
    elif options.child:
        print(json.dumps(measured(options.child, options.folder, options.number)))
    else:
        result = run(options.rows, options.rounds)
        print(json.dumps(result, indent=1) if options.json else render(result))


if __name__ == "__main__":
    main()
