"""The lake: batches are replaced whole, read in order, and every snapshot stays readable."""

import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.types import StringType

from appraiser_schema import Split
from appraiser_schema.frames import FAILURE_SCHEMA
from appraiser_store import ForeignLakeError, Lake, LakeSchemaError, RowsError, SnapshotError, Table, lake_schema
from appraiser_store.columns import rows_of_batch

WRITES_OR_DIES = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from pyiceberg.catalog.sql import SqlCatalog
from appraiser_store import Lake, Table
from test_lake import clean_rows

commit = SqlCatalog.commit_table

def dies(self, *arguments):
    if sys.argv[3] == "after":
        commit(self, *arguments)
    os._exit(9)

lake = Lake.open(Path(sys.argv[2]))
if sys.argv[3] != "never":
    SqlCatalog.commit_table = dies
for number in range(3):
    lake.replace_batch(Table.CLEAN, number, clean_rows(number + 1, price=float(number + 2)))
"""


def clean_rows(count: int, price: float = 300_000.0) -> pl.DataFrame:
    """Clean listings, numbered from 1."""
    return pl.DataFrame(
        {
            "row_number": pl.Series(range(1, count + 1), dtype=pl.UInt32),
            "row_hash": pl.Series([2**63 - row for row in range(1, count + 1)], dtype=pl.Int64),
            "split": [list(Split)[row % 3].value for row in range(count)],
            "brokered_by": None,
            "status": "for_sale",
            "price": [price + row for row in range(count)],
            "bed": 3.0,
            "bath": None,
            "acre_lot": 0.38,
            "street": "1758218",
            "city": "La Cañada Flintridge",
            "state": "Connecticut",
            "zip_code": "06016",
            "house_size": None,
            "prev_sold_date": dt.date(1999, 9, 30),
        },
        schema_overrides={"brokered_by": pl.String, "bath": pl.Float64, "house_size": pl.Float64},
    )


def failures() -> pl.DataFrame:
    """Two broken rules of one row and one of another, out of order."""
    lines = [(2, "raw", "price", "at least 0", "-1.0"), (1, "raw", "state", "known", None), (2, "raw", "bed", "x", "y")]
    return pl.DataFrame(lines, schema=FAILURE_SCHEMA, orient="row")


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """A process that writes three batches, or dies at its first commit."""
    return subprocess.Popen([sys.executable, "-c", WRITES_OR_DIES, str(Path(__file__).parent), *arguments])


def prices(lake: Lake) -> list[float]:
    """Prices of all clean rows."""
    return lake.read(Table.CLEAN)["price"].to_list()


NUMBERS = st.none() | st.floats(allow_nan=True, allow_infinity=True)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "row_hash": st.integers(0, 2**63 - 1),
            "split": st.sampled_from([split.value for split in Split]),
            "price": st.floats(allow_nan=False),
            "status": st.text(max_size=5),
            "state": st.text(max_size=5),
            "prev_sold_date": st.none() | st.dates(),
            **dict.fromkeys(("bed", "bath", "acre_lot", "house_size"), NUMBERS),
            **dict.fromkeys(("city", "zip_code", "brokered_by", "street"), st.none() | st.text(max_size=5)),
        }
    ),
    max_size=5,
)


class TestReplaceBatch:
    """What stands in a table after a batch was replaced."""

    def test_only_that_batch(self, lake: Lake) -> None:
        """Rows of the batch give way to the new ones, rows of others stay."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(2))
        lake.replace_batch(Table.CLEAN, 1, clean_rows(3))
        lake.replace_batch(Table.CLEAN, 0, clean_rows(5))
        assert lake.batch_rows(Table.CLEAN) == {0: 5, 1: 3}
        assert lake.read(Table.CLEAN)["batch_number"].to_list() == [0] * 5 + [1] * 3

    def test_same_rows_again(self, lake: Lake) -> None:
        """The same rows once more write nothing and name the snapshot in which they came, also when others followed."""
        first = lake.replace_batch(Table.CLEAN, 0, clean_rows(2))
        latest = lake.replace_batch(Table.CLEAN, 1, clean_rows(3))
        assert lake.replace_batch(Table.CLEAN, 0, clean_rows(2).reverse()) == first
        assert lake.snapshot_id(Table.CLEAN) == latest

    def test_back_and_forth(self, lake: Lake) -> None:
        """Rows that came before and gave way to others are written again."""
        for rows in (2, 3, 2):
            lake.replace_batch(Table.CLEAN, 0, clean_rows(rows))
        assert lake.batch_rows(Table.CLEAN) == {0: 2}

    @pytest.mark.parametrize("change", ["delete", "rewrite"])
    def test_changed_by_another_engine(self, lake: Lake, change: str) -> None:
        """Where another engine deleted or rewrote rows, the same rows once more are written, whatever the log says."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(3))
        lake.replace_batch(Table.CLEAN, 1, clean_rows(2))
        iceberg = lake._catalog.load_table(Table.CLEAN)
        if change == "delete":
            iceberg.delete("batch_number == 0 and row_number == 2")
        else:
            iceberg.overwrite(iceberg.scan("batch_number == 0").to_arrow().slice(1), "batch_number == 0")
        assert lake.batch_rows(Table.CLEAN) == {0: 2, 1: 2}
        lake.replace_batch(Table.CLEAN, 0, clean_rows(3))
        assert lake.batch_rows(Table.CLEAN) == {0: 3, 1: 2}

    def test_slices_are_other_rows(self, lake: Lake) -> None:
        """Two slices of one table, that share its memory, are not taken for the same rows."""
        rows = clean_rows(9)
        lake.replace_batch(Table.CLEAN, 0, rows.head(3))
        lake.replace_batch(Table.CLEAN, 0, rows.tail(3))
        lake.replace_batch(Table.CLEAN, 0, rows.tail(4))
        assert lake.read(Table.CLEAN)["row_number"].to_list() == [6, 7, 8, 9]

    def test_no_rows(self, lake: Lake) -> None:
        """No rows empty the batch, once; so does a batch that never had any."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(2))
        lake.replace_batch(Table.CLEAN, 1, clean_rows(2))
        emptied = lake.replace_batch(Table.CLEAN, 0, clean_rows(0))
        assert lake.replace_batch(Table.CLEAN, 0, clean_rows(0)) == emptied
        assert lake.batch_rows(Table.CLEAN) == {1: 2}
        assert lake.replace_batch(Table.CLEAN, 7, clean_rows(0)) == lake.snapshot_id(Table.CLEAN)
        assert lake.read(Table.CLEAN, batches=[0, 7]).is_empty()

    def test_tables_are_apart(self, lake: Lake) -> None:
        """Writing to one table leaves the others alone."""
        lake.replace_batch(Table.QUARANTINE, 0, failures())
        assert lake.snapshot_id(Table.CLEAN) is None
        assert lake.batch_rows(Table.RAW) == {}

    @settings(max_examples=10, deadline=None)
    @given(rows=ROWS)
    def test_round_trip(self, rows: list[dict[str, Any]]) -> None:
        """Rows come back bit for bit, with the types that they had."""
        schema = lake_schema(Table.CLEAN)
        numbered = [{"batch_number": 4, "row_number": n, **row} for n, row in enumerate(rows, start=1)]
        frame = pl.DataFrame(numbered, schema=schema)
        with tempfile.TemporaryDirectory() as folder:
            lake = Lake.open(Path(folder))
            lake.replace_batch(Table.CLEAN, 4, frame)
            found = lake.read(Table.CLEAN)
            lake.close()
        assert found.schema == schema
        assert found.equals(frame)


def lake_schema_without_batch() -> pl.Schema:
    """Types of clean listings as `clean_rows` has them."""
    return pl.Schema({name: dtype for name, dtype in lake_schema(Table.CLEAN).items() if name != "batch_number"})


def failing(slices: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Rows that come to an end before their time."""
    yield from slices
    raise ConnectionError


def files_of(lake: Lake) -> list[Path]:
    """Every file of rows, whether a table knows of it or not."""
    return sorted(lake.root.rglob("*.parquet"))


class TestSlices:
    """Rows that come some at a time."""

    @pytest.mark.parametrize("sizes", [(7,), (3, 4), (0, 1, 0, 6)])
    def test_same_rows(self, lake: Lake, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        """However they come, they are the same rows: written again as a whole they change nothing."""
        monkeypatch.setattr("appraiser_store.writing._ROWS_PER_GROUP", 2)
        rows, first = clean_rows(7), 0
        slices = []
        for size in sizes:
            slices.append(rows[first : first + size])
            first += size
        snapshot = lake.replace_batch(Table.CLEAN, 0, iter(slices))
        files = files_of(lake)
        assert lake.replace_batch(Table.CLEAN, 0, rows) == snapshot
        assert files_of(lake) == files
        assert lake.read(Table.CLEAN).drop("batch_number").equals(rows.cast(lake_schema_without_batch()))

    def test_error_in_between(self, lake: Lake) -> None:
        """Where rows fail to come, the batch stays as it was and no file is left behind."""
        snapshot = lake.replace_batch(Table.CLEAN, 0, clean_rows(2))
        files = files_of(lake)
        with pytest.raises(ConnectionError):
            lake.replace_batch(Table.CLEAN, 0, failing([clean_rows(3)]))
        assert (lake.snapshot_id(Table.CLEAN), files_of(lake)) == (snapshot, files)

    def test_out_of_order(self, lake: Lake) -> None:
        """A slice that does not come after the one before it is refused."""
        rows = clean_rows(4)
        with pytest.raises(RowsError, match="'row_number' 2 comes after 3"):
            lake.replace_batch(Table.CLEAN, 0, [rows[:3], rows[1:]])
        assert files_of(lake) == []

    @pytest.mark.parametrize(
        "cells",
        [("ab", "c"), ("a", "bc"), ("", "abc"), (None, "abc"), ("abc", None), ("abc", ""), (None, None)],
    )
    def test_other_rows(self, lake: Lake, cells: tuple[str | None, str | None]) -> None:
        """Rows whose texts end elsewhere, or are unknown, are other rows."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(2).with_columns(city=pl.Series(["abc", "abc"])))
        other = clean_rows(2).with_columns(city=pl.Series(cells, dtype=pl.String))
        lake.replace_batch(Table.CLEAN, 0, other)
        assert tuple(lake.read(Table.CLEAN)["city"]) == cells


class TestRefusedRows:
    """What does not fit a table."""

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (pl.lit(1).alias("colour"), r"unexpected columns: \['colour'\]"),
            (pl.lit(6016.0).alias("zip_code"), "'zip_code' must be String, it is Float64"),
            (pl.lit(None, pl.Float64).alias("price"), "'price' must be known in every row"),
            (pl.lit(None).alias("row_hash"), "'row_hash' must be known in every row"),
            (pl.lit(2**64 - 1, pl.UInt64).alias("row_hash"), "'row_hash' holds numbers that Int64 cannot hold"),
            (pl.lit(1).alias("row_number"), "two rows have the same 'row_number'"),
            (pl.lit(5).alias("batch_number"), r"of batch 0, but 'batch_number' is \[5\]"),
        ],
    )
    def test_refused(self, lake: Lake, change: pl.Expr, problem: str) -> None:
        """Rows that do not fit are refused by column and rule, and nothing is written."""
        with pytest.raises(RowsError, match=problem):
            lake.replace_batch(Table.CLEAN, 0, clean_rows(2).with_columns(change))
        assert lake.snapshot_id(Table.CLEAN) is None

    def test_missing_column(self, lake: Lake) -> None:
        """A missing column is named."""
        with pytest.raises(RowsError, match=r"missing columns: \['split'\]"):
            lake.replace_batch(Table.CLEAN, 0, clean_rows(2).drop("split"))

    def test_untyped_nulls(self, lake: Lake) -> None:
        """A column in which nothing is known may come without a type."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(2).with_columns(pl.lit(None).alias("bed")))
        assert lake.read(Table.CLEAN).schema["bed"] == pl.Float64


class TestRead:
    """Which rows come, and in which order."""

    @pytest.fixture
    def filled(self, lake: Lake) -> Lake:
        """Batches 2 and 0, in that order, of clean listings."""
        lake.replace_batch(Table.CLEAN, 2, clean_rows(6).reverse())
        lake.replace_batch(Table.CLEAN, 0, clean_rows(3))
        return lake

    def test_order(self, filled: Lake) -> None:
        """Rows come by batch number and row number, whatever the order of writing."""
        frame = filled.read(Table.CLEAN, columns=["batch_number", "row_number"])
        assert frame.rows() == [(0, 1), (0, 2), (0, 3), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (2, 6)]

    def test_columns(self, filled: Lake) -> None:
        """Only the columns asked for come, in the order asked for, and rows keep their order without their numbers."""
        frame = filled.read(Table.CLEAN, columns=["price", "bed"], batches=[2])
        assert frame.columns == ["price", "bed"]
        assert frame["price"].to_list() == [300_000.0 + row for row in range(6)]

    def test_batches_and_split(self, filled: Lake) -> None:
        """Batches and split narrow the rows together; no batches are no rows."""
        frame = filled.read(Table.CLEAN, batches={0, 1}, split=Split.TRAIN)
        assert frame.select("batch_number", "row_number", "split").rows() == [(0, 1, "train")]
        assert filled.read(Table.CLEAN, batches=[]).shape == (0, 16)

    def test_snapshot(self, filled: Lake) -> None:
        """An earlier snapshot is read as it was, after its rows were replaced."""
        before = filled.snapshot_id(Table.CLEAN)
        filled.replace_batch(Table.CLEAN, 2, clean_rows(1))
        assert filled.batch_rows(Table.CLEAN, before) == {0: 3, 2: 6}
        assert filled.read(Table.CLEAN, snapshot_id=before).height == 9
        assert filled.read(Table.CLEAN).height == 4

    def test_broken_rules_in_order(self, lake: Lake) -> None:
        """In quarantine a row has a line per broken rule, in a fixed order."""
        lake.replace_batch(Table.QUARANTINE, 0, failures())
        found = lake.read(Table.QUARANTINE, columns=["row_number", "column"]).rows()
        assert found == [(1, "state"), (2, "bed"), (2, "price")]

    def test_unknown_snapshot(self, filled: Lake) -> None:
        """A snapshot of another table or lake is refused."""
        for read in (filled.read, filled.batch_rows):
            with pytest.raises(SnapshotError, match="has no snapshot 1"):
                read(Table.CLEAN, snapshot_id=1)

    def test_unknown_column(self, filled: Lake) -> None:
        """A column that the table does not have is refused, also one that is only filtered by."""
        with pytest.raises(RowsError, match="no column 'colour'"):
            filled.read(Table.CLEAN, columns=["colour"])
        with pytest.raises(RowsError, match="no column 'split'"):
            filled.read(Table.RAW, split=Split.TEST)


class TestSeenBefore:
    """`Lake.seen_before`."""

    def test_expired(self, lake: Lake) -> None:
        """A batch whose snapshot was expired is still known."""
        for number in range(3):
            lake.replace_batch(Table.CLEAN, number, clean_rows(number + 1))
        iceberg = lake._catalog.load_table(Table.CLEAN)
        iceberg.maintenance.expire_snapshots().by_id(iceberg.metadata.snapshots[0].snapshot_id).commit()
        assert lake.seen_before(1)(clean_rows(2)["row_hash"]).to_list() == [True, False]

    def test_other_engine(self, lake: Lake) -> None:
        """So is one that another engine appended, which marks no snapshot, and rows that it added or took away."""
        lake.replace_batch(Table.CLEAN, 0, clean_rows(1))
        asked = clean_rows(4)["row_hash"]
        assert lake.seen_before(2)(asked).to_list() == [True, False, False, False]
        iceberg = lake._catalog.load_table(Table.CLEAN)
        own = iceberg.scan().to_arrow()
        for batch, rows in ((1, clean_rows(2)), (0, clean_rows(3))):
            more = rows_of_batch(Table.CLEAN, batch, rows).tail(1).to_arrow().cast(own.schema)
            lake._catalog.load_table(Table.CLEAN).append(more)
        assert lake.seen_before(2)(asked).to_list() == [True, True, True, False]
        assert lake.seen_before(1)(asked).to_list() == [True, False, True, False]
        lake._catalog.load_table(Table.CLEAN).delete("batch_number = 1")
        assert lake.seen_before(2)(asked).to_list() == [True, False, True, False]


class TestProcesses:
    """Processes that write at once, and processes that die."""

    def test_at_once(self, tmp_path: Path) -> None:
        """Processes that create a lake and write the same batches at the same moment leave each batch once."""
        processes = [started(str(tmp_path / "lake"), "never") for _ in range(2)]
        assert [process.wait(timeout=240) for process in processes] == [0, 0]
        lake = Lake.open(tmp_path / "lake")
        assert lake.batch_rows(Table.CLEAN) == {0: 1, 1: 2, 2: 3}
        lake.close()

    def test_killed(self, tmp_path: Path) -> None:
        """A process killed before its commit leaves the old rows, after it the new ones; running again ends alike."""
        lakes = {moment: Lake.open(tmp_path / moment) for moment in ("before", "after")}
        for lake in lakes.values():
            lake.replace_batch(Table.CLEAN, 0, clean_rows(1, price=1.0))
        processes = [started(str(lake.root), moment) for moment, lake in lakes.items()]
        assert [process.wait(timeout=240) for process in processes] == [9, 9]
        assert {moment: prices(lake) for moment, lake in lakes.items()} == {"before": [1.0], "after": [2.0]}
        for lake in lakes.values():
            lake.replace_batch(Table.CLEAN, 0, clean_rows(1, price=2.0))
            assert prices(lake) == [2.0]
            lake.close()


class TestOpen:
    """What is opened and what is refused."""

    @pytest.mark.parametrize("name", ["with space", "ünïcode", "100%25"])
    def test_any_folder(self, tmp_path: Path, name: str) -> None:
        """A folder may be called what people call folders; its files lie below it."""
        lake = Lake.open(tmp_path / name)
        lake.replace_batch(Table.CLEAN, 0, clean_rows(1))
        assert lake.read(Table.CLEAN).height == 1
        assert list((tmp_path / name).glob("warehouse/clean/listings/data/*/*.parquet"))
        lake.close()

    def test_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A lake opened by a relative path is the same from another working directory."""
        monkeypatch.chdir(tmp_path)
        Lake.open(Path("lake")).replace_batch(Table.CLEAN, 0, clean_rows(1))
        monkeypatch.chdir("/")
        assert Lake.open(tmp_path / "lake").batch_rows(Table.CLEAN) == {0: 1}

    def test_other_readers(self, lake: Lake) -> None:
        """A lake that is open sees at once what another one on the same folder wrote."""
        other = Lake.open(lake.root)
        other.replace_batch(Table.CLEAN, 0, clean_rows(2))
        assert lake.batch_rows(Table.CLEAN) == {0: 2}
        other.close()

    def test_moved(self, lake: Lake, tmp_path: Path) -> None:
        """A lake that was moved is refused with where it came from: its files name their places."""
        lake.close()
        shutil.move(lake.root, tmp_path / "elsewhere")
        with pytest.raises(ForeignLakeError, match=r"moved or copied here; it looks for .*/lake/warehouse/"):
            Lake.open(tmp_path / "elsewhere")

    def test_lost_catalog(self, lake: Lake) -> None:
        """A warehouse without its catalog is refused instead of taken for an empty lake."""
        lake.close()
        (lake.root / "catalog.db").unlink()
        with pytest.raises(ForeignLakeError, match=r"there is no 'catalog\.db'"):
            Lake.open(lake.root)

    def test_lost_files(self, lake: Lake) -> None:
        """A catalog whose files are gone is refused with the file."""
        lake.close()
        shutil.rmtree(lake.root / "warehouse")
        with pytest.raises(ForeignLakeError, match=r"metadata\.json"):
            Lake.open(lake.root)

    def test_no_database(self, tmp_path: Path) -> None:
        """A catalog that is no database is refused and stays as it is."""
        (tmp_path / "catalog.db").write_text("Dear diary, this is no database.\n" * 100)
        with pytest.raises(ForeignLakeError, match="not a database"):
            Lake.open(tmp_path)
        assert (tmp_path / "catalog.db").read_text().startswith("Dear diary")

    def test_file(self, tmp_path: Path) -> None:
        """A file in the place of the folder is refused."""
        (tmp_path / "lake").write_text("")
        with pytest.raises(ForeignLakeError, match="Name an empty folder"):
            Lake.open(tmp_path / "lake")

    def test_unspeakable_name(self, tmp_path: Path) -> None:
        """A folder whose name Iceberg would cut short is refused."""
        with pytest.raises(ForeignLakeError, match=r"with '\?' or '#' in its name"):
            Lake.open(tmp_path / "lake#1")

    def test_changed_table(self, lake: Lake) -> None:
        """A table with other columns is refused, with every column that differs."""
        with lake._catalog.load_table(Table.CLEAN).update_schema() as update:
            update.delete_column("bath")
            update.add_column("colour", StringType())
        lake.close()
        with pytest.raises(LakeSchemaError, match="'bath' is missing; 'colour' is unexpected"):
            Lake.open(lake.root)

    def test_other_layout(self, lake: Lake) -> None:
        """A lake whose rows were hashed by another definition is refused, and the message says what to do."""
        with lake._catalog.load_table(Table.CLEAN).transaction() as transaction:
            transaction.remove_properties("appraiser.layout")
        lake.close()
        with pytest.raises(LakeSchemaError, match=r"layout 1 instead of 2.*ingest the batches again"):
            Lake.open(lake.root)
