"""The watch: a text that leaves its grammar while it is being written is noticed at once.

On a server that enforces the grammar it never happens; on every other, the rest of the text would be paid for and
thrown away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jigwork.tools import Tool

from .events import ArgumentsDelta

__all__ = ["GrammarWatch"]

_STRING = re.compile(r'(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")
_MENDABLE = (" ", "\n", "\r", "\t", "`")
"""White space and code fences around a text are taken off when it is decoded: no reason to stop."""


class GrammarWatch:
    """Follows the calls of one response. `custom`: grammar tools were sent as what they are, not as functions."""

    def __init__(self, tools: Mapping[str, Tool[..., Any]], *, custom: bool) -> None:
        self._tools = tools
        self._custom = custom
        self._calls: dict[int, _Watched | None] = {}

    def add(self, delta: ArgumentsDelta) -> str | None:
        """Return the explanation for the model when this delta leads out of the grammar, else None."""
        if delta.index not in self._calls:
            tool = self._tools.get(delta.name)
            watchable = tool is not None and tool.text is not None
            self._calls[delta.index] = (
                _Watched(tool, self._custom) if tool is not None and watchable else None
            )
        watched = self._calls[delta.index]
        if watched is None:
            return None
        if not watched.follow(delta.text):
            self._calls[delta.index] = None
            return watched.explanation
        return None


class _Watched:
    """One text on its way through its grammar."""

    def __init__(self, tool: Tool[..., Any], custom: bool) -> None:
        from jigwork.grammars.engine import Deadline, compiled

        grammar, text = tool.grammar, tool.text
        assert grammar is not None and text is not None
        self.explanation: str | None = None
        self._grammar = grammar
        self._cursor = compiled(grammar.syntax, grammar.definition).cursor()
        self._deadline = Deadline(10.0)
        self._begin = None if custom else re.compile(rf'\s*\{{\s*"{re.escape(text.parameter)}"\s*:\s*"')
        self._raw = ""
        self._text = ""

    def follow(self, delta: str) -> bool:
        """Go on by a delta; False where nothing more needs to be followed, with `explanation` if it went wrong."""
        text = delta if self._begin is None else self._unquoted(delta)
        if not text:
            return True
        if not self._text and text[0] in _MENDABLE:
            return False
        data = text.encode("utf-8", "replace")
        valid = self._cursor.feed(data, self._deadline)
        self._text += text
        if valid == len(data):
            return True
        rest = data[valid:].decode("utf-8", "replace")
        if not (self._cursor.accepting and rest[0] in _MENDABLE):
            self.explanation = self._grammar.explain(self._text).for_model()
        return False

    def _unquoted(self, delta: str) -> str:
        """Return what this delta adds to the string inside the JSON arguments."""
        self._raw += delta
        if self._begin is not None and not self._text:
            begun = self._begin.match(self._raw)
            if begun is None:
                return ""
            self._raw = self._raw[begun.end() :]
            self._begin = re.compile("")
        match = _STRING.match(self._raw)
        part = match[0] if match else ""
        if half := _HALF_PAIR.search(part):
            part = part[: half.start()]
        self._raw = self._raw[len(part) :]
        return str(json.loads(f'"{part}"', strict=False))
