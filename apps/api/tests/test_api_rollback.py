"""POST /admin/rollback: a person takes the champion back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running_api import serves, wait_for
from starlette.testclient import TestClient

from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_model import Bundle, Registry
from appraiser_schema import Alias, ApiKey, KeyFile, MoveKind, Problem, RolledBack, Scope, hash_key, new_key, utc_now
from appraiser_store import Ledger

ADMIN, READER = new_key(), new_key()


@pytest.fixture
def keyed(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a service with the key of an operator and that of a reader."""
    keys = [
        ApiKey(name=name, sha256=hash_key(key), scopes=scopes, created_at=utc_now())
        for name, key, scopes in (("ann", ADMIN, (Scope.ADMIN,)), ("bob", READER, (Scope.READ,)))
    ]
    (tmp_path / "keys.json").write_text(KeyFile(keys=tuple(keys)).model_dump_json())
    return settings.model_copy(update={"api_keys": tmp_path / "keys.json"})


@pytest.fixture
def second(registry: Registry, settings: Settings, bundles: tuple[Bundle, Bundle]) -> Registry:
    """The registry with version 2 in service after version 1."""
    ledger = Ledger(settings.ledger_url)
    version = registry.register(bundles[1])
    for number in (1, version):
        move = registry.move(Alias.CHAMPION, number, kind=MoveKind.PROMOTION, who="pipeline", why="better")
        ledger.record_move(move.model_copy(update={"from_version": None if number == 1 else 1}))
    ledger.close()
    return registry


@pytest.fixture
def operated(keyed: Settings, second: Registry) -> Iterator[TestClient]:
    """A client of the running service, once version 2 serves."""
    assert second.champion() == 2
    with TestClient(create_app(keyed)) as client:
        wait_for(lambda: serves(client) == 2)
        yield client


def ask(client: TestClient, key: str | None = ADMIN, **order: object) -> tuple[int, bytes]:
    """Ask for a rollback."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = client.post("/admin/rollback", json=order, headers=headers)
    return answer.status_code, answer.content


def kind(content: bytes) -> str:
    """Last part of a problem's type."""
    return Problem.model_validate_json(content).type.rpartition(":")[2]


class TestRollback:
    """What a person with the key of an operator can do."""

    def test_back_and_on_record(self, operated: TestClient, keyed: Settings, second: Registry) -> None:
        """The champion before serves again, and who, when and why is kept; once more there is nothing to go back to."""
        status, content = ask(operated, why="  Prices look odd.  ")
        answer = RolledBack.model_validate_json(content)
        assert (status, answer.version, answer.moved) == (200, 1, True)
        assert "not asked about test rows" in answer.notes[0]
        wait_for(lambda: serves(operated) == 1)
        assert second.champion() == 1
        ledger = Ledger(keyed.ledger_url)
        last = ledger.moves()[-1]
        ledger.close()
        assert (last.kind, last.who, last.why) == (MoveKind.ROLLBACK, "ann", "Prices look odd.")
        assert (last.from_version, last.to_version) == (2, 1)
        reader = {"Authorization": f"Bearer {READER}"}
        assert operated.get("/models/history", headers=reader).json()[-1]["who"] == "ann"
        status, content = ask(operated, why="again")
        assert (status, kind(content)) == (409, "none-before")

    def test_named(self, operated: TestClient) -> None:
        """The version in service is no move; one that there is not is a 404."""
        assert RolledBack.model_validate_json(ask(operated, version=2, why="x")[1]).moved is False
        status, content = ask(operated, version=9, why="x")
        assert (status, kind(content)) == (404, "version-unknown")

    def test_damaged(self, operated: TestClient, second: Registry) -> None:
        """A version whose files cannot be loaded is refused, and nothing moves."""
        second._client.set_model_version_tag(second.name, "1", "bundle_digest", "0" * 64)
        status, content = ask(operated, why="x")
        assert (status, kind(content)) == (409, "version-refused")
        assert "/tmp" not in content.decode()  # noqa: S108 - it is where the files were
        assert second.champion() == 2

    def test_registry_that_cannot_be_written(
        self, operated: TestClient, second: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where MLflow refuses the move, the answer says so and what to do; nothing is recorded as moved."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        def refuse(*_: object) -> None:
            raise MlflowException("attempt to write a readonly database")

        monkeypatch.setattr(MlflowClient, "set_registered_model_alias", refuse)
        status, content = ask(operated, why="x")
        assert (status, kind(content)) == (503, "registry-refuses")
        assert second.champion() == 2

    def test_a_reason_is_needed(self, operated: TestClient) -> None:
        """Without a reason that can be kept nothing moves, and the field is named."""
        for why in ("", "   ", "a\0b", 5, None, "x" * 501):
            status, content = ask(operated, why=why)
            assert status == 422
            assert Problem.model_validate_json(content).errors[0].field == "why"

    def test_key(self, operated: TestClient) -> None:
        """Without a key, with an unknown one or one for something else it is refused."""
        refusals = [
            (status, kind(content)) for status, content in (ask(operated, key, why="x") for key in (None, READER))
        ]
        assert refusals == [(401, "key-missing"), (403, "key-scope")]


class TestWithoutKeys:
    """A service on loopback without keys."""

    def test_refused(self, serving: TestClient, registry: Registry) -> None:
        """Nobody is on record without a name: it says how to get there."""
        status, content = ask(serving, None, why="x")
        assert (status, kind(content)) == (403, "keys-needed")
        assert "keys create" in content.decode()
        assert registry.champion() == 1
