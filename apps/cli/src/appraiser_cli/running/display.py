"""Progress for a person: lines that stay, and, on a terminal, one that says what is going on now."""

import sys
import time
from textwrap import TextWrapper
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text


class Display:
    """Prints lines that stay; on a terminal, also shows below them what goes on and for how long."""

    def __init__(self) -> None:
        terminal = sys.stdout.isatty()
        self._console = Console(highlight=False, emoji=False, width=None if terminal else 100)
        self._now: dict[str, float] = {}
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True)
        self._on_terminal = terminal
        self.began = time.monotonic()

    def __enter__(self) -> Self:
        if self._on_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._now.clear()
        if self._on_terminal:
            self._live.stop()

    def say(self, text: str, style: str = "", indent: int = 0, *, whole: bool = False) -> None:
        """Print a line that stays; long ones are broken under their indent, unless they are to be copied whole."""
        for paragraph in text.split("\n"):
            lines = [paragraph] if whole else _wrapper(max(20, self._console.width - indent)).wrap(paragraph) or [""]
            for line in lines:
                self._console.print(Text(" " * indent + line, style=style), soft_wrap=True)
        if not self._on_terminal:
            sys.stdout.flush()

    def now(self, *doing: str) -> None:
        """Say what goes on now, in the place of what was said before; each keeps its own clock."""
        clock = time.monotonic()
        self._now = {what: self._now.get(what, clock) for what in doing}

    def _render(self) -> RenderableType:
        clock = time.monotonic()
        lines = [Text(f" {what} … {clock - since:.0f} s") for what, since in list(self._now.items())]
        if not lines:
            return Text("")
        self._spinner.update(text=Group(*lines) if len(lines) > 1 else lines[0])
        return self._spinner


def _wrapper(width: int) -> TextWrapper:
    # Addresses and paths stay whole, so that they can be clicked and copied; runs of blanks align columns.
    return TextWrapper(
        width=width,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
