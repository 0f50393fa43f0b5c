"""Every word of the page: a folder per language, a file per part of the page, the same keys in both."""

from appraiser_ui.words.language import LOCALES, NAMES, Language, current, remember, speaking
from appraiser_ui.words.texts import has, say, say_or, texts_of

__all__ = ["LOCALES", "NAMES", "Language", "current", "has", "remember", "say", "say_or", "speaking", "texts_of"]
