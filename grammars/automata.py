"""Expressions with `&` and `~` as plain ones: by a small automaton, or not at all where it would get large.

Servers other than llguidance know neither sign, so what an export or an OpenAI tool is given goes through here.
"""

from __future__ import annotations

from functools import lru_cache

from .derivative import NOTHING, derive
from .exactness import representatives
from .regular import EMPTY, Both, Chars, Complement, Concat, Regular, Times, Union, chars, nullable

__all__ = ["boolean", "plain"]

_Edges = dict[tuple[int, int], Regular]


@lru_cache(maxsize=512)
def plain(node: Regular, *, states: int = 400, nodes: int = 20_000) -> Regular | None:
    """The same texts without `&` and `~`; None where the automaton has more states or the result more nodes."""
    if not boolean(node):
        return node
    found = _automaton(node, states)
    return None if found is None else _eliminated(*found, nodes)


def boolean(node: Regular) -> bool:
    """Whether `&` or `~` is inside."""
    match node:
        case Both() | Complement():
            return True
        case Concat(items=items):
            return any(boolean(item) for item in items)
        case Union(options=options):
            return any(boolean(option) for option in options)
        case Times(item=item):
            return boolean(item)
        case _:
            return False


def _automaton(node: Regular, most: int) -> tuple[list[Regular], _Edges] | None:
    """The states from the first on, and the characters from one to another; state -1 is the end."""
    letters = ["\0", *representatives((node,))]
    letters = sorted(set(letters))
    ends = [ord(letter) - 1 for letter in letters[1:]] + [0x10FFFF]
    known = {node: 0}
    states = [node]
    ranges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    at = 0
    while at < len(states):
        for letter, end in zip(letters, ends, strict=True):
            after = derive(states[at], letter)
            if after == NOTHING:
                continue
            if after not in known:
                if len(states) >= most:
                    return None
                known[after] = len(states)
                states.append(after)
            ranges.setdefault((at, known[after]), []).append((ord(letter), end))
        at += 1
    edges: _Edges = {pair: _without_surrogates(chars(found)) for pair, found in ranges.items()}
    edges.update({(number, -1): EMPTY for number, state in enumerate(states) if nullable(state)})
    return states, edges


def _without_surrogates(given: Chars) -> Chars:
    found: list[tuple[int, int]] = []
    for low, high in given.ranges:
        if low < 0xD800:
            found.append((low, min(high, 0xD7FF)))
        if high > 0xDFFF:
            found.append((max(low, 0xE000), high))
    return chars(found)


def _eliminated(states: list[Regular], edges: _Edges, most: int) -> Regular | None:
    """Take the states out one by one, the cheapest first."""
    live = set(range(1, len(states)))
    while live:
        into = {n: [i for i, j in edges if j == n and i != n] for n in live}
        out = {n: [j for i, j in edges if i == n and j != n] for n in live}
        gone = min(live, key=lambda n: (len(into[n]) * len(out[n]), n))
        live.discard(gone)
        loop = edges.pop((gone, gone), None)
        for before in into[gone]:
            for after in out[gone]:
                made = _chain(edges[before, gone], loop, edges[gone, after])
                old = edges.get((before, after))
                edges[before, after] = made if old is None else _either(old, made)
        for before in into[gone]:
            del edges[before, gone]
        for after in out[gone]:
            del edges[gone, after]
        if sum(_size(edge, most) for edge in edges.values()) > most:
            return None
    loop, last = edges.get((0, 0)), edges.get((0, -1))
    if last is None:
        return NOTHING
    return last if loop is None else _chain(EMPTY, loop, last)


def _chain(one: Regular, loop: Regular | None, other: Regular) -> Regular:
    middle: tuple[Regular, ...] = () if loop is None else (Times(loop, 0, None),)
    items = [
        item
        for part in (one, *middle, other)
        for item in (part.items if isinstance(part, Concat) else (part,))
    ]
    return items[0] if len(items) == 1 else Concat(tuple(items))


def _either(one: Regular, other: Regular) -> Regular:
    if EMPTY in (one, other):
        rest = other if one == EMPTY else one
        return rest if nullable(rest) else Times(rest, 0, 1)
    if isinstance(one, Chars) and isinstance(other, Chars):
        return chars([*one.ranges, *other.ranges])
    left = one.options if isinstance(one, Union) else (one,)
    right = other.options if isinstance(other, Union) else (other,)
    return Union(tuple(dict.fromkeys((*left, *right))))


def _size(node: Regular, most: int) -> int:
    total, stack = 0, [node]
    while stack and total <= most:
        total += 1
        match stack.pop():
            case Chars(ranges=ranges):
                total += len(ranges)
            case Concat(items=items) | Union(options=items):
                stack.extend(items)
            case Times(item=item):
                stack.append(item)
            case _:
                pass
    return total
