"""Controlled English as one Lark grammar, made from the rules and the names of a schema.

It loads in Lark and in llguidance. Its texts are the questions in their canonical spacing: one space between words,
none before a comma or a closing parenthesis, none after an opening one; texts in double quotes; any case. Every word
is a terminal of its own, so that the longest match of a lexer is always the whole word. What is grammatical may
still mean nothing (a column that no key leads to); `English.read` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .engine import Alt, Expr, Opt, Phrase, Rule, Seq, Star, Term
from .names import Lexicon, typed_word
from .use import usable
from .values import MONTHS
from .words import Words

__all__ = ["lark_text"]

_ATTACHED = (",", ")", "'s")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_LITERALS = {
    "TEXT": r'TEXT: /"([^"\x00-\x1f]|"")*"/',
    "NUMBER": r"NUMBER: /-?([0-9]+(\.[0-9]+)?|\.[0-9]+)/",
    "COUNT": r"COUNT: /[0-9]+/",
    "DATE": r"DATE: /[0-9]{4}-[0-9]{1,2}(-[0-9]{1,2})?/",
    "DAYNUM": r"DAYNUM: /[0-9]{1,2}(st|nd|rd|th)?/i",
    "YEARNUM": r"YEARNUM: /[0-9]{4}/",
}


def lark_text(rules: Mapping[str, Expr], lexicon: Lexicon, tools: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the text of the grammar; its start rule is `start`."""
    return _Writer(rules, lexicon).write(tools)


class _Writer:
    def __init__(self, rules: Mapping[str, Expr], lexicon: Lexicon) -> None:
        self._rules = rules
        self._lexicon = lexicon
        self._lines: dict[str, str] = {}
        self._terminals: dict[tuple[str, ...], str] = {}
        self._todo: list[tuple[str, bool]] = []

    def write(self, tools: Sequence[Mapping[str, Any]]) -> str:
        """Return the whole text."""
        use = self._use(tools)
        start = f'start: ["the"i " "] {self._rule("question", lead=False)}{" | use" if use else ""}'
        while self._todo:
            name, lead = self._todo.pop()
            key = _variant(name, lead)
            if key not in self._lines:
                self._lines[key] = ""
                self._lines[key] = f"{key}: {self._expr(self._rules[name], lead)}"
        lines = [start, *use, *(line for line in self._lines.values()), '_s: " " ["the"i " "]']
        return "\n".join(lines) + "\n"

    def _use(self, tools: Sequence[Mapping[str, Any]]) -> list[str]:
        names = [str(tool["name"]) for tool in usable(tools)]
        if not names:
            return []
        listed = " | ".join(_quoted(name) for name in names)
        return [
            'use: "use"i " " (TOOL [" " "with"i " " ARGUMENTS])',
            f"TOOL: {listed}",
            r"ARGUMENTS: /[^\x00-\x1f]+/",
        ]

    # --- expressions ----------------------------------------------------------------------------------------

    def _expr(self, expr: Expr, lead: bool) -> str:
        """Write an expression; with `lead`, the space before it is part of it."""
        match expr:
            case Phrase(words):
                return self._phrase(words, lead)
            case Term(name):
                return f"{'_s ' if lead else ''}{self._term(name)}"
            case Rule(name):
                return self._rule(name, lead=lead)
            case Alt(items):
                return "(" + " | ".join(self._expr(item, lead) for item in items) + ")"
            case Opt(item):
                return f"({self._expr(item, lead)})?"
            case Star(item, least):
                more = f"({self._expr(item, True)})*"
                text = more if lead and not least else f"{self._expr(item, lead)} {more}"
                return text if lead or least else f"({text})?"
            case Seq(items):
                return self._seq(items, lead)

    def _seq(self, items: tuple[Expr, ...], lead: bool) -> str:
        if not items:
            return ""
        first, rest = items[0], items[1:]
        optional = isinstance(first, Opt) or (isinstance(first, Star) and not first.least)
        if optional and not lead and rest:
            present = (
                first.item
                if isinstance(first, Opt)
                else Star(first.item, 1)
                if isinstance(first, Star)
                else first
            )
            return f"({self._expr(present, False)} {self._seq(rest, True)} | {self._seq(rest, False)})"
        after = not (isinstance(first, Phrase) and first.words == ("(",))
        return f"{self._expr(first, lead)} {self._seq(rest, after)}".strip()

    def _phrase(self, words: tuple[str, ...], lead: bool) -> str:
        parts = [
            f"{'' if word in _ATTACHED or (i == 0 and not lead) else '_s '}{_quoted(word)}"
            for i, word in enumerate(words)
        ]
        return " ".join(parts)

    def _rule(self, name: str, *, lead: bool) -> str:
        if lead and not self._attaches(self._rules[name]):
            self._todo.append((name, False))
            return f"_s {_variant(name, False)}"
        self._todo.append((name, lead))
        return _variant(name, lead)

    def _attaches(self, expr: Expr) -> bool:
        """Whether it may be empty or begin with a word that takes no space before it."""
        match expr:
            case Phrase(words):
                return words[0] in _ATTACHED
            case Term():
                return False
            case Rule(name):
                return self._attaches(self._rules[name])
            case Alt(items):
                return any(self._attaches(item) for item in items)
            case Opt() | Star(least=0):
                return True
            case Star(item):
                return self._attaches(item)
            case Seq(items):
                for item in items:
                    if not isinstance(item, (Opt, Star)) or (isinstance(item, Star) and item.least):
                        return self._attaches(item)
                    if self._attaches(item.item):
                        return True
                return True

    # --- terminals ------------------------------------------------------------------------------------------

    def _term(self, name: str) -> str:
        key = f"name_{name.lower()}"
        if key in self._lines:
            return key
        self._lines[key] = ""
        lexicon = self._lexicon
        match name:
            case "TABLE":
                self._names(key, lexicon.tables.entries)
            case "ONE":
                self._names(key, filter(lexicon.is_one, lexicon.tables.entries))
            case "NOUN":
                self._names(key, [*lexicon.tables.entries, *lexicon.roles.entries])
            case "COLUMN":
                self._names(key, lexicon.columns.entries)
            case "STORED":
                self._names(key, lexicon.values.entries)
            case "FLAG":
                self._names(key, lexicon.flags.entries)
            case "DEED":
                self._names(key, lexicon.deeds.entries)
            case "VIA":
                self._names(key, lexicon.vias.entries)
            case "MONTH":
                self._lines[key] = f"{key}: " + " | ".join(_quoted(month) for month in MONTHS)
            case _:
                words = f" | {' | '.join(map(_quoted, _NUMBERS))}" if name in ("NUMBER", "COUNT") else ""
                self._lines[key] = f"{key}: {name}{words}"
                self._lines[name] = _LITERALS[name]
        return key

    def _names(self, key: str, forms: Iterable[Words]) -> None:
        """Write names as a tree of their words: one terminal for the last words, a rule for each further level."""
        last: set[str] = set()
        longer: dict[str, list[Words]] = {}
        for form in dict.fromkeys(tuple(map(typed_word, form)) for form in forms):
            if any(char < " " for word in form for char in word):
                continue
            if len(form) == 1:
                last.add(form[0])
            else:
                longer.setdefault(form[0], []).append(form[1:])
        parts = [self._terminal(sorted(last))] if last else []
        for i, (word, rests) in enumerate(sorted(longer.items())):
            for attached in (False, True):
                chosen = [rest for rest in rests if (rest[0] in _ATTACHED) is attached]
                if chosen:
                    inner = f"{key}_{i}{'a' if attached else ''}"
                    self._names(inner, chosen)
                    parts.append(f"{_quoted(word)} {'' if attached else '_s '}{inner}")
        self._lines[key] = f"{key}: {' | '.join(parts) or _NEVER}"

    def _terminal(self, words: list[str]) -> str:
        if len(words) < 3:
            return " | ".join(_quoted(word) for word in words)
        name = self._terminals.setdefault(tuple(words), f"WORDS_{len(self._terminals)}")
        longest_first = sorted(words, key=lambda word: (-len(word), word))
        self._lines[name] = f"{name}: /{'|'.join(map(_escaped, longest_first))}/i"
        return name


_NEVER = '"\\u0001"'


def _variant(name: str, lead: bool) -> str:
    base = name.lstrip("_")
    return f"{'_' if name.startswith('_') else ''}{'then_' if lead else ''}{base}"


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"i'


def _escaped(word: str) -> str:
    return "".join(f"\\{char}" if char in r".^$*+?()[]{}|\/-&~#" else char for char in word)
