"""Regular expressions as trees: what every terminal comes down to, whatever it was written in.

From a tree one gets texts: the shortest, a few different ones, all of a finite set. `rust_regex` and `lexicon`
build them; naming, coverage, sampling and the exports read them.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

__all__ = [
    "ANY",
    "EMPTY",
    "Both",
    "Chars",
    "Complement",
    "Concat",
    "Regular",
    "Times",
    "Union",
    "chars",
    "draw",
    "finite",
    "folded",
    "inverse",
    "literal",
    "nullable",
    "overlap",
    "pick",
    "product",
    "samples",
    "shortest",
]

_LAST = 0x10FFFF
_LONGEST = 20_000  # characters of a made-up text
_DRAWN = 3_000  # steps of a random one
_MOST_SEARCHED = 400
_LONGEST_WALK = 80
_SURROGATES = (0xD800, 0xDFFF)
# What a person would type comes first; anything else only where a class leaves no choice.
_PREFERRED = "aze09AZ_-. ,:;/+*=()[]{}<>'\"#@!?%&|$^~`\\\t\n"


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of sorted, disjoint ranges. `approximate`: Unicode tables were not consulted."""

    ranges: tuple[tuple[int, int], ...]
    approximate: bool = False

    def __contains__(self, character: str) -> bool:
        code = ord(character)
        index = bisect_right(self.ranges, (code, _LAST)) - 1
        return index >= 0 and self.ranges[index][0] <= code <= self.ranges[index][1]


@dataclass(frozen=True, slots=True)
class Concat:
    """One after the other."""

    items: tuple[Regular, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """Any one of the options."""

    options: tuple[Regular, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """`low` to `high` times; `high` None is without end."""

    item: Regular
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Both:
    """What all items match."""

    items: tuple[Regular, ...]


@dataclass(frozen=True, slots=True)
class Complement:
    """What the item does not match."""

    item: Regular


Regular: TypeAlias = Chars | Concat | Union | Times | Both | Complement

EMPTY = Concat(())
ANY = Chars(((0, _SURROGATES[0] - 1), (_SURROGATES[1] + 1, _LAST)))


def chars(ranges: Iterable[tuple[int, int]], *, approximate: bool = False) -> Chars:
    """Sort and merge ranges of code points."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return Chars(tuple(merged), approximate)


def inverse(given: Chars) -> Chars:
    """Every other character (surrogates are none)."""
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in chars([*given.ranges, _SURROGATES]).ranges:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        gaps.append((start, _LAST))
    return Chars(tuple(gaps), given.approximate)


def overlap(one: Chars, other: Chars) -> Chars:
    """The characters in both."""
    joined = inverse(chars([*inverse(one).ranges, *inverse(other).ranges]))
    return Chars(joined.ranges, one.approximate or other.approximate)


def literal(text: str, *, fold: bool = False) -> Regular:
    """Exactly this text; with `fold`, in any case."""
    return Concat(tuple(_fold(c) if fold else Chars(((ord(c), ord(c)),)) for c in text))


def _fold(character: str) -> Chars:
    return folded(Chars(((ord(character), ord(character)),)))


def folded(given: Chars) -> Chars:
    """The class with the other case of every letter (simple case folding)."""
    extra: list[tuple[int, int]] = []
    for low, high in given.ranges:
        for code in range(low, min(high, 0x24F) + 1):
            character = chr(code)
            for other in (character.lower(), character.upper(), character.title()):
                if len(other) == 1 and other != character:
                    extra.append((ord(other), ord(other)))
            if character in "kK":
                extra.append((0x212A, 0x212A))
            elif character in "sS":
                extra.append((0x17F, 0x17F))
    return chars([*given.ranges, *extra], approximate=given.approximate)


def nullable(node: Regular) -> bool:
    """Whether the empty text matches."""
    match node:
        case Chars():
            return False
        case Concat(items=items) | Both(items=items):
            return all(nullable(item) for item in items)
        case Union(options=options):
            return any(nullable(option) for option in options)
        case Times(item=item, low=low):
            return low == 0 or nullable(item)
        case Complement(item=item):
            return not nullable(item)


def pick(given: Chars, rng: random.Random | None = None) -> str | None:
    """A character of the class that a person might type; None for the empty class."""
    if not given.ranges:
        return None
    usual = [c for c in _PREFERRED if c in given]
    if rng is None:
        return usual[0] if usual else chr(given.ranges[0][0])
    if usual and rng.random() < 0.85:
        letters = [c for c in "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c in given]
        return rng.choice(letters if letters and rng.random() < 0.7 else usual)
    low, high = rng.choice(given.ranges)
    return chr(rng.randint(low, min(high, low + 0x2000)))


@lru_cache(maxsize=4096)
def shortest(node: Regular) -> str | None:
    """A shortest matching text; None where there is none, where `&` and `~` hide it well, or where it is very long."""
    text = _shortest(node)
    return text if text is None or len(text) <= _LONGEST else None


def _shortest(node: Regular) -> str | None:
    match node:
        case Chars():
            return pick(node)
        case Concat(items=items):
            parts: list[str] = []
            for item in items:
                text = shortest(item)
                if text is None:
                    return None
                parts.append(text)
            return "".join(parts)
        case Union(options=options):
            found = [text for option in options if (text := shortest(option)) is not None]
            return min(found, key=len) if found else None
        case Times(item=item, low=low):
            text = shortest(item) if low else ""
            return None if text is None or len(text) * low > _LONGEST else text * low
        case Both() | Complement():
            return _searched(node)


def _searched(node: Regular) -> str | None:
    """A shortest text of what has `&` or `~`, found by trying; None after many tries."""
    from .derivative import NOTHING, derive

    letters = [*_PREFERRED, *(chr(low) for low in _lows(node) if not _SURROGATES[0] <= low <= _SURROGATES[1])]
    known = {node}
    pending = deque([(node, "")])
    while pending and len(known) < _MOST_SEARCHED:
        one, text = pending.popleft()
        if nullable(one):
            return text
        for letter in letters:
            after = derive(one, letter)
            if after != NOTHING and after not in known:
                known.add(after)
                pending.append((after, text + letter))
    return None


def _lows(node: Regular) -> set[int]:
    """The first characters of all classes in a tree."""
    found: set[int] = set()
    stack: list[Regular] = [node]
    while stack:
        match stack.pop():
            case Chars(ranges=ranges):
                found.update(low for low, _ in ranges)
            case Concat(items=items) | Both(items=items) | Union(options=items):
                stack.extend(items)
            case Times(item=item) | Complement(item=item):
                stack.append(item)
    return found


def finite(node: Regular, limit: int) -> list[str] | None:
    """All matching texts in order, or None where there are more than `limit` or they cannot be listed."""
    match node:
        case Chars(ranges=ranges, approximate=approximate):
            if approximate or sum(high - low + 1 for low, high in ranges) > limit:
                return None
            return [chr(code) for low, high in ranges for code in range(low, high + 1)]
        case Concat(items=items):
            return product([finite(item, limit) for item in items], limit)
        case Union(options=options):
            found: dict[str, None] = {}
            for option in options:
                texts = finite(option, limit)
                if texts is None or len(found) + len(texts) > limit:
                    return None
                found.update(dict.fromkeys(texts))
            return list(found)
        case Times(item=item, low=low, high=high):
            if high is None or high > limit:
                return None
            one = finite(item, limit)
            each = [product([one] * count, limit) for count in range(low, high + 1)]
            if any(texts is None for texts in each) or sum(len(t or ()) for t in each) > limit:
                return None
            return list(dict.fromkeys(text for texts in each for text in texts or ()))
        case Both() | Complement():
            return None


def product(parts: list[list[str] | None], limit: int) -> list[str] | None:
    """Every way to put one text of each list after the other; None beyond `limit`, or where a list is None."""
    texts = [""]
    for part in parts:
        if part is None or len(texts) * len(part) > limit:
            return None
        texts = [head + tail for head in texts for tail in part]
    return texts


def samples(node: Regular, count: int, *, seed: int = 0) -> list[str]:
    """Up to `count` different matching texts of moderate length, always the same for a seed."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    failed = 0
    for _ in range(count * 6):
        text = _Draw(rng).text(node, 6)
        if text is not None:
            found.setdefault(text)
        failed += text is None
        if len(found) >= count or failed > 3:
            break
    return list(found)


def draw(node: Regular, rng: random.Random) -> str | None:
    """One random matching text; None where none was found at once."""
    return _Draw(rng).text(node, 6)


class _Draw:
    """One random text, given up where it gets too long."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.left = _DRAWN

    def text(self, node: Regular, room: int) -> str | None:
        """A text of the node, its repetitions drawn up to `room` times more than they must be."""
        self.left -= 1
        if self.left < 0:
            return None
        match node:
            case Chars():
                return pick(node, self.rng)
            case Concat(items=items):
                return self.all_of(items, room)
            case Union(options=options):
                return self.text(self.rng.choice(options), room) if options else None
            case Times(item=item, low=low, high=high):
                most = max(low, min(low + room, high if high is not None else low + room))
                count = self.rng.randint(low, most)
                return self.all_of((item,) * count, max(1, room // 2)) if count <= _LONGEST else None
            case Both() | Complement():
                return self.walk(node)

    def walk(self, node: Regular) -> str | None:
        """A text of what has `&` or `~`, character by character."""
        from .derivative import NOTHING, derive, first

        written = ""
        for _ in range(_LONGEST_WALK):
            self.left -= 1
            if nullable(node) and self.rng.random() < 0.3:
                return written
            letters = [letter for letter in _PREFERRED + "bcdefgh" if letter in first(node)]
            letters += [chr(low) for low, _ in first(node).ranges[:8]]
            self.rng.shuffle(letters)
            after = next((d for letter in letters if (d := derive(node, letter)) != NOTHING), None)
            if after is None or self.left < 0:
                break
            letter = next(letter for letter in letters if derive(node, letter) == after)
            node, written = after, written + letter
        return written if nullable(node) else None

    def all_of(self, nodes: tuple[Regular, ...], room: int) -> str | None:
        """The texts of all nodes, one after the other."""
        parts: list[str] = []
        for node in nodes:
            text = self.text(node, room)
            if text is None:
                return None
            parts.append(text)
        return "".join(parts)
