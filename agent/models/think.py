"""Reasoning that a server writes into the text, between `<think>` and `</think>` at its beginning.

Chat readers send the content through here, piece by piece, and get it back as reasoning and text.
"""

from __future__ import annotations

__all__ = ["ThinkSplitter"]

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Splits content into (reasoning, text). Only a tag at the very beginning counts: later ones are text."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, content: str) -> tuple[str, str]:
        """Take more content; return what is known to be reasoning and what is known to be text."""
        if self._state == "text":
            return "", content
        self._held += content
        if self._state == "start" and not self._leave_start():
            return "", ""
        if self._state == "opened":
            self._held = self._held.lstrip("\r\n")
            self._state = "think" if self._held else "opened"
        reasoning = self._reasoning() if self._state == "think" else ""
        return reasoning, self._text()

    def flush(self) -> tuple[str, str]:
        """Return what was held back, at the end of the content."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "think" else ("", held if self._state != "gap" else "")

    def _leave_start(self) -> bool:
        begun = self._held.lstrip()
        if begun.startswith(_OPEN):
            self._state, self._held = "opened", begun[len(_OPEN) :]
            return True
        if _OPEN.startswith(begun):
            return False
        self._state = "text"
        return True

    def _reasoning(self) -> str:
        at = self._held.find(_CLOSE)
        if at >= 0:
            reasoning, self._held = self._held[:at], self._held[at + len(_CLOSE) :]
            self._state = "gap"
            return reasoning
        keep = next((n for n in range(len(_CLOSE) - 1, 0, -1) if self._held.endswith(_CLOSE[:n])), 0)
        reasoning, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return reasoning

    def _text(self) -> str:
        if self._state == "gap":
            # The empty lines between the closing tag and the answer belong to neither.
            self._held = self._held.lstrip("\r\n")
            if not self._held:
                return ""
            self._state = "text"
        if self._state != "text":
            return ""
        text, self._held = self._held, ""
        return text
