"""Every word of the page is there in every language, and stands nowhere but among the words."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

import appraiser_ui
from appraiser_ui.words import Language, has, say, say_or, speaking, texts_of

SOURCE: Final = Path(appraiser_ui.__file__).parent
MODULES: Final = sorted(SOURCE.rglob("*.py"))
ENGLISH, SPANISH = texts_of(Language.ENGLISH), texts_of(Language.SPANISH)

SENTENCE: Final = re.compile(r"[A-Za-z]{2,}[,.:]? [a-z]{2,}|^[A-Z][a-z]{2,}$")
"""Two words after one another, or one that is written like a heading."""

NOT_SHOWN: Final = frozenset({"__main__.py", "errors.py", "launch.py"})
"""What these say is for the log or a terminal."""


def forms(text: str | Mapping[str, str]) -> tuple[str, ...]:
    """The text, or each of its plural forms."""
    return (text,) if isinstance(text, str) else tuple(text.values())


def placeholders(text: str | Mapping[str, str]) -> set[str]:
    """Names between braces, of all forms."""
    return {name for form in forms(text) for _, name, _, _ in Formatter().parse(form) if name}


def literals(module: Path) -> Iterator[tuple[int, str]]:
    """Texts in a module that may reach the screen: all but docstrings and what errors say to the log."""
    tree = ast.parse(module.read_text())
    hidden = {id(node) for raised in ast.walk(tree) if isinstance(raised, ast.Raise) for node in ast.walk(raised)}
    hidden |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


def said(module: Path) -> Iterator[str]:
    """Keys that a module says: whole ones, and for those put together the part before the first value."""
    for call in ast.walk(ast.parse(module.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"say", "say_or", "has"}:
            key = call.args[0]
            if isinstance(key, ast.Constant):
                yield str(key.value)
            elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
                yield f"{key.values[0].value}*"


class TestWords:
    """The texts of both languages."""

    def test_none_is_missing(self) -> None:
        """Both languages have the same keys."""
        assert set(ENGLISH) == set(SPANISH)

    @pytest.mark.parametrize("key", sorted(ENGLISH))
    def test_placeholders_agree(self, key: str) -> None:
        """A text takes the same values in both languages, and has the same plural forms."""
        assert placeholders(ENGLISH[key]) == placeholders(SPANISH[key])
        assert isinstance(ENGLISH[key], str) == isinstance(SPANISH[key], str)
        assert all(form.strip() for text in (ENGLISH[key], SPANISH[key]) for form in forms(text))

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(SOURCE)))
    def test_what_is_said_is_there(self, module: Path) -> None:
        """Every key that a module says is among the words."""
        for key in said(module):
            assert any(known.startswith(key[:-1]) for known in ENGLISH) if key.endswith("*") else key in ENGLISH, key

    def test_nothing_is_left_over(self) -> None:
        """Every text is said by some module."""
        keys = {key for module in MODULES for key in said(module)}
        whole, begun = {key for key in keys if key[-1] != "*"}, tuple(key[:-1] for key in keys if key[-1] == "*")
        assert not {key for key in ENGLISH if key not in whole and not key.startswith(begun)}

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(SOURCE)))
    def test_no_sentence_elsewhere(self, module: Path) -> None:
        """No module holds words for people itself."""
        if module.name not in NOT_SHOWN:
            assert not [(line, text) for line, text in literals(module) if SENTENCE.search(text)]


class TestSaying:
    """How a text is said."""

    def test_in_the_language_that_is_spoken(self) -> None:
        """Outside of a session that is English, unless another one is asked for."""
        assert say("frame.away.again") == "Try again"
        with speaking(Language.SPANISH):
            assert say("frame.away.again") == "Intentar de nuevo"
        assert say("frame.away.again") == "Try again"

    def test_values(self) -> None:
        """A value stands where its name does; a value that is not given is an error."""
        assert say("frame.run", first=1, last=4) == "1 to 4"
        with pytest.raises(KeyError, match="last"):
            say("frame.run", first=1)

    @pytest.mark.parametrize(
        ("language", "rows", "text"),
        [
            (Language.ENGLISH, 1, "1 listing"),
            (Language.ENGLISH, 12_000, "12,000 listings"),
            (Language.SPANISH, 1, "1 anuncio"),
            (Language.SPANISH, 12_000, "12.000 anuncios"),
        ],
    )
    def test_counts(self, language: Language, rows: int, text: str) -> None:
        """A count chooses the form and is written as the language writes numbers."""
        with speaking(language):
            assert say("frame.listings", count=rows) == text

    def test_a_name_that_the_page_does_not_know(self) -> None:
        """It is said as it came."""
        assert not has("frame.nonesuch")
        assert say_or("frame.nonesuch", "Nonesuch") == "Nonesuch"
