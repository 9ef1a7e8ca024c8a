"""Matching regular expression trees character by character, by derivatives.

The derivative of an expression by a character is what must still follow after that character. It handles `&` and
`~` as well, and tells an unfinished match from a dead one: what Python's `re` cannot.
"""

from __future__ import annotations

from collections.abc import Iterable

from .regular import (
    ANY,
    EMPTY,
    Both,
    Chars,
    Complement,
    Concat,
    Regular,
    Times,
    Union,
    chars,
    inverse,
    nullable,
    overlap,
)

__all__ = ["NOTHING", "derive", "first", "half_shared", "matches", "residual"]

NOTHING = Chars(())
"""The expression that matches no text at all."""

_SAME_BYTE = (
    *(
        (lead << 6, (lead << 6) + 63) for lead in range(2, 32)
    ),  # two bytes in UTF-8: 64 characters for each first one
    (0x800, 0xFFF),
    *((lead << 12, (lead << 12) + 4095) for lead in range(1, 16)),
    (0x10000, 0x3FFFF),
    *((lead << 18, (lead << 18) + (1 << 18) - 1) for lead in range(1, 4)),
    (0x100000, 0x10FFFF),
)
"""The ranges of characters beyond ASCII that begin with the same byte."""
_WIDEST = 256  # options of a derivative; beyond, names and findings may be lost, never a verdict
_EVERYTHING = Complement(NOTHING)


def residual(node: Regular, text: str) -> Regular | None:
    """What must still follow after `text`; None where no match begins with it."""
    for character in text:
        node = derive(node, character)
        if node == NOTHING:
            return None
    return node


def matches(node: Regular, text: str) -> bool:
    """Whether the whole text matches."""
    rest = residual(node, text)
    return rest is not None and nullable(rest)


def first(node: Regular) -> Chars:
    """The characters that a match can begin with."""
    match node:
        case Chars():
            return node
        case Concat(items=items):
            found = NOTHING
            for item in items:
                found = chars([*found.ranges, *first(item).ranges])
                if not nullable(item):
                    break
            return found
        case Union(options=options):
            return chars([pair for option in options for pair in first(option).ranges])
        case Times(item=item):
            return first(item)
        case Both(items=items):
            return first(items[0]) if items else ANY
        case Complement():
            return ANY


def half_shared(one: Chars, other: Chars) -> Chars:
    """The characters of `other` that are none of `one`, and yet begin with the same byte in UTF-8 as one of them."""
    if not any(high > 127 for _, high in other.ranges) or not any(high > 127 for _, high in one.ranges):
        return NOTHING
    both = [pair for pair in _SAME_BYTE if overlap(one, Chars((pair,))).ranges]
    return overlap(overlap(chars(both), other), inverse(one))


_MOST_STEPS = 1 << 16
_steps: dict[tuple[int, str], tuple[Regular, Regular]] = {}


def derive(node: Regular, character: str) -> Regular:
    """What must follow after one character."""
    # Kept by identity: hashing a tree of thousands of words costs more than the step itself.
    key = (id(node), character)
    known = _steps.get(key)
    if known is not None and known[0] is node:
        return known[1]
    made = _derive(node, character)
    if len(_steps) >= _MOST_STEPS:
        _steps.clear()
    _steps[key] = (node, made)
    return made


def _derive(node: Regular, character: str) -> Regular:
    match node:
        case Chars():
            return EMPTY if character in node else NOTHING
        case Concat(items=items):
            return _derive_concat(items, character)
        case Union(options=options):
            return union(derive(option, character) for option in options)
        case Times(item=item, low=low, high=high):
            more = EMPTY if high == 1 else Times(item, max(0, low - 1), None if high is None else high - 1)
            return concat(derive(item, character), more)
        case Both(items=items):
            return both(derive(item, character) for item in items)
        case Complement(item=item):
            rest = derive(item, character)
            return _EVERYTHING if rest == NOTHING else Complement(rest)


def _derive_concat(items: tuple[Regular, ...], character: str) -> Regular:
    options: list[Regular] = []
    for index, item in enumerate(items):
        options.append(concat(derive(item, character), *items[index + 1 :]))
        if not nullable(item):
            break
    return union(options)


def concat(*items: Regular) -> Regular:
    """One after the other, flattened."""
    flat: list[Regular] = []
    for item in items:
        if item == NOTHING:
            return NOTHING
        flat.extend(item.items if isinstance(item, Concat) else (item,))
    return flat[0] if len(flat) == 1 else Concat(tuple(flat))


def union(options: Iterable[Regular]) -> Regular:
    """Any one of them, flattened, each once."""
    flat: dict[Regular, None] = {}
    for option in options:
        if option == NOTHING:
            continue
        flat.update(dict.fromkeys(option.options if isinstance(option, Union) else (option,)))
        if len(flat) > _WIDEST:
            break
    if _EVERYTHING in flat:
        return _EVERYTHING
    return NOTHING if not flat else next(iter(flat)) if len(flat) == 1 else Union(tuple(flat))


def both(items: Iterable[Regular]) -> Regular:
    """All of them at once."""
    kept: dict[Regular, None] = {}
    for item in items:
        if item == NOTHING:
            return NOTHING
        if item != _EVERYTHING:
            kept.setdefault(item)
    if not kept:
        return Times(ANY, 0, None)
    return next(iter(kept)) if len(kept) == 1 else Both(tuple(kept))
