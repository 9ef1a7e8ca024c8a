"""Grammars that llguidance parses in ever larger rows: right-recursive lists, and ambiguous repetitions."""

from __future__ import annotations

from collections.abc import Iterator

from jigwork.errors import GrammarLimitError

from .coverage import Coverage
from .derivation import Production
from .diagnostics import Diagnostic, diagnose
from .engine import Deadline, small_engine

__all__ = ["recursion"]

_ROW, _REPEATS = 150, 400
_SEPARATORS = {"", ",", ";", "|", "&"}
_SLOW = (
    "llguidance keeps every element open to the end: a text of twice the length takes four times as long "
    "(every server that uses it)"
)
_WHY = (
    "llguidance keeps more in memory for every element, slows down, and stops with an error at 2000 items in a row "
    "(every server that uses it)"
)


def recursion(coverage: Coverage) -> Iterator[Diagnostic]:
    """W6: rules whose rows grow with the length of the text, found by writing a long one."""
    for options in coverage.derivation.productions.values():
        for production in options:
            item = _item(production, options)
            if item is None or coverage.deadline.left() < 0 or not coverage.derivation.usable(production):
                continue
            witness = _growing(coverage, production, item)
            slow = not witness and _separated(coverage, production, item)
            witness = witness or slow or ""
            if not witness:
                continue
            name = production.head
            if production.endless or production.body.count(name) > 1:
                message = (
                    f"this repetition can be read in many ways, more with every element: {production.shown}"
                )
                fix = "repeat in one place only: the inner or the outer"
            else:
                message = f"{name} is a list that recurses on its right end: {production.shown}"
                fix = f"write it with * or +, or on the left: {name}: {name} ... | ..."
            yield diagnose(
                coverage.document.source,
                production.at,
                "W6",
                message,
                why=_SLOW if slow else _WHY,
                fix=fix,
                witness=witness,
            )


def _item(production: Production, options: list[Production]) -> tuple[str, ...] | None:
    """The part of an alternative that can come again and again, if it is one of a list.

    A rule like `neg: "NOT " neg | x` recurses on its right as well, and is as it must be.
    """
    body, head = production.body, production.head
    if production.endless:
        return body[:1]
    if body.count(head) > 1:
        rest = tuple(symbol for symbol in body if symbol != head)
        return next((o.body for o in options if head not in o.body), None) if not rest else None
    if len(body) < 2 or body[-1] != head:
        return None
    ends = any(not o.body or o.body[0] == body[0] for o in options if o is not production)
    return body[:-1] if ends else None


def _separated(coverage: Coverage, production: Production, symbols: tuple[str, ...]) -> str:
    """A text of a list whose elements stand between commas, semicolons or line ends: such lists get long.

    An operator that binds to the right, as in `power: atom "^" power | atom`, is as it must be.
    """
    terminal = coverage.derivation.terminals.get(symbols[-1])
    if production.endless or len(symbols) < 2 or terminal is None or not terminal.listed:
        return ""
    if any(text.strip() not in _SEPARATORS for text in terminal.texts):
        return ""
    before, after = coverage.derivation.context(production.head)
    whole = before + symbols * 3 + (production.head, *after)
    return coverage.sentence(coverage.derivation.expand(whole)) or ""


def _growing(coverage: Coverage, production: Production, symbols: tuple[str, ...]) -> str:
    derivation = coverage.derivation
    before, after = derivation.context(production.head)
    item, head, tail = ("".join(t.text for t in derivation.expand(part)) for part in (symbols, before, after))
    end = "" if production.endless else "".join(t.text for t in derivation.expand((production.head,)))
    witness = head + item * 3 + end + tail
    if not item or not coverage.accepts(witness):
        return ""
    cursor = small_engine(coverage.document.source.text, _ROW).cursor()
    try:
        cursor.feed((head + item * _REPEATS).encode(), Deadline(1.0), exact=False)
    except GrammarLimitError:
        return witness
    return ""
