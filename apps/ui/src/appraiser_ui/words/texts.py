"""The texts of a language, and how they are said."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from babel.numbers import format_decimal

from appraiser_ui.words.language import LOCALES, Language, current

HERE: Final = Path(__file__).parent

type Text = str | Mapping[str, str]
"""A text, or one per grammatical number: `one` and `other`."""

PLURAL: Final = frozenset({"one", "other"})


def say(key: str, /, **values: object) -> str:
    """A text of the page in the language that is spoken.

    Args:
        key: File and key, such as `appraise.title`.
        values: What stands for each `{name}` in the text, as it is to be read. `count`, a whole number, also chooses
            between `one` and `other`, and is written with its thousands separated.

    Raises:
        KeyError: There is no such text, or a value is missing.
    """
    language = current()
    text = texts_of(language)[key]
    if not isinstance(text, str):
        text = text["one" if abs(int(str(values["count"]))) == 1 else "other"]
    if isinstance(number := values.get("count"), int):
        values["count"] = format_decimal(number, locale=LOCALES[language])
    return text.format(**values) if values else text


def say_or(key: str, otherwise: str, /, **values: object) -> str:
    """The text, or another one where there is none: for names that come from the API and may be newer than the page."""
    return say(key, **values) if has(key) else otherwise


def has(key: str) -> bool:
    """Whether there is such a text."""
    return key in texts_of(current())


@cache
def texts_of(language: Language) -> Mapping[str, Text]:
    """Every text of a language by its key."""
    files = sorted((HERE / language).glob("*.toml"))
    return MappingProxyType({key: text for file in files for key, text in _texts(file.stem, _read(file))})


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _texts(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for name, value in table.items():
        if isinstance(value, str) or set(value) == PLURAL:
            yield f"{prefix}.{name}", value
        else:
            yield from _texts(f"{prefix}.{name}", value)
