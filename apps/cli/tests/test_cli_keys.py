"""`appraiser keys`."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import Result

from appraiser_cli.errors import NotThereError, UsageError
from appraiser_cli.keys import create_key, read_keys
from appraiser_schema import KeyFile, Scope, hash_key

type Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the keys are to lie; its folder is not there yet."""
    return tmp_path / "state" / "keys.json"


class TestKeys:
    """Keys are made, listed and revoked."""

    def test_create(self, appraiser: Run, file: Path) -> None:
        """The key is printed; the file has its hash and scopes, and only its owner can read it."""
        result = appraiser("keys", "create", "page", "--scope", "predict", "--scope", "read", "--file", str(file))
        assert result.exit_code == 0, result.output
        key = result.stdout.strip()
        (kept,) = KeyFile.model_validate_json(file.read_text()).keys
        assert (kept.name, kept.sha256, kept.scopes) == ("page", hash_key(key), (Scope.PREDICT, Scope.READ))
        assert key not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0

    def test_list(self, appraiser: Run, file: Path) -> None:
        """Names and scopes are listed, for people and for programs; hashes are not."""
        appraiser("keys", "create", "page", "--scope", "predict", "--file", str(file))
        assert "page" in appraiser("keys", "list", "--file", str(file)).stdout
        (told,) = json.loads(appraiser("keys", "list", "--file", str(file), "--json").stdout)
        assert (told["name"], told["scopes"]) == ("page", ["predict"])
        assert "sha256" not in told

    def test_revoke(self, appraiser: Run, file: Path) -> None:
        """A key that was revoked is gone, and the others stay."""
        for name in ("page", "batch"):
            appraiser("keys", "create", name, "--scope", "predict", "--file", str(file))
        assert appraiser("keys", "revoke", "page", "--file", str(file)).exit_code == 0
        assert [key.name for key in KeyFile.model_validate_json(file.read_text()).keys] == ["batch"]

    def test_at_once(self, file: Path) -> None:
        """Keys that are made at the same moment are all there."""
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: create_key(file, f"key-{number}", [Scope.READ]), range(24)))
        assert len(read_keys(file)) == 24
        assert {path.name for path in file.parent.iterdir()} == {file.name, f".{file.name}.lock"}

    def test_in_the_state_folder(self, appraiser: Run, tmp_path: Path) -> None:
        """Without a file, the keys lie in the state folder."""
        appraiser("keys", "create", "page", "--scope", "admin", "--home", str(tmp_path))
        assert (tmp_path / "api" / "keys.json").exists()

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            (("create", "page", "--scope", "predict"), UsageError, "already"),
            (("create", "two words", "--scope", "predict"), UsageError, "no name for a key"),
            (("revoke", "other"), NotThereError, "no key 'other'"),
        ],
    )
    def test_refused(
        self, appraiser: Run, file: Path, arguments: tuple[str, ...], error: type[Exception], words: str
    ) -> None:
        """What cannot be is refused in words, and the file stays as it was."""
        appraiser("keys", "create", "page", "--scope", "predict", "--file", str(file))
        before = file.read_bytes()
        result = appraiser("keys", *arguments, "--file", str(file))
        assert isinstance(result.exception, error)
        assert words in str(result.exception)
        assert file.read_bytes() == before

    def test_damaged_file(self, appraiser: Run, tmp_path: Path) -> None:
        """A file of something else is never overwritten."""
        (tmp_path / "keys.json").write_text('{"keys": [1]}')
        result = appraiser("keys", "create", "page", "--scope", "read", "--file", str(tmp_path / "keys.json"))
        assert isinstance(result.exception, UsageError)
        assert (tmp_path / "keys.json").read_text() == '{"keys": [1]}'
