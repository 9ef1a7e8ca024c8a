"""Whether a grammar means the same without a lexer: a proof, or the place where it may not.

llguidance cuts a text into terminals by the longest match; GBNF and regular expressions have no lexer and accept
every text that the rules derive. Both agree if, wherever a terminal may end, no terminal of the grammar could go on
with a character that may follow. The proof is conservative: without one, the export is called a superset.
"""

from __future__ import annotations

from collections.abc import Iterable

from .derivation import Derivation
from .derivative import NOTHING, derive, first
from .engine import Deadline
from .nodes import Document
from .regular import Both, Chars, Complement, Concat, Regular, Times, Union, chars, nullable, overlap, pick

__all__ = ["difference", "representatives"]

_SECONDS = 5.0
_MOST_STATES = 4000
_MOST_TERMINALS = 400
_START = ""  # the place before the first terminal


def difference(document: Document) -> str | None:
    """None where the proof succeeds; else one sentence that names the terminals that stand in its way."""
    derivation = Derivation(document)
    terminals = {key: t.node for key, t in derivation.terminals.items() if t.node is not None}
    if len(terminals) > _MOST_TERMINALS:
        return f"a grammar of {len(terminals)} terminals is too large for the proof"
    follow = _followers(derivation)
    deadline = Deadline(_SECONDS)
    after = {
        key: chars([r for f in follow.get(key, ()) for r in first(terminals[f]).ranges]) for key in terminals
    }
    for key, other in _rivals(terminals, follow, deadline):
        if deadline.left() < 0:
            return "the proof took too long"
        shared = _goes_on(terminals[key], terminals[other], after[key], deadline)
        if shared is None:
            return f"whether {key} and {other} can be told apart could not be proved"
        if shared.ranges:
            return (
                f"after {key} may follow {pick(shared)!r}, with which {other} could go on: llguidance takes the "
                "longest match, this form does not"
            )
    return None


def _rivals(
    terminals: dict[str, Regular], follow: dict[str, set[str]], deadline: Deadline
) -> set[tuple[str, str]]:
    """The pairs of terminals that can begin at one place of a text.

    Two can at the beginning, after the same terminal, and after two rivals that match the same text.
    """
    found: set[tuple[str, str]] = set()
    pending = [(one, other) for one in follow[_START] for other in follow[_START]]
    while pending and deadline.left() > 0:
        pair = pending.pop()
        if pair in found:
            continue
        found.add(pair)
        one, other = pair
        if one == other or _share(terminals[one], terminals[other], deadline):
            pending.extend((a, b) for a in follow.get(one, ()) for b in follow.get(other, ()))
    return found


def _share(one: Regular, other: Regular, deadline: Deadline) -> bool:
    """Whether some text matches both, or may match both as far as was looked."""
    alphabet = representatives((one, other))
    seen: set[tuple[Regular, Regular]] = set()
    pending = [(one, other)]
    while pending:
        pair = pending.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if (nullable(pair[0]) and nullable(pair[1])) or len(seen) > _MOST_STATES or deadline.left() < 0:
            return True
        for character in alphabet:
            after = (derive(pair[0], character), derive(pair[1], character))
            if NOTHING not in after:
                pending.append(after)
    return False


def _goes_on(node: Regular, rival: Regular, follow: Chars, deadline: Deadline) -> Chars | None:
    """The characters of `follow` with which the rival can go on where the node has a whole match; None if unknown."""
    found = NOTHING
    alphabet = representatives((node, rival))
    seen: set[tuple[Regular, Regular]] = set()
    pending: list[tuple[Regular, Regular]] = [(node, rival)]
    while pending:
        pair = pending.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if len(seen) > _MOST_STATES or deadline.left() < 0:
            return None
        one, other = pair
        if nullable(one):
            found = chars([*found.ranges, *overlap(first(other), follow).ranges])
            if found.ranges:
                return found
        for character in alphabet:
            after = derive(one, character)
            if after != NOTHING and (against := derive(other, character)) != NOTHING:
                pending.append((after, against))
    return found


def representatives(nodes: Iterable[Regular]) -> list[str]:
    """One character for each set of characters that the nodes do not tell apart."""
    edges: set[int] = set()
    stack = list(nodes)
    while stack:
        match stack.pop():
            case Chars(ranges=ranges):
                for low, high in ranges:
                    edges.update((low, high + 1))
            case Concat(items=items) | Both(items=items):
                stack.extend(items)
            case Union(options=options):
                stack.extend(options)
            case Times(item=item) | Complement(item=item):
                stack.append(item)
    return [chr(code) for code in sorted(edges) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF]


def _followers(derivation: Derivation) -> dict[str, set[str]]:
    """For each terminal, and for the beginning, the terminals that may come next."""
    begin, empty = _begin(derivation)
    follow: dict[str, set[str]] = {"start": set()}
    changed = True
    while changed:
        changed = False
        for head, options in derivation.productions.items():
            for production in options:
                after = follow.get(head, set())
                for symbol in reversed(production.body):
                    known = follow.setdefault(symbol, set())
                    if not after <= known:
                        known |= after
                        changed = True
                    after = begin[symbol] | after if symbol in empty else begin[symbol]
    made = {key: follow[key] for key in derivation.terminals if key in follow}
    made[_START] = begin.get("start", set())
    return made


def _begin(derivation: Derivation) -> tuple[dict[str, set[str]], set[str]]:
    """The terminals that each symbol can begin with, and the symbols that can be empty."""
    begin: dict[str, set[str]] = {}
    empty: set[str] = set()
    for key, terminal in derivation.terminals.items():
        begin[key] = {key} if terminal.node is not None else set()
        if terminal.node is not None and nullable(terminal.node):
            empty.add(key)
    for head in derivation.productions:
        begin[head] = set()
    changed = True
    while changed:
        changed = False
        for head, options in derivation.productions.items():
            for production in options:
                before = len(begin[head])
                for symbol in production.body:
                    begin[head] |= begin[symbol]
                    if symbol not in empty:
                        break
                else:
                    changed |= head not in empty
                    empty.add(head)
                changed |= len(begin[head]) != before
    return begin, empty
