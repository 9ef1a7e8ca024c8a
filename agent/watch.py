"""The watch: a text that leaves its grammar while it is being written is noticed at once.

On a server that enforces the grammar it never happens; on every other, the rest of the text would be paid for and
thrown away. Texts of a tool that has a `rewrite` are not watched: whole, they may still be of use.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jigwork.errors import GrammarError
from jigwork.tools import Tool

from .events import ArgumentsDelta, AttemptDiscarded, ModelEvent, ReasoningDelta, TextDelta

__all__ = ["GrammarWatch", "Left"]

_STRING = re.compile(r'(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")
_MENDABLE = (" ", "\n", "\r", "\t", "`")
"""White space and code fences around a text are taken off when it is decoded: no reason to stop."""


@dataclass(frozen=True, slots=True)
class Left:
    """A text left its grammar: the tool that it was for, and what the model is told. `answer`: it was no call, but
    the final text. Sizes are bytes as they came: `written` of this text alone (JSON included, where it stands in
    JSON), `received` of the whole response."""

    name: str
    explanation: str
    written: int
    received: int
    answer: bool = False


_SECONDS = 10.0
"""What following one text may take in all."""


class GrammarWatch:
    """Follows the texts of one response: the calls of grammar tools, and the answer where that is a text too.

    `custom`: grammar tools were sent as what they are, not as functions. `answer` is the tool that reads the final
    text, None where any text is allowed.
    """

    def __init__(
        self, tools: Mapping[str, Tool[..., Any]], *, custom: bool, answer: Tool[..., Any] | None = None
    ) -> None:
        self._tools = tools
        self._custom = custom
        self._answer = answer
        self._texts: dict[tuple[str, int], _Watched | None] = {}
        self._written: dict[tuple[str, int], int] = {}

    def add(self, event: ModelEvent) -> Left | None:
        """Take what comes; return where, and why, the response is to be ended, else None."""
        if isinstance(event, AttemptDiscarded):  # it begins anew
            self._texts.clear()
            self._written.clear()
        if not isinstance(event, TextDelta | ArgumentsDelta | ReasoningDelta):
            return None
        key = (type(event).__name__, event.index)
        self._written[key] = self._written.get(key, 0) + len(event.text.encode("utf-8", "replace"))
        if isinstance(event, ReasoningDelta) or (isinstance(event, TextDelta) and event.refusal):
            return None
        if key not in self._texts:
            with suppress(GrammarError):  # of one that does not compile the outcome speaks
                self._texts[key] = self._watched(event)
        watched = self._texts.setdefault(key, None)
        if watched is None or watched.follow(event.text):
            return None
        self._texts[key] = None
        if watched.explanation is None:
            return None
        sizes = self._written[key], sum(self._written.values())
        return Left(watched.name, watched.explanation, *sizes, answer=isinstance(event, TextDelta))

    def _watched(self, event: TextDelta | ArgumentsDelta) -> _Watched | None:
        if isinstance(event, TextDelta):
            return None if self._answer is None else _Watched(self._answer, custom=True)
        tool = self._tools.get(event.name)
        if tool is None or tool.text is None or tool.text.rewrite is not None:
            return None  # what leaves the grammar may still be written as the grammar has it
        return _Watched(tool, custom=self._custom)


class _Watched:
    """One text on its way through its grammar."""

    def __init__(self, tool: Tool[..., Any], *, custom: bool) -> None:
        from jigwork.grammars.engine import compiled

        grammar, text = tool.grammar, tool.text
        assert grammar is not None and text is not None
        self.name = tool.name
        self.explanation: str | None = None
        self._grammar = grammar
        self._cursor = compiled(grammar.syntax, grammar.definition).cursor()
        self._seconds = _SECONDS
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
        self._text += text
        try:
            valid = self._fed(data)
            if valid == len(data):
                return True
            rest = data[valid:].decode("utf-8", "replace")
            if not (self._cursor.accepting and rest[0] in _MENDABLE):
                self.explanation = self._grammar.explain(self._text).for_model()
        except GrammarError:  # it takes too long to say: the whole text is judged when it is there
            self.explanation = None
        return False

    def _fed(self, data: bytes) -> int:
        """Go on by these bytes; only the time that this takes counts, not that of the server."""
        from jigwork.grammars.engine import Deadline

        begun = time.monotonic()
        valid = self._cursor.feed(data, Deadline(self._seconds))
        self._seconds -= time.monotonic() - begun
        return valid

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
