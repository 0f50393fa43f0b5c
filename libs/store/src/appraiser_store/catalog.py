"""The catalog of the lake: which tables there are, and where the files are that hold them.

By default both lie below one folder. With `RemoteTables` they lie in a database and in a bucket.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table as IcebergTable
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, DoubleType, IcebergType, IntegerType, LongType, NestedField, StringType
from sqlalchemy import URL, select
from sqlalchemy.exc import ArgumentError, DatabaseError

from appraiser_store.columns import BATCH_NUMBER, COLUMNS
from appraiser_store.errors import ForeignLakeError, LakeSchemaError
from appraiser_store.lock import exclusive
from appraiser_store.tables import Table

NAME: Final = "appraiser"
"""Of the catalog inside its database; other engines need it to open the same tables."""

LOCK: Final = "lake.lock"
"""File below the root that is locked while a process creates or writes."""

BUSY_SECONDS: Final = 30
"""How long a reader waits while another process writes the catalog; a write takes milliseconds."""

S3_CONNECT_SECONDS: Final = 5
S3_REQUEST_SECONDS: Final = 60
"""How long a bucket may be silent; the largest batch of the sample is written in one."""

_TYPES: Final[dict[pl.DataType, IcebergType]] = {
    pl.Int32(): IntegerType(),
    pl.UInt32(): IntegerType(),
    pl.Int64(): LongType(),
    pl.Float64(): DoubleType(),
    pl.String(): StringType(),
    pl.Date(): DateType(),
}

LAYOUT: Final = "2"
"""Of what the columns hold. 1 had other row hashes: under them a listing would stand in another split, and its repeat
would not be found."""

_LAYOUT_PROPERTY: Final = "appraiser.layout"

_PROPERTIES: Final = {
    _LAYOUT_PROPERTY: LAYOUT,
    # Each commit writes a description of the whole table; the latest hundred are enough for readers on their way.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}


def iceberg_schema(table: Table) -> Schema:
    """The columns of a table as Iceberg declares them."""
    return Schema(
        *(
            NestedField(position, name, _TYPES[column.dtype], required=column.required)
            for position, (name, column) in enumerate(COLUMNS[table].items(), start=1)
        )
    )


def arrow_schema(table: Table) -> pa.Schema:
    """The same for Arrow, with the ids of the columns: what the files of a table are written in."""
    return schema_to_pyarrow(iceberg_schema(table))


@dataclass(frozen=True, slots=True)
class RemoteTables:
    """Where tables are that several machines read: a database for the catalog, a bucket for the files.

    Attributes:
        catalog_url: As SQLAlchemy writes them, such as 'postgresql+psycopg://appraiser:…@db/lake'; the database exists.
        warehouse: Such as 's3://lake/warehouse'; the bucket exists.
        endpoint: Address of the S3 service; empty for Amazon's own.
        access_key_id: Who asks; empty for what the machine itself is allowed.
        secret_access_key: The secret of that name.
        region: As the service calls it; those that have none take any.
    """

    catalog_url: str = field(repr=False)
    warehouse: str
    endpoint: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    region: str = "us-east-1"

    @property
    def properties(self) -> dict[str, str]:
        """The same as Iceberg calls them; what is empty is left to its defaults."""
        named = {
            "s3.endpoint": self.endpoint,
            "s3.access-key-id": self.access_key_id,
            "s3.secret-access-key": self.secret_access_key,
        }
        return {name: value for name, value in named.items() if value} | {
            "s3.region": self.region,
            # Otherwise Amazon is asked where a bucket of this name is.
            "s3.resolve-region": "false",
            "s3.connect-timeout": str(S3_CONNECT_SECONDS),
            "s3.request-timeout": str(S3_REQUEST_SECONDS),
            "pool_pre_ping": "true",
        }


def open_catalog(root: Path, remote: RemoteTables | None = None) -> SqlCatalog:
    """Open the catalog and create what is missing: folder, catalog, tables.

    Args:
        root: The folder, absolute.
        remote: Where the tables are; None means below the folder.

    Raises:
        ForeignLakeError: The folder holds something else, a lake that was made in another place, or a remote one does
            not answer.
        LakeSchemaError: A table has other columns than this version of the code writes, or other things in them.
    """
    if {"?", "#"} & set(str(root)):
        raise ForeignLakeError(str(root), "Iceberg cannot name files in a folder with '?' or '#' in its name")
    warehouse = remote.warehouse.rstrip("/") if remote else _warehouse(root)
    name = warehouse if remote else str(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with exclusive(root / LOCK):
            catalog = _connect_remote(remote, warehouse) if remote else _connect_local(root, warehouse)
            try:
                _check_place(catalog, name, warehouse)
                for table in Table:
                    _open_table(catalog, table)
            except BaseException:
                catalog.close()
                raise
    except (ArgumentError, ImportError, OSError, DatabaseError) as error:
        raise ForeignLakeError(name, str(getattr(error, "orig", error)).strip()) from error
    return catalog


def _connect_local(root: Path, warehouse: str) -> SqlCatalog:
    (root / "warehouse").mkdir(exist_ok=True)
    if not (root / "catalog.db").exists() and any((root / "warehouse").iterdir()):
        raise ForeignLakeError(str(root), "its warehouse holds files, but there is no 'catalog.db'")
    return SqlCatalog(NAME, uri=_database(root).render_as_string(hide_password=False), warehouse=warehouse)


def _connect_remote(remote: RemoteTables, warehouse: str) -> SqlCatalog:
    return SqlCatalog(NAME, uri=remote.catalog_url, warehouse=warehouse, **remote.properties)


def _database(root: Path) -> URL:
    return URL.create("sqlite", database=str(root / "catalog.db"), query={"timeout": str(BUSY_SECONDS)})


def _warehouse(root: Path) -> str:
    # Not Path.as_uri: pyiceberg takes what stands here for the path, percent signs and all.
    return f"file://{root / 'warehouse'}"


def _check_place(catalog: SqlCatalog, name: str, warehouse: str) -> None:
    with catalog.engine.connect() as connection:
        files = connection.scalars(select(IcebergTables.metadata_location)).all()
    if strays := [file for file in files if file and not file.startswith(f"{warehouse}/")]:
        raise ForeignLakeError(name, f"it was made elsewhere and moved or copied here; it looks for {strays[0]!r}")


def _open_table(catalog: SqlCatalog, table: Table) -> None:
    if catalog.table_exists(table):
        _check_schema(catalog.load_table(table), table)
        return
    catalog.create_namespace_if_not_exists(table.split(".")[0])
    schema = iceberg_schema(table)
    batch = PartitionField(schema.find_field(BATCH_NUMBER).field_id, 1000, IdentityTransform(), BATCH_NUMBER)
    catalog.create_table(table, schema, partition_spec=PartitionSpec(batch), properties=_PROPERTIES)


def _check_schema(found: IcebergTable, table: Table) -> None:
    have = {field.name: field for field in found.schema().fields}
    want = {field.name: field for field in iceberg_schema(table).fields}
    differences = [f"{name!r} is missing" for name in want if name not in have]
    differences += [f"{name!r} is unexpected" for name in have if name not in want]
    differences += [
        f"{name!r} is {_kind(have[name])} instead of {_kind(field)}"
        for name, field in want.items()
        if name in have and _kind(have[name]) != _kind(field)
    ]
    if (layout := found.properties.get(_LAYOUT_PROPERTY, "1")) != LAYOUT:
        differences.append(f"its rows are hashed and kept by layout {layout} instead of {LAYOUT}")
    if differences:
        raise LakeSchemaError(table, differences)


def _kind(field: NestedField) -> str:
    return f"{'required' if field.required else 'optional'} {field.field_type}"
