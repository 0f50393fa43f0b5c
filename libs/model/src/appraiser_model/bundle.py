"""A model as a folder of files, none of which can run code when it is read."""

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ValidationError

from appraiser_features import EncoderError, FeatureEncoder, FingerprintError
from appraiser_model.card import Card
from appraiser_model.domain import Domain
from appraiser_model.errors import BundleError, BundleExistsError, BundleMismatchError, DigestError
from appraiser_model.interval import ConformalInterval
from appraiser_model.trees import Trees
from appraiser_model.valuation import ValuationModel

FORMAT: Final = "appraiser-bundle-3"
MANIFEST: Final = "manifest.json"
FILES: Final = ("model.ubj", "model.onnx", "features.json", "target.json", "interval.json", "domain.json", "card.json")

_WAIT: Final = "Serve the last good model until then."
_AGAIN: Final = f"Train a model with this version of the code, or use the version that made it. {_WAIT}"

type Files = Mapping[str, bytes]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model with its card.

    On disk: `model.ubj` (XGBoost's own format), `model.onnx` (the same trees for single houses), `features.json` (the
    fitted encoder), `target.json` (what is added to the trees), `interval.json`, `domain.json`, `card.json`, and
    `manifest.json` with the SHA-256 of each. There is no
    pickle.

    Attributes:
        model: The model.
        card: What is known of it.
    """

    model: ValuationModel
    card: Card

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest, and so of every file, hexadecimal."""
        return _sha256(_manifest(self._files))

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, hexadecimal."""
        return {name: _sha256(content) for name, content in self._files.items()}

    def save(self, folder: Path) -> None:
        """Write the bundle; the folder appears with everything in it or not at all. Saving the same twice is once.

        Raises:
            BundleExistsError: The folder exists and holds something else.
        """
        files = {**self._files, MANIFEST: _manifest(self._files)}
        if folder.exists():
            _check_same(folder, files)
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, content in files.items():
                _write(building / name, content)
            building.chmod(0o755)
            _move(building, folder, files)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path, expected_digest: str | None = None) -> Self:
        """Read a bundle, after every file was compared with its digest.

        Args:
            folder: Where it lies.
            expected_digest: The digest that the registry has for it; another bundle is refused.

        Raises:
            DigestError: A file is not the one that was saved, or the bundle is not the one expected.
            BundleMismatchError: Another version of the code made it.
            BundleError: It is no bundle.
        """
        files = read_files(folder, expected_digest)
        try:
            model = ValuationModel(
                encoder=FeatureEncoder.from_json(files["features.json"].decode()),
                trees=Trees.read(files["model.ubj"], files["model.onnx"]),
                centre_log=_centre_log(files["target.json"]),
                interval=ConformalInterval.from_state(json.loads(files["interval.json"])),
                domain=Domain.from_state(json.loads(files["domain.json"])),
            )
            card = Card.model_validate_json(files["card.json"])
        except FingerprintError as error:
            raise BundleMismatchError(folder, str(error), _WAIT) from error
        except (EncoderError, ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(folder, f"{type(error).__name__}: {error}") from error
        if model.trees.features != len(model.encoder.names):
            raise BundleError(folder, f"the trees take {model.trees.features} features")
        bundle = cls(model, card)
        bundle.__dict__["digest"] = _sha256(files[MANIFEST])
        return bundle

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """What is written; made once, and never by those who only load."""
        return {
            "model.ubj": self.model.trees.ubj,
            "model.onnx": self.model.trees.onnx,
            "features.json": self.model.encoder.to_json().encode(),
            "target.json": _json({"centre_log": self.model.centre_log}),
            "interval.json": _json(self.model.interval.to_state()),
            "domain.json": _json(self.model.domain.to_state()),
            "card.json": _json(self.card.to_dict()),
        }


def read_card(folder: Path) -> Card:
    """Read the card alone, whatever version of the code made the bundle.

    Raises:
        BundleError: There is no card.
    """
    return _parse(folder, "card.json", Card.model_validate_json)


def read_files(folder: Path, expected_digest: str | None) -> dict[str, bytes]:
    """Read every file of a bundle, and the manifest, after each was compared with its digest.

    Args:
        folder: Where it lies.
        expected_digest: The digest that the registry has for it; None takes the manifest's word.

    Raises:
        DigestError: A file is not the one that was saved, or the bundle is not the one expected.
        BundleMismatchError: It is of another format, which another version of the code made.
        BundleError: It is no bundle.
    """
    manifest = _read(folder, MANIFEST)
    if expected_digest is not None and _sha256(manifest) != expected_digest:
        raise DigestError(folder, "bundle", expected_digest, _sha256(manifest))
    form = _parse(folder, MANIFEST, lambda content: json.loads(content)["format"])
    if form != FORMAT:
        raise BundleMismatchError(folder, f"{MANIFEST!r} tells the format {form!r}, this code reads {FORMAT!r}", _AGAIN)
    digests = _parse(folder, MANIFEST, _digests)
    files = {MANIFEST: manifest}
    for name in FILES:
        files[name] = _read(folder, name)
        if _sha256(files[name]) != digests[name]:
            raise DigestError(folder, name, digests[name], _sha256(files[name]))
    return files


def _digests(content: bytes) -> dict[str, str]:
    manifest = json.loads(content)
    return {name: str(manifest["files"][name]) for name in FILES}


def _centre_log(content: bytes) -> float:
    centre = float(json.loads(content)["centre_log"])
    if not math.isfinite(centre):
        raise ValueError(f"centre_log is {centre!r} where a finite number was expected")
    return centre


def _parse[T](folder: Path, name: str, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(_read(folder, name))
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(folder, f"{name!r} cannot be read, {type(error).__name__}: {error}") from error


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(folder, f"{name!r} cannot be read, {error.strerror or error}") from error


def _manifest(files: Files) -> bytes:
    return _json({"format": FORMAT, "files": {name: _sha256(files[name]) for name in FILES}})


def _check_same(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            raise BundleExistsError(folder)


def _move(building: Path, folder: Path, files: Files) -> None:
    try:
        building.rename(folder)
    except OSError:  # someone else was faster
        _check_same(folder, files)
        return
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _json(state: Mapping[str, Any]) -> bytes:
    return json.dumps(state, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
