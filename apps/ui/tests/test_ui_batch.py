"""A file of houses: read, matched, converted, asked about, kept."""

import io
import zipfile
from typing import Any, Final

import polars as pl
import pytest

from appraiser_schema.frames import ROW_NUMBER, clean_unpriced
from appraiser_schema.rules import rules_of
from appraiser_schema.tables import CLEAN_TABLE, RAW_TABLE
from appraiser_ui.batch.asking import ANSWER, CHUNK_ROWS, Answers
from appraiser_ui.batch.columns import FROM_ZIP, Mapping, Unit, guess
from appraiser_ui.batch.keeping import to_csv, to_parquet, with_answers
from appraiser_ui.batch.mapping import converted, position_of, to_listings
from appraiser_ui.batch.price_map import frame_of, located, price_map
from appraiser_ui.batch.reading import ReadError, Source, read_source
from appraiser_ui.broken_rules import must_be
from appraiser_ui.errors import ApiAwayError
from appraiser_ui.words import Language, speaking

KING: Final = b"""id,date,price,bedrooms,bathrooms,sqft_living,sqft_lot,floors,condition,zipcode,lat,long
7129300520,20141013T000000,221900,3,1,1180,5650,1,3,98178,47.5112,-122.257
6414100192,20141209T000000,538000,3,2.25,2570,7242,2,3,98125,47.721,-122.319
"""
AMES: Final = b"""Id,LotFrontage,LotArea,Street,Neighborhood,GrLivArea,FullBath,HalfBath,BedroomAbvGr,YrSold,SalePrice
1,65,8450,Pave,CollgCr,1710,2,1,3,2008,208500
2,80,9600,Pave,Veenker,1262,2,0,3,2007,181500
"""


def sheet_of(*rows: tuple[object, ...]) -> bytes:
    """A workbook with one sheet, as small as one can be."""
    cells = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    files = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Houses" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def _cell(value: object) -> str:
    return (
        f"<c><v>{value}</v></c>" if isinstance(value, int | float) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    )


def made_from(content: bytes, **changed: Any) -> tuple[Source, Mapping, pl.DataFrame]:
    """A file as listings, by the guesses and what is corrected of them."""
    source = read_source("houses", content)
    guessed = guess(source.rows, source.columns)
    mapping = Mapping(
        changed.get("columns", guessed.columns),
        guessed.units | changed.get("units", {}),
        guessed.constants | changed.get("constants", {}),
    )
    return source, mapping, to_listings(source.rows, mapping)


class TestReading:
    """What can be dropped."""

    def test_kinds(self) -> None:
        """CSV, Parquet and a workbook hold the same rows, numbered from 1."""
        rows = pl.DataFrame({"state": ["Texas", "Utah"], "bed": [3, 4]})
        parquet = io.BytesIO()
        rows.write_parquet(parquet)
        contents = (
            rows.write_csv().encode(),
            parquet.getvalue(),
            sheet_of(("state", "bed"), ("Texas", 3), ("Utah", 4)),
        )
        for content in contents:
            source = read_source("houses", content)
            assert source.columns == ["state", "bed"]
            assert source.rows[ROW_NUMBER].to_list() == [1, 2]
            assert source.rows["bed"].cast(pl.Float64).to_list() == [3.0, 4.0]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"state,bed\n", "empty"),
            (b"\x00\x01\x02 binary", "no_table"),
            (b"PK\x03\x04 no archive", "no_spreadsheet"),
            (b"\xd0\xcf\x11\xe0 no workbook", "no_spreadsheet"),
            (b"PAR1 cut off", "no_table"),
        ],
    )
    def test_refused(self, content: bytes, code: str) -> None:
        """What is no table is refused with a reason that the page has words for."""
        with pytest.raises(ReadError) as caught:
            read_source("houses", content)
        assert caught.value.code == code

    def test_bomb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A workbook that unpacks to more than may be is not unpacked."""
        monkeypatch.setattr("appraiser_ui.batch.reading.UNPACKED_BYTES", 100)
        with pytest.raises(ReadError) as caught:
            read_source("houses", sheet_of(("state",), ("Texas",)))
        assert caught.value.code == "rows"


class TestGuessing:
    """Which column is what."""

    def test_king_county(self) -> None:
        """Land in square feet becomes acres, and the state follows from the zip code."""
        source, mapping, made = made_from(KING)
        assert mapping.columns == {
            "bed": "bedrooms", "bath": "bathrooms", "house_size": "sqft_living", "acre_lot": "sqft_lot",
            "zip_code": "zipcode", "price": "price", "latitude": "lat", "longitude": "long",
        }  # fmt: skip
        assert mapping.units["acre_lot"] is Unit.SQUARE_FEET
        assert mapping.constants == {"state": FROM_ZIP}
        assert converted(source.rows, made, mapping) == {"acre_lot": ("5650", "0.1297")}
        good = clean_unpriced(made).good
        assert good["state"].unique().to_list() == ["Washington"]
        assert good["acre_lot"].to_list() == [0.1297, 0.1663]

    def test_ames(self) -> None:
        """Land is known by its size to be in square feet, half baths are added, and the state is asked for."""
        _, mapping, made = made_from(AMES, constants={"state": "Iowa", "city": "Ames"})
        assert mapping.columns == {
            "bed": "BedroomAbvGr", "bath": "FullBath", "half_bath": "HalfBath", "house_size": "GrLivArea",
            "acre_lot": "LotArea", "price": "SalePrice",
        }  # fmt: skip
        good = clean_unpriced(made).good
        assert good["bath"].to_list() == [2.5, 2.0]
        assert good["acre_lot"].to_list() == [0.194, 0.2204]
        assert good.select("state", "city").unique().rows() == [("Iowa", "Ames")]

    def test_no_column_twice(self) -> None:
        """A column is one thing only."""
        _, mapping, _ = made_from(b"state,size,lotsize,zip\nTexas,1500,0.3,77002\n")
        assert sorted(mapping.columns.values()) == ["lotsize", "size", "state", "zip"]
        assert mapping.units["acre_lot"] is Unit.ACRES


class TestConverting:
    """Cells as a listing has them."""

    def test_states_dates_and_status(self) -> None:
        """Two letters, days in other ways of writing, and other words for a status are understood."""
        content = b"State,Last sold,Status\nwa,10/13/2014,Active\nTEXAS,20141013T000000,closed\nUtah,2014-10-13,\n"
        columns = {"state": "State", "prev_sold_date": "Last sold", "status": "Status"}
        _, _, made = made_from(content, columns=columns)
        checked = clean_unpriced(made)
        assert checked.failures.is_empty()
        assert checked.good["state"].to_list() == ["Washington", "Texas", "Utah"]
        assert {str(day) for day in checked.good["prev_sold_date"]} == {"2014-10-13"}
        assert checked.good["status"].to_list() == ["for_sale", "sold", "for_sale"]

    def test_what_cannot_be_converted_is_refused_as_it_came(self) -> None:
        """A cell that is no number stays in plain sight, whatever the unit."""
        content = b"state,lot\nTexas,big\nTexas,-\nTexas,4356\n"
        _, _, made = made_from(
            content, columns={"state": "state", "acre_lot": "lot"}, units={"acre_lot": Unit.SQUARE_FEET}
        )
        checked = clean_unpriced(made)
        assert checked.failures["value"].to_list() == ["big", "-"]
        assert checked.good["acre_lot"].to_list() == [0.1]

    def test_positions(self) -> None:
        """A zip code has a position and a state; what is none has nothing."""
        found = position_of("98178")
        assert found is not None
        assert (round(found.latitude), found.state) == (47, "Washington")
        assert position_of("00000") is None
        assert position_of("abcde") is None


class TestWords:
    """Rules as people read them."""

    def test_every_rule_has_words(self) -> None:
        """No rule of a table is told in the words of the schema where the page speaks Spanish."""
        rules = {rule.words for table in (RAW_TABLE, CLEAN_TABLE) for rule in rules_of(table)} | {"a number"}
        with speaking(Language.SPANISH):
            assert not {rule for rule in rules if must_be(rule) == rule}
        assert must_be("at least 100.0") == "at least 100"


class TestAsking:
    """Rows go to the service some at a time."""

    def test_goes_on_where_it_was_broken_off(self) -> None:
        """What is answered is kept, and nothing is asked twice."""
        asked = pl.DataFrame({ROW_NUMBER: range(1, CHUNK_ROWS + 11), "state": ["Texas"] * (CHUNK_ROWS + 10)})
        sizes: list[int] = []

        def predict(stream: bytes) -> bytes:
            rows = pl.read_ipc_stream(stream)
            if sizes == [CHUNK_ROWS]:
                sizes.append(-1)
                raise ApiAwayError("http://x", "nobody")
            sizes.append(rows.height)
            return answer_to(rows)

        answers = Answers(asked)
        with pytest.raises(ApiAwayError):
            list(answers.ask(predict))
        assert answers.done == CHUNK_ROWS
        assert list(answers.ask(predict)) == [CHUNK_ROWS + 10]
        assert sizes == [CHUNK_ROWS, -1, 10]
        table = answers.table()
        assert table.schema == ANSWER
        assert table[ROW_NUMBER].to_list() == asked[ROW_NUMBER].to_list()
        assert table["model_version"].unique().to_list() == [7]


def answer_to(rows: pl.DataFrame) -> bytes:
    """What the service would answer, from version 7."""
    import pyarrow as pa

    error = pl.Struct({"field": pl.String, "rule": pl.String, "value": pl.String})
    answer = pl.DataFrame(
        {"row": range(1, rows.height + 1), "price_usd": 2e5, "lower_usd": 1e5, "upper_usd": 3e5, "errors": None},
        schema_overrides={"errors": pl.List(error)},
    )
    table = answer.to_arrow().replace_schema_metadata({"model": "house-price/7"})
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


class TestKeeping:
    """The files that are kept."""

    def test_no_formula(self) -> None:
        """Cells and names that a spreadsheet would run get an apostrophe; numbers do not."""
        cells = ["=1+1", "+1", "-5.0", "@SUM(A1)", "\t=1", "plain", "-cmd|x", "1e-3", None]
        text = to_csv(pl.DataFrame({"=name": cells, "n": range(len(cells))})).decode("utf-8-sig")
        kept = pl.read_csv(io.StringIO(text), infer_schema=False)
        assert kept.columns == ["'=name", "n"]
        assert kept["'=name"].to_list() == [
            "'=1+1", "+1", "-5.0", "'@SUM(A1)", "'\t=1", "plain", "'-cmd|x", "1e-3", None
        ]  # fmt: skip

    def test_every_row(self) -> None:
        """Rows without a price are there with what is wrong with them, in their order, beside the file's columns."""
        source = pl.DataFrame({ROW_NUMBER: [1, 2], "price_usd": ["a", "b"]}, schema_overrides={ROW_NUMBER: pl.UInt32})
        answers = pl.DataFrame([[2, 2e5, 1e5, 3e5, 7, None]], schema=ANSWER, orient="row")
        refused = pl.DataFrame({ROW_NUMBER: [1], "error": ["bed: a number"]}, schema_overrides={ROW_NUMBER: pl.UInt32})
        table = pl.read_parquet(to_parquet(with_answers(source, answers, refused)))
        assert table["price_usd"].to_list() == ["a", "b"]
        assert table["appraiser_price_usd"].to_list() == [None, 2e5]
        assert table["appraiser_error"].to_list() == ["bed: a number", None]


class TestMap:
    """Where houses are."""

    def test_own_position_or_zip_code(self) -> None:
        """A house without a position of its own stands at its zip code; its city is named on the map."""
        houses = pl.DataFrame(
            {
                ROW_NUMBER: [1, 2, 3],
                "zip_code": ["98178", "98178", None],
                "latitude": [47.0, None, None],
                "longitude": [-122.0, None, None],
            },
            schema_overrides={ROW_NUMBER: pl.UInt32},
        )
        answers = pl.DataFrame([[n, 2e5, 1e5, 3e5, 7, None] for n in (1, 2, 3)], schema=ANSWER, orient="row")
        placed = located(houses, answers)
        assert [round(latitude, 1) for latitude in placed["latitude"]] == [47.0, 47.5]
        drawn = price_map(placed, frame_of(placed)).to_dict()
        assert any(row.get("place") == "Seattle" for rows in drawn["datasets"].values() for row in rows)

    def test_one_house_far_away(self) -> None:
        """A house on Guam does not make specks of a hundred in Ohio; of few houses the map shows all."""
        near = [(40 + n / 100, -83 + n / 100, 1e5 + 1e4 * n) for n in range(100)]
        houses = pl.DataFrame(
            [*near, (13.4, 144.7, 3e5)], schema=["latitude", "longitude", "price_usd"], orient="row"
        ).with_columns(place=pl.lit(""))
        frame = frame_of(houses)
        assert frame.inside(houses).height == 100
        assert 39 < frame.south < 40
        assert 41 < frame.north < 42
        assert frame_of(houses.tail(50)).inside(houses.tail(50)).height == 50

    def test_amounts_beside_the_colours(self) -> None:
        """Round amounts stand beside the colours, and one house for many millions does not take the colours' span."""
        houses = pl.DataFrame(
            [(40 + n / 10, -83.0, 1e5 + 1e4 * n, "") for n in range(60)] + [(43.0, -82.0, 5e8, "")],
            schema=["latitude", "longitude", "price_usd", "place"],
            orient="row",
        )
        colour = price_map(houses, frame_of(houses)).to_dict()["layer"][0]["encoding"]["color"]
        assert colour["legend"]["values"] == [200_000, 500_000]
        assert colour["scale"]["domain"][1] < 1e6
        assert colour["scale"]["clamp"]
