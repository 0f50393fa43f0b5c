"""Paths inside a state: Iceberg and MLflow name their files by the whole path, which is another one after a move."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from pyiceberg.avro.file import AvroFile, AvroOutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

from appraiser_cli.home import Home

type Rename = Callable[[str], str]

_LAKE: Final = {"iceberg_tables": ("metadata_location", "previous_metadata_location")}
_MLFLOW: Final = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
"""Columns that hold addresses of files, by table."""


def relocate(draft: Home, old: Sequence[str], new: Path) -> None:
    """Let a state name its files where they will lie.

    Args:
        draft: Where the state lies now.
        old: The folders that it names.
        new: The folder that it is to name.
    """
    renames = [pair for place in old if Path(place) != new for pair in _pairs(Path(place), new)]
    if not renames:
        return

    def rename(text: str) -> str:
        return next((after + text.removeprefix(before) for before, after in renames if text.startswith(before)), text)

    _rename_columns(draft.mlflow_database, _MLFLOW, rename)
    _rename_columns(draft.lake / "catalog.db", _LAKE, rename)
    metadata = draft.lake / "warehouse"
    for file in metadata.rglob("*.metadata.json"):
        file.write_text(json.dumps(_renamed(json.loads(file.read_text(encoding="utf-8")), rename)), encoding="utf-8")
    # The lists tell how long the manifests are.
    sizes: dict[str, int] = {}
    for file in sorted(metadata.rglob("*.avro"), key=lambda file: file.name.startswith("snap-")):
        _rename_avro(file, rename, sizes)
        sizes[file.name] = file.stat().st_size


def _pairs(old: Path, new: Path) -> list[tuple[str, str]]:
    """How a path below the folder begins, before and after: as Iceberg, as MLflow and as people write it."""
    return [(f"file://{old}/", f"file://{new}/"), (f"{old.as_uri()}/", f"{new.as_uri()}/"), (f"{old}/", f"{new}/")]


def _rename_columns(database: Path, columns: Mapping[str, tuple[str, ...]], rename: Rename) -> None:
    if not database.exists():
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.create_function("renamed", 1, lambda text: None if text is None else rename(text))
        for table, names in columns.items():
            for name in names:
                connection.execute(f"UPDATE {table} SET {name} = renamed({name})")  # noqa: S608 - our own names


def _rename_avro(path: Path, rename: Rename, sizes: dict[str, int]) -> None:
    files = PyArrowFileIO()
    with AvroFile[Record](files.new_input(f"file://{path}")) as file:
        records, schema, header = [_renamed(record, rename) for record in file], file.schema, file.header.meta
    names = [field.name for field in schema.fields]
    if "manifest_path" in names:
        for record in records:
            manifest = record[names.index("manifest_path")].rsplit("/", 1)[1]
            record[names.index("manifest_length")] = sizes.get(manifest, record[names.index("manifest_length")])
    kind = json.loads(header["avro.schema"])["name"]
    with AvroOutputFile[Record](files.new_output(f"file://{path}"), schema, kind, metadata=header) as target:
        target.write_block(records)


def _renamed(value: Any, rename: Rename) -> Any:
    """The same with every text renamed, however deep it lies."""
    match value:
        case str():
            return rename(value)
        case list():
            return [_renamed(each, rename) for each in value]
        case dict():
            return {name: _renamed(each, rename) for name, each in value.items()}
        case Record():
            for position in range(len(value)):
                value[position] = _renamed(value[position], rename)
    return value
