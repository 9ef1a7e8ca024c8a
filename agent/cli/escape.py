"""Text of models, tools and databases, made safe to show: no terminal escapes, no control characters.

A terminal obeys what it is sent: a model or a stored value could recolour, retitle, overwrite or type. What is shown
keeps new lines and tabs and loses everything else that is not a character to look at.
"""

from __future__ import annotations

import re

__all__ = ["Cleaner", "clean", "one_line"]

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"  # OSC, DCS...: titles, links
    r"|\x1b[ -/]+[0-~]"  # character sets
    r"|\x1b[0-Z\\^-~]"  # two characters
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# The beginning of a sequence at the end of a piece: the rest may come with the next one.
_BEGUN = re.compile(
    r"(?:\x1b|(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*\x1b?|\x1b[ -/]+)\Z"
)
_MOST_HELD = 4200
_BREAKS = re.compile(r"[\n\v\f\r\x85\u2028\u2029]+\s*")


def clean(text: str) -> str:
    """Return `text` without escape sequences and control characters; new lines and tabs stay."""
    text = _CONTROL.sub("", _SEQUENCE.sub("", text))
    return _SURROGATE.sub("\ufffd", text)


def one_line(text: str, width: int | None = None) -> str:
    """Return `text` cleaned, on one line, and cut to `width` characters with an ellipsis."""
    if width is not None:
        text = text[: 4 * width + 200]
    line = _BREAKS.sub(" ", clean(text.replace("\r\n", "\n"))).replace("\t", " ").strip()
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


class Cleaner:
    """`clean` for a text that comes in pieces: a sequence that is cut between two of them is still found."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what of the text so far can be shown and was not returned yet."""
        text = self._held + text
        self._held = ""
        begun = _BEGUN.search(text)
        if begun is not None and len(text) - begun.start() < _MOST_HELD:
            text, self._held = text[: begun.start()], text[begun.start() :]
        return clean(text)

    def end(self) -> str:
        """Return what was held back: the text has ended."""
        rest, self._held = self._held, ""
        return clean(rest)
