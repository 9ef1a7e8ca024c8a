"""HTML as tokens, in time proportional to its length whatever it is: each character is looked at a few times only.

The parser of the standard library takes quadratic time on some broken pages. What is needed of a page's markup here
is little: which elements open and close, a few attributes, the text between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

__all__ = ["End", "Start", "Text", "tokens"]

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>\0]{0,50})")
_SPACE = re.compile(r"[\s/]*")
_NAME = re.compile(r"[^\s/>][^\s/>=]*")
_EQUALS = re.compile(r"\s*=\s*")
_BARE = re.compile(r"[^\s>]*")
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript")
}


@dataclass(frozen=True, slots=True)
class Text:
    """Characters between tags, references resolved."""

    text: str


@dataclass(frozen=True, slots=True)
class Start:
    """An element opens. An attribute without a value is ""; of two with one name the first counts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class End:
    """An element closes."""

    tag: str


def tokens(html: str) -> Iterator[Text | Start | End]:
    """Yield what a page consists of. Comments, declarations and what is never closed to its end are left out."""
    at, end = 0, len(html)
    while at < end:
        opening = html.find("<", at)
        if opening != at:
            yield Text(unescape(html[at : end if opening < 0 else opening]))
            at = end if opening < 0 else opening
            continue
        if found := _TAG.match(html, at):
            attributes, at = _attributes(html, found.end())
            name = found[2].lower()
            if at < 0:
                return
            yield End(name) if found[1] else Start(name, attributes)
            if not found[1] and name in _RAW:
                closing = _RAW[name].search(html, at)
                text = html[at : closing.start() if closing else end]
                yield Text(unescape(text) if name in ("title", "textarea") else text)
                at = closing.start() if closing else end
        elif html.startswith(("<!", "<?", "</"), at):
            at = _after(html, "-->", at + 4) if html.startswith("<!--", at) else _after(html, ">", at + 2)
        else:
            yield Text("<")
            at += 1


def _after(html: str, what: str, at: int) -> int:
    found = html.find(what, at)
    return len(html) if found < 0 else found + len(what)


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """Read up to the end of a tag; the place after it is -1 where the page ends first."""
    found: dict[str, str] = {}
    while True:
        at = _end_of(_SPACE, html, at)
        if at >= len(html):
            return found, -1
        if html[at] == ">":
            return found, at + 1
        start, at = at, _end_of(_NAME, html, at)
        name, value = html[start:at].lower(), ""
        if equals := _EQUALS.match(html, at):
            at = equals.end()
            quote = html[at : at + 1]
            if quote and quote in "\"'":
                closing = html.find(quote, at + 1)
                if closing < 0:
                    return found, -1
                value, at = html[at + 1 : closing], closing + 1
            else:
                start, at = at, _end_of(_BARE, html, at)
                value = html[start:at]
        found.setdefault(name, unescape(value))


def _end_of(pattern: re.Pattern[str], html: str, at: int) -> int:
    found = pattern.match(html, at)
    return at if found is None else found.end()
