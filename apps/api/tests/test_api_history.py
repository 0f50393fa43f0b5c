"""Models, batches and decisions, as the registry and the ledger have them."""

import datetime as dt

import pytest
from starlette.testclient import TestClient

from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import (
    Alias,
    Batch,
    BatchDetail,
    BatchReport,
    Decision,
    DecisionKind,
    FeatureEffect,
    ModelDetail,
    ModelReport,
    ModelStudy,
    ModelVersion,
    MoveKind,
    Outcome,
    Problem,
    Reason,
    Refusal,
)
from appraiser_store import Ledger

AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def batch(number: int) -> Batch:
    """A batch that landed."""
    return Batch(
        source="simulator",
        group_number=1,
        day=None,
        batch_number=number,
        digest="0" * 64,
        size_bytes=10,
        received_at=AT,
        simulated=True,
        landing_path=f"{number}.json",
    )


def decision(number: int, kind: DecisionKind, outcome: Outcome, model_version: int | None = None) -> Decision:
    """A decision about a batch."""
    return Decision(
        batch_number=number,
        kind=kind,
        outcome=outcome,
        summary="Because.",
        reasons=(Reason(rule="mae", passed=True, figure=1.5, threshold=1.0, text="It is better."),),
        decided_at=AT,
        model_version=model_version,
    )


@pytest.fixture
def ledger(settings: Settings) -> None:
    """Two batches with their decisions; version 1 was promoted."""
    ledger = Ledger(settings.ledger_url)
    for number in (1, 0):
        ledger.save_batch(batch(number))
    ledger.save_decision(decision(0, DecisionKind.TRAINING, Outcome.TRAIN))
    ledger.save_decision(decision(0, DecisionKind.PROMOTION, Outcome.PROMOTE, model_version=1))
    ledger.save_decision(decision(1, DecisionKind.TRAINING, Outcome.SKIP))
    ledger.close()


class TestModels:
    """GET /model, /models, /models/{version}."""

    @pytest.mark.usefixtures("ledger")
    def test_all(self, client: TestClient, registry: Registry, bundles: tuple[Bundle, Bundle]) -> None:
        """The newest first, the promoted one with its decision, the other without."""
        version = registry.register(bundles[1])
        models = [ModelVersion.model_validate(model) for model in client.get("/models").json()]
        assert [model.version for model in models] == [version, 1]
        assert [model.aliases for model in models] == [(), ("champion",)]
        assert models[0].decision is None
        assert models[1].decision is not None
        assert models[1].decision.outcome is Outcome.PROMOTE

    @pytest.mark.usefixtures("registry", "ledger")
    def test_one(self, client: TestClient) -> None:
        """A version with its card and its decision."""
        model = ModelDetail.model_validate(client.get("/models/1").json())
        assert model.card["source"] == "made-up market"
        assert model.decision is not None
        assert model.decision.reasons[0].text == "It is better."

    @pytest.mark.usefixtures("ledger")
    def test_served(self, client: TestClient, registry: Registry, settings: Settings) -> None:
        """A version that a person put in service, whatever was decided, says so; one that never was says that."""
        assert client.get("/models/1").json()["served"] is False
        ledger = Ledger(settings.ledger_url)
        ledger.record_move(registry.move(Alias.CHAMPION, 1, kind=MoveKind.MANUAL, who="ann", why="better"))
        ledger.close()
        assert [model["served"] for model in client.get("/models").json()] == [True]

    @pytest.mark.usefixtures("registry")
    def test_unknown(self, client: TestClient) -> None:
        """A version that there is not is a 404 that names it."""
        response = client.get("/models/99")
        problem = Problem.model_validate_json(response.content)
        assert response.status_code == 404
        assert (problem.errors[0].field, problem.errors[0].value) == ("version", 99)

    @pytest.mark.usefixtures("ledger")
    def test_champion(self, serving: TestClient) -> None:
        """The champion is the version that serves."""
        assert serving.get("/model").json() == serving.get("/models/1").json()

    def test_champion_without_ledger(self, serving: TestClient, settings: Settings) -> None:
        """A ledger that is away takes the decision out of the answer, not the model."""
        (settings.model_cache.parent / "ledger.db").write_bytes(b"no database" * 1000)
        answer = serving.get("/model")
        assert (answer.status_code, answer.json()["decision"]) == (200, None)

    def test_registry_away(self, settings: Settings) -> None:
        """A registry that does not answer is a 503 that names the setting and when to ask again, and no address."""
        away = settings.model_copy(update={"tracking_uri": "http://user:password@127.0.0.1:9"})
        response = TestClient(create_app(away)).get("/models")
        assert response.status_code == 503
        assert "MLFLOW_TRACKING_URI" in response.json()["detail"]
        assert response.headers["retry-after"] == "10"
        assert "127.0.0.1" not in response.text


class TestLedger:
    """GET /batches and /decisions."""

    @pytest.mark.usefixtures("ledger")
    def test_batches(self, client: TestClient) -> None:
        """Every batch, by number."""
        assert [item["batch_number"] for item in client.get("/batches").json()] == [0, 1]

    @pytest.mark.usefixtures("ledger")
    @pytest.mark.parametrize(
        ("query", "outcomes"), [("", ["train", "promote", "skip"]), ("?kind=promotion", ["promote"])]
    )
    def test_decisions(self, client: TestClient, query: str, outcomes: list[str]) -> None:
        """Every decision, or those of one kind."""
        assert [item["outcome"] for item in client.get(f"/decisions{query}").json()] == outcomes

    def test_unknown_kind(self, client: TestClient) -> None:
        """A kind that there is not is named, with those that there are."""
        problem = Problem.model_validate_json(client.get("/decisions?kind=other").content)
        assert (problem.status, problem.errors[0].field, problem.errors[0].value) == (422, "kind", "other")
        assert problem.errors[0].rule == "must be 'training' or 'promotion'"

    def test_no_ledger_yet(self, client: TestClient) -> None:
        """Before the first batch there is an empty list, not an error."""
        assert client.get("/batches").json() == client.get("/decisions").json() == []

    def test_ledger_away(self, settings: Settings, client: TestClient) -> None:
        """A ledger that is no database is a 503, and is looked at again by the next request."""
        file = settings.model_cache.parent / "ledger.db"
        file.write_bytes(b"no database" * 1000)
        assert client.get("/batches").status_code == 503
        file.unlink()
        assert client.get("/batches").json() == []


class TestReports:
    """GET /batches/{batch_number} and GET /models/{version}/report."""

    @pytest.mark.usefixtures("ledger")
    def test_batch(self, client: TestClient, settings: Settings) -> None:
        """Counts, what was refused by which rule, drift, and the decisions after it; others are a 404 that names it."""
        report = BatchReport(
            batch_number=0,
            refusals=(Refusal(stage="raw", column="bed", rule="a number", rows=2, examples=("three", None)),),
        )
        opened = Ledger(settings.ledger_url)
        opened.save_batch_report(report)
        opened.close()
        detail = BatchDetail.model_validate(client.get("/batches/0").json())
        assert detail.batch.batch_number == 0
        assert detail.report == report
        assert [decision.kind for decision in detail.decisions] == [DecisionKind.TRAINING, DecisionKind.PROMOTION]
        assert BatchDetail.model_validate(client.get("/batches/1").json()).report is None
        response = client.get("/batches/7")
        assert response.status_code == 404
        assert Problem.model_validate_json(response.content).errors[0].value == 7

    @pytest.mark.usefixtures("registry", "ledger")
    def test_model(self, client: TestClient, settings: Settings) -> None:
        """How a version did and works, and who moved it; null where nothing was kept."""
        study = ModelStudy.model_validate(client.get("/models/1/report").json())
        assert (study.evaluation, study.report, study.moves) == (None, None, ())
        effect = FeatureEffect(feature="bed", label="Bedrooms", mean_percent=4.5)
        report = ModelReport(
            version=1, champion_version=None, rows_test=40, rows_explained=1, stated_coverage=90, features=(effect,),
            coverage=(),
        )  # fmt: skip
        ledger = Ledger(settings.ledger_url)
        ledger.save_model_report(report)
        ledger.close()
        assert ModelStudy.model_validate(client.get("/models/1/report").json()).report == report
        assert client.get("/models/9/report").status_code == 404
