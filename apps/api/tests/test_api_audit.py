"""Who was in production when, where an appraisal comes from, and a version's card in words."""

import datetime as dt
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from appraiser_api.settings import Settings
from appraiser_model import Registry
from appraiser_schema import Alias, AliasMove, Batch, Lineage, MoveKind, Prediction, Problem, Reign, example_listing
from appraiser_store import Ledger

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    """Version 1 from noon, version 2 from one o'clock, version 1 again from two; one appraisal at half past noon."""
    ledger = Ledger(settings.ledger_url)
    for hours, before, after in ((0, None, 1), (1, 1, 2), (2, 2, 1)):
        kind = MoveKind.ROLLBACK if hours == 2 else MoveKind.PROMOTION
        ledger.record_move(
            AliasMove(
                at=NOON + hours * HOUR,
                kind=kind,
                alias=Alias.CHAMPION,
                from_version=before,
                to_version=after,
                who="ann",
                why="because",
            )
        )
    ledger.save_batch(
        Batch(
            source="made-up market",
            group_number=1,
            day=None,
            batch_number=0,
            digest="d" * 64,
            size_bytes=10,
            received_at=NOON - HOUR,
            simulated=True,
            landing_path="dd.json",
        )
    )
    ledger.save_predictions([prediction("one", 1), prediction("lost", 99)])
    yield ledger
    ledger.close()


def prediction(request_id: str, version: int) -> Prediction:
    """An appraisal at half past noon."""
    return Prediction(
        request_id=request_id,
        at=NOON + HOUR / 2,
        listing=example_listing(),
        features_fingerprint="f" * 64,
        price_usd=300_000.0,
        model_name="house-price",
        model_version=version,
        latency_seconds=0.001,
    )


@pytest.mark.usefixtures("ledger")
class TestHistory:
    """GET /models/history."""

    def test_all(self, client: TestClient) -> None:
        """Every reign, from and to, with who and why."""
        found = [Reign.model_validate(reign) for reign in client.get("/models/history").json()]
        assert [(reign.version, reign.until) for reign in found] == [(1, NOON + HOUR), (2, NOON + 2 * HOUR), (1, None)]
        assert (found[2].kind, found[2].who, found[2].why) == (MoveKind.ROLLBACK, "ann", "because")

    @pytest.mark.parametrize(
        ("at", "version"),
        [("2026-11-01T12:00Z", 1), ("2026-11-01T13:00Z", 2), ("2026-11-01T14:59+01:00", 2), ("2026-11-24T10:00Z", 1)],
    )
    def test_one(self, client: TestClient, at: str, version: int) -> None:
        """An instant has one version; a '+' that was not escaped does no harm."""
        assert [reign["version"] for reign in client.get(f"/models/history?at={at}").json()] == [version]

    @pytest.mark.parametrize(
        ("at", "status", "words"),
        [
            ("2026-11-01T11:59Z", 404, "the first one came at 2026-11-01T12:00:00+00:00"),
            ("2999-01-01T00:00Z", 422, "lies in the future"),
            ("2026-11-01T12:00", 422, "has no time zone"),
            ("yesterday", 422, "is no instant in ISO 8601"),
        ],
    )
    def test_refused(self, client: TestClient, at: str, status: int, words: str) -> None:
        """An instant without a champion, or that is none, is a problem that names it."""
        response = client.get("/models/history", params={"at": at})
        problem = Problem.model_validate_json(response.content)
        assert (response.status_code, problem.errors[0].field) == (status, "at")
        assert words in problem.detail


class TestEmptyHistory:
    """GET /models/history before anything was promoted."""

    def test_empty(self, client: TestClient) -> None:
        """No reign is an empty list; an instant is a 404."""
        assert client.get("/models/history").json() == []
        answer = client.get("/models/history?at=2026-11-01T12:00Z")
        assert (answer.status_code, "there never was one" in answer.json()["detail"]) == (404, True)


@pytest.mark.usefixtures("ledger")
class TestLineage:
    """GET /lineage/{request_id}."""

    def test_whole(self, client: TestClient, registry: Registry) -> None:
        """From the appraisal to model, snapshot, batches with their bytes, code, and the moves that made it serve."""
        found = Lineage.model_validate(client.get("/lineage/one").json())
        model = registry.version(1)
        assert found.prediction.price_usd == 300_000.0
        assert (found.origin.model.run_id, found.origin.model.snapshot_id) == (model.run_id, model.snapshot_id)
        assert found.origin.model.bundle_digest == registry.load(1).digest
        assert [(batch.digest, batch.landing_path) for batch in found.origin.batches] == [("d" * 64, "dd.json")]
        assert found.reign is not None
        assert found.reign.since == NOON
        assert len(found.origin.moves) == 3

    @pytest.mark.usefixtures("registry")
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/lineage/other", "prediction-unknown"),
            ("/lineage/one?row=1", "prediction-unknown"),
            ("/lineage/lost", "version-unknown"),
        ],
    )
    def test_unknown(self, client: TestClient, path: str, kind: str) -> None:
        """What is not on record, or was given by a version that is gone, is a 404 that says which."""
        response = client.get(path)
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (404, kind)


@pytest.mark.usefixtures("ledger", "registry")
class TestCard:
    """GET /models/{version}/card."""

    def test_words(self, client: TestClient) -> None:
        """The card is Markdown for people."""
        answer = client.get("/models/1/card")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
        assert answer.text.startswith("# House prices, version 1\n")
        assert "## What it is not for" in answer.text

    def test_unknown(self, client: TestClient) -> None:
        """A version that there is not is a 404."""
        assert client.get("/models/99/card").status_code == 404
