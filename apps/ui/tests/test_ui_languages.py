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

NOT_SHOWN: Final = frozenset({"__main__.py", "broken_rules.py", "errors.py", "launch.py", "language.py"})
"""What these say is for the log or a terminal; languages call themselves by their own names, and the
rules of tables are recognised by the words in which the API says them."""

NAMES: Final = frozenset({"Appraiser", "Accept", "Authorization", "price band"})
"""The name of the system, of headers of HTTP, of a part of the market in the ledger."""


def forms(text: str | Mapping[str, str]) -> tuple[str, ...]:
    """The text, or each of its plural forms."""
    return (text,) if isinstance(text, str) else tuple(text.values())


def placeholders(text: str | Mapping[str, str]) -> set[str]:
    """Names between braces, of all forms."""
    return {name for form in forms(text) for _, name, _, _ in Formatter().parse(form) if name}


def literals(module: Path) -> Iterator[str]:
    """Texts in a module that may reach the screen: all but docstrings, names, and what errors say to the log."""
    tree = ast.parse(module.read_text())
    hidden = {id(node) for part in ast.walk(tree) if _is_hidden(part) for node in ast.walk(part)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.value


def _is_hidden(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name.endswith("Error")
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


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
        """Both languages have the same keys, but for what the ledger itself says in English."""
        assert set(ENGLISH) == {key for key in SPANISH if not key.startswith("ledger.")}

    def test_placeholders_agree(self) -> None:
        """A text takes the same values in both languages, in all its forms, and has the same plural forms."""
        for key, text in ENGLISH.items():
            assert placeholders(text) == placeholders(SPANISH[key]), key
            assert isinstance(text, str) == isinstance(SPANISH[key], str), key

    def test_no_text_is_empty(self) -> None:
        """Every form of every text says something."""
        assert not [key for words in (ENGLISH, SPANISH) for key in words if not all(map(str.strip, forms(words[key])))]

    def test_what_is_said_is_there(self) -> None:
        """Every key that a module says is among the words."""
        begun = tuple(SPANISH)
        missing = {
            (str(module.relative_to(SOURCE)), key)
            for module in MODULES
            for key in said(module)
            if (not any(known.startswith(key[:-1]) for known in begun) if key.endswith("*") else key not in SPANISH)
        }
        assert not missing

    def test_nothing_is_left_over(self) -> None:
        """Every text is said by some module."""
        keys = {key for module in MODULES for key in said(module)}
        whole, begun = {key for key in keys if key[-1] != "*"}, tuple(key[:-1] for key in keys if key[-1] == "*")
        assert not {key for key in SPANISH if key not in whole and not key.startswith(begun)}

    def test_no_words_elsewhere(self) -> None:
        """No module holds words for people itself."""
        shown = [module for module in MODULES if module.name not in NOT_SHOWN]
        found = {(str(module.relative_to(SOURCE)), text) for module in shown for text in literals(module)}
        assert not {(module, text) for module, text in found if SENTENCE.search(text) and text not in NAMES}


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
            (Language.ENGLISH, 1, "1 smaller reason"),
            (Language.ENGLISH, 12_000, "12,000 smaller reasons"),
            (Language.SPANISH, 1, "1 razón menor"),
            (Language.SPANISH, 12_000, "12.000 razones menores"),
        ],
    )
    def test_counts(self, language: Language, rows: int, text: str) -> None:
        """A count chooses the form and is written as the language writes numbers."""
        with speaking(language):
            assert say("appraise.why.small", count=rows) == text

    def test_a_name_that_the_page_does_not_know(self) -> None:
        """It is said as it came."""
        assert not has("frame.nonesuch")
        assert say_or("frame.nonesuch", "Nonesuch") == "Nonesuch"
