"""Sentences in which two terminals meet that the rules let stand side by side, where a third may run over the seam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .derivation import Derivation, Production, Terminal, Token
from .derivative import derive, first, residual
from .engine import Deadline
from .regular import Regular, overlap, pick, shortest

__all__ = ["meetings"]

_MOST_EDGES = 20_000  # terminals at the edges of rules; a larger grammar is not searched
_MOST_TERMINALS = 400
_LISTED = 50  # words of a terminal that are tried

Edges = dict[
    str, dict[str, tuple[str, ...]]
]  # for a symbol, the terminals at one edge and a derived row with each


def meetings(derivation: Derivation, deadline: Deadline) -> Iterator[tuple[Production, list[Token]]]:
    """Derivable sentences where the text of one terminal and the first character of the next begin another terminal.

    Each pair of terminals comes once, at the first alternative that lets them meet.
    """
    rivals = [t.node for t in derivation.terminals.values() if t.node is not None]
    if len(rivals) > _MOST_TERMINALS:
        return
    begins, ends = _edges(derivation, last=False), _edges(derivation, last=True)
    if begins is None or ends is None:
        return
    seen: set[tuple[str, str]] = set()
    for place in _places(derivation):
        for one, trail in ends[place.left].items():
            for other, lead in begins[place.right].items():
                if deadline.left() < 0:
                    return
                if (one, other) in seen:
                    continue
                seen.add((one, other))
                terminals = derivation.terminals
                for end, begin in _seams(terminals[one], terminals[other], rivals):
                    tokens = [
                        *derivation.expand(place.before + trail[:-1]),
                        Token(one, end),
                        Token(other, begin),
                        *derivation.expand(lead[1:] + place.after),
                    ]
                    yield place.production, tokens


@dataclass(frozen=True, slots=True)
class _Place:
    production: Production
    before: tuple[str, ...]
    left: str
    right: str
    after: tuple[str, ...]


def _places(derivation: Derivation) -> Iterator[_Place]:
    """Where two symbols of an alternative can meet, those between them being empty."""
    empty = _empty(derivation)
    for options in derivation.productions.values():
        for production in filter(derivation.usable, options):
            before, after = derivation.context(production.head)
            body = production.body
            for index, left in enumerate(body):
                for other in range(index + 1, len(body)):
                    yield _Place(
                        production, before + body[:index], left, body[other], body[other + 1 :] + after
                    )
                    if body[other] not in empty:
                        break


def _empty(derivation: Derivation) -> set[str]:
    found: set[str] = set()
    grown = True
    while grown:
        new = {
            head
            for head, options in derivation.productions.items()
            if head not in found and any(all(symbol in found for symbol in p.body) for p in options)
        }
        found |= new
        grown = bool(new)
    return found


def _edges(derivation: Derivation, *, last: bool) -> Edges | None:
    """The terminals at the edge of each symbol; None where there are too many."""
    empty = _empty(derivation)
    edges: Edges = {key: {key: (key,)} if t.texts else {} for key, t in derivation.terminals.items()}
    edges.update((head, {}) for head in derivation.productions)
    count, grown = 0, True
    while grown:
        grown = False
        for head, options in derivation.productions.items():
            for production in options:
                if not all(derivation.productive(s) or s in derivation.terminals for s in production.body):
                    continue
                for key, row in _at_edge(production.body, edges, empty, last=last):
                    if key not in edges[head]:
                        edges[head][key] = row
                        grown, count = True, count + 1
                if count > _MOST_EDGES:
                    return None
    return edges


def _at_edge(
    body: tuple[str, ...], edges: Edges, empty: set[str], *, last: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for index in reversed(range(len(body))) if last else range(len(body)):
        for key, row in list(edges[body[index]].items()):
            yield key, body[:index] + row if last else row + body[index + 1 :]
        if body[index] not in empty:
            return


def _seams(one: Terminal, other: Terminal, rivals: list[Regular]) -> Iterator[tuple[str, str]]:
    """Texts for the two terminals such that a rival that matches along the first goes on into the second."""
    if one.node is None or other.node is None:
        return
    begin = first(other.node)
    for end in one.texts[:_LISTED] if one.listed else one.texts[:1]:
        for rival in rivals:
            rest = residual(rival, end)
            character = pick(overlap(first(rest), begin)) if rest is not None else None
            more = shortest(derive(other.node, character)) if character else None
            if character and more is not None and (not other.listed or character + more in other.texts):
                yield end, character + more
