"""Keys, limits and origins: what is refused before a request is looked at."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import ValidationError
from running_api import metric, wait_for
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from appraiser_api.access import needed_scope
from appraiser_api.errors import KeyMissingError, KeysFileError, KeyUnknownError, RateError
from appraiser_api.keyring import Keyring
from appraiser_api.limits import Rate
from appraiser_api.main import create_app
from appraiser_api.settings import Settings
from appraiser_schema import ApiKey, KeyFile, Problem, Scope, example_listing, hash_key, new_key, utc_now

type Start = Callable[..., TestClient]


def write_keys(path: Path, keys: dict[str, tuple[str, Scope]]) -> Path:
    """Write a file of keys: name, key and scope of each."""
    kept = [
        ApiKey(name=name, sha256=hash_key(key), scopes=(scope,), created_at=utc_now())
        for name, (key, scope) in keys.items()
    ]
    path.write_text(KeyFile(keys=tuple(kept)).model_dump_json())
    return path


@pytest.fixture
def keys() -> dict[Scope, str]:
    """A key of each scope."""
    return {scope: new_key() for scope in Scope}


@pytest.fixture
def key_file(tmp_path: Path, keys: dict[Scope, str]) -> Path:
    """The file of these keys."""
    return write_keys(tmp_path / "keys.json", {scope.value: (key, scope) for scope, key in keys.items()})


@pytest.fixture
def locked(settings: Settings, key_file: Path) -> TestClient:
    """An API that asks for keys, without a model."""
    return TestClient(create_app(settings.model_copy(update={"api_keys": key_file})))


@pytest.fixture
def start(settings: Settings) -> Start:
    """An API with other settings."""
    return lambda **other: TestClient(create_app(settings.model_copy(update=other)))


class TestKeys:
    """Who may ask."""

    @pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
    def test_let_in(self, locked: TestClient, keys: dict[Scope, str], header: str) -> None:
        """A key opens what its scope names, in either header."""
        prefix = "Bearer " if header == "Authorization" else ""
        headers = {header: prefix + keys[Scope.PREDICT]}
        assert locked.post("/predict", json=example_listing(), headers=headers).status_code == 503

    @pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health/live", "/health/ready"])
    def test_open(self, locked: TestClient, path: str) -> None:
        """Probes and the documentation need none."""
        assert locked.get(path).status_code in {200, 503}

    @pytest.mark.parametrize("path", ["/models", "/metrics", "/batches", "/nothing"])
    def test_missing(self, locked: TestClient, path: str) -> None:
        """Everything else answers 401 without one, also what is not there, and says how to send it."""
        response = locked.get(path)
        problem = Problem.model_validate_json(response.content)
        assert (response.status_code, problem.type) == (401, "urn:appraiser:problem:key-missing")
        assert response.headers["www-authenticate"] == 'Bearer realm="appraiser"'
        assert response.headers["x-request-id"] == problem.request_id

    @pytest.mark.parametrize("authorization", ["Bearer appraiser_x", "Bearer ", "Basic YTpi", "Bearer \u00e9"])
    def test_unknown(self, locked: TestClient, authorization: str) -> None:
        """A key that is none of ours is refused, and does not come back in the answer."""
        response = locked.get("/models", headers={b"Authorization": authorization.encode("latin-1")})
        assert response.status_code == 401
        assert "appraiser_x" not in response.text

    def test_scope(self, locked: TestClient, keys: dict[Scope, str]) -> None:
        """A key without the scope is refused with the name of both."""
        response = locked.get("/models", headers={"X-API-Key": keys[Scope.PREDICT]})
        problem = Problem.model_validate_json(response.content)
        assert (response.status_code, problem.type) == (403, "urn:appraiser:problem:key-scope")
        assert 'error="insufficient_scope", scope="read"' in response.headers["www-authenticate"]
        assert problem.errors[0].value == "predict"

    def test_logged(self, locked: TestClient, keys: dict[Scope, str]) -> None:
        """The log names the key with which something was asked, and never holds it."""
        with capture_logs() as events:
            locked.get("/models", headers={"X-API-Key": keys[Scope.READ]})
            locked.get("/nothing")
        asked = [event.get("key") for event in events if event["event"] == "request"]
        assert asked == ["read", None]
        assert keys[Scope.READ] not in str(events)

    def test_counted(self, locked: TestClient, keys: dict[Scope, str]) -> None:
        """Refusals are counted by reason."""
        locked.get("/models")
        text = locked.get("/metrics", headers={"X-API-Key": keys[Scope.READ]}).text
        assert 'appraiser_refusals_total{reason="key-missing"} 1.0' in text

    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("POST", "/predict", Scope.PREDICT),
            ("POST", "/predict/batch", Scope.PREDICT),
            ("POST", "/feedback", Scope.FEEDBACK),
            ("GET", "/feedback/summary", Scope.READ),
            ("POST", "/admin/reload", Scope.ADMIN),
            ("GET", "/admin/reload", Scope.ADMIN),
            ("DELETE", "/models", Scope.ADMIN),
            ("POST", "/new", Scope.ADMIN),
            ("GET", "/docs/assets/x", None),
        ],
    )
    def test_scopes(self, method: str, path: str, scope: Scope | None) -> None:
        """What is not named needs the strictest scope, so that a new endpoint is closed."""
        assert needed_scope(method, path) == scope

    def test_all_compared(self, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every key is compared, whichever was sent: the time tells nothing."""
        compared: list[str] = []

        def compare(a: str, _: str) -> bool:
            compared.append(a)
            return False

        monkeypatch.setattr("appraiser_api.keyring.hmac.compare_digest", compare)
        with pytest.raises(KeyUnknownError):
            Keyring(key_file).check("appraiser_x", Scope.READ)
        assert len(compared) == len(Scope)


class TestKeyFile:
    """The file is followed while the API runs."""

    def test_revoked(self, tmp_path: Path) -> None:
        """A key that was revoked is refused, and one that was added is let in, without a restart."""
        now = 0.0
        old, new = new_key(), new_key()
        path = write_keys(tmp_path / "keys", {"old": (old, Scope.READ)})
        keyring = Keyring(path, clock=lambda: now)
        assert keyring.check(old, Scope.READ) == "old"
        write_keys(path, {"newer": (new, Scope.READ)})
        now = 1.5
        assert keyring.check(new, Scope.READ) == "newer"
        with pytest.raises(KeyUnknownError):
            keyring.check(old, Scope.READ)

    @pytest.mark.parametrize("content", ["", "{", '{"keys": [{}]}', None])
    def test_damaged_later(self, tmp_path: Path, content: str | None) -> None:
        """A file that was damaged or deleted leaves the keys as they were: nobody is let in, nobody locked out."""
        now = 0.0
        key = new_key()
        path = write_keys(tmp_path / "keys", {"page": (key, Scope.READ)})
        keyring = Keyring(path, clock=lambda: now)
        path.unlink() if content is None else path.write_text(content)
        now = 1.5
        assert keyring.check(key, Scope.READ) == "page"
        with pytest.raises(KeyMissingError):
            keyring.check(None, Scope.READ)

    @pytest.mark.parametrize("content", ["{", '{"keys": [{}]}', None])
    def test_damaged_at_the_start(self, tmp_path: Path, content: str | None) -> None:
        """An API never starts with keys that it cannot read."""
        path = tmp_path / "keys"
        if content is not None:
            path.write_text(content)
        with pytest.raises(KeysFileError, match="APPRAISER_API_KEYS"):
            Keyring(path)


class TestStart:
    """What is refused before anything is served."""

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "api.example.org"])  # noqa: S104 - is refused
    def test_open_to_others(self, host: str) -> None:
        """An address that others can reach needs keys, and the refusal says how to make one."""
        with pytest.raises(ValidationError, match="appraiser keys create"):
            Settings(api_host=host)

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
    def test_loopback(self, host: str) -> None:
        """On loopback none are needed."""
        assert Settings(api_host=host).api_keys is None

    def test_default_secret(self, key_file: Path) -> None:
        """A password out of an example is refused where others can reach the service."""
        url = "postgresql://appraiser:appraiser@db/appraiser"
        assert Settings(ledger_url=url).ledger_url == url
        with pytest.raises(ValidationError, match="APPRAISER_LEDGER_URL"):
            Settings(api_host="0.0.0.0", api_keys=key_file, ledger_url=url)  # noqa: S104 - is refused

    @pytest.mark.parametrize("origins", ["*", "https://*.example.org", "example.org", "https://a.org/x"])
    def test_star(self, origins: str) -> None:
        """Pages of every site are never let in."""
        with pytest.raises(ValidationError, match="name each site"):
            Settings.model_validate({"api_cors_origins": origins})


class TestOrigins:
    """Pages of other sites."""

    def test_named(self, start: Start) -> None:
        """A site that is named may ask, with a key and without cookies; another may not."""
        client = start(api_cors_origins=("https://a.example",))
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        good = client.options("/predict", headers={"Origin": "https://a.example", **asked})
        assert good.headers["access-control-allow-origin"] == "https://a.example"
        assert "access-control-allow-credentials" not in good.headers
        other = client.options("/predict", headers={"Origin": "https://b.example", **asked})
        assert "access-control-allow-origin" not in other.headers


@dataclass
class Slow:
    """An endpoint that takes its time.

    Attributes:
        begun: Set once a request is there.
        may_end: Lets it go on.
    """

    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def add_to(self, client: TestClient) -> None:
        """Let an application have it, as /slow."""

        @client.app.get("/slow")  # type: ignore[attr-defined,untyped-decorator]
        def wait() -> None:
            self.begun.set()
            self.may_end.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A slow endpoint, which ends with the test."""
    slow = Slow()
    yield slow
    slow.may_end.set()


class TestConcurrency:
    """How much is worked on at a time."""

    def test_busy(self, start: Start, slow: Slow) -> None:
        """One request more than may be is refused with 503 and Retry-After; probes and metrics are not."""
        client = start(api_in_flight=1)
        slow.add_to(client)
        thread = threading.Thread(target=client.get, args=("/slow",))
        thread.start()
        assert slow.begun.wait(30)
        response = client.get("/")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["type"] == "urn:appraiser:problem:busy"
        assert client.get("/health/live").status_code == 200
        slow.may_end.set()
        thread.join()
        assert client.get("/").status_code == 200
        assert metric(client, "appraiser_requests_in_flight") == 1

    def test_too_slow(self, start: Start, slow: Slow) -> None:
        """A store that hangs is not waited for; what it holds counts until it lets go."""
        client = start(api_handler_seconds=0.1)
        slow.add_to(client)
        with client:
            response = client.get("/slow")
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
            assert response.json()["type"] == "urn:appraiser:problem:too-slow"
            assert metric(client, "appraiser_requests_in_flight") == 2
            slow.may_end.set()
            wait_for(lambda: metric(client, "appraiser_requests_in_flight") == 1)

    def test_rate(self, start: Start) -> None:
        """Whoever asks too often is told when to ask again."""
        client = start(api_rate=1.0)
        answers = [client.get("/models/x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [422, 422, 429]
        assert int(answers[-1].headers["retry-after"]) == 1
        assert client.get("/health/live").status_code == 200

    def test_rate_of_workers(self, start: Start) -> None:
        """The refusal tells the rate that was set, of which each worker lets its share through."""
        client = start(api_rate=4.0, api_workers=4)
        answers = [client.get("/models/x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [422, 422, 429]
        assert "4 times a second" in answers[-1].json()["detail"]

    def test_bucket(self) -> None:
        """The rate holds in the long run, each client has its own, and few are remembered."""
        now = 0.0
        rate = Rate(10.0, clock=lambda: now)
        taken = 0
        for step in range(1000):
            now = step / 100
            try:
                rate.take("a")
                taken += 1
            except RateError:
                rate.take(f"other-{step}")
        assert taken == pytest.approx(10 * 10 + 20, abs=2)
        for number in range(20_000):
            rate.take(f"client-{number}")
        assert len(rate._buckets) == 10_000


class TestSize:
    """How long a body may be."""

    @pytest.mark.parametrize("path", ["/predict", "/explain", "/admin/reload", "/nothing"])
    def test_declared(self, client: TestClient, path: str) -> None:
        """One that is declared too long is refused before any of it is read, at every address."""
        response = client.post(path, content=b"x", headers={"Content-Length": str(200 * 2**20)})
        assert response.status_code == 413
