"""The model registry on MLflow: every model with what is known of it, and which of them is the champion."""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from appraiser_model.bundle import Bundle
from appraiser_model.card import MODEL_NAME, Card
from appraiser_model.errors import (
    BundleError,
    CardMismatchError,
    RegistryError,
    RegistryUnreachableError,
    UnknownVersionError,
)
from appraiser_model.notes import shortened
from appraiser_schema import Alias, AliasMove, ModelVersion, MoveKind, utc_now

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE: Final = 200
CARD_FILE: Final = "model_card.md"
"""Name of the card in words among the files of a run."""


class Registry:
    """The registered models of one MLflow server or database.

    Everything that a `ModelVersion` tells stands in tags of the version, so that listing the versions is one question
    and needs no file. Safe to use from several threads.
    """

    def __init__(self, tracking_uri: str, name: str = MODEL_NAME) -> None:
        """Nothing is asked until the first method is called.

        Args:
            tracking_uri: `http://` or `https://` of an MLflow server, or `sqlite:///` and the path of its database;
                artifacts then lie beside the database in `artifacts/`.
            name: Name of the registered model and of the experiment.
        """
        self.tracking_uri = tracking_uri
        self.name = name

    def log_run(self, bundle: Bundle) -> str:
        """Log how a model was trained as a finished MLflow run, and give its id.

        Logs the parameters, the batches, the snapshot, the code version, the validation metrics and, for a model
        that was trained just now, the validation error after each tree. An earlier run of the same batch that never
        finished, because its process was ended, is marked as killed.
        """
        from mlflow.entities import Metric, Param  # noqa: PLC0415

        card = bundle.card
        tags = {name: value for name, value in _facts(bundle).items() if name != "card"}
        with self._asking():
            self._end_unfinished_runs(card.batch_number)
            run = self._client.create_run(self._experiment(), tags=tags, run_name=f"batch-{card.batch_number}")
            now, run_id = run.info.start_time, run.info.run_id
            metrics = [Metric(f"validation_{name}", value, now, 0) for name, value in card.metrics.items()]
            self._client.log_batch(
                run_id,
                metrics=metrics,
                params=[Param(name, str(value)) for name, value in _parameters(card).items()],
            )
            curve = bundle.model.log.curve if bundle.model.log else ()
            points = [Metric("validation_log_mae", value, now, tree) for tree, value in enumerate(curve, start=1)]
            for start in range(0, len(points), 1000):  # MLflow takes no more at once
                self._client.log_batch(run_id, metrics=points[start : start + 1000])
            self._client.set_terminated(run_id)
        return str(run_id)

    def register(self, bundle: Bundle, run_id: str | None = None) -> int:
        """Register a model and give its version number.

        The files are stored before the version appears, and the version appears with all its facts: a registration
        that is cut off leaves no half version behind.

        Args:
            bundle: The model and its card.
            run_id: The run that made it; without one, `log_run` is called.
        """
        from mlflow.entities import LoggedModelOutput  # noqa: PLC0415

        from appraiser_model.mlflow_model import write_mlflow_model  # noqa: PLC0415

        run_id = run_id or self.log_run(bundle)
        facts = _facts(bundle)
        with self._asking(), tempfile.TemporaryDirectory() as scratch:
            self._ensure_model()
            logged = self._client.create_logged_model(self._experiment(), name=self.name, source_run_id=run_id)
            write_mlflow_model(bundle, Path(scratch) / "model", logged.model_id, run_id)
            self._client.log_model_artifacts(logged.model_id, str(Path(scratch) / "model"))
            self._client.finalize_logged_model(logged.model_id, "READY")
            self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
            # Not `models:/<id>`: on a database without a server MLflow would look for it in its global store.
            version = self._client.create_model_version(
                self.name, logged.artifact_location, run_id, tags=facts, await_creation_for=0, model_id=logged.model_id
            )
        return int(version.version)

    def version_of_batch(self, batch_number: int) -> int | None:
        """The newest version that a batch asked for; None where there is none."""
        with self._asking():
            found = self._search(f"name = '{self.name}' and tags.batch_number = '{batch_number}'")
            return max((int(version.version) for version in found), default=None)

    def versions(self) -> list[ModelVersion]:
        """Every version, the newest first."""
        with self._asking():
            found = self._search(f"name = '{self.name}'")
            aliases = self._aliases()
            return sorted(
                (self._describe(version, aliases) for version in found), key=lambda model: model.version, reverse=True
            )

    def version(self, version: int) -> ModelVersion:
        """What is known of one version.

        Raises:
            UnknownVersionError: There is no such version.
        """
        with self._asking():
            return self._describe(self._get(version), self._aliases())

    def card(self, version: int) -> Card:
        """The card of a version.

        Raises:
            UnknownVersionError: There is no such version.
            CardMismatchError: Its card was written by another version of this library.
        """
        with self._asking():
            text = self._get(version).tags.get("card", "")
        try:
            return Card.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "card"
            problem = f"the card of version {version} is not one of this appraiser_model, {field!r}: {first['msg']}"
            raise CardMismatchError(self.tracking_uri, f"{problem}. Use the code that trained it.") from error

    def set_metrics(self, version: int, metrics: Mapping[str, float]) -> None:
        """Keep the test metrics of a version with it, in place of those it had."""
        with self._asking():
            found = self._get(version)
            self._client.set_model_version_tag(self.name, str(version), "metrics", json.dumps(dict(metrics)))
            for name, value in metrics.items():
                self._client.log_metric(found.run_id, f"test_{name}", value)

    def describe(self, version: int, text: str) -> None:
        """Keep the card in words where people look for it. The same text once more changes nothing.

        The whole of it is the run's file `model_card.md`; it is also the description of the version and of its run,
        as far as MLflow has room for that, and says then where the whole lies.

        Args:
            version: Which.
            text: Markdown, as `card_in_words` writes it.
        """
        with self._asking(), tempfile.TemporaryDirectory() as scratch:
            found = self._get(version)
            note = shortened(text, f"The whole card is the file `{CARD_FILE}` of the run `{found.run_id}`")
            if found.description == note:
                return
            (Path(scratch) / CARD_FILE).write_text(text, encoding="utf-8")
            self._client.log_artifacts(found.run_id, scratch)
            self._client.set_tag(found.run_id, "mlflow.note.content", note)
            # Last: where the version has the text, everything has it.
            self._client.update_model_version(self.name, str(version), note)

    def keep_files(self, version: int, folder: Path) -> None:
        """Keep the files of a folder with the run that made a version, under the paths that they have there."""
        with self._asking():
            self._client.log_artifacts(self._get(version).run_id, str(folder))

    def has_file(self, version: int, path: str) -> bool:
        """Whether a file is kept with the run that made a version, such as 'report/report.md'."""
        with self._asking():
            found = self._client.list_artifacts(self._get(version).run_id, str(Path(path).parent))
            return path in {file.path for file in found}

    def fetch_file(self, version: int, path: str, folder: Path) -> Path | None:
        """Put a file that is kept with the run of a version into a folder, whole or not at all; None where none is."""
        if not self.has_file(version, path):
            return None
        with self._asking(), tempfile.TemporaryDirectory(prefix=".fetched-", dir=folder) as scratch:
            fetched = Path(self._client.download_artifacts(self._get(version).run_id, path, scratch))
            return fetched.replace(folder / fetched.name)

    def champion(self) -> int | None:
        """Version number of the champion; None where there is none yet."""
        return self.alias(Alias.CHAMPION)

    def alias(self, alias: Alias) -> int | None:
        """Version number that an alias stands for; None where it stands for none."""
        with self._asking():
            return next((version for version, names in self._aliases().items() if alias in names), None)

    def move(self, alias: Alias, to_version: int, *, kind: MoveKind, who: str, why: str) -> AliasMove:
        """Let an alias stand for another version.

        Returns:
            What happened, for the ledger. Moving an alias to where it is changes nothing and says so: both versions
            of the record are the same.

        Raises:
            UnknownVersionError: There is no such version.
        """
        with self._asking():
            self._get(to_version)
            before = self.alias(alias)
            if before != to_version:
                self._client.set_registered_model_alias(self.name, alias.value, str(to_version))
        return AliasMove(
            at=utc_now(), kind=kind, alias=alias, from_version=before, to_version=to_version, who=who, why=why
        )

    def download(self, version: int, folder: Path) -> Path:
        """Put the bundle of a version into a folder, whole or not at all, and give the folder.

        A folder that is there already is left as it is; `Bundle.load` tells whether it is the right one.
        """
        from appraiser_model.mlflow_model import BUNDLE_PATH  # noqa: PLC0415

        if folder.exists():
            return folder
        with self._asking():
            from mlflow.artifacts import download_artifacts  # noqa: PLC0415

            self._get(version)
            uri = f"{self._client.get_model_version_download_uri(self.name, str(version))}/{BUNDLE_PATH}"
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
                fetched = Path(download_artifacts(uri, dst_path=scratch, tracking_uri=self.tracking_uri))
                try:
                    fetched.rename(folder)
                except OSError:  # someone else was faster
                    if not folder.exists():
                        raise
        return folder

    def load(self, version: int, cache: Path | None = None) -> Bundle:
        """Load the bundle of a version, compared with the digest that the registry has for it.

        Args:
            version: Which.
            cache: Folder that keeps bundles by their digest; one that was damaged there is downloaded again.

        Raises:
            BundleError: What the registry has is damaged or made by other code.
        """
        with self._asking():
            digest = self._get(version).tags["bundle_digest"]
        if cache is None:
            with tempfile.TemporaryDirectory() as scratch:
                return Bundle.load(self.download(version, Path(scratch) / digest), digest)
        folder = cache / digest
        if folder.exists():
            try:
                return Bundle.load(folder, digest)
            except BundleError:
                shutil.rmtree(folder, ignore_errors=True)
        return Bundle.load(self.download(version, folder), digest)

    @cached_property
    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient  # noqa: PLC0415 - it takes seconds to import

        _set_manners()
        path = _database(self.tracking_uri)
        with _one_at_a_time(path) if path else nullcontext():
            return MlflowClient(self.tracking_uri, self.tracking_uri)

    def _experiment(self) -> str:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        if found := self._client.get_experiment_by_name(self.name):
            return str(found.experiment_id)
        path = _database(self.tracking_uri)
        location = None if path is None else (path.parent / "artifacts").resolve().as_uri()
        try:
            return str(self._client.create_experiment(self.name, location))
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":  # someone else was faster
                return self._experiment()
            raise

    def _end_unfinished_runs(self, batch_number: int) -> None:
        question = f"attributes.status = 'RUNNING' and tags.batch_number = '{batch_number}'"
        for run in self._client.search_runs([self._experiment()], question):
            self._client.set_terminated(run.info.run_id, "KILLED")

    def _ensure_model(self) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _search(self, question: str) -> list[Any]:
        page = self._client.search_model_versions(question, max_results=PAGE)
        found = list(page)
        while page.token:
            page = self._client.search_model_versions(question, max_results=PAGE, page_token=page.token)
            found += page
        return found

    def _get(self, version: int) -> Any:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            return self._client.get_model_version(self.name, str(version))
        except MlflowException as error:
            if error.error_code in _ABSENT:
                raise UnknownVersionError(self.tracking_uri, self.name, version) from error
            raise

    def _aliases(self) -> dict[int, tuple[Alias, ...]]:
        """Our aliases by version number."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            found = self._client.get_registered_model(self.name).aliases
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return {}
            raise
        known = [(alias, int(found[alias])) for alias in Alias if alias in found]
        return {version: tuple(a for a, v in known if v == version) for _, version in known}

    def _describe(self, found: Any, aliases: Mapping[int, tuple[Alias, ...]]) -> ModelVersion:
        tags, version = found.tags, int(found.version)
        facts = {name: json.loads(tags.get(name, "null")) for name in _JSON_FACTS}
        texts = {name: tags.get(name) for name in _TEXT_FACTS}
        try:
            return ModelVersion.model_validate(
                {**facts, **texts, "version": version, "aliases": aliases.get(version, ()), "run_id": found.run_id}
            )
        except ValidationError as error:
            problem = f"version {version} of {self.name!r} was not registered by appraiser_model, {error.title}"
            raise RegistryError(self.tracking_uri, problem) from error

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Give what goes wrong between here and the registry its name."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            yield
        except MlflowException as error:
            if error.error_code in _SILENT and "API request" in str(error):
                raise RegistryUnreachableError(self.tracking_uri, _first_line(error)) from error
            raise RegistryError(self.tracking_uri, _first_line(error)) from error
        except OSError as error:
            kind = RegistryUnreachableError if isinstance(error, _unanswered()) else RegistryError
            raise kind(self.tracking_uri, _first_line(error)) from error


_JSON_FACTS: Final = ("batches", "rows_train", "simulated_data", "snapshot_id", "metrics")
_TEXT_FACTS: Final = ("created_at", "code_version", "features_fingerprint", "bundle_digest")
_ABSENT: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_SILENT: Final = ("INTERNAL_ERROR",)


def _facts(bundle: Bundle) -> dict[str, str]:
    """The tags of a version."""
    card = bundle.card
    return {
        "batch_number": str(card.batch_number),
        "bundle_digest": bundle.digest,
        "source": card.source,
        "created_at": card.created_at.isoformat(),
        "code_version": card.code_version,
        "features_fingerprint": card.features_fingerprint,
        "batches": json.dumps(card.batches),
        "rows_train": json.dumps(card.rows_train),
        "simulated_data": json.dumps(card.simulated_data),
        "snapshot_id": json.dumps(card.snapshot_id),
        "metrics": "{}",
        "card": card.model_dump_json(),
    }


def _parameters(card: Card) -> dict[str, object]:
    config = card.config.model_dump()
    features = {f"features.{name}": value for name, value in config.pop("features").items()}
    return config | features | {"rounds": card.rounds}


def _database(tracking_uri: str) -> Path | None:
    """Path of the SQLite file behind a tracking URI; None where it is no SQLite."""
    prefix = "sqlite:///"
    return Path(tracking_uri.removeprefix(prefix)) if tracking_uri.startswith(prefix) else None


@contextmanager
def _one_at_a_time(database: Path) -> Iterator[None]:
    """Keep other processes out while MLflow makes the tables of a new database: two at once break each other's work."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_name(f"{database.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _set_manners() -> None:
    """Give up on a server after seconds, not after MLflow's four minutes, and keep progress and links off the console.

    What the environment sets has precedence.
    """
    from mlflow import environment_variables as settings  # noqa: PLC0415

    manners: dict[Any, int | bool] = {
        settings.MLFLOW_HTTP_REQUEST_MAX_RETRIES: 2,
        settings.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: 1,
        settings.MLFLOW_HTTP_REQUEST_TIMEOUT: 20,
        settings.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: False,
        settings.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: True,
    }
    for setting, value in manners.items():
        if not setting.is_set():
            setting.set(value)


def _unanswered() -> tuple[type[OSError], ...]:
    """What is raised where a server does not answer; other errors of the system are of disks and files."""
    from requests import exceptions  # noqa: PLC0415 - MLflow brings it

    return ConnectionError, TimeoutError, exceptions.ConnectionError, exceptions.Timeout


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
