"""JSON schemas as plain rules: every set of values a rule, objects and arrays as small automata over their members.

The text is compact JSON. The names of an object stand in the order of the schema, other names after them. Used where
llguidance's own `%json` lacks the words, and where a server does not know `%json`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, TypeGuard

from .derivative import NOTHING
from .json_document import Schemas, SchemaWordsError
from .json_grammar import Many, Option, Rule, RuleText, Symbol, Terminal
from .json_sets import (
    FALSE,
    TRUE,
    Arrays,
    Booleans,
    Branch,
    Expr,
    NoWordsError,
    Nulls,
    Numbers,
    Objects,
    SomeNames,
    Strings,
    Words,
    all_of,
    conjunction,
    negated,
)
from .json_text import empty, key_terminal, number_terminal, string_terminal

__all__ = ["lowered"]

_MOST_RULES = 30_000
_MOST_STATES = 4_000
_MOST_PATTERNS = 6
_MOST_UNIQUE = 10
_MOST_WANTED = 3
_MOST_LOOSE = 5


_Place = tuple[
    int, int, int, int
]  # which name is next, how many there were, how many are wanted, loose ones seen


def lowered(schema: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    """The rules of a schema, from `json_0` on. Raises SchemaWordsError with the keyword and its place.

    `prefix` stands before all names. `json_rules` knows them by their form, so that their texts have a tree.
    """
    try:
        work = _Lowering(Schemas(dict(schema)))
        root = work.run()
        return RuleText(work.rules, prefix + "json_").lines(root)
    except RecursionError as error:
        raise SchemaWordsError("#", "the schema is nested too deeply") from error


@dataclass(slots=True)
class _Lowering:
    schemas: Schemas
    rules: list[list[Option]] = field(default_factory=list[list[Option]])
    _numbers: dict[Expr, int] = field(default_factory=dict[Expr, int])
    _todo: deque[tuple[Expr, int]] = field(default_factory=deque[tuple[Expr, int]])

    def run(self) -> int:
        """Write the rules of the root and of all that it needs; the number of its rule."""
        root = self.value(self.schemas.root)
        while self._todo:
            expr, number = self._todo.popleft()
            try:
                branches = self.schemas.branches(expr)
                listed = [str(int(b.low)) for b in branches if _is_constant(b) and b.low is not None]
                if len(listed) > 1:  # in one terminal: many options in one row are more than engines allow
                    self.rules[number].append(
                        (Terminal(f"/{'|'.join(sorted(listed, key=len, reverse=True))}/", "NUMBER"),)
                    )
                for branch in branches:
                    if len(listed) < 2 or not _is_constant(branch):
                        self.rules[number].extend(self.options(branch))
            except NoWordsError as error:
                raise SchemaWordsError(self.schemas.pointer(expr), str(error)) from error
        return root.number

    def new(self) -> int:
        if len(self.rules) >= _MOST_RULES:
            raise NoWordsError(f"the schema needs more than {_MOST_RULES} rules")
        self.rules.append([])
        return len(self.rules) - 1

    def value(self, expr: Expr) -> Rule:
        """The rule of an expression."""
        if expr not in self._numbers:
            self._numbers[expr] = number = self.new()
            self._todo.append((expr, number))
        return Rule(self._numbers[expr])

    def options(self, branch: Branch) -> Iterator[Option]:
        match branch:
            case Nulls():
                yield ("null",)
            case Booleans(value=value):
                yield from (
                    (text,) for text in ("true", "false") if value is None or json.loads(text) is value
                )
            case Numbers():
                if _is_constant(branch) and branch.low is not None:
                    yield (str(int(branch.low)),)
                else:
                    yield (Terminal(number_terminal(branch), "NUMBER"),)
            case Strings():
                if self.schemas.branch_filled(branch):
                    yield (Terminal(string_terminal(branch), "STRING"),)
            case Arrays():
                yield from self.arrays(branch)
            case Objects():
                yield from self.objects(branch)

    # Arrays.

    def arrays(self, given: Arrays) -> Iterator[Option]:
        if given.unique and (given.high is None or given.high > 1):
            yield from self.different(given)
        elif given.some:
            yield from self.counted(given)
        else:
            yield from self.plain(given)

    def plain(self, given: Arrays) -> Iterator[Option]:
        """One option for each length up to that of the prefix; beyond, a repetition."""
        size = len(given.prefix) if given.high is None else min(len(given.prefix), given.high)
        parts: list[Symbol] = ["["]
        for index in range(size):
            if index >= given.low:
                break
            parts += [*([","] if index else []), self.value(given.prefix[index])]
        fixed = min(size, given.low)
        tail = self.rest_of(given, size)
        for index in reversed(range(fixed, size)):
            rule = self.new()
            self.rules[rule].append(())
            self.rules[rule].append((*([","] if index else []), self.value(given.prefix[index]), *tail))
            tail = (Rule(rule),)
        yield (*parts, *tail, "]")

    def rest_of(self, given: Arrays, size: int) -> Option:
        """What may follow the first `size` items."""
        high = None if given.high is None else given.high - size
        low = max(0, given.low - size)
        if high == 0 or (given.rest == FALSE and not low):
            return ()
        item = self.value(given.rest)
        if size:
            return (Many((",", item), low, high),)
        many = Many((",", item), max(0, low - 1), None if high is None else high - 1)
        if low:
            return (item, many)
        rule = self.new()
        self.rules[rule] += [(), (item, many)]
        return (Rule(rule),)

    def counted(self, given: Arrays) -> Iterator[Option]:
        """Arrays in which some items have to be in a set: an automaton over how many there were."""
        tops = tuple(some.low if some.high is None else some.high for some in given.some)
        last = max(len(given.prefix), given.low, *(some.start for some in given.some), 1)
        last = last if given.high is None else max(last, given.high)

        def steps(state: tuple[int, ...]) -> Iterator[tuple[Option, tuple[int, ...] | None]]:
            at, *counts = state
            if at >= given.low and all(c >= s.low for c, s in zip(counts, given.some, strict=True)):
                yield ("]",), None
            if given.high is not None and at >= given.high:
                return
            choices = [self.hits(some, at, count) for some, count in zip(given.some, counts, strict=True)]
            for chosen in product(*choices):
                item = all_of(given.item(at), *(expr for expr, _ in chosen))
                if item == FALSE or not self.schemas.filled(item):
                    continue
                after = (min(at + 1, last), *(min(n, top) for (_, n), top in zip(chosen, tops, strict=True)))
                yield (*([","] if at else []), self.value(item)), after

        yield ("[", self.automaton((0, *(0 for _ in given.some)), steps))

    def hits(self, some: Any, at: int, count: int) -> list[tuple[Expr, int]]:
        """What the next item may be for one count, and the count after it."""
        if at < some.start:
            return [(all_of(), count)]
        if some.high is None:  # more are no harm, so a hit need not be told from a miss
            return [(some.item, count + 1), (all_of(), count)] if count < some.low else [(all_of(), count)]
        hit = [(some.item, count + 1)] if count < some.high else []
        return [*hit, (negated(some.item), count)]

    def different(self, given: Arrays) -> Iterator[Option]:
        """Arrays of different items, where there are few to choose from."""
        if given.prefix or given.some:
            raise NoWordsError("uniqueItems beside prefixItems or contains has no words in a grammar")
        texts = self.few(given.rest)
        if texts is None:
            raise NoWordsError(
                f"uniqueItems has no words in a grammar, except over at most {_MOST_UNIQUE} listed items; drop it and "
                "check afterwards, or set maxItems to 1"
            )

        def steps(state: int) -> Iterator[tuple[Option, int | None]]:
            size = state.bit_count()
            if size >= given.low:
                yield ("]",), None
            if given.high is None or size < given.high:
                for index, text in enumerate(texts):
                    if not state >> index & 1:
                        yield (*([","] if state else []), text), state | 1 << index

        yield ("[", self.automaton(0, steps))

    def few(self, expr: Expr) -> list[str] | None:
        """The texts of a set of a few simple values."""
        found: dict[str, None] = {}
        for branch in self.schemas.branches(expr):
            match branch:
                case Nulls():
                    found.setdefault("null")
                case Booleans(value=value):
                    found.update(dict.fromkeys(["true", "false"] if value is None else [json.dumps(value)]))
                case Strings(listed=listed) if listed is not None:
                    found.update(dict.fromkeys(json.dumps(text, ensure_ascii=False) for text in listed))
                case Numbers(whole=True, low=low, high=high) if None not in (low, high) and not branch.steps:
                    numbers = range(int(low or 0), int(high or 0) + 1)
                    if len(numbers) > _MOST_UNIQUE or branch.low_open or branch.high_open or branch.not_steps:
                        return None
                    found.update(dict.fromkeys(str(n) for n in numbers))
                case _:
                    return None
        return list(found) if len(found) <= _MOST_UNIQUE else None

    def automaton(self, first: Any, steps: Callable[[Any], Iterable[tuple[Option, Any]]]) -> Rule:
        """A rule for each state that can be reached; `steps` gives symbols and the state after them (None: the end)."""
        known: dict[Any, int] = {first: self.new()}
        todo = [first]
        while todo:
            state = todo.pop()
            for symbols, after in steps(state):
                if after is None:
                    self.rules[known[state]].append(symbols)
                    continue
                if after not in known:
                    if len(known) >= _MOST_STATES:
                        raise NoWordsError("its counts need thousands of cases; make them smaller")
                    known[after] = self.new()
                    todo.append(after)
                self.rules[known[state]].append((*symbols, Rule(known[after])))
        return Rule(known[first])

    # Objects.

    def objects(self, given: Objects) -> Iterator[Option]:
        yield from self.with_names(given, ())

    def with_names(self, given: Objects, unnamed: tuple[SomeNames, ...]) -> Iterator[Option]:
        """Objects in which some name has to have a value of a set: a known name, or one of the `unnamed`."""
        if len(unnamed) > _MOST_WANTED:
            raise NoWordsError(
                "so many conditions on unnamed properties at once have no short words in a grammar"
            )
        if not given.some:
            yield from self.members(given, unnamed)
            return
        first, rest = given.some[0], given.some[1:]
        for name in (name for part in _names(given) for name in part):
            if name in first.names:
                named = (*given.named, (name, first.item))
                required = tuple(dict.fromkeys((*given.required, name)))
                yield from self.with_names(replace(given, some=rest, named=named, required=required), unnamed)
        yield from self.with_names(replace(given, some=rest), (*unnamed, first))

    def members(self, given: Objects, wanted: tuple[SomeNames, ...]) -> Iterator[Option]:
        names, loose = _names(given)
        every = (*names, *loose)
        values = given.values(every)
        usable = {name: v != FALSE and self.schemas.filled(v) for name, v in values.items()}
        if not all(usable[name] for name in given.required):
            return
        loose = tuple(name for name in loose if usable[name])
        cells = self.cells(given, every, ())
        extra = {
            bits: self.cells(given, every, tuple(one for at, one in enumerate(wanted) if bits >> at & 1))
            for bits in range(1, 1 << len(wanted))
        }
        cap = max(1, given.low, given.high or 0)
        must = sum(1 << at for at, name in enumerate(loose) if name in given.required)

        def pair(name: str) -> Option:
            return (json.dumps(name, ensure_ascii=False), ":", self.value(values[name]))

        def steps(state: _Place) -> Iterator[tuple[Option, _Place | None]]:
            at, count, left, seen = state
            comma: Option = (",",) if count else ()
            more = min(count + 1, cap)
            room = given.high is None or count < given.high
            if at < len(names):
                if usable[names[at]] and room:
                    yield (*comma, *pair(names[at])), (at + 1, more, left, seen)
                if names[at] not in given.required:
                    yield (), (at + 1, count, left, seen)
                return
            done = count >= given.low and not left and must & ~seen == 0
            if done and count and given.high is None and seen == (1 << len(loose)) - 1:
                yield (*([Many((",", self.one_of(cells)), 0, None)] if cells else []), "}"), None
                return
            if done:
                yield ("}",), None
            if not room:
                return
            for index, name in enumerate(loose):
                if not seen >> index & 1:
                    yield (*comma, *pair(name)), (at, more, left, seen | 1 << index)
            for cell in cells:
                yield (*comma, *cell), (at, more, left, seen)
            for bits, found in extra.items():
                for cell in found if bits & left == bits else ():
                    yield (*comma, *cell), (at, more, left & ~bits, seen)

        yield ("{", self.automaton((0, 0, (1 << len(wanted)) - 1, 0), steps))

    def one_of(self, options: list[Option]) -> Rule:
        rule = self.new()
        self.rules[rule].extend(options)
        return Rule(rule)

    def cells(self, given: Objects, names: tuple[str, ...], wanted: tuple[SomeNames, ...]) -> list[Option]:
        """Pairs of unnamed properties: the names that match the same patterns, with their values."""
        patterns = dict.fromkeys(words for layer in given.layers for words, _ in layer.patterns)
        patterns.update(dict.fromkeys(one.names for one in wanted))
        if len(patterns) > _MOST_PATTERNS:
            raise NoWordsError("so many patternProperties at once have no short words in a grammar")
        found: list[Option] = []
        for signs in product((True, False), repeat=len(patterns)):
            self.schemas.hurry(TRUE)
            here = frozenset(words for words, sign in zip(patterns, signs, strict=True) if sign)
            if not all(one.names in here for one in wanted):
                continue
            value = all_of(
                *(_layer_value(layer, here) for layer in given.layers), *(one.item for one in wanted)
            )
            if value == FALSE or not self.schemas.filled(value):
                continue
            words = _cell(here, [words for words in patterns if words not in here])
            if len(patterns) and empty(conjunction(words)):
                continue
            found.append((Terminal(key_terminal(words, names), "NAME"), ":", self.value(value)))
        return found


def _is_constant(branch: Branch) -> TypeGuard[Numbers]:
    """Whether this is one whole number."""
    return (
        isinstance(branch, Numbers)
        and branch.low is not None
        and branch.low == branch.high
        and bool(branch.whole)
    )


def _layer_value(layer: Any, here: frozenset[Words]) -> Expr:
    found = [expr for words, expr in layer.patterns if words in here]
    return all_of(*found) if found else layer.other


def _cell(yes: Iterable[Words], no: Iterable[Words]) -> Words:
    """The names that match these and not those."""
    must = [node for words in yes for node in words.must]
    never = [node for words in yes for node in words.never]
    for words in no:
        if len(words.must) == 1 and not words.never:
            never.append(words.must[0])
        elif len(words.never) == 1 and not words.must:
            must.append(words.never[0])
        else:
            never.append(conjunction(words))
    return Words(tuple(dict.fromkeys(must)), tuple(dict.fromkeys(n for n in never if n != NOTHING)))


def _names(given: Objects) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names with a place in the order, and those that may stand anywhere after them."""
    layered = (name for layer in given.layers for name in sorted(layer.names))
    every = dict.fromkeys((*given.order, *given.required, *(name for name, _ in given.named), *layered))
    values = given.values(name for name in every if name not in given.order)
    loose = [name for name, value in values.items() if value != FALSE]
    free = loose[:_MOST_LOOSE] if len(loose) <= _MOST_LOOSE else []
    return tuple(name for name in every if name not in free), tuple(free)
