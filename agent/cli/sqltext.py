"""SQL as it is written: coloured word by word, as soon as a word is complete."""

from __future__ import annotations

import re

from .screen import Screen

__all__ = ["SQLWriter", "sql_pieces"]

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*'?)|(?P<name>\"(?:[^\"]|\"\")*\"?|`[^`]*`?)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
_KEYWORDS = frozenset(
    "ALL AND AS ASC BETWEEN BY CASE CAST CROSS DESC DISTINCT ELSE END ESCAPE EXCEPT EXISTS FALSE FILTER FIRST FROM FULL "
    "GLOB GROUP HAVING IN INNER INTERSECT IS JOIN LAST LEFT LIKE LIMIT NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER "
    "PARTITION RIGHT SELECT THEN TRUE UNION WHEN WHERE WITH".split()
)
_STYLES = {"text": "green", "number": "magenta", "name": "", "other": "", "space": ""}


def sql_pieces(sql: str) -> list[tuple[str, str]]:
    """Return the text in pieces, each with its style."""
    return [(match[0], _style(match)) for match in _TOKEN.finditer(sql)]


def _style(match: re.Match[str]) -> str:
    kind = str(match.lastgroup)
    if kind == "word":
        return "bold blue" if match[0].upper() in _KEYWORDS else ""
    return _STYLES[kind]


class SQLWriter:
    """Writes SQL that comes in pieces of any size. `end()` writes what stands last."""

    def __init__(self, screen: Screen, *, indent: str = "") -> None:
        self._screen = screen
        self._indent = indent
        self._rest = ""

    def feed(self, text: str) -> None:
        """Write what is complete: the last token may still grow."""
        pieces = sql_pieces(self._rest + text)
        if not self._screen.terminal:
            self._write("".join(piece for piece, _ in pieces), "")
            self._rest = ""
            return
        for piece, style in pieces[:-1]:
            self._write(piece, style)
        self._rest = pieces[-1][0] if pieces else ""

    def end(self) -> None:
        """Write the last token."""
        for piece, style in sql_pieces(self._rest):
            self._write(piece, style)
        self._rest = ""

    def _write(self, text: str, style: str) -> None:
        self._screen.write(text.replace("\n", "\n" + self._indent), style)
