"""Readable text of an HTML page: headings, paragraphs, lists, tables and links; nothing that a reader would not see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin

from .html_tokens import Start, Text, tokens

__all__ = ["html_to_text"]

_UNSEEN = frozenset(
    "script style template noscript svg math iframe object canvas audio video select textarea dialog".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form h1 h2"
    " h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr frame keygen".split())
_ENDS_ITSELF = frozenset("p li dt dd tr td th option".split())
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0*)?\s*(?:;|$|!)"
    r"|font-size\s*:\s*0(?:\.0*)?(?:px|em|rem|pt|%)?\s*(?:;|$|!)|(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|$|!)"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_MAX_DEPTH = 10_000


def html_to_text(html: str, base: str = "") -> str:
    """Return what a reader sees, with `#` before headings, `-` before list items, ` | ` between cells, and links as
    `[text](address)`; `base` makes their addresses absolute. Scripts, comments and hidden parts are left out.

    Styles of separate sheets are not known: what only they hide is shown.
    """
    reader = _Reader(base)
    for token in tokens(html):
        match token:
            case Text():
                reader.add(token.text)
            case Start():
                reader.begin(token.tag, token.attributes)
            case _:
                reader.end(token.tag)
    return reader.text()


class _Reader:
    """Collects the visible text. `_open` holds the open elements, each with whether it is hidden."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._pieces: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._hidden = 0
        self._pre = 0
        self._cells = 0
        self._link: tuple[int, str] | None = None

    def text(self) -> str:
        """What has come so far."""
        joined = "".join(self._pieces)
        lines = (line.rstrip() for line in joined.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def begin(self, tag: str, given: Mapping[str, str]) -> None:
        """An element opens."""
        hidden = (
            tag in _UNSEEN
            or "hidden" in given
            or given.get("aria-hidden") == "true"
            or _HIDDEN_STYLE.search(given.get("style", "")) is not None
        )
        if tag in _VOID:
            self._void(tag, given, hidden)
            return
        if tag in _ENDS_ITSELF and self._open and self._open[-1][0] == tag:
            self.end(tag)
        if len(self._open) < _MAX_DEPTH:
            self._open.append((tag, hidden))
            self._hidden += hidden
            if not self._hidden:
                self._begin(tag, given)

    def end(self, tag: str) -> None:
        """Close the element and what was left open in it; an end without a beginning is nothing."""
        for depth in range(len(self._open) - 1, max(len(self._open) - 500, 0) - 1, -1):
            if self._open[depth][0] == tag:
                break
        else:
            return
        while len(self._open) > depth:
            name, hidden = self._open.pop()
            if not self._hidden:
                self._end(name)
            self._hidden -= hidden

    def add(self, data: str) -> None:
        """Text comes."""
        if self._hidden or not data or len(self._open) >= _MAX_DEPTH:
            return
        if self._pre:
            self._pieces.append(data)
            return
        words = re.sub(r"\s+", " ", data)
        if words.startswith(" ") and self._at_edge():
            words = words[1:]
        if words:
            self._pieces.append(words)

    def _at_edge(self) -> bool:
        return not self._pieces or self._pieces[-1][-1:].isspace()

    def _void(self, tag: str, given: Mapping[str, str], hidden: bool) -> None:
        if hidden or self._hidden:
            return
        if tag in ("br", "hr"):
            self._pieces.append("\n")
        elif tag == "img" and (words := given.get("alt", "").strip()):
            self._pieces.append(f"(image: {' '.join(words.split())})")

    def _begin(self, tag: str, given: Mapping[str, str]) -> None:
        if tag in _BLOCKS:
            self._pieces.append("\n" if tag in ("li", "tr", "dt", "dd") else "\n\n")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self._pieces.append("#" * int(tag[1]) + " ")
        elif tag == "title":
            self._pieces.append("# ")
        elif tag == "li":
            self._pieces.append("- ")
        elif tag == "tr":
            self._cells = 0
        elif tag in ("td", "th"):
            self._pieces.append(" | " if self._cells else "")
            self._cells += 1
        elif tag == "pre":
            self._pre += 1
        elif tag == "a":
            self._link = (len(self._pieces), urljoin_safely(self._base, given.get("href", "")))

    def _end(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            (at, address), self._link = self._link, None
            words = "".join(self._pieces[at:])
            if address and words.strip() and "\n" not in words.strip():
                self._pieces[at:] = [f"[{words.strip()}]({address})", " " if words.endswith(" ") else ""]
        elif tag == "pre":
            self._pre -= 1
        if (tag in _BLOCKS and tag not in ("li", "tr", "dt", "dd")) or tag == "title":
            self._pieces.append("\n\n")


def urljoin_safely(base: str, href: str) -> str:
    """Return an absolute http address, or "" for everything else (scripts, anchors, data)."""
    if href.startswith("#"):
        return ""
    try:
        address = urljoin(base, href.strip())
    except ValueError:
        return ""
    return address if address.startswith(("http://", "https://")) and len(address) < 1000 else ""
