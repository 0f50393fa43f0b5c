"""Each library has a version, and a version is a promise: within a major version nothing breaks."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from contract import lib_descriptions as libs


def without(description: dict[str, Any], *path: str) -> dict[str, Any]:
    """A description that lacks one thing."""
    changed = copy.deepcopy(description)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize("lib", libs.VERSIONS)
class TestPromise:
    """The libraries of today against the golden copies."""

    def test_nothing_breaks(self, lib: str) -> None:
        """Those who use a version with the same major number can go on."""
        version = libs.VERSIONS[lib]
        broken = libs.broken_promises(lib, version, libs.describe(lib))
        assert not broken, libs.what_to_do(lib, version, broken)

    def test_golden_copy(self, lib: str) -> None:
        """The golden copy of this version says what the library offers."""
        version = libs.VERSIONS[lib]
        golden = libs.golden_copies(lib).get(version)
        assert golden == libs.describe(lib), (
            f"what appraiser_{lib} {version} offers is not what tests/contract/golden/{lib}/{version}.json says. Where "
            f"this version was released, raise it in libs/{lib}/pyproject.toml first. Then run '{libs.COMMAND}'."
        )


class TestWrite:
    """What may become a golden copy."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Golden copies of today's libraries, all of version 1.0.0."""
        for lib in libs.VERSIONS:
            libs.write(lib, "1.0.0", libs.describe(lib), tmp_path)
        return tmp_path

    @pytest.mark.parametrize(
        ("lib", "path"),
        [
            ("schema", ("models", "Batch", "properties", "digest")),
            ("schema", ("tables", "raw", "columns", "price")),
            ("features", ("tables", "matrix", "columns", "bed")),
            ("features", ("models", "FeatureConfig", "properties", "zip_weight")),
            ("model", ("models", "Card", "properties", "source")),
            ("model", ("tables", "metrics", "columns", "mae")),
            ("store", ("tables", "lake.clean.listings", "columns", "row_hash")),
            ("store", ("tables", "ledger.decisions", "columns", "reasons")),
        ],
    )
    def test_refused(self, folder: Path, lib: str, path: tuple[str, ...]) -> None:
        """A description that takes something away is refused within a major version, by name, with what to do."""
        changed = without(libs.describe(lib), *path)
        with pytest.raises(SystemExit, match=rf"{lib} 1\.0\.0/{'/'.join(path)}: is gone") as caught:
            libs.write(lib, "1.1.0", changed, folder)
        assert f'version = "2.0.0" in libs/{lib}/pyproject.toml' in str(caught.value)
        assert list(libs.golden_copies(lib, folder)) == ["1.0.0"]

    def test_new_major_version(self, folder: Path) -> None:
        """A new major version may take something away; the old promise stays on record."""
        changed = without(libs.describe("store"), "tables", "ledger.moves", "columns", "why")
        libs.write("store", "2.0.0", changed, folder)
        assert list(libs.golden_copies("store", folder)) == ["1.0.0", "2.0.0"]

    def test_words_and_fingerprint(self, folder: Path) -> None:
        """Another description or another fingerprint of the code breaks no one."""
        changed = copy.deepcopy(libs.describe("features"))
        changed["fingerprint"] = "0" * 64
        changed["tables"]["matrix"]["columns"]["bed"]["label"] = "Sleeping rooms"
        libs.write("features", "1.0.1", changed, folder)
        assert len(libs.golden_copies("features", folder)) == 2

    def test_tighter_table(self, folder: Path) -> None:
        """A rule of a table that lets less through is breaking, one that lets more through is not."""
        for maximum, version in ((60, "1.1.0"), (50, None)):
            changed = copy.deepcopy(libs.describe("schema"))
            changed["tables"]["clean"]["columns"]["bed"]["maximum"] = maximum
            broken = libs.broken_promises("schema", "1.2.0", changed, folder)
            assert broken == ([] if version else ["schema 1.1.0/tables/clean/columns/bed/maximum: was 60, is 50"])
            if version:
                libs.write("schema", version, changed, folder)

    def test_readable(self, folder: Path) -> None:
        """A golden copy is JSON that people can compare line by line."""
        text = (folder / "store" / "1.0.0.json").read_text("utf-8")
        assert json.loads(text) == libs.describe("store")
        assert len(text.splitlines()) > 100
