"""Terminals that are lists of words: every spelling, in the order of the grammar."""

from __future__ import annotations

from .lexicon import Lexicon
from .nodes import Choice, Literal, Name, Node, Pattern, Repeat, Sequence
from .regular import finite, product
from .rust_regex import read_regex

__all__ = ["spellings"]


def spellings(node: Node, lexicon: Lexicon, limit: int) -> list[str] | None:
    """The texts of a terminal that is a list of literals; None for one that is better known by its name."""
    match node:
        case Literal(value=value):
            return [value]
        case Name(name=name):
            body = lexicon.body(name)
            return None if body is None else spellings(body, lexicon, limit)
        case Choice(options=options):
            parts = [spellings(option, lexicon, limit) for option in options]
            if any(part is None for part in parts) or sum(len(p or ()) for p in parts) > limit:
                return None
            return list(dict.fromkeys(text for part in parts for text in part or ()))
        case Sequence(items=items):
            return product([spellings(item, lexicon, limit) for item in items], limit)
        case Repeat(item=item, low=0, high=1):
            inner = spellings(item, lexicon, limit)
            return None if inner is None else [*inner, ""]
        case Pattern(pattern=pattern, flags=flags) if not flags:
            return finite(read_regex(pattern).node, limit) if pattern.replace("|", "").isalnum() else None
        case _:
            return None
