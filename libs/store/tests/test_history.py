"""Who was the champion when, and where an appraisal comes from."""

import datetime as dt
from pathlib import Path

import pytest

from appraiser_schema import (
    Alias,
    AliasMove,
    Batch,
    Decision,
    DecisionKind,
    ModelVersion,
    MoveKind,
    Outcome,
    Prediction,
)
from appraiser_store import (
    InstantError,
    Ledger,
    NoChampionThenError,
    lineage,
    model_lineage,
    parse_instant,
    previous_champion,
    reign_at,
    reigns,
)

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
LATER = dt.timedelta(hours=1)


def move(hours: int, before: int | None, after: int, *, alias: Alias = Alias.CHAMPION) -> AliasMove:
    """A move so many hours after noon."""
    return AliasMove(
        at=NOON + hours * LATER,
        kind=MoveKind.PROMOTION,
        alias=alias,
        from_version=before,
        to_version=after,
        who="pipeline",
        why=f"{after} is better",
    )


MOVES = [move(0, None, 1), move(1, None, 2, alias=Alias.CHALLENGER), move(2, 1, 3), move(3, 3, 3), move(4, 3, 1)]


class TestReigns:
    """`reigns`."""

    def test_from_move_to_move(self) -> None:
        """A reign ends where the next begins; other aliases and moves to the same version begin none."""
        assert [(reign.version, reign.since, reign.until) for reign in reigns(MOVES)] == [
            (1, NOON, NOON + 2 * LATER),
            (3, NOON + 2 * LATER, NOON + 4 * LATER),
            (1, NOON + 4 * LATER, None),
        ]

    def test_nothing(self) -> None:
        """Without a move there is none."""
        assert reigns([]) == []


class TestReignAt:
    """`reign_at`."""

    @pytest.mark.parametrize(("minutes", "version"), [(0, 1), (119, 1), (120, 3), (200, 3), (240, 1), (5000, 1)])
    def test_one(self, minutes: int, version: int) -> None:
        """At every instant since the first promotion there is one; at the instant of a move, the new one."""
        at = NOON + dt.timedelta(minutes=minutes)
        assert reign_at(MOVES, at, at).version == version

    def test_before(self) -> None:
        """Before the first promotion it is said when that was."""
        with pytest.raises(NoChampionThenError, match=r"the first one came at 2026-11-24T12:00:00\+00:00"):
            reign_at(MOVES, NOON - dt.timedelta(seconds=1), NOON)

    def test_never(self) -> None:
        """Where there never was a champion, that is said."""
        with pytest.raises(NoChampionThenError, match="there never was one"):
            reign_at([], NOON, NOON)

    def test_future(self) -> None:
        """Nobody knows the future."""
        with pytest.raises(InstantError, match="lies in the future"):
            reign_at(MOVES, NOON + LATER, NOON)


class TestInstant:
    """`parse_instant`."""

    @pytest.mark.parametrize(
        "text", ["2026-11-24T12:00Z", "2026-11-24T14:00+02:00", "2026-11-24T14:00 02:00", "2026-11-24 12:00:00Z"]
    )
    def test_read(self, text: str) -> None:
        """Any zone will do, also one whose '+' a web address has made a space."""
        assert parse_instant(text) == NOON

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("2026-11-24T12:00", "has no time zone"),
            ("noon", "is no instant"),
            ("", "is no instant"),
            ("0001-01-01T00:00+14:00", "beyond the calendar"),
        ],
    )
    def test_refused(self, text: str, problem: str) -> None:
        """What is wrong is said, with an example."""
        with pytest.raises(InstantError, match=f"{problem}.*'2026-11-24T10:00Z'"):
            parse_instant(text)


class TestPreviousChampion:
    """`previous_champion`."""

    @pytest.mark.parametrize(
        ("moves", "before"),
        [
            ([], None),
            ([(None, 1, "promotion")], None),
            ([(None, 1, "promotion"), (1, 2, "promotion")], 1),
            ([(None, 1, "promotion"), (1, 2, "promotion"), (2, 3, "promotion"), (3, 2, "rollback")], 1),
            ([(None, 1, "promotion"), (1, 2, "promotion"), (2, 1, "rollback")], None),
            ([(None, 1, "promotion"), (1, 2, "promotion"), (2, 1, "rollback"), (1, 3, "promotion")], 1),
            (
                [
                    (None, 1, "promotion"),
                    (1, 2, "promotion"),
                    (2, 1, "manual"),
                    (1, 3, "promotion"),
                    (3, 1, "rollback"),
                ],
                2,
            ),
        ],
    )
    def test_before(self, moves: list[tuple[int | None, int, str]], before: int | None) -> None:
        """A second rollback goes further back instead of returning to what was rolled back."""
        history = [move(0, a, b).model_copy(update={"kind": MoveKind(kind)}) for a, b, kind in moves]
        assert previous_champion(history) == before


def batch(number: int) -> Batch:
    """A batch that landed."""
    return Batch(
        source="made",
        group_number=1,
        day=None,
        batch_number=number,
        digest=f"{number:064x}",
        size_bytes=1,
        received_at=NOON,
        simulated=False,
        landing_path=f"{number}.json",
    )


MODEL = ModelVersion(
    version=3,
    aliases=(),
    created_at=NOON,
    run_id="r",
    batches=(0, 1, 7),
    rows_train=1,
    simulated_data=False,
    snapshot_id=9,
    code_version="abc",
    features_fingerprint="f",
    metrics={},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Two batches, a decision about version 3, the moves."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for number in (0, 1):
        ledger.save_batch(batch(number))
    ledger.save_decision(
        Decision(
            batch_number=1,
            kind=DecisionKind.PROMOTION,
            outcome=Outcome.PROMOTE,
            summary="Better.",
            reasons=(),
            decided_at=NOON,
            model_version=3,
        )
    )
    for one in MOVES:
        ledger.record_move(one)
    return ledger


class TestLineage:
    """`model_lineage` and `lineage`."""

    def test_model(self, ledger: Ledger) -> None:
        """Batches, decision and moves stand together; a batch that the ledger does not know is named."""
        found = model_lineage(ledger, MODEL)
        assert [one.batch_number for one in found.batches] == [0, 1]
        assert found.batches_unknown == (7,)
        assert found.model.decision is not None
        assert found.model.decision.summary == "Better."
        assert [(one.from_version, one.to_version) for one in found.moves] == [(1, 3), (3, 3), (3, 1)]

    @pytest.mark.parametrize(("hours", "reigned"), [(3, True), (5, False), (-1, False)])
    def test_prediction(self, ledger: Ledger, hours: int, reigned: bool) -> None:  # noqa: FBT001 - a parameter of the test
        """An appraisal names the reign in which it was given, and none where another version was the champion."""
        prediction = Prediction(
            request_id="q",
            at=NOON + hours * LATER,
            listing={"state": "Texas"},
            features_fingerprint="f",
            price_usd=1.0,
            model_name="house-price",
            model_version=3,
            latency_seconds=0.1,
        )
        found = lineage(ledger, prediction, MODEL)
        assert (found.reign is not None) is reigned
        assert found.origin == model_lineage(ledger, MODEL)
