"""Where things stand in a grammar text: its tokens, its statements, the brackets that belong together."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import pairwise

from .edits import Edit
from .nodes import Source
from .scanner import scan

__all__ = ["Layout"]

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Layout:
    """The tokens of a text that can be cut into tokens. Raises GrammarError where it cannot."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        self.tokens = scan(source)
        self.newline = "\r\n" if "\r\n" in self.text else "\n"

    def index(self, at: int) -> int:
        """The number of the token at an offset, or of the next one."""
        return bisect_left(self._offsets, at)

    @cached_property
    def _offsets(self) -> list[int]:
        return [token.at for token in self.tokens]

    @cached_property
    def statements(self) -> list[tuple[int, int]]:
        """The first and the last token of every statement, by number; a line that begins with | continues one."""
        found: list[tuple[int, int]] = []
        first = last = None
        for number, token in enumerate(self.tokens):
            if token.kind == "newline":
                continue
            begins = number == 0 or self.tokens[number - 1].kind == "newline"
            if begins and token.text != "|" and first is not None and last is not None:
                found.append((first, last))
                first = None
            first = number if first is None else first
            last = number
        return [*found, (first, last)] if first is not None and last is not None else found

    def statement(self, at: int) -> tuple[int, int]:
        """The tokens of the statement that an offset is in, by number."""
        number = self.index(at)
        return next((pair for pair in self.statements if pair[0] <= number <= pair[1]), (number, number))

    def end(self, number: int) -> int:
        """The offset behind a token."""
        return self.tokens[number].at + len(self.tokens[number].text)

    def without(self, at: int) -> Edit:
        """The edit that takes away the statement at an offset, with its line end and a comment behind it."""
        first, last = self.statement(at)
        start, end = self.tokens[first].at, self.end(last)
        line = self.text.rfind("\n", 0, start) + 1
        if self.text[line:start].isspace():
            start = line
        stop = self.text.find("\n", end)
        return Edit(start, len(self.text) if stop < 0 else stop + 1, "")

    def closing(self, number: int) -> int | None:
        """The number of the token that closes the bracket at `number`."""
        opening = self.tokens[number].text
        depth = 0
        for at in range(number, len(self.tokens)):
            token = self.tokens[at]
            if token.kind == "sign":
                depth += (token.text == opening) - (token.text == _CLOSING[opening])
                if depth == 0:
                    return at
        return None

    def atom(self, number: int) -> int | None:
        """The first token of the atom that ends right before token `number`; None where it is not a plain one."""
        number -= 1
        token = self.tokens[number]
        if token.text in (")", "]") and token.kind == "sign":
            depth = 0
            for at in range(number, -1, -1):
                if self.tokens[at].kind == "sign":
                    depth += (self.tokens[at].text in (")", "]")) - (self.tokens[at].text in ("(", "["))
                    if depth == 0:
                        return at
            return None
        if token.kind == "string" and number > 1 and self.tokens[number - 1].text == "..":
            return number - 2
        return number if token.kind in ("string", "regex", "name") else None

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a comment stands between two offsets."""
        inside = [t for t in self.tokens[self.index(start) :] if t.at < end]
        edges = [start, *[side for t in inside for side in (t.at, t.at + len(t.text))], end]
        return any(self.text[a:b].strip() for a, b in list(pairwise(edges))[::2])

    def renamed(self, old: str, new: str) -> list[Edit]:
        """The edits that give a rule or terminal another name, wherever it stands."""
        return [Edit(t.at, t.at + len(old), new) for t in self.tokens if t.kind == "name" and t.text == old]
