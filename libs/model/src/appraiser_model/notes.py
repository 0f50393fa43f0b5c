"""Texts that are too long for where MLflow keeps its descriptions."""

from hashlib import sha256
from typing import Final

MOST: Final = 5_000
"""Characters of a version's description that MLflow's database takes; PostgreSQL refuses more. Of a run's it takes
8,000 and cuts off the rest in silence."""


def shortened(text: str, where: str, most: int = MOST) -> str:
    """The text, or as many whole lines of it as there is room for and a last sentence that says where the whole lies.

    That sentence has the digest of the whole: two texts that differ anywhere give two that differ.

    Args:
        text: Markdown.
        where: Where the whole lies, a sentence without its end.
        most: Characters that there is room for.
    """
    if len(text) <= most:
        return text
    end = f"\n\n*{where}, {len(text):,} characters, SHA-256 {sha256(text.encode()).hexdigest()[:12]}.*\n"
    kept = text[: most - len(end)]
    return kept[: kept.rfind("\n")].rstrip() + end
