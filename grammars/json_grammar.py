"""Rules of a lowered JSON schema, first as values, then as the lines of a grammar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .json_document import SchemaWordsError
from .writer import quote

__all__ = ["Many", "Option", "Rule", "RuleText", "Symbol", "Terminal"]

_MOST_TEXT = 4_000_000
_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """A reference to a rule."""

    number: int


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, by its expression; `kind` is part of its name."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Many:
    """Symbols `low` to `high` times."""

    items: tuple[Symbol, ...]
    low: int
    high: int | None


Symbol = Rule | Terminal | Many | str  # a str is a literal
Option = tuple[Symbol, ...]


class RuleText:
    """Rules as text, without those that no text can use, equal ones written once."""

    def __init__(self, rules: list[list[Option]], prefix: str) -> None:
        self.rules = rules
        self.prefix = prefix
        self.names: dict[int, str] = {}
        self.terminals: dict[str, str] = {}

    def lines(self, root: int) -> list[str]:
        self.prune()
        if not self.rules[root]:
            raise SchemaWordsError("#", "no value is valid under this schema")
        same = self.merged()
        root = same[root]
        lines: dict[int, str] = {}
        todo = [root]
        self.names[root] = f"{self.prefix}0"
        size = 0
        while todo:
            number = todo.pop()
            if number in lines:
                continue
            options = dict.fromkeys(self.option(o, same, todo) for o in self.rules[number] if any(o))
            body = " | ".join(options)
            if not all(any(o) for o in self.rules[number]):  # one of them is empty
                body = f"({body})?" if body else '""'
            lines[number] = f"{self.names[number]}: {body}"
            size += len(lines[number])
            if size > _MOST_TEXT:
                raise SchemaWordsError(
                    "#", f"the grammar of the schema gets longer than {_MOST_TEXT} characters"
                )
        ends = [f"{name}: {text}" for text, name in self.terminals.items()]
        return [lines[root], *(line for number, line in lines.items() if number != root), *ends]

    def option(self, option: Option, same: Mapping[int, int], todo: list[int]) -> str:
        return " ".join(self.symbol(symbol, same, todo) for symbol in option)

    def symbol(self, symbol: Symbol, same: Mapping[int, int], todo: list[int]) -> str:
        match symbol:
            case str():
                return quote(symbol)
            case Terminal(text=text, kind=kind):
                name = f"{self.prefix.upper()}{kind}_{len(self.terminals)}"
                return self.terminals.setdefault(text, name)
            case Rule(number=number):
                number = same[number]
                if number not in self.names:
                    self.names[number] = f"{self.prefix}{len(self.names)}"
                todo.append(number)
                return self.names[number]
            case Many(items=items, low=low, high=high):
                inner = self.option(items, same, todo)
                if high is not None:
                    return f"({inner})~{low}..{high}"
                return f"({inner})~{low} ({inner})*" if low else f"({inner})*"

    def prune(self) -> None:
        """Drop the options that never come to an end."""
        good = [False] * len(self.rules)
        changed = True
        while changed:  # from the last rule on: what a rule needs was mostly made after it
            changed = False
            for number in reversed(range(len(self.rules))):
                if not good[number] and any(all(_ends(s, good) for s in o) for o in self.rules[number]):
                    good[number] = changed = True
        for number, options in enumerate(self.rules):
            kept = [option for option in options if all(_ends(symbol, good) for symbol in option)]
            self.rules[number] = [tuple(_kept(option, good)) for option in kept]

    def merged(self) -> dict[int, int]:
        """For each rule the first one of the same form."""
        same = {number: self.meant(number) for number in range(len(self.rules))}
        for _ in range(_MOST_ROUNDS):
            forms: dict[tuple[Any, ...], int] = {}
            step = {
                number: forms.setdefault(tuple(_form(option, same) for option in self.rules[target]), target)
                for number, target in same.items()
            }
            if step == same:
                break
            same = step
        return same

    def meant(self, number: int) -> int:
        """The rule that a rule stands for, where it has nothing but that."""
        seen = {number}
        while True:
            match self.rules[number]:
                case [(Rule(number=following),)] if following not in seen:
                    seen.add(number := following)
                case _:
                    return number


def _ends(symbol: Symbol, good: list[bool]) -> bool:
    match symbol:
        case Rule(number=number):
            return good[number]
        case Many(items=items, low=low):
            return low == 0 or all(_ends(item, good) for item in items)
        case _:
            return True


def _kept(option: Option, good: list[bool]) -> Iterator[Symbol]:
    for symbol in option:
        if not isinstance(symbol, Many) or all(_ends(item, good) for item in symbol.items):
            yield symbol


def _form(option: Option, same: Mapping[int, int]) -> tuple[Any, ...]:
    return tuple(
        ("rule", same[s.number])
        if isinstance(s, Rule)
        else ("many", _form(s.items, same), s.low, s.high)
        if isinstance(s, Many)
        else s
        for s in option
    )
