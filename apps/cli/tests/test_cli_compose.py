"""The secrets of compose.yaml: made once, kept, good, and readable by those who need them only."""

import json
import stat
from pathlib import Path

import pytest

from appraiser_cli.compose import NOWHERE, VARIABLES, Places, check, make_secrets, read_variables
from appraiser_cli.errors import CliError, NotThereError, UsageError
from appraiser_cli.home import ROOT
from appraiser_cli.keys import create_key, read_keys
from appraiser_schema import Scope, hash_key


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A repository with a compose.yaml and nothing else."""
    (tmp_path / "compose.yaml").symlink_to(ROOT / "compose.yaml")
    return Places(tmp_path)


def rights(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


class TestMakeSecrets:
    """What one command leaves behind."""

    def test_every_secret_is_its_own(self, places: Places) -> None:
        """Each variable has a secret, long and like no other."""
        assert set(VARIABLES) < set(make_secrets(places))
        values = read_variables(places.variables)
        secret = [values[name] for name in (*VARIABLES, "UI_API_KEY", "PROMETHEUS_API_KEY")]
        assert min(map(len, secret)) >= 16
        assert len(set(secret)) == len(secret)

    def test_again_changes_nothing(self, places: Places) -> None:
        """Run twice, it makes nothing the second time: databases keep the passwords that they were made with."""
        make_secrets(places, "https://example.org/alerts")
        before = {path: path.read_bytes() for path in places.root.rglob("*") if path.is_file()}
        assert make_secrets(places) == []
        assert {path: path.read_bytes() for path in places.root.rglob("*") if path.is_file()} == before

    def test_makes_what_is_missing(self, places: Places) -> None:
        """A line that was taken out is made anew; the others, and lines of one's own, stay."""
        make_secrets(places)
        lines = places.variables.read_text().splitlines()
        kept = [line for line in lines if not line.startswith("GRAFANA_PASSWORD=")]
        places.variables.write_text("\n".join([*kept, "UI_PORT=9001"]))
        assert make_secrets(places) == ["GRAFANA_PASSWORD"]
        assert read_variables(places.variables)["UI_PORT"] == "9001"
        assert set(kept) <= set(places.variables.read_text().splitlines())

    def test_api_takes_the_keys(self, places: Places) -> None:
        """The file of keys has the hashes of the page's and of Prometheus' key, each with its scopes."""
        make_secrets(places)
        values = read_variables(places.variables)
        keys = {key.name: key for key in read_keys(places.keys)}
        assert keys["ui"].sha256 == hash_key(values["UI_API_KEY"])
        assert keys["prometheus"].sha256 == hash_key((places.files / "prometheus" / "api-key").read_text())
        assert keys["prometheus"].scopes == (Scope.READ,)

    def test_other_keys_stay(self, places: Places) -> None:
        """A key that a person made is still there, and readable for the container's user, after the next run."""
        make_secrets(places)
        create_key(places.keys, "somebody", [Scope.ADMIN])
        make_secrets(places)
        assert {key.name for key in read_keys(places.keys)} == {"somebody", "ui", "prometheus"}
        assert rights(places.keys) == 0o644

    def test_only_the_owner_gets_to_them(self, places: Places) -> None:
        """Nobody else reads .env or enters the folder; what lies in it is open to users of containers."""
        make_secrets(places)
        assert (rights(places.variables), rights(places.files)) == (0o600, 0o700)
        assert {rights(path) for path in places.files.glob("*/*.json")} == {0o644}

    def test_each_part_has_its_own_bucket(self, places: Places) -> None:
        """No key of S3 opens the bucket of another part."""
        make_secrets(places)
        identities = json.loads((places.files / "s3" / "s3.json").read_text())["identities"]
        for one in identities:
            assert {action.partition(":")[2] for action in one["actions"]} == {one["name"]}

    def test_keeps_the_receiver_of_alerts(self, places: Places) -> None:
        """Alerts go nowhere at first, then where they were told to, also after the next run."""
        webhook = places.files / "alertmanager" / "webhook-url"
        make_secrets(places)
        assert webhook.read_text() == NOWHERE
        make_secrets(places, "https://example.org/alerts")
        make_secrets(places)
        assert webhook.read_text() == "https://example.org/alerts"

    @pytest.mark.parametrize("weak", ["changeme", "postgres", "short"])
    def test_refuses_words_out_of_examples(self, places: Places, weak: str) -> None:
        """A secret that anybody would try first is refused by name, and nothing is written."""
        places.variables.write_text(f"POSTGRES_PASSWORD={weak}\n")
        with pytest.raises(UsageError, match="POSTGRES_PASSWORD") as raised:
            make_secrets(places)
        assert weak not in str(raised.value)
        assert not places.files.exists()


class TestCheck:
    """Whether all is there."""

    def test_good_after_make(self, places: Places) -> None:
        """What was made is what compose.yaml asks for: Compose itself takes it."""
        make_secrets(places)
        check(places)

    def test_names_what_is_missing(self, places: Places) -> None:
        """Without secrets it names them and the command that makes them."""
        with pytest.raises(NotThereError, match=r"POSTGRES_PASSWORD.*compose secrets"):
            check(places)

    def test_tells_what_compose_refuses(self, places: Places) -> None:
        """A file that Compose cannot read is an error in Compose's words."""
        make_secrets(places)
        (places.root / "compose.yaml").unlink()
        (places.root / "compose.yaml").write_text("services: {api: {imag: x}}\n")
        with pytest.raises(CliError, match="imag"):
            check(places)
