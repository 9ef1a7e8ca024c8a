"""Strings and numbers as they stand in JSON text: expressions over decoded text turned into terminals over the text."""

from __future__ import annotations

from functools import lru_cache

from .automata import boolean, plain
from .derivative import NOTHING, both, derive
from .engine import Deadline
from .export import regex_text
from .json_numbers import number_text
from .json_sets import Numbers, Strings, Words, conjunction
from .regular import (
    ANY,
    Both,
    Chars,
    Complement,
    Concat,
    Regular,
    Times,
    Union,
    chars,
    inverse,
    literal,
    nullable,
    overlap,
)

__all__ = ["decoded", "number_terminal", "possible", "string_terminal"]

_ESCAPED = chars([(0, 31), (34, 34), (92, 92)])
_PLAIN = inverse(_ESCAPED)
_SHORT = {8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\"}
_HEX = chars([(48, 57), (65, 70), (97, 102)])
_U00 = Concat((literal("u00"), chars([(48, 49)]), _HEX))
_CONTROL = Concat((literal("\\"), Union((chars([(ord(c), ord(c)) for c in "bfnrt"]), _U00))))
_SPECIAL = Concat((literal("\\"), Union((chars([(ord(c), ord(c)) for c in 'bfnrt"\\']), _U00))))
_DELETE = Concat((literal("\\u007"), chars([(70, 70), (102, 102)])))  # some writers escape it
_QUOTE = literal('"')
_MOST_STATES = 400
_SECONDS = 0.3
_LONG = 64  # beyond, a length is not counted out to see whether anything is left


def decoded(given: Strings) -> Regular:
    """The texts of the strings."""
    found = [conjunction(given.words)]
    if given.low or given.high is not None:
        found.append(Times(ANY, given.low, given.high))
    if given.listed is not None:
        found.append(Union(tuple(literal(text) for text in given.listed)))
    return both(found)


def possible(given: Strings) -> bool:
    """Whether any text is left; True where it takes too long to tell."""
    if given.listed is not None:
        return bool(given.listed)
    if given.words.all or (len(given.words.must) == 1 and not given.words.never and not given.low):
        return True
    short = given if (given.high or given.low) <= _LONG else Strings(given.words)
    return not empty(decoded(short))


def empty(node: Regular) -> bool:
    """Whether no text matches; False where it takes too long to tell."""
    from .exactness import representatives

    alphabet = representatives((node,))
    seen = {node}
    pending = [node]
    deadline = Deadline(_SECONDS)
    while pending:
        one = pending.pop()
        if nullable(one) or len(seen) > _MOST_STATES or deadline.left() < 0:
            return False
        for character in alphabet:
            after = derive(one, character)
            if after != NOTHING and after not in seen:
                seen.add(after)
                pending.append(after)
    return True


def string_terminal(given: Strings) -> str:
    """The terminal of the strings, quotes and escapes included; with `&` and `~` for what it has to be, and not."""
    if given.listed is not None:
        return _wrapped(Union(tuple(literal(text) for text in given.listed)))
    short = plain(decoded(given), states=30, nodes=250)  # every server knows a plain pattern
    if short is not None and (not given.words.all or given.high is None):
        return _wrapped(short)
    must = list(given.words.must)
    if given.low or given.high is not None or not must:
        must.append(Times(ANY, given.low, given.high))
    parts = [_wrapped(node) for node in must]
    parts += ["~(" + _wrapped(node) + ")" for node in given.words.never]
    return " & ".join(parts)


def key_terminal(words: Words, names: tuple[str, ...]) -> str:
    """The terminal of a name that is none of `names`."""
    taken = tuple(name for name in names if name in words)
    if not taken:
        return string_terminal(Strings(words))
    never = Union(tuple(literal(name) for name in taken))
    return string_terminal(Strings(Words(words.must, (*words.never, never))))


def number_terminal(given: Numbers) -> str:
    """The terminal of the numbers."""
    nodes = number_text(given)
    short = plain(both(nodes), states=40, nodes=300)
    return _pattern(short) if short is not None else " & ".join(_pattern(node) for node in nodes)


def _wrapped(node: Regular) -> str:
    return _written(Concat((_QUOTE, quoted(node), _QUOTE)))


def _written(node: Regular) -> str:
    """A node as a terminal's expression; one pattern where it has neither `&` nor `~`."""
    if not boolean(node):
        return _pattern(node)
    match node:
        case Concat(items=items):
            return "(" + " ".join(_written(item) for item in items) + ")"
        case Union(options=options):
            return "(" + " | ".join(_written(option) for option in options) + ")"
        case Both(items=items):
            return "(" + " & ".join(_written(item) for item in items) + ")"
        case Complement(item=item):
            return f"~({_written(item)})"
        case Times(item=item, low=low, high=high):
            return f"({_written(item)}){{{low},{'' if high is None else high}}}"
        case _:
            return _pattern(node)


def _pattern(node: Regular) -> str:
    return f"/{regex_text(node)}/"


@lru_cache(maxsize=4096)
def quoted(node: Regular) -> Regular:
    """The JSON text of what matches, without the quotes."""
    match node:
        case Chars():
            return _character(node)
        case Concat(items=items):
            return Concat(tuple(quoted(item) for item in items))
        case Union(options=options):
            return Union(tuple(quoted(option) for option in options))
        case Times(item=item, low=low, high=high):
            return Times(quoted(item), low, high)
        case Both(items=items):
            return Both(tuple(quoted(item) for item in items))
        case Complement(item=item):
            return Both((Times(_character(ANY), 0, None), Complement(quoted(item))))


def _character(given: Chars) -> Regular:
    direct = overlap(given, _PLAIN)
    special = [code for low, high in overlap(given, _ESCAPED).ranges for code in range(low, high + 1)]
    options: list[Regular] = [direct] if direct.ranges else []
    if len(special) == 34:
        options.append(_SPECIAL)
        special = []
    elif all(code in special for code in range(32)):
        options.append(_CONTROL)
        special = [code for code in special if code >= 32]
    if "\x7f" in given:
        options.append(_DELETE)
    for code in special:
        if code in _SHORT:
            options.append(literal("\\" + _SHORT[code]))
        if code < 32:
            last = f"{code & 15:x}"
            options.append(
                Concat((literal(f"\\u00{code >> 4}"), chars((ord(c), ord(c)) for c in {last, last.upper()})))
            )
    return NOTHING if not options else options[0] if len(options) == 1 else Union(tuple(options))
