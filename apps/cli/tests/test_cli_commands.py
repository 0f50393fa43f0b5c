"""Tables, JSON and errors of the commands, over a real ledger and a real registry."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import Result

from appraiser_cli.home import Home
from appraiser_cli.main import main
from appraiser_cli.running import lock
from appraiser_cli.services.environment import tracking_file
from appraiser_model import Bundle, Card, Registry, TrainingConfig, train
from appraiser_schema import (
    RAW_COLUMNS,
    Alias,
    Batch,
    BatchStatus,
    Decision,
    DecisionKind,
    MoveKind,
    Outcome,
    Reason,
)
from appraiser_store import Ledger

type Run = Callable[..., Result]

NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
STATES = ("Connecticut", "Texas")


def raw_listings(rows: int) -> pl.DataFrame:
    """Raw listings whose price follows their size."""
    random = np.random.default_rng(3)
    size = random.integers(600, 4000, rows).astype(float)
    return pl.DataFrame(
        {
            "brokered_by": [str(i % 9) for i in range(rows)],
            "status": ["for_sale"] * rows,
            "price": size * 180 + random.normal(0, 5000, rows) + 20_000,
            "bed": (size // 700) + 1,
            "bath": (size // 1500) + 1,
            "acre_lot": random.uniform(0.1, 2, rows),
            "street": [str(i) for i in range(rows)],
            "city": ["Hartford" if i % 2 else "Austin" for i in range(rows)],
            "state": [STATES[(i + 1) % 2] for i in range(rows)],
            "zip_code": [6016.0 if i % 2 else 73301.0 for i in range(rows)],
            "house_size": size,
            "prev_sold_date": [None] * rows,
        },
        schema_overrides={"prev_sold_date": pl.String},
    ).select(RAW_COLUMNS)


def known_listings(rows: int) -> pl.DataFrame:
    """Raw listings with a value in every column, as the feed sends them."""
    return raw_listings(rows).with_columns(prev_sold_date=pl.lit("2020-02-29"))


def clean_listings(rows: int) -> pl.DataFrame:
    """The same as the lake keeps them."""
    from appraiser_schema.frames import normalise, number_rows

    frame = normalise(number_rows(raw_listings(rows)))
    return frame.with_columns(
        batch_number=pl.lit(0, dtype=pl.Int32), row_hash=pl.col("row_number").hash(seed=1) // 2, split=pl.lit("train")
    ).with_columns(pl.col("row_hash").cast(pl.Int64))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A state folder with three batches, their decisions, and two model versions."""
    home = Home(tmp_path_factory.mktemp("filled"))
    home.make()
    rows = clean_listings(500)
    model = train(rows.head(350), rows.tail(150), TrainingConfig(threads=1))
    registry = Registry(tracking_file(home))
    ledger = Ledger(f"sqlite:///{home.ledger}")
    for number in range(3):
        _save_batch(ledger, number)
    for number in range(2):
        card = Card.of(
            model,
            rows.head(350),
            config=TrainingConfig(threads=1),
            source="simulator",
            simulated_data=True,
            batch_number=number,
            snapshot_id=7,
        )
        version = registry.register(Bundle(model, card))
        registry.set_metrics(version, {"mae": 12_345.6, "rmse": 23_456.7, "r2": 0.91, "mdape": 8.25})
        ledger.record_move(
            registry.move(Alias.CHAMPION, version, kind=MoveKind.PROMOTION, who="pipeline", why=f"batch {number}")
        )
        _save_decision(ledger, number, DecisionKind.PROMOTION, Outcome.PROMOTE, version)
    _save_decision(ledger, 2, DecisionKind.TRAINING, Outcome.SKIP, None)
    ledger.close()
    return home


def _save_batch(ledger: Ledger, number: int) -> None:
    ledger.save_batch(
        Batch(
            source="simulator",
            group_number=1,
            day="Tuesday",
            batch_number=number,
            digest=f"{number}" * 64,
            size_bytes=1,
            received_at=NOON,
            simulated=True,
            landing_path=f"{number}.json",
            status=BatchStatus.CLEANED,
            rows_received=361_457,
            rows_quarantined=1_234,
            rows_duplicate=56,
            rows_train=250_000,
            rows_validation=50_000,
            rows_test=50_167,
        )
    )


def _save_decision(ledger: Ledger, number: int, kind: DecisionKind, outcome: Outcome, version: int | None) -> None:
    ledger.save_decision(
        Decision(
            batch_number=number,
            kind=kind,
            outcome=outcome,
            summary="The mean absolute error is 4.2 % lower than before, and no segment is much worse than it was.",
            reasons=(Reason(rule="mae", passed=True, text="The error is lower."),),
            decided_at=NOON,
            model_version=version,
        )
    )


type Whole = Callable[..., tuple[int, str]]


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Whole:
    """Run the whole command as a person would, and give its exit code and what it said on the error output."""
    for name in ("APPRAISER_HOME", "APPRAISER_LEDGER_URL", "APPRAISER_FEED_DATA", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["appraiser", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        error = capsys.readouterr().err
        assert "Traceback" not in error
        return int(end.value.code or 0), error

    return run


class TestTables:
    """What a person sees."""

    def test_batches_fit_eighty_columns(self, appraiser: Run, filled: Home) -> None:
        """Counts have thousands separators, and simulated listings are called so."""
        result = appraiser("batches", "--home", str(filled.folder))
        assert result.exit_code == 0, result.output
        assert "361,457" in result.output
        assert "simulator (simulated)" in result.output
        assert max(map(len, result.output.splitlines())) <= 80

    def test_reasons_are_wrapped(self, appraiser: Run, filled: Home) -> None:
        """A long reason goes over several lines and is shown whole."""
        result = appraiser("decisions", "--home", str(filled.folder))
        assert max(map(len, result.output.splitlines())) <= 80
        words = " ".join(line[31:].strip() for line in result.output.splitlines())
        assert "no segment is much worse" in words

    def test_models_show_money(self, appraiser: Run, filled: Home) -> None:
        """Errors in dollars have separators and no cents; the champion is marked."""
        result = appraiser("models", "list", "--home", str(filled.folder))
        assert result.exit_code == 0, result.output
        assert "12,346" in result.output
        assert "champion" in result.output
        assert max(map(len, result.output.splitlines())) <= 80

    def test_one_model_is_shown_with_its_decision(self, appraiser: Run, filled: Home) -> None:
        """A model's facts, measures and the decision about it stand together."""
        result = appraiser("models", "show", "1", "--home", str(filled.folder))
        assert result.exit_code == 0, result.output
        assert "simulator (simulated)" in result.output
        assert "promote: The mean absolute error" in result.output


class TestJson:
    """What a program sees."""

    @pytest.mark.parametrize(
        ("command", "count"),
        [(("batches",), 3), (("decisions",), 3), (("models", "list"), 2), (("models", "history"), 2)],
    )
    def test_lists_are_json(self, appraiser: Run, filled: Home, command: tuple[str, ...], count: int) -> None:
        """Every list is one JSON array of whole records."""
        result = appraiser(*command, "--json", "--home", str(filled.folder))
        assert result.exit_code == 0, result.output
        assert len(json.loads(result.stdout)) >= count

    def test_decision_of_a_model_travels_with_it(self, appraiser: Run, filled: Home) -> None:
        """Models carry the decision about them."""
        result = appraiser("models", "list", "--json", "--home", str(filled.folder))
        assert {model["decision"]["outcome"] for model in json.loads(result.stdout)} == {"promote"}

    def test_status_of_nothing(self, appraiser: Run, home: Home) -> None:
        """A state folder without services has none."""
        result = appraiser("status", "--json", "--home", str(home.folder))
        assert json.loads(result.stdout) == {"home": str(home.folder), "services": []}


class TestPredict:
    """`appraiser predict`."""

    def test_good_rows_have_prices_and_bad_ones_say_why(self, appraiser: Run, filled: Home, tmp_path: Path) -> None:
        """Every row of the file is in the answer, in its order, with a price or a problem."""
        file, out = tmp_path / "in.csv", tmp_path / "out.csv"
        file.write_text("state,house_size,bed,note\nTexas,1500,3,a\nTexas,1500,-1,b\nNowhere,900,2,c\nTexas,many,2,d\n")
        result = appraiser("predict", str(file), "-o", str(out), "--home", str(filled.folder))
        assert result.exit_code == 0, result.output
        answers = pl.read_csv(out)
        assert answers["note"].to_list() == ["a", "b", "c", "d"]
        assert answers["price_usd"].is_not_null().to_list() == [True, False, False, False]
        assert answers["lower_usd"][0] < answers["price_usd"][0] < answers["upper_usd"][0]
        assert [str(p).split(" ")[0] for p in answers["problem"][1:]] == ["bed", "state", "house_size"]

    def test_parquet_gives_the_same_prices(self, appraiser: Run, filled: Home, tmp_path: Path) -> None:
        """A file's format does not change a price."""
        rows = raw_listings(20).drop("price")
        rows.write_csv(tmp_path / "in.csv")
        rows.write_parquet(tmp_path / "in.parquet")
        for suffix in ("csv", "parquet"):
            target = str(tmp_path / f"out.{suffix}")
            done = appraiser("predict", str(tmp_path / f"in.{suffix}"), "-o", target, "--home", str(filled.folder))
            assert done.exit_code == 0, done.output
        prices = pl.read_parquet(tmp_path / "out.parquet")["price_usd"]
        assert pl.read_csv(tmp_path / "out.csv")["price_usd"].to_list() == prices.to_list()


class TestErrors:
    """One sentence, never a traceback."""

    @pytest.mark.parametrize("command", [("batches",), ("decisions",), ("models", "list"), ("models", "history")])
    def test_empty_state_says_what_to_do(self, whole: Whole, home: Home, command: tuple[str, ...]) -> None:
        """Without a ledger, the command names `up` and exits with 1."""
        code, error = whole(*command, "--home", str(home.folder))
        assert code == 1
        assert "./appraiser up" in error

    def test_unknown_model_is_one_sentence(self, whole: Whole, filled: Home) -> None:
        """A version that is not there is named, in the words of the library that knows."""
        code, error = whole("models", "show", "99", "--home", str(filled.folder))
        assert code == 1
        assert "99" in error

    def test_bad_port_is_a_usage_error(self, whole: Whole, home: Home) -> None:
        """A port that is none is exit code 2, before anything starts."""
        code, error = whole("up", "--port", "api=no", "--home", str(home.folder))
        assert code == 2
        assert "SERVICE=PORT" in error

    @pytest.mark.parametrize("value", ["abc", "70000"])
    def test_bad_variable_is_a_usage_error(self, whole: Whole, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        """A variable that cannot be used is named with its value and the rule."""
        monkeypatch.setenv("APPRAISER_API_PORT", value)
        code, error = whole("status")
        assert code == 2
        assert f"APPRAISER_API_PORT={value!r}: input should be" in error

    def test_missing_data_file_starts_nothing(self, whole: Whole, home: Home) -> None:
        """A data file that is not there is told before anything starts."""
        code, error = whole("up", "--data", "/no/such.csv", "--home", str(home.folder))
        assert code == 1
        assert "does not exist" in error
        assert not home.logs.exists()

    def test_unexpected_error_is_a_sentence_too(
        self, whole: Whole, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What nobody foresaw is told in one sentence, with how to see more."""
        monkeypatch.setattr("appraiser_cli.status.services", None)
        code, error = whole("status", "--home", str(home.folder))
        assert code == 1
        assert "APPRAISER_DEBUG=1" in error

    def test_second_up_is_told_where_the_first_is(self, whole: Whole, home: Home) -> None:
        """While one `up` holds the state folder, another that wants it for itself is refused."""
        with lock.hold(home):
            code, error = whole("up", "--once", "--home", str(home.folder))
        assert code == 1
        assert "./appraiser down" in error
