"""The bundle: what was saved is what is loaded, or nothing is."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import appraiser_model
from appraiser_features import CODE_FINGERPRINT
from appraiser_model import (
    Bundle,
    BundleError,
    BundleExistsError,
    BundleMismatchError,
    Card,
    DigestError,
    ModelError,
    TrainingConfig,
    read_card,
)
from appraiser_model.bundle import FILES, MANIFEST, _manifest
from appraiser_schema.frames import to_columns

if TYPE_CHECKING:
    from conftest import Market


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    """A saved bundle."""
    bundle.save(tmp_path / "bundle")
    return tmp_path / "bundle"


def forge(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON file, and the manifest so that it fits."""
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    files = {name: (folder / name).read_bytes() for name in FILES}
    (folder / MANIFEST).write_bytes(_manifest(files))


class TestSave:
    """Writing."""

    def test_files(self, folder: Path) -> None:
        """There are the files that the documentation names, and no pickle among them."""
        assert {path.name for path in folder.iterdir()} == {*FILES, MANIFEST}
        for path in folder.iterdir():
            with pytest.raises((pickle.UnpicklingError, UnicodeDecodeError, ValueError, KeyError, IndexError)):
                pickle.loads(path.read_bytes())  # noqa: S301 - it must not work

    def test_nothing_beside(self, folder: Path) -> None:
        """The temporary folder is gone."""
        assert [path.name for path in folder.parent.iterdir()] == ["bundle"]

    def test_twice(self, bundle: Bundle, folder: Path) -> None:
        """Saving the same bundle again changes nothing."""
        before = (folder / MANIFEST).stat().st_mtime_ns
        bundle.save(folder)
        assert (folder / MANIFEST).stat().st_mtime_ns == before

    def test_occupied(self, bundle: Bundle, tmp_path: Path) -> None:
        """A folder with something else in it is left alone."""
        (tmp_path / "bundle").mkdir()
        with pytest.raises(BundleExistsError, match="holds something else"):
            bundle.save(tmp_path / "bundle")

    def test_cut_off(self, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """When writing fails half way, nothing is left behind."""

        def fail(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr("appraiser_model.bundle.os.fsync", fail)
        with pytest.raises(OSError, match="no space"):
            bundle.save(tmp_path / "bundle")
        assert list(tmp_path.iterdir()) == []


class TestLoad:
    """Reading."""

    def test_same(self, bundle: Bundle, folder: Path, market: "Market") -> None:
        """Appraisals and explanations have the same bits before and after."""
        loaded, columns = Bundle.load(folder, bundle.digest), to_columns(market.test)
        assert loaded.model.appraise(columns).price_usd.tobytes() == bundle.model.appraise(columns).price_usd.tobytes()
        assert loaded.model.appraise(columns).lower_usd.tobytes() == bundle.model.appraise(columns).lower_usd.tobytes()
        assert loaded.model.explain(columns).effect_usd.tobytes() == bundle.model.explain(columns).effect_usd.tobytes()
        assert loaded.card == bundle.card
        assert loaded.model.rounds == bundle.model.rounds

    def test_same_files(self, folder: Path, tmp_path: Path) -> None:
        """Loaded and saved again it is the same bundle."""
        loaded = Bundle.load(folder)
        loaded.save(tmp_path / "again")
        again = Bundle.load(tmp_path / "again")
        assert again.digest == loaded.digest == Bundle(loaded.model, loaded.card).digest

    def test_other_bundle(self, folder: Path) -> None:
        """An intact bundle that is not the one asked for is refused."""
        with pytest.raises(DigestError, match="'bundle'") as caught:
            Bundle.load(folder, "0" * 64)
        assert caught.value.expected == "0" * 64

    @pytest.mark.parametrize("name", FILES)
    def test_mutilated(self, folder: Path, name: str) -> None:
        """A file of which a bit is wrong is refused by name, before anything reads it."""
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
        with pytest.raises(DigestError, match=name):
            Bundle.load(folder)

    @pytest.mark.parametrize("name", [*FILES, MANIFEST])
    def test_lost(self, folder: Path, name: str) -> None:
        """So is a bundle that lost a file."""
        (folder / name).unlink()
        with pytest.raises(BundleError, match=f"'{name}' cannot be read, No such file"):
            Bundle.load(folder)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "other", "files": {}}', "\x00"])
    def test_foreign(self, folder: Path, content: str) -> None:
        """A folder with another manifest is no bundle."""
        (folder / MANIFEST).write_text(content)
        with pytest.raises(BundleError, match=MANIFEST):
            Bundle.load(folder)

    def test_other_format(self, folder: Path) -> None:
        """A bundle of another format is intact, but of another version of the code: an upgrade, no damage."""
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(manifest | {"format": "appraiser-bundle-2"}))
        with pytest.raises(BundleMismatchError, match=r"'appraiser-bundle-2', this code reads .*Train a model"):
            Bundle.load(folder)

    def test_no_folder(self, tmp_path: Path) -> None:
        """Nor is one that does not exist, and the message says what to do."""
        with pytest.raises(BundleError, match="Download the model from the registry again"):
            Bundle.load(tmp_path / "nowhere")

    def test_other_features(self, folder: Path) -> None:
        """A model that other feature code made is refused."""
        forge(folder, "features.json", lambda state: state | {"code": "0" * 64})
        with pytest.raises(BundleMismatchError, match="Serve the last good model"):
            Bundle.load(folder)

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("interval.json", lambda state: {}),  # noqa: ARG005
            ("interval.json", lambda state: state | {"bands_usd": [1.0, 1.0]}),
            ("interval.json", lambda state: state | {"errors": {"complete": state["errors"]["complete"]}}),
            ("interval.json", lambda state: {"coverage": 0.9, "rows": 9, "size_known": {}, "size_unknown": {}}),  # noqa: ARG005
            ("interval.json", lambda state: []),  # noqa: ARG005
            ("domain.json", lambda state: state | {"price_usd": [1]}),
            ("domain.json", lambda state: state | {"spans": None}),
            ("card.json", lambda state: state | {"rows_train": "many"}),
            ("features.json", lambda state: state | {"places": {}}),
        ],
    )
    def test_forged(self, folder: Path, name: str, change: Callable[[Any], Any]) -> None:
        """A file that fits its digest and makes no sense is refused all the same."""
        forge(folder, name, change)
        with pytest.raises(BundleError):
            Bundle.load(folder)


class TestCard:
    """The card."""

    def test_facts(self, bundle: Bundle, market: "Market", config: TrainingConfig) -> None:
        """It tells what the model was made from, by which code."""
        card = bundle.card
        assert (card.batches, card.rows_train, card.config) == ((0, 1, 2), market.train.height, config)
        assert card.features_fingerprint == CODE_FINGERPRINT
        assert card.rounds == bundle.model.rounds
        assert set(card.libraries) >= {"python", "xgboost", "numpy", "appraiser-features"}
        assert card.metrics["mdape"] > 0

    def test_alone(self, bundle: Bundle, folder: Path) -> None:
        """It can be read without the model."""
        assert read_card(folder) == bundle.card
        (folder / "card.json").write_text("{")
        with pytest.raises(BundleError, match=r"'card\.json' cannot be read"):
            read_card(folder)

    def test_untrained(self, folder: Path, market: "Market", config: TrainingConfig) -> None:
        """A model that was read from a file gets no new card."""
        model = Bundle.load(folder).model
        with pytest.raises(ModelError, match="not trained just now"):
            Card.of(
                model,
                market.train,
                config=config,
                source="",
                simulated_data=False,
                batch_number=0,
                snapshot_id=0,
            )


class TestImport:
    """What an import costs."""

    def test_light(self) -> None:
        """Importing the library imports none of the large ones."""
        large = ("xgboost", "mlflow", "polars", "pandas", "pandera", "scipy", "sklearn")
        code = f"import appraiser_model, sys; print([name for name in {large} if name in sys.modules])"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "[]"

    def test_names(self) -> None:
        """Every public name is there, the late ones too."""
        assert all(hasattr(appraiser_model, name) for name in appraiser_model.__all__)
        assert not hasattr(appraiser_model, "no_such_name")
