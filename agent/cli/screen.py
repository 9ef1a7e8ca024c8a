"""The screen: where people read. Colours and passing notes on a terminal, plain text in a pipe."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import IO

from rich.console import Console
from rich.text import Text

__all__ = ["GUTTER", "Screen"]

GUTTER = 8
"""Columns that labels take on the left."""

_UNLIMITED = 1_000_000


class _Console(Console):
    """rich ends the process with 1 when nobody reads any more; here the exception goes up as it should."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Screen:
    """Writes lines with a label in front, and text as it comes. What it is given must be clean already."""

    def __init__(self, file: IO[str] | None = None) -> None:
        out = file if file is not None else sys.stdout
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        self._console = _Console(
            file=out,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
            color_system=None if plain else "auto",
        )
        self.terminal = self._console.is_terminal
        self._can_erase = self.terminal and os.environ.get("TERM") != "dumb"
        self.columns: int | None = None
        self._column = 0
        self._noted = False

    @property
    def width(self) -> int:
        """How many columns a line has: `columns` where set, else the terminal's; as good as unlimited in a pipe."""
        return self.columns or (self._console.width if self.terminal else _UNLIMITED)

    def write(self, text: str, style: str = "") -> None:
        """Write text as it is, without ending the line."""
        if not text:
            return
        self.erase_note()
        self._console.print(Text(text, style), end="", no_wrap=True, overflow="ignore", crop=False)
        self._flush()
        last = text.rpartition("\n")
        self._column = len(last[2]) if last[1] else self._column + len(text)

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line of its own."""
        self.fresh_line()
        self.write(text + "\n", style)

    def label(self, name: str, text: str = "", style: str = "", *, end: str = "\n") -> None:
        """Write a line (or its beginning, with `end=""`) with a label; further lines of `text` are indented."""
        self.fresh_line()
        self.write(name.ljust(GUTTER) if text or not end else name, "cyan")
        lines = [part for line in text.split("\n") for part in self._wrap(line)]
        self.write(("\n" + " " * GUTTER).join(lines) + end, style)

    def _wrap(self, line: str) -> list[str]:
        """Break a line at words where a terminal would break it anywhere."""
        room = self.width - GUTTER
        if len(line) < room or room < GUTTER:
            return [line]
        return textwrap.wrap(line, room - 1, drop_whitespace=True, break_on_hyphens=False) or [""]

    def fresh_line(self) -> None:
        """End the line if something stands on it."""
        self.erase_note()
        if self._column:
            self.write("\n")

    def note(self, text: str) -> None:
        """Show a passing note (what is waited for); it is gone with the next text. Nothing in a pipe."""
        if self._can_erase and not self._column:
            self.erase_note()
            self._console.print(Text(text[: self.width - 1], "dim"), end="", no_wrap=True, overflow="crop")
            self._flush()
            self._noted = True

    def erase_note(self) -> None:
        """Take the passing note away."""
        if self._noted:
            self._noted = False
            self._console.file.write("\r\x1b[2K")
            self._flush()

    def _flush(self) -> None:
        self._console.file.flush()
