"""The public data of each library as JSON, and the golden copy of each version.

    python tests/contract/lib_descriptions.py            shows what differs from the golden copies
    python tests/contract/lib_descriptions.py --write    writes the golden copies of the versions of today

A golden copy is what others rely on once a version is out. Writing refuses what would break them.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pandera.polars as pa
from compatibility import breaking_changes
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import appraiser_features
import appraiser_model
import appraiser_schema
import appraiser_store
from appraiser_model.bundle import FILES, FORMAT
from appraiser_schema import as_pandera, frames
from appraiser_store.catalog import iceberg_schema
from appraiser_store.ledger_tables import METADATA

type Description = dict[str, Any]

GOLDEN: Final = Path(__file__).parent / "golden"
COMMAND: Final = "python tests/contract/lib_descriptions.py --write"


def describe_schema() -> Description:
    """Listings, records and answers, and what tables of listings must hold."""
    public = [getattr(appraiser_schema, name) for name in appraiser_schema.__all__]
    tables = {"raw": as_pandera.RAW_SCHEMA, "clean": as_pandera.CLEAN_SCHEMA, "listing": as_pandera.LISTING_SCHEMA}
    failures = {name: {"type": str(dtype)} for name, dtype in frames.FAILURE_SCHEMA.items()}
    return {
        "models": _models(kind for kind in public if isinstance(kind, type) and issubclass(kind, BaseModel)),
        "tables": {
            **{name: {"columns": _checked_columns(schema)} for name, schema in tables.items()},
            "failures": {"columns": failures},
        },
    }


def describe_features() -> Description:
    """The columns of the matrix and what can be set."""
    words = ("unit", "group", "listing_field", "label", "description", "source")
    matrix = {f.name: {word: str(getattr(f, word)) for word in words} for f in appraiser_features.FEATURES}
    return {
        "fingerprint": appraiser_features.CODE_FINGERPRINT,
        "models": _models([appraiser_features.FeatureConfig]),
        "tables": {"matrix": {"columns": matrix}},
    }


def describe_model() -> Description:
    """The files of a model, its card, what can be set, and the names of the metrics."""
    one = np.ones(1)
    metrics = appraiser_model.measure(one, appraiser_model.Appraised(one, one, one))
    return {
        "bundle_format": FORMAT,
        "models": _models([appraiser_model.Card, appraiser_model.TrainingConfig]),
        "tables": {
            "bundle": {"columns": {name: {} for name in FILES}},
            "metrics": {"columns": {name: {"type": "float"} for name in metrics}},
        },
    }


def describe_store() -> Description:
    """The tables of the lake and of the ledger."""
    lake = {
        f"lake.{table}": {
            "columns": {f.name: {"type": str(f.field_type), "nullable": not f.required} for f in fields.fields}
        }
        for table in appraiser_store.Table
        for fields in [iceberg_schema(table)]
    }
    ledger = {
        f"ledger.{name}": {
            "columns": {c.name: {"type": _sql_type(c.type), "nullable": bool(c.nullable)} for c in table.columns},
            "primary_key": [c.name for c in table.primary_key],
        }
        for name, table in METADATA.tables.items()
    }
    return {"tables": lake | ledger}


DESCRIBE: Final[Mapping[str, Callable[[], Description]]] = {
    "schema": describe_schema,
    "features": describe_features,
    "model": describe_model,
    "store": describe_store,
}
VERSIONS: Final[Mapping[str, str]] = {
    "schema": appraiser_schema.__version__,
    "features": appraiser_features.__version__,
    "model": appraiser_model.__version__,
    "store": appraiser_store.__version__,
}


@functools.cache
def describe(lib: str) -> Description:
    """What a library offers today, as it looks after a trip through JSON."""
    description: Description = json.loads(json.dumps(DESCRIBE[lib](), default=str))
    return description


def golden_copies(lib: str, folder: Path = GOLDEN) -> dict[str, Description]:
    """The golden copies of a library by version."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((folder / lib).glob("*.json"))}


def broken_promises(lib: str, version: str, description: Description, folder: Path = GOLDEN) -> list[str]:
    """What breaks those who use an earlier version with the same major number, or this one.

    Args:
        lib: Name of the library.
        version: The version that the description is of.
        description: What the library offers.
        folder: Where the golden copies lie.
    """
    return [
        f"{lib} {earlier}{change}"
        for earlier, golden in golden_copies(lib, folder).items()
        if _major(earlier) == _major(version)
        for change in breaking_changes(golden, description)
    ]


def what_to_do(lib: str, version: str, broken: Iterable[str]) -> str:
    """What breaks, and the ways out."""
    changes = "\n".join(f"  {change}" for change in broken)
    return (
        f"what appraiser_{lib} {version} offers would break those who use this major version:\n{changes}\n"
        f'Undo the change, or set version = "{_major(version) + 1}.0.0" in libs/{lib}/pyproject.toml, run '
        f"'uv sync --all-packages' and '{COMMAND}'.\n"
        f"Where {version} was never released, delete tests/contract/golden/{lib}/{version}.json first."
    )


def write(lib: str, version: str, description: Description, folder: Path = GOLDEN) -> None:
    """Write the golden copy of a version.

    Raises:
        SystemExit: The description would break those who use the same major version.
    """
    if broken := broken_promises(lib, version, description, folder):
        raise SystemExit(what_to_do(lib, version, broken))
    file = folder / lib / f"{version}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _models(models: Iterable[type[BaseModel]]) -> Description:
    _, schema = models_json_schema([(m, "validation") for m in models], ref_template="#/models/{model}")
    definitions: Description = schema["$defs"]
    return definitions


def _checked_columns(schema: pa.DataFrameSchema) -> Description:
    return {
        name: {"type": str(column.dtype), "nullable": column.nullable} | _rules(column.checks)
        for name, column in schema.columns.items()
    }


def _rules(checks: Iterable[pa.Check]) -> Description:
    rules: Description = {"text": [check.error for check in checks]}
    for check in checks:
        match check.name, check.statistics:
            case "greater_than_or_equal_to", {"min_value": bound}:
                rules["minimum"] = bound
            case "less_than_or_equal_to", {"max_value": bound}:
                rules["maximum"] = bound
            case "str_length", {"max_value": bound}:
                rules["maxLength"] = bound
            case "str_matches", {"pattern": pattern}:
                rules["pattern"] = str(pattern)
            case "partial", _ if known := _known(check):
                rules["enum"] = known
    return rules


def _known(check: pa.Check) -> list[str]:
    followed = check._check_fn.keywords["followed"]  # type: ignore[attr-defined]
    return [str(value) for value in getattr(followed, "keywords", {}).get("known", ())]


def _sql_type(kind: Any) -> str:
    return type(kind).__name__


def main(arguments: list[str]) -> None:
    """Show or write."""
    for lib, version in VERSIONS.items():
        if arguments == ["--write"]:
            write(lib, version, describe(lib))
        elif broken := broken_promises(lib, version, describe(lib)):
            sys.stdout.write(f"{what_to_do(lib, version, broken)}\n")
        elif golden_copies(lib).get(version) != describe(lib):
            sys.stdout.write(f"appraiser_{lib} {version} is not as its golden copy says. Run '{COMMAND}'.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
