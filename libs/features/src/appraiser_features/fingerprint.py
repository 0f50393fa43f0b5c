"""Which version of the feature code this is."""

import ast
import hashlib
from importlib.resources import files
from typing import Final

FINGERPRINTED: Final = (
    "columns",
    "config",
    "encoder",
    "expected",
    "fit",
    "fitting",
    "location",
    "measures",
    "positions",
    "rows",
    "single",
    "sites",
)
"""Modules that decide what a feature's value is. `declaration` is not one: a better label is no other feature, and
the names are compared on their own."""


def fingerprint_code(sources: dict[str, str]) -> str:
    """Digest of what code does, whatever it looks like.

    Comments, docstrings, blank lines and line endings do not count, so that an editable install, a wheel and a
    checkout on another system agree. Everything else does: a changed constant is a changed feature.

    Args:
        sources: Python source by module name.
    """
    digest = hashlib.sha256()
    for name in sorted(sources):
        tree = ast.parse(sources[name])
        _drop_docstrings(tree)
        digest.update(f"{name}\n{ast.unparse(tree)}\n".encode())
    return digest.hexdigest()


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            texts = [s for s in node.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)]
            node.body = [s for s in node.body if s not in texts] or [ast.Pass()]


def _read_sources() -> dict[str, str]:
    package = files("appraiser_features")
    return {name: (package / f"{name}.py").read_text(encoding="utf-8") for name in FINGERPRINTED}


CODE_FINGERPRINT: Final = fingerprint_code(_read_sources())
"""Of the feature definitions in this version of the code."""
