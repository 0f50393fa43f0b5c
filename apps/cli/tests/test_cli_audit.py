"""Moves by hand, who was in production when, and lineage, over a real ledger, registry and lake."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from tiny_champion import build_market, train_tiny
from typer.testing import Result

from appraiser_cli.home import Home
from appraiser_cli.services.environment import tracking_file
from appraiser_model import Registry
from appraiser_schema import Alias, AliasMove, Batch, MoveKind, Prediction, example_listing
from appraiser_store import Lake, Ledger, Table

type Run = Callable[..., Result]

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
VERSIONS = 3


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three versions; version 2 is the champion since one o'clock, version 1 was it since noon. Do not change it."""
    home = Home(tmp_path_factory.mktemp("filled"))
    home.make()
    registry, ledger = Registry(tracking_file(home)), Ledger(f"sqlite:///{home.ledger}")
    for number in range(VERSIONS):
        version = registry.register(train_tiny(seed=number, batch_number=number))
        ledger.save_batch(batch(number))
        if version < VERSIONS:
            made = registry.move(Alias.CHAMPION, version, kind=MoveKind.PROMOTION, who="pipeline", why=f"{version}")
            ledger.record_move(made.model_copy(update={"at": NOON + number * dt.timedelta(hours=1)}))
    ledger.save_predictions([prediction("abc"), prediction("lost", 99)])
    ledger.close()
    return home


@pytest.fixture
def state(filled: Home, tmp_path: Path) -> Home:
    """A copy of ledger and registry that a test may change. MLflow's artifacts stay where they are."""
    home = Home(tmp_path / "state")
    home.make()
    for source, target in ((filled.ledger, home.ledger), (filled.mlflow_database, home.mlflow_database)):
        for file in source.parent.glob(f"{source.name}*"):
            shutil.copy(file, target.parent / file.name)
    with_lake(home)
    return home


def with_lake(home: Home) -> None:
    """Test rows of the market that versions learned from."""
    lake = Lake.open(home.lake)
    lake.replace_batch(Table.CLEAN, 0, build_market(2000))
    lake.close()


def batch(number: int) -> Batch:
    """A batch that landed."""
    return Batch(
        source="made-up market",
        group_number=1,
        day=None,
        batch_number=number,
        digest=f"{number:064x}",
        size_bytes=1,
        received_at=NOON,
        simulated=True,
        landing_path=f"{number:064x}.json",
        rows_received=400,
    )


def prediction(request_id: str, version: int = 1) -> Prediction:
    """An appraisal at half past noon."""
    return Prediction(
        request_id=request_id,
        at=NOON + dt.timedelta(minutes=30),
        listing=example_listing(),
        features_fingerprint="f" * 64,
        price_usd=300_000.0,
        lower_usd=200_000.0,
        upper_usd=400_000.0,
        model_name="house-price",
        model_version=version,
        latency_seconds=0.001,
    )


def moves(home: Home) -> list[AliasMove]:
    """What the ledger has of the champion."""
    ledger = Ledger(f"sqlite:///{home.ledger}")
    found = ledger.moves(Alias.CHAMPION)
    ledger.close()
    return found


def champion(home: Home) -> int | None:
    """What the registry has."""
    return Registry(tracking_file(home)).champion()


class TestRollback:
    """`appraiser models rollback`."""

    def test_before(self, appraiser: Run, state: Home) -> None:
        """Without a version it goes to the champion before, and tells both errors on the same test rows."""
        done = appraiser("models", "rollback", "--why", "prices look odd", "--who", "ann", "--home", str(state.folder))
        assert done.exit_code == 0, done.output
        assert "version 1 was downloaded and loaded" in done.output
        assert "test rows its median error is" in done.output
        assert "the champion so far has" in done.output
        assert "the champion is version 1 now; before it was version 2" in done.output
        last = moves(state)[-1]
        assert (last.kind, last.who, last.why) == (MoveKind.ROLLBACK, "ann", "prices look odd")
        assert champion(state) == 1

    def test_any_version(self, appraiser: Run, state: Home) -> None:
        """With a version it goes there, also to one that never was the champion; JSON tells the trial."""
        done = appraiser("models", "rollback", "3", "--force", "--why", "x", "--json", "--home", str(state.folder))
        told = json.loads(done.stdout)
        assert (told["version"], told["moved"], told["move"]["kind"]) == (3, True, "rollback")
        assert told["trial"]["rows_test"] > 100
        assert champion(state) == 3

    def test_after_a_move_without_a_record(self, appraiser: Run, state: Home) -> None:
        """What serves now is what the registry says: the way back leads to what served before that."""
        registry = Registry(tracking_file(state))
        registry.move(Alias.CHAMPION, 3, kind=MoveKind.MANUAL, who="x", why="cut off")
        done = appraiser("models", "rollback", "--why", "x", "--home", str(state.folder))
        assert "The registry has version 3 as the champion, and the history version 2 as the last one" in done.output
        assert "the champion is version 2 now; before it was version 3" in done.output
        assert [(m.from_version, m.to_version) for m in moves(state)[-2:]] == [(2, 3), (3, 2)]
        assert "no record said so" in moves(state)[-2].why

    def test_none_before(self, appraiser: Run, state: Home) -> None:
        """Where none came before, it is said how a version is named."""
        appraiser("models", "rollback", "--why", "x", "--home", str(state.folder))
        done = appraiser("models", "rollback", "--why", "x", "--home", str(state.folder))
        assert "no champion came before" in str(done.exception)
        assert champion(state) == 1


class TestRefused:
    """A version that does not pass its trial."""

    @pytest.mark.parametrize("command", ["promote", "rollback"])
    @pytest.mark.parametrize("force", [(), ("--force",)])
    def test_damaged(self, appraiser: Run, filled: Home, state: Home, command: str, force: tuple[str, ...]) -> None:
        """Files that are not those of the digest are refused, with --force as well, and nothing moves."""
        with damaged(filled, version=1):
            done = appraiser("models", command, "1", "--why", "x", *force, "--home", str(state.folder))
        assert "version 1 is refused: it cannot be loaded" in str(done.exception)
        assert "Nothing moved. No option forces that." in str(done.exception)
        assert champion(state) == 2
        assert len(moves(state)) == 2

    def test_absurd(self, appraiser: Run, state: Home) -> None:
        """A version that is no better than a constant is refused, and moved with --force, which is told."""
        lake = Lake.open(state.lake)
        market = build_market(2000)
        lake.replace_batch(Table.CLEAN, 0, market.with_columns(price=market["price"] / 20 + 10_000))
        lake.close()
        home = ("--home", str(state.folder))
        done = appraiser("models", "promote", "1", "--why", "x", *home)
        assert "answering their median price to every house has" in str(done.exception)
        assert "Nothing moved. To put it in production all the same, add --force." in str(done.exception)
        assert champion(state) == 2
        forced = appraiser("models", "promote", "1", "--why", "x", "--force", *home)
        assert "Forced, although on" in forced.output
        assert champion(state) == 1

    def test_without_lake(self, appraiser: Run, state: Home) -> None:
        """Where the lake is elsewhere, the version is tried without test rows, and that is said."""
        shutil.rmtree(state.lake)
        done = appraiser("models", "promote", "1", "--why", "x", "--home", str(state.folder))
        assert "There is no lake here" in done.output
        assert champion(state) == 1


class TestPromote:
    """`appraiser models promote`."""

    def test_present(self, appraiser: Run, state: Home) -> None:
        """Promoting the champion changes nothing and records nothing."""
        done = appraiser("models", "promote", "2", "--why", "x", "--home", str(state.folder))
        assert "already; nothing changed" in done.output
        assert len(moves(state)) == 2

    def test_without_record(self, appraiser: Run, state: Home) -> None:
        """A move that was cut off before it was recorded gets its record when it is asked for again."""
        Registry(tracking_file(state)).move(Alias.CHAMPION, 1, kind=MoveKind.MANUAL, who="x", why="cut off")
        done = appraiser("models", "promote", "1", "--why", "once more", "--home", str(state.folder))
        assert "now it does" in done.output
        last = moves(state)[-1]
        assert (last.from_version, last.to_version, last.why) == (2, 1, "once more")


class TestHistory:
    """`appraiser models history`."""

    def test_reigns(self, appraiser: Run, filled: Home) -> None:
        """From, to, who and why, at 80 columns."""
        done = appraiser("models", "history", "--home", str(filled.folder))
        assert done.exit_code == 0, done.output
        assert [line.split()[:7] for line in done.output.splitlines()[2:4]] == [
            ["1", "2026-11-24", "12:00:00", "2026-11-24", "13:00:00", "promotion", "pipeline:"],
            ["2", "2026-11-24", "13:00:00", "now", "promotion", "pipeline:", "2"],
        ]
        assert max(map(len, done.output.splitlines())) <= 80

    def test_at(self, appraiser: Run, filled: Home) -> None:
        """An instant has one version."""
        home = ("--home", str(filled.folder))
        done = appraiser("models", "history", "--at", "2026-11-24T12:59:59Z", *home)
        assert "version 1 was in production, from 2026-11-24 12:00:00 UTC until 2026-11-24 13:00:00 UTC" in done.output
        told = appraiser("models", "history", "--at", "2026-11-24T14:00+01:00", "--json", *home)
        assert json.loads(told.stdout)["version"] == 2

    @pytest.mark.parametrize(
        ("at", "words"),
        [
            ("2026-11-24T11:00Z", "the first one came at 2026-11-24T12:00:00+00:00"),
            ("2999-01-01T00:00Z", "lies in the future"),
            ("2026-11-24T12:00", "has no time zone"),
        ],
    )
    def test_refused(self, appraiser: Run, filled: Home, at: str, words: str) -> None:
        """An instant without a champion, or that is none, is one sentence."""
        done = appraiser("models", "history", "--at", at, "--home", str(filled.folder))
        assert words in str(done.exception)

    def test_disagreement(self, appraiser: Run, state: Home) -> None:
        """A champion that no record tells of is told."""
        Registry(tracking_file(state)).move(Alias.CHAMPION, 1, kind=MoveKind.MANUAL, who="x", why="cut off")
        done = appraiser("models", "history", "--home", str(state.folder))
        assert "The registry has version 1 as the champion, and the history version 2" in done.output


class TestLineage:
    """`appraiser lineage` and `appraiser models show`."""

    def test_table(self, appraiser: Run, filled: Home) -> None:
        """The appraisal, the model, its data and the moves stand together, at 80 columns."""
        done = appraiser("lineage", "abc", "--home", str(filled.folder))
        assert done.exit_code == 0, done.output
        model = Registry(tracking_file(filled)).version(1)
        for words in (
            "300,000 USD (200,000 to 400,000)",
            model.run_id,
            str(model.snapshot_id),
            "0" * 16,
            "pipeline: 1",
        ):
            assert words in done.output
        assert max(map(len, done.output.splitlines())) <= 80

    def test_json(self, appraiser: Run, filled: Home) -> None:
        """Programs get the whole of it."""
        told = json.loads(appraiser("lineage", "abc", "--json", "--home", str(filled.folder)).stdout)
        assert told["origin"]["batches"][0]["landing_path"] == f"{0:064x}.json"
        assert told["reign"]["version"] == 1

    @pytest.mark.parametrize(("request_id", "words"), [("other", "no appraisal with"), ("lost", "no version 99")])
    def test_unknown(self, appraiser: Run, filled: Home, request_id: str, words: str) -> None:
        """What is not on record, or comes from a version that is gone, is one sentence."""
        done = appraiser("lineage", request_id, "--home", str(filled.folder))
        assert words in str(done.exception)

    def test_show(self, appraiser: Run, filled: Home) -> None:
        """A version shows its batches and moves, and its card in words."""
        home = ("--home", str(filled.folder))
        done = appraiser("models", "show", "1", *home)
        assert "0000000000000000" in done.output
        assert "pipeline: 1" in done.output
        assert json.loads(appraiser("models", "show", "1", "--json", *home).stdout)["origin"]["moves"]
        assert "## What it is not for" in appraiser("models", "show", "1", "--card", *home).output


class damaged:  # noqa: N801 - reads as a word
    """For a while, the trees of a version have another byte."""

    def __init__(self, home: Home, version: int) -> None:
        digest = Registry(tracking_file(home)).version(version).bundle_digest
        assert digest is not None
        found = (file for file in home.folder.rglob("manifest.json"))
        folder = next(file.parent for file in found if sha256(file.read_bytes()).hexdigest() == digest)
        self.file = folder / "model.ubj"
        self.before = self.file.read_bytes()

    def __enter__(self) -> None:
        self.file.write_bytes(self.before[:-1] + bytes([self.before[-1] ^ 1]))

    def __exit__(self, *_: object) -> None:
        self.file.write_bytes(self.before)
