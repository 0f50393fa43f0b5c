"""The Secrets of a cluster: made so that no two places disagree, kept so that nobody reads them."""

import json
import os
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from typer.testing import CliRunner

from appraiser_cli.cluster_secrets import applying
from appraiser_cli.cluster_secrets.declared import DECLARED
from appraiser_cli.cluster_secrets.errors import SecretsError
from appraiser_cli.cluster_secrets.keeping import as_values, make_identity, read, recipients_of, write
from appraiser_cli.cluster_secrets.making import NOBODY, Group, Values, keys_in, make, with_key
from appraiser_cli.main import app
from appraiser_schema import KeyFile, Scope, hash_key


@pytest.fixture
def values() -> Values:
    """Secrets of a new cluster."""
    return make()


class TestMake:
    """The values."""

    def test_all(self, values: Values) -> None:
        """Each key of each declared Secret has one, and nothing else is made."""
        assert set(values) == {(one.namespace, one.name, key) for one in DECLARED for key in one.keys}
        assert all(values.values())

    def test_database(self, values: Values) -> None:
        """Whoever asks the database has the password that the database gives its role."""
        for place, role in (
            (("mlflow", "mlflow-database", "url"), "mlflow"),
            (("airflow", "airflow-metadata", "connection"), "airflow"),
            (("airflow", "airflow-ledger", "url"), "appraiser"),
            (("airflow", "airflow-lake", "url"), "lake"),
            (("fastapi", "api-ledger", "url"), "appraiser"),
        ):
            address = urlsplit(values[place])
            assert (address.username, address.hostname, address.path) == (role, "postgres-rw.database", f"/{role}")
            assert unquote(str(address.password)) == values["database", f"role-{role}", "password"]

    def test_storage(self, values: Values) -> None:
        """The storage knows the keys of its users; nobody but the backup sees two buckets, and that only reads."""
        identities = {one["name"]: one for one in json.loads(values["storage", "s3-config", "s3.json"])["identities"]}
        for name, secret in (("mlflow", ("mlflow", "mlflow-s3")), ("lake", ("airflow", "airflow-lake"))):
            known = identities[name]["credentials"][0]
            assert known["accessKey"] == values[(*secret, "access-key")]
            assert known["secretKey"] == values[(*secret, "secret-key")]
            assert {action.split(":")[1] for action in identities[name]["actions"]} == {name}
        assert identities["backup"]["actions"] == ["Read", "List"]

    def test_api_keys(self, values: Values) -> None:
        """The API has the hashes of its readers' keys, with the scopes that each needs and no other."""
        keys = {one.name: one for one in KeyFile.model_validate_json(values["fastapi", "api-keys", "keys.json"]).keys}
        assert keys["ui"].sha256 == hash_key(values["streamlit", "api-key", "key"])
        assert keys["prometheus"].sha256 == hash_key(values["monitoring", "api-key", "key"])
        assert keys["prometheus"].scopes == (Scope.READ,)
        assert Scope.ADMIN not in keys["ui"].scopes

    def test_never_twice(self, values: Values) -> None:
        """Two clusters have nothing in common but names and the address of nobody."""
        other = make()
        assert {place for place in values if values[place] == other[place]} == {
            *(("database", f"role-{role}", "username") for role in ("appraiser", "lake", "mlflow", "airflow")),
            ("monitoring", "alertmanager", "webhook-url"),
        }
        assert values["monitoring", "alertmanager", "webhook-url"] == NOBODY


class TestRotate:
    """Drawing again."""

    def test_one_group(self, values: Values) -> None:
        """What was not named stays, to the letter."""
        after = make(values, frozenset({Group.GRAFANA}))
        assert {place for place in values if values[place] != after[place]} == {
            ("monitoring", "grafana", "admin-password")
        }

    def test_database(self, values: Values) -> None:
        """Every address with a password in it follows."""
        after = make(values, frozenset({Group.DATABASE}))
        changed = {place for place in values if values[place] != after[place]}
        assert {place[2] for place in changed} == {"password", "url", "connection"}
        assert len(changed) == 9

    def test_api_keys_overlap(self, values: Values) -> None:
        """A key that was replaced holds while its reader starts anew, and is gone with the next rotation."""
        once = make(values, frozenset({Group.KEYS}))
        twice = make(once, frozenset({Group.KEYS}))
        old = hash_key(values["streamlit", "api-key", "key"])

        def hashes(of: Values) -> set[str]:
            return {one.sha256 for one in KeyFile.model_validate_json(of["fastapi", "api-keys", "keys.json"]).keys}

        assert old in hashes(once)
        assert hash_key(once["streamlit", "api-key", "key"]) in hashes(once)
        assert old not in hashes(twice)

    def test_keys_of_others(self, values: Values) -> None:
        """A key that was made for somebody is left alone; no two have the same name."""
        more, key = with_key(values, "agency", (Scope.PREDICT,))
        after = make(more, frozenset(Group))
        assert hash_key(key) in {one.sha256 for one in keys_in(after)}
        assert [one.name for one in keys_in(after)].count("ui") == 1
        with pytest.raises(SecretsError, match="agency"):
            with_key(after, "agency", (Scope.PREDICT,))

    def test_fernet_overlaps(self, values: Values) -> None:
        """Airflow reads with the key before the last as well, and writes with the new one."""
        place = ("airflow", "airflow-fernet", "fernet-key")
        after = make(values, frozenset({Group.AIRFLOW}))[place]
        assert after.split(",")[1] == values[place]
        assert len(make({**values, place: after}, frozenset({Group.AIRFLOW}))[place].split(",")) == 2

    def test_webhook(self, values: Values) -> None:
        """Where alerts go is told once and stays."""
        told = make(values, frozenset(), "https://hooks.example.com/x")
        assert make(told)["monitoring", "alertmanager", "webhook-url"] == "https://hooks.example.com/x"


class TestKeep:
    """The encrypted file, by the real SOPS and age."""

    def test_round_trip(self, values: Values, tmp_path: Path) -> None:
        """Nothing secret can be read in it; its key gives everything back."""
        key, file = tmp_path / "keys" / "age.txt", tmp_path / "dev.sops.yaml"
        public = make_identity(key)
        write(file, values, [public])
        text = file.read_text(encoding="utf-8")
        open_values = {place for place, value in values.items() if value in text and place[2] != "username"}
        assert open_values == set()
        assert as_values(yaml.safe_load(read(file, key))) == values
        assert recipients_of(file) == [public]
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert make_identity(key) == public

    def test_other_key(self, values: Values, tmp_path: Path) -> None:
        """Another key does not open it, and the error says which option to use."""
        file = tmp_path / "dev.sops.yaml"
        write(file, values, [make_identity(tmp_path / "age.txt")])
        make_identity(tmp_path / "other.txt")
        with pytest.raises(SecretsError, match="--key"):
            read(file, tmp_path / "other.txt")

    def test_command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Made once, never overwritten, rotated for the same holders of keys."""
        monkeypatch.setattr("appraiser_cli.home.ROOT", tmp_path)
        line = ["secrets", "create", "--overlay", "prod", "--key", str(tmp_path / "age.txt")]
        assert CliRunner().invoke(app, line).exit_code == 0
        file = tmp_path / "gitops/secrets/prod.sops.yaml"
        before = file.read_bytes()
        assert CliRunner().invoke(app, line).exit_code != 0
        assert file.read_bytes() == before
        rotated = CliRunner().invoke(
            app, ["secrets", "rotate", "grafana", "--overlay", "prod", "--key", str(tmp_path / "age.txt")]
        )
        assert rotated.exit_code == 0, rotated.output
        assert file.read_bytes() != before
        assert "apply --overlay prod --restart" in rotated.output


class TestApply:
    """What kubectl is given. It needs a cluster, so one that writes down what it hears stands in for it."""

    @pytest.fixture
    def heard(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """File of what kubectl was told."""
        program, heard = tmp_path / "kubectl", tmp_path / "heard"
        program.write_text(
            f'#!/bin/sh\necho "$@" >>{heard}\ncase "$*" in *" -f -"*) cat >>{heard} ;; esac\necho found\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return heard

    def test_apply(self, heard: Path) -> None:
        """It gets them through a pipe, and applies them on the server."""
        applying.apply("kind: List\n")
        assert heard.read_text().startswith("apply --server-side")
        assert heard.read_text().endswith("kind: List\n")

    def test_restart(self, heard: Path) -> None:
        """Whoever reads a Secret at its start begins anew, the storage before those that ask it."""
        told = applying.restart()
        assert told[0] == "storage/statefulset/seaweedfs"
        assert "rollout restart statefulset/api --namespace fastapi" in heard.read_text()
