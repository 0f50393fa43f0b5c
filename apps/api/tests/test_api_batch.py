"""Many houses in one request, in every kind of table."""

import dataclasses
import errno
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from starlette.testclient import TestClient

from appraiser_api.batch import chunks, json_columns, json_rows, writing
from appraiser_api.batch.chunks import CHUNK_ROWS, FIRST_ROWS
from appraiser_api.batch.errors import BatchBodyError
from appraiser_api.batch.kinds import Kind
from appraiser_api.batch.session import Session, read_chunks
from appraiser_api.batch.wire import HEADER, Frame, Job
from appraiser_api.batch.worker import Models, Table
from appraiser_api.cache import Pointer
from appraiser_api.champion import Champion
from appraiser_schema import LISTING_COLUMNS, Status, example_listing

HOUSES = [
    example_listing(),
    {"state": "Texas", "city": "Houston", "zip_code": "77005", "house_size": 2100.0, "bed": 3.0, "status": "sold"},
    {"state": "Puerto Rico"},
]
BAD = {"state": "Texas", "bed": -1.0}
TABLES = (Kind.CSV, Kind.PARQUET, Kind.ARROW)

WORDS = (st.text(),)
NUMBERS = (st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False))
CELLS = (*WORDS, *NUMBERS, st.booleans(), st.lists(st.integers()), st.dictionaries(st.text(), st.text()))
"""What a cell of a column may be written as."""

type Post = Callable[..., Any]


def table(houses: list[dict[str, Any]]) -> pl.DataFrame:
    """Houses as a table with the columns of a listing; the status is stated, as a table has no absent cells."""
    stated = [{"status": Status.FOR_SALE.value} | house for house in houses]
    columns = {name: [house.get(name) for house in stated] for name in LISTING_COLUMNS}
    texts = {"status", "state", "city", "zip_code", "prev_sold_date"}
    return pl.DataFrame(columns, schema={n: pl.String if n in texts else pl.Float64 for n in LISTING_COLUMNS})


def written(kind: Kind, houses: list[dict[str, Any]], frame: pl.DataFrame | None = None) -> bytes:
    """Houses as a body of this kind."""
    if kind is Kind.JSON:
        return json.dumps(houses).encode()
    if kind is Kind.LINES:
        return b"".join(json.dumps(house).encode() + b"\n" for house in houses)
    frame = table(houses) if frame is None else frame
    if kind is Kind.CSV:
        return frame.write_csv().encode()
    target = io.BytesIO()
    if kind is Kind.PARQUET:
        frame.write_parquet(target)
    else:
        frame.write_ipc_stream(target)
    return target.getvalue()


def read(kind: Kind, body: bytes) -> list[dict[str, Any]]:
    """An answer as one object per row."""
    if kind is Kind.JSON:
        answer = json.loads(body)
        rows: list[dict[str, Any]] = answer["appraisals"]
        assert answer["rows"] == len(rows)
        return rows
    if kind is Kind.LINES:
        return [json.loads(line) for line in body.splitlines()]
    if kind is Kind.CSV:
        return pl.read_csv(io.BytesIO(body), schema_overrides={"errors": pl.String}).to_dicts()
    source = io.BytesIO(body)
    answered = pl.read_parquet(source) if kind is Kind.PARQUET else pl.read_ipc_stream(source)
    return answered.to_dicts()


def ask(client: TestClient, kind: Kind, body: bytes, accept: str | None = None) -> Any:
    """Send a table."""
    headers = {"Content-Type": kind.value} | ({"Accept": accept} if accept else {})
    return client.post("/predict/batch", content=body, headers=headers)


def answer(client: TestClient, kind: Kind, body: bytes, accept: Kind | None = None) -> list[dict[str, Any]]:
    """Send a table and read what comes back."""
    response = ask(client, kind, body, accept)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(accept or kind)
    return read(accept or kind, response.content)


def here(client: TestClient, kind: Kind, body: bytes) -> list[dict[str, Any]]:
    """What the table process would answer, by this process, whose limits a test can change."""
    session = Session.open(io.BytesIO(body), kind, kind, champion_of(client))
    return read(kind, b"".join(session.answer(lambda *_: None)))


def champion_of(client: TestClient) -> Champion:
    """The model that serves."""
    champion: Champion = client.app.state.services.holder.champion()  # type: ignore[attr-defined]
    return champion


def singles(client: TestClient, houses: list[dict[str, Any]]) -> list[float]:
    """What is said of the same houses on their own."""
    answers = [client.post("/predict", json=house).json() for house in houses]
    return prices([{"price_usd": a["price_usd"]} | a["interval"] for a in answers])


def prices(rows: list[dict[str, Any]]) -> list[float]:
    """What a table's answer says of the rows, one after another."""
    return [row[name] for row in rows for name in ("price_usd", "lower_usd", "upper_usd")]


class KeepingLog:
    """Keeps which rows were recorded."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[int]]] = []

    def append_table(self, request_id: str, *_: Any, rows: pl.Series, **__: Any) -> None:
        """Record some."""
        self.kept.append((request_id, rows.to_list()))


@pytest.fixture(scope="module")
def api(running: TestClient) -> TestClient:
    """A client of an application whose champion is version 1."""
    return running


@pytest.fixture
def small(api: TestClient) -> Iterator[int]:
    """The limit of bodies in bytes, which is small for this test."""
    state = api.app.state  # type: ignore[attr-defined]
    services = state.services
    settings = services.settings.model_copy(update={"batch_bytes": 1000})
    state.services = dataclasses.replace(services, settings=settings)
    yield settings.batch_bytes
    state.services = services


class TestKinds:
    """Every kind goes in, and comes out as what it was or as what is asked for."""

    @pytest.mark.parametrize("kind", Kind)
    def test_appraises_as_one_by_one(self, api: TestClient, kind: Kind) -> None:
        """A row of a table has the price of the house on its own."""
        rows = answer(api, kind, written(kind, HOUSES))
        assert [row["row"] for row in rows] == [1, 2, 3]
        assert prices(rows) == pytest.approx(singles(api, HOUSES), rel=1e-5)

    @pytest.mark.parametrize("kind", Kind)
    def test_says_what_is_wrong_with_a_row_and_appraises_the_others(self, api: TestClient, kind: Kind) -> None:
        """A bad row has its number, field, rule and value; those before and after it have prices."""
        rows = answer(api, kind, written(kind, [HOUSES[0], BAD, HOUSES[2]]))
        assert prices([rows[0], rows[2]]) == pytest.approx(singles(api, [HOUSES[0], HOUSES[2]]), rel=1e-5)
        assert rows[1]["row"] == 2
        assert rows[1].get("price_usd") is None
        errors = rows[1]["errors"]
        if kind is Kind.CSV:
            assert errors == "bed must be at least 0, not -1.0"
        else:
            assert errors == [{"field": "bed", "rule": "must be at least 0", "value": "-1.0"}]

    @pytest.mark.parametrize("wanted", Kind)
    def test_answers_in_the_kind_that_is_accepted(self, api: TestClient, wanted: Kind) -> None:
        """The first known media type of Accept is the kind of the answer."""
        assert len(answer(api, Kind.CSV, written(Kind.CSV, HOUSES), wanted)) == 3

    @pytest.mark.parametrize("kind", TABLES)
    def test_a_table_without_rows_is_answered_by_one(self, api: TestClient, kind: Kind) -> None:
        """No row in, no row out, and no error."""
        assert answer(api, kind, written(kind, [], table([]))) == []

    @pytest.mark.parametrize(("kind", "body"), [(Kind.JSON, b" [ ] "), (Kind.LINES, b""), (Kind.LINES, b"\n\n")])
    def test_no_listing_is_no_error(self, api: TestClient, kind: Kind, body: bytes) -> None:
        """An empty list and a file without lines have no appraisals."""
        assert answer(api, kind, body) == []

    def test_names_the_model_and_the_columns_it_did_not_look_at(self, api: TestClient) -> None:
        """The headers say who answered, and what was left aside; a price is no surprise."""
        frame = table(HOUSES).with_columns(pl.lit(1.0).alias("price"), pl.lit("a").alias("agent"))
        response = ask(api, Kind.CSV, written(Kind.CSV, [], frame))
        assert response.headers["x-appraiser-model"] == "house-price/1"
        assert response.headers["x-appraiser-ignored-columns"] == "agent"

    def test_refuses_what_is_declared_as_no_table(self, api: TestClient) -> None:
        """415 names the kinds that there are."""
        response = api.post("/predict/batch", content=b"x", headers={"Content-Type": "text/plain"})
        assert response.status_code == 415
        assert "text/csv" in response.json()["detail"]

    def test_refuses_an_answer_that_cannot_be_written(self, api: TestClient) -> None:
        """406 names the kinds that there are."""
        response = ask(api, Kind.CSV, written(Kind.CSV, HOUSES), "image/png")
        assert response.status_code == 406
        assert response.json()["errors"][0] == {
            "field": "Accept",
            "rule": f"must be one of {', '.join(Kind)}, or */* for the kind that was sent",
            "value": "image/png",
        }


class TestJson:
    """Lists of listings, columns of listings, and lines."""

    def test_columns_answer_as_columns(self, api: TestClient) -> None:
        """A list per column comes back as a list per column, with the bad rows named apart."""
        columns = {"state": ["Texas", "Texas", "Ohio"], "bed": [3, -1, None], "zip_code": ["77005", 77005.0, None]}
        answered = ask(api, Kind.JSON, json.dumps(columns).encode()).json()
        assert answered["row"] == [1, 2, 3]
        assert answered["price_usd"][1] is None
        assert answered["errors"][0]["row"] == 2
        assert (answered["rows"], answered["appraised"], answered["refused"]) == (3, 2, 1)
        houses = [{"state": "Texas", "bed": 3, "zip_code": "77005"}, {"state": "Ohio"}]
        assert [answered["price_usd"][i] for i in (0, 2)] == pytest.approx(singles(api, houses)[::3], rel=1e-5)

    @settings(max_examples=300)
    @example(name="bed", cells=[1.5, True], escaped=True)
    @example(name="zip_code", cells=["77005", 77005], escaped=True)
    @example(name="city", cells=["\ud800"], escaped=True)
    @example(name="city", cells=['"', 5, {"a": "b"}], escaped=False)
    @example(name="city", cells=[", Texas", ',", "', ",", None] * 9, escaped=False)
    @example(name="bed", cells=345, escaped=True)
    @example(name="bath", cells=[1, [2, 3], 4] * 9, escaped=True)
    @given(
        name=st.sampled_from(LISTING_COLUMNS),
        cells=st.one_of(
            *(st.lists(st.one_of(st.none(), *kinds), min_size=1) for kinds in (WORDS, NUMBERS, CELLS)), *CELLS
        ),
        escaped=st.booleans(),
    )
    def test_columns_are_read_alike(self, *, name: str, cells: Any, escaped: bool) -> None:
        """Whether a column is read by polars or cell by cell, the rows, the faults and the error are the same."""
        columns = {"state": ["Texas"] * (len(cells) if isinstance(cells, list) else 1), name: cells}
        body = json.dumps(columns, ensure_ascii=escaped).encode(errors="surrogatepass")

        def read_all() -> Any:
            try:
                return [
                    (list(chunk.frame.schema.items()), chunk.frame.rows(), chunk.faults)
                    for chunk in read_chunks(io.BytesIO(body), Kind.JSON)[0]
                ]
            except BatchBodyError as error:
                return str(error)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chunks, "FIRST_ROWS", 4)
            patch.setattr(json_columns, "FIRST_BYTES", 10)
            patch.setattr(json_columns, "PART_BYTES", 20)
            quick = read_all()
            patch.setattr(json_columns, "_typed", lambda *_: None)
            patch.setattr(json_columns, "FIRST_BYTES", 1_000_000)
            assert quick == read_all()

    @pytest.mark.parametrize(
        "columns",
        [
            {"state": ["Texas"] * 3, "bed": [1, 2, 3, 4]},
            {"state": ["Texas"] * 3, "bed": []},
            {"state": [], "city": ["Austin"]},
            {"state": ["Texas"] * 3, "city": ["Austin", None]},
            {"state": ["Texas"] * 3, "city": ["Austin, Texas", "Houston"]},
            {"state": ["Texas"] * 3, "zip_code": ["77005", 77005]},
            {"state": ["Texas"] * 3, "price": [1, 2]},
        ],
    )
    def test_columns_of_several_lengths(self, api: TestClient, columns: Any) -> None:
        """Which houses they describe is not known: nothing is answered, and the lengths are told."""
        response = ask(api, Kind.JSON, json.dumps(columns).encode())
        assert response.status_code == 422
        lengths = sorted({len(cells) for cells in columns.values()})
        assert response.json()["errors"][0]["rule"] == "must have columns of one length"
        assert response.json()["errors"][0]["value"] == str(lengths)

    def test_lengths_before_the_first_row(self, api: TestClient) -> None:
        """Of a long table, too, nothing is answered where a column ends early."""
        rows = 2 * FIRST_ROWS
        body = json.dumps({"state": ["Texas"] * rows, "bed": [3] * (rows - 1)}).encode()
        response = ask(api, Kind.JSON, body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["value"] == str([rows - 1, rows])

    def test_a_length_that_shows_late(self) -> None:
        """Where commas in texts make up for houses that are missing, the body is damaged from there on."""
        cities = ["Austin, Texas", "Houston"] * FIRST_ROWS
        body = json.dumps({"state": ["Texas"] * 3 * FIRST_ROWS, "city": cities}).encode()
        chunks_of = read_chunks(io.BytesIO(body), Kind.JSON)[0]
        assert next(chunks_of).rows == FIRST_ROWS
        with pytest.raises(BatchBodyError, match="columns of one length"):
            list(chunks_of)

    @pytest.mark.parametrize(
        ("name", "cells"),
        [
            ("city", ["null", "nullnull", None]),
            ("city", [",", '","', "a,b"]),
            ("city", ['Austin "Tex"', "[", "]"]),
            ("zip_code", ["77005", 77005, None]),
            ("zip_code", [77005, None, 77005.0]),
            ("bed", [[1, 2], "3,4", None]),
            ("price", [{"a": [1, 2]}, None, "4"]),
        ],
    )
    def test_columns_of_one_length(self, api: TestClient, name: str, cells: list[Any]) -> None:
        """Whatever stands in their cells, they are as long as they are."""
        body = json.dumps({"state": ["Texas"] * 3, name: cells}).encode()
        assert ask(api, Kind.JSON, body).json()["rows"] == 3

    @pytest.mark.parametrize(
        "body", [b'{"state": [], "bed": [ ]}', b' { "state" :\n[\n] } ', b'{"state":[], "bed":null}']
    )
    def test_columns_without_rows(self, api: TestClient, body: bytes) -> None:
        """No row in, no row out."""
        assert ask(api, Kind.JSON, body).json()["row"] == []

    def test_columns_without_the_lock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A column whose cells have their type is never read cell by cell."""
        looked = []
        decode = json_columns.msgspec.json.decode

        def watched(text: Any, **how: Any) -> Any:
            looked.append(how)
            return decode(text, **how)

        columns = table([*HOUSES, {"state": "Texas", "city": "Peñitas", "prev_sold_date": "2019-05-01"}])
        body = json.dumps(columns.to_dict(as_series=False), ensure_ascii=False).encode()
        monkeypatch.setattr(json_columns.msgspec.json, "decode", watched)
        monkeypatch.setattr(json_columns, "FIRST_BYTES", 60)
        (chunk,) = read_chunks(io.BytesIO(body), Kind.JSON)[0]
        assert len(looked) == 1
        assert chunk.frame.drop("row_number").equals(columns.select(LISTING_COLUMNS))

    @pytest.mark.parametrize(
        ("kind", "around"),
        [
            (Kind.JSON, b'{"state": %s}'),
            (Kind.JSON, b'{"state": ["Texas"], "city": [%s]}'),
            (Kind.JSON, b"[%s]"),
            (Kind.JSON, b'[{"state": "Texas", "city": %s}]'),
            (Kind.JSON, b'[{"state": "Texas"}, {"state": "Texas", "city": %s}]'),
            (Kind.LINES, b'{"state": "Texas"}\n%s\n'),
            (Kind.LINES, b'{"state": %s}\n'),
        ],
    )
    def test_depth(self, api: TestClient, kind: Kind, around: bytes) -> None:
        """Lists in lists in lists are refused as what they are, however deep they go."""
        response = ask(api, kind, around % (b"[" * 100_000 + b"]" * 100_000))
        assert response.status_code == 422
        assert "too deep" in response.json()["detail"]

    @pytest.mark.parametrize("kind", [Kind.JSON, Kind.LINES])
    @pytest.mark.parametrize(
        ("house", "field"),
        [
            ({"state": "Texas", "bed": "3"}, "bed"),
            ({"state": "Texas", "bed": True}, "bed"),
            ({"state": "Texas", "bed": 10**400}, "bed"),
            ({"state": "Texas", "city": 5}, "city"),
            ({"state": "Texas", "zip_code": [1]}, "zip_code"),
            ({"state": "Texas", "beds": 3}, "beds"),
            ({"bed": 3}, "state"),
            ({"state": None}, "state"),
            ({"state": "Texas", "status": None}, "status"),
            ([1, 2], "row"),
        ],
    )
    def test_refuses_the_row_that_predict_would_refuse(
        self, api: TestClient, kind: Kind, house: Any, field: str
    ) -> None:
        """The types and names of fields are those of a single house; the row is refused, the others are not."""
        rows = answer(api, kind, written(kind, [HOUSES[1], house, HOUSES[2]]))
        assert [error["field"] for error in rows[1]["errors"]] == [field]
        assert prices([rows[0], rows[2]]) == pytest.approx(singles(api, HOUSES[1:]), rel=1e-5)
        assert api.post("/predict", json=house).status_code == 422

    def test_a_list_is_cut_between_listings_wherever_blocks_end(
        self, api: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Blocks of every size give the same answer, also where a text looks like the end of an object."""
        houses = [*HOUSES, {"state": "Texas", "city": '}, {"state": "Ohio"}, {'}, *HOUSES]
        body = json.dumps(houses).encode()
        expected = answer(api, Kind.JSON, body)
        for size in (300, 301, 317, 333, 512):
            monkeypatch.setattr(json_rows, "BLOCK_BYTES", size)
            assert here(api, Kind.JSON, body) == expected

    def test_lines_are_cut_at_line_ends_wherever_blocks_end(
        self, api: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Blocks of every size give the same answer; the last line needs no end."""
        body = written(Kind.LINES, HOUSES * 3).rstrip(b"\n")
        expected = answer(api, Kind.LINES, body)
        for size in (280, 300, 333):
            monkeypatch.setattr(json_rows, "BLOCK_BYTES", size)
            assert here(api, Kind.LINES, body) == expected

    @pytest.mark.parametrize(
        "body",
        [b"", b"3", b'"text"', b"[", b'[{"state": "Texas"}', b'[{"state": "Texas"}] x', b'[{"state": "Texas",}]',
         b'{"state": 3}', b'{"state": ["Texas"], "bed": []}', b'{"bed": [1]}', b'{"state": ["Texas"], "beds": [1]}',
         b'[{"state": "\xff"}]', b"[NaN]"],
    )  # fmt: skip
    def test_refuses_what_is_no_table(self, api: TestClient, body: bytes) -> None:
        """The whole is refused, with a problem that says why."""
        response = ask(api, Kind.JSON, body)
        assert response.status_code == 422
        assert response.json()["type"] in {"urn:appraiser:problem:malformed-table", "urn:appraiser:problem:table-shape"}
        assert response.json()["errors"][0]["field"] == "body"


class TestCsv:
    """Tables of people."""

    @pytest.mark.parametrize(
        "text",
        [
            "state,city,zip_code,house_size,bed,status\nTexas,Houston,77005,2100,3,sold\n",
            "state;city;zip_code;house_size;bed;status\r\nTexas;Houston;77005.0;2100,0;3;sold\r\n",
            "\ufeffstate\tcity\tzip_code\thouse_size\tbed\tstatus\nTexas\tHouston\t77005-1234\t2100\t3\tsold",
            'state|city|zip_code|house_size|bed|status|bath\n" Texas "|Houston|77005|2100|3|sold|NA\n',
        ],
    )
    def test_reads_what_spreadsheets_write(self, api: TestClient, text: str) -> None:
        """Delimiters, decimal commas, byte order marks, line ends and words for nothing."""
        assert prices(answer(api, Kind.CSV, text.encode())) == pytest.approx(singles(api, HOUSES[1:2]), rel=1e-5)

    def test_numbers_rows_as_they_stand_in_the_file(self, api: TestClient) -> None:
        """Rows with too many or too few cells are refused by number; a text may go over a line end."""
        text = 'state,city\nTexas,Houston\nTexas,a,b\n"Te\nxas",x\nOhio\nOhio,Columbus\nUtah,'
        rows = answer(api, Kind.CSV, text.encode())
        assert [row["row"] for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row["price_usd"] is not None for row in rows] == [True, False, False, False, True, True]
        assert rows[1]["errors"] == "row must be 2 cells, as the header has; it has 3, not Texas,a,b"

    @pytest.mark.parametrize("body", [b"", b"\n", b"bed,bath\n3,2\n", b"state,bed,bed\nTexas,1,2\n", b"\xff\xfe\x00s"])
    def test_refuses_what_is_no_table_of_listings(self, api: TestClient, body: bytes) -> None:
        """No header, no state, a name twice, another encoding: a problem, and nothing is appraised."""
        assert ask(api, Kind.CSV, body).status_code == 422

    def test_a_block_with_only_bad_rows_is_told(self, api: TestClient) -> None:
        """Where no row can be read, each is still named."""
        rows = answer(api, Kind.CSV, b"state,bed\nTexas\nOhio\n")
        assert [row["row"] for row in rows] == [1, 2]


class TestTypedTables:
    """Parquet and Arrow."""

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_takes_the_types_that_libraries_write(self, api: TestClient, kind: Kind) -> None:
        """Whole numbers, single precision, dictionaries, dates, decimals and columns of nothing."""
        frame = table(HOUSES).with_columns(
            pl.col("bed").cast(pl.Int8),
            pl.col("house_size").cast(pl.Float32),
            pl.col("state").cast(pl.Categorical),
            pl.col("prev_sold_date").str.to_date(),
            pl.col("bath").cast(pl.Decimal(10, 2)),
        )
        rows = answer(api, kind, written(kind, [], frame))
        assert prices(rows) == pytest.approx(singles(api, HOUSES), rel=1e-5)

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_refuses_nested_columns(self, api: TestClient, kind: Kind) -> None:
        """A list is no number: the column and its type are named."""
        frame = pl.DataFrame({"state": ["Texas"], "bed": [[1.0]]})
        response = ask(api, kind, written(kind, [], frame))
        assert response.status_code == 422
        assert "'bed'" in response.json()["detail"]

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_goes_over_several_groups(self, api: TestClient, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
        """Chunks follow each other, and the numbers of rows go on."""
        monkeypatch.setattr("appraiser_api.batch.arrow_rows.CHUNK_ROWS", 4)
        monkeypatch.setattr(chunks, "CHUNK_ROWS", 4)
        rows = here(api, kind, written(kind, HOUSES * 5))
        assert [row["row"] for row in rows] == list(range(1, 16))
        assert prices(rows) == pytest.approx(singles(api, HOUSES) * 5, rel=1e-5)

    def test_refuses_a_group_that_would_fill_the_memory(self, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a file says it unpacks to is looked at before it is unpacked."""
        monkeypatch.setattr("appraiser_api.batch.arrow_rows.GROUP_LIMIT_BYTES", 100)
        with pytest.raises(BatchBodyError, match="unpacked"):
            here(api, Kind.PARQUET, written(Kind.PARQUET, HOUSES * 100))

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_refuses_a_text_that_is_written_once_and_named_often(self, api: TestClient, kind: Kind) -> None:
        """Kilobytes that would unpack to gigabytes are refused before they do."""
        texts = pl.Series("city", ["x" * 100_000] * 20_000, dtype=pl.Categorical)
        frame = pl.DataFrame({"state": pl.Series(["Texas"] * 20_000, dtype=pl.Categorical), "city": texts})
        body = written(kind, [], frame)
        assert len(body) < 500_000
        response = ask(api, kind, body)
        assert response.status_code == 422
        assert "a text of 100,000 bytes" in response.json()["detail"]

    def test_measures_views_without_following_them(self, api: TestClient) -> None:
        """A view names a text of a megabyte in sixteen bytes: a thousand of them are refused, and never written out."""
        rows, text = 1_000, b"x" * 1_000_000
        views = np.tile(np.array([len(text), int.from_bytes(text[:4], "little"), 0, 0], dtype=np.int32), rows)
        cities = pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(views), pa.py_buffer(text)])
        batch = pa.record_batch({"state": pa.array(["Texas"] * rows), "city": cities})
        target = io.BytesIO()
        with pa.ipc.new_stream(target, batch.schema) as stream:
            stream.write_batch(batch)
        before = pa.default_memory_pool().max_memory()
        with pytest.raises(BatchBodyError, match="a text of 1,000,000 bytes"):
            here(api, Kind.ARROW, target.getvalue())
        assert pa.default_memory_pool().max_memory() - before < 100 * len(text)

    def test_views_of_what_is_unknown(self, api: TestClient) -> None:
        """What stands behind an unknown text is not looked at, wherever the part of the column begins."""
        cities = pa.array(["x" * 200, None, "Austin", None, "Dallas"], pa.string_view())[1:]
        batch = pa.record_batch({"state": pa.array(["Texas"] * 4), "city": cities})
        target = io.BytesIO()
        with pa.ipc.new_stream(target, batch.schema) as stream:
            stream.write_batch(batch)
        rows = answer(api, Kind.ARROW, target.getvalue())
        asked = [{"state": "Texas"}, {"state": "Texas", "city": "Austin"}] * 2
        asked[3]["city"] = "Dallas"
        assert prices(rows) == pytest.approx(singles(api, asked), rel=1e-5)

    @pytest.mark.parametrize("rows", [4, 100_000])
    def test_stray_views(self, api: TestClient, rows: int) -> None:
        """The view of an unknown text may point where nothing is: nobody follows it, also where rows are refused."""
        cities = pa.array(["Wichita Falls, Texas", None, "Austin", "Dallas"] * (rows // 4), pa.string_view())
        validity, views, *texts = cities.buffers()
        stray = np.frombuffer(views, dtype=np.int32).reshape(-1, 4).copy()
        stray[1::4] = [40, 0, 7, 123_456_789]
        broken = pa.Array.from_buffers(pa.string_view(), rows, [validity, pa.py_buffer(stray), *texts])
        bed = pa.array([3.0, 3.0, 3.0, -1.0] * (rows // 4))
        batch = pa.record_batch({"state": pa.array(["Texas"] * rows), "city": broken, "bed": bed})
        target = io.BytesIO()
        with pa.ipc.new_stream(target, batch.schema) as stream:
            stream.write_batch(batch)
        assert b"\x28\0\0\0\0\0\0\0\x07\0\0\0" in target.getvalue()
        found = answer(api, Kind.ARROW, target.getvalue())
        known = [{"state": "Texas", "bed": 3.0, "city": "Wichita Falls, Texas"}, {"state": "Texas", "bed": 3.0}]
        known.append({"state": "Texas", "bed": 3.0, "city": "Austin"})
        assert [row["row"] for row in found if row["errors"]] == list(range(4, rows + 1, 4))
        good = np.array(prices([row for row in found if not row["errors"]]))
        assert good == pytest.approx(np.tile(singles(api, known), rows // 4), rel=1e-5)

    def test_refuses_a_stream_that_unpacks_to_too_much(self, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """What compressed buffers say they unpack to is added up before one is unpacked."""
        frame = pl.DataFrame({"state": ["Texas"] * 50_000, "bed": [3.0] * 50_000})
        target = io.BytesIO()
        frame.write_ipc_stream(target, compression="zstd")
        assert len(target.getvalue()) < 20_000
        assert len(answer(api, Kind.ARROW, target.getvalue())) == 50_000
        monkeypatch.setattr("appraiser_api.batch.arrow_rows.GROUP_LIMIT_BYTES", 400_000)
        with pytest.raises(BatchBodyError, match="unpacked"):
            here(api, Kind.ARROW, target.getvalue())

    @pytest.mark.parametrize("kind", TABLES)
    def test_refuses_columns_without_number(self, api: TestClient, kind: Kind) -> None:
        """A thousand columns are enough for anybody; looking at more would keep the others waiting."""
        frame = pl.DataFrame({"state": ["Texas"], **{f"c{i}": [1] for i in range(5_000)}})
        response = ask(api, kind, written(kind, [], frame))
        assert response.status_code == 422
        assert response.json()["errors"][0]["rule"] == "must have at most 1,000 columns"

    @settings(max_examples=40)
    @example(kind=Kind.ARROW, seed=27, flips=8)
    @given(kind=st.sampled_from([Kind.PARQUET, Kind.ARROW]), seed=st.integers(0, 2**32), flips=st.integers(1, 20))
    def test_damaged_bytes_never_break_the_service(self, api: TestClient, kind: Kind, seed: int, flips: int) -> None:
        """Flipped bytes give a problem, a broken answer, or an answer; never a fault of the service's own."""
        body = bytearray(written(kind, HOUSES * 50))
        random = np.random.default_rng(seed)
        for place in random.integers(0, len(body), flips):
            body[place] = random.integers(0, 256)
        try:
            response = ask(api, kind, bytes(body))
        except BatchBodyError:
            return  # The answer had begun: the client sees a connection that breaks off.
        assert response.status_code in {200, 422}

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_notes_that_are_no_text_do_no_harm(self, api: TestClient, kind: Kind) -> None:
        """What stands in a schema beside the names is not read."""
        field = pa.field("state", pa.string(), metadata={b"\xff": b"\xfe"})
        noted = pa.table([["Texas"]], schema=pa.schema([field], metadata={b"\xff": b"\xfe"}))
        target = io.BytesIO()
        if kind is Kind.PARQUET:
            parquet.write_table(noted, target)
        else:
            with pa.ipc.new_stream(target, noted.schema) as stream:
                stream.write_table(noted)
        assert answer(api, kind, target.getvalue())[0]["price_usd"] > 0

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_refuses_a_body_that_was_cut_off(self, api: TestClient, kind: Kind) -> None:
        """Half a file is no file."""
        body = written(kind, HOUSES * 50)
        response = ask(api, kind, body[: len(body) // 2])
        assert response.status_code == 422

    def test_answers_with_errors_as_a_list(self, api: TestClient) -> None:
        """Arrow's answer has a list of structures, empty where the row is good."""
        body = ask(api, Kind.ARROW, written(Kind.ARROW, [HOUSES[0], BAD])).content
        schema = pa.ipc.open_stream(body).schema
        assert schema.names == ["row", "price_usd", "lower_usd", "upper_usd", "errors"]
        assert schema.metadata[b"model"] == b"house-price/1"

    def test_parquet_says_which_model_answered(self, api: TestClient) -> None:
        """The file's own metadata names the model, so that it can lie in a folder alone."""
        body = ask(api, Kind.PARQUET, written(Kind.PARQUET, HOUSES)).content
        assert parquet.read_schema(io.BytesIO(body)).metadata[b"model"] == b"house-price/1"


class TestLimits:
    """Sizes, memory and what is left behind."""

    @pytest.mark.parametrize("declared", [True, False])
    def test_refuses_a_body_that_is_too_large(self, api: TestClient, small: int, *, declared: bool) -> None:
        """413, whether the length was declared or turns out."""
        body = written(Kind.CSV, HOUSES * small)
        content = body if declared else (body[i : i + 100] for i in range(0, len(body), 100))
        response = api.post("/predict/batch", content=content, headers={"Content-Type": "text/csv"})
        assert response.status_code == 413
        assert response.json()["errors"][0]["rule"] == f"must be at most {small:,} bytes"

    def test_takes_no_more_tables_than_may_wait(self, api: TestClient) -> None:
        """503 while there are as many as may be; single houses are answered meanwhile."""
        tables = api.app.state.services.tables  # type: ignore[attr-defined]
        portal, waiting = api.portal, [object() for _ in range(8)]
        assert portal is not None
        for place in waiting:
            portal.call(tables.acquire_on_behalf_of_nowait, place)
        response = ask(api, Kind.CSV, written(Kind.CSV, HOUSES))
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert api.post("/predict", json=HOUSES[0]).status_code == 200
        for place in waiting:
            portal.call(tables.release_on_behalf_of, place)
        assert len(answer(api, Kind.CSV, written(Kind.CSV, HOUSES))) == 3

    def test_a_full_disk_is_told(self, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """No room for the body: 503 with what to do, and no fault of the service's own."""

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(tempfile, "TemporaryFile", full)
        response = ask(api, Kind.CSV, written(Kind.CSV, HOUSES))
        assert response.status_code == 503
        assert response.json()["type"] == "urn:appraiser:problem:spool-full"

    def test_leaves_no_file_behind(self, api: TestClient) -> None:
        """A body lies in a file without a name."""
        services = api.app.state.services  # type: ignore[attr-defined]
        answer(api, Kind.CSV, written(Kind.CSV, HOUSES * 10_000))
        assert list(services.settings.batch_folder.iterdir()) == []

    def test_every_price_is_on_record_before_it_leaves(self, api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rows are recorded under the request's id, by their numbers; a refused row is no prediction."""
        log = KeepingLog()
        monkeypatch.setattr("appraiser_api.batch.arrow_rows.CHUNK_ROWS", 4)
        monkeypatch.setattr(chunks, "CHUNK_ROWS", 4)
        monkeypatch.setattr(writing, "SMALL_ROWS", 1)
        cache, champion = api.app.state.services.settings.model_cache, champion_of(api)  # type: ignore[attr-defined]
        job = Job(
            model=Pointer(digest=champion.bundle.digest, facts=champion.facts),
            sent=Kind.ARROW,
            wanted=Kind.LINES,
            record_id="a" * 32,
            client_id=None,
            began=0.0,
        )
        body = io.BytesIO(written(Kind.ARROW, [HOUSES[0], BAD, HOUSES[2]] * 20))
        rows: list[int] = []
        for frame in Table(job, body, Models(cache), log).frames():  # type: ignore[arg-type]
            if frame.startswith(Frame.PART.value):
                lines = map(json.loads, frame[HEADER.size :].splitlines())
                rows += [line["row"] for line in lines if "price_usd" in line]
                assert set(rows) <= {row for _, some in log.kept for row in some}
        assert len(log.kept) > 10
        assert rows == [row for row in range(1, 61) if row % 3 != 2]
        assert {request_id for request_id, _ in log.kept} == {"a" * 32}

    @pytest.mark.parametrize("kind", Kind)
    def test_no_more_than_a_chunk_is_read_at_once(self, kind: Kind) -> None:
        """However long a body is, and however its writer has cut it, chunks stay small."""
        houses = [{"state": "Ohio", "bed": 3.0}] * (CHUNK_ROWS + 10)
        body = io.BytesIO(written(kind, houses))
        sizes = [chunk.rows for chunk in read_chunks(body, kind)[0]]
        assert sum(sizes) == len(houses)
        assert max(sizes) <= CHUNK_ROWS

    @pytest.mark.parametrize("kind", [Kind.PARQUET, Kind.ARROW])
    def test_begins_with_a_short_chunk(self, kind: Kind) -> None:
        """So that the first houses are soon appraised, and each chunk is checked before the last one is through."""
        houses = [{"state": "Ohio", "bed": 3.0}] * (7 * FIRST_ROWS)
        found = [chunk.rows for chunk in read_chunks(io.BytesIO(written(kind, houses)), kind)[0]]
        assert found == [FIRST_ROWS, FIRST_ROWS, 2 * FIRST_ROWS, 3 * FIRST_ROWS]
