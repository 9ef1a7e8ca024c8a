"""Sets of JSON values: what a schema comes down to, kind by kind, and how such sets meet and exclude each other.

A set is a tuple of branches, each of one kind of value. What stands below a value (items, properties) stays an
expression over schemas, so that recursive schemas meet without end: `json_keywords` resolves it where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import TypeAlias

from .derivative import matches
from .regular import ANY, Complement, Regular, Times, Union, literal

__all__ = [
    "FALSE",
    "TRUE",
    "All",
    "Arrays",
    "Booleans",
    "Branch",
    "Expr",
    "Given",
    "Layer",
    "NoWordsError",
    "Not",
    "Nulls",
    "Numbers",
    "Objects",
    "SomeItems",
    "SomeNames",
    "Strings",
    "Words",
    "all_of",
    "everything",
    "inverted",
    "meet",
    "negated",
    "within",
]


_MOST_TRIED = 1000  # numbers between two bounds


class NoWordsError(ValueError):
    """A keyword that no grammar of reasonable size can enforce. The message says which and why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A schema of the document, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class All:
    """The values in every one of the sets; of none at all: every value."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The values that are not in the set."""

    item: Expr


Expr: TypeAlias = Given | All | Not
TRUE = All(())
FALSE = Not(TRUE)


def all_of(*items: Expr) -> Expr:
    """The values in all sets, flattened, each set once."""
    kept: dict[Expr, None] = {}
    for item in items:
        kept.update(dict.fromkeys(item.items if isinstance(item, All) else (item,)))
    if FALSE in kept or any(isinstance(item, Not) and item.item in kept for item in kept):
        return FALSE
    return next(iter(kept)) if len(kept) == 1 else All(tuple(kept))


def negated(item: Expr) -> Expr:
    """The other values."""
    return item.item if isinstance(item, Not) else Not(item)


@dataclass(frozen=True, slots=True)
class Nulls:
    """null."""


@dataclass(frozen=True, slots=True)
class Booleans:
    """true, false, or both (None)."""

    value: bool | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers between bounds. `whole` False: no integers. `steps`: multiples of all of these; `not_steps`: of none."""

    whole: bool | None = None
    low: Decimal | None = None
    low_open: bool = False
    high: Decimal | None = None
    high_open: bool = False
    steps: tuple[Decimal, ...] = ()
    not_steps: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Texts that match every expression of `must` and none of `never`, whole; the expressions read decoded text."""

    must: tuple[Regular, ...] = ()
    never: tuple[Regular, ...] = ()

    def __contains__(self, text: str) -> bool:
        return all(matches(node, text) for node in self.must) and not any(
            matches(node, text) for node in self.never
        )

    @property
    def all(self) -> bool:
        """Whether nothing is asked for."""
        return not self.must and not self.never


@dataclass(frozen=True, slots=True)
class Strings:
    """Strings of a length, in code points. `listed`: one of these texts, else any."""

    words: Words = Words()
    low: int = 0
    high: int | None = None
    listed: tuple[str, ...] | None = None

    def __contains__(self, text: str) -> bool:
        fits = self.low <= len(text) and (self.high is None or len(text) <= self.high)
        return fits and (self.listed is None or text in self.listed) and text in self.words


@dataclass(frozen=True, slots=True)
class SomeItems:
    """`low` to `high` items from `start` on are in the set."""

    item: Expr
    low: int
    high: int | None
    start: int = 0


@dataclass(frozen=True, slots=True)
class Arrays:
    """Arrays. `seen`: how many items a keyword has looked at (None: all), for unevaluatedItems."""

    prefix: tuple[Expr, ...] = ()
    rest: Expr = TRUE
    low: int = 0
    high: int | None = None
    some: tuple[SomeItems, ...] = ()
    unique: bool = False
    seen: int | None = 0

    def item(self, index: int) -> Expr:
        """What the item at an index must be."""
        return self.prefix[index] if index < len(self.prefix) else self.rest


@dataclass(frozen=True, slots=True)
class Layer:
    """One schema's rule for names beside its own: the patterns that they match, or else `other`."""

    names: frozenset[str] = frozenset()
    patterns: tuple[tuple[Words, Expr], ...] = ()
    other: Expr = TRUE

    def of(self, name: str) -> Expr:
        """What the value of a name must be."""
        found = [expr for words, expr in self.patterns if name in words]
        return all_of(*found) if found or name in self.names else self.other


@dataclass(frozen=True, slots=True)
class SomeNames:
    """At least one name of these has a value in the set."""

    names: Words
    item: Expr


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects. `order`: names in the order of the text; `named`: what their values must be besides the layers' rules.
    `seen` and `seen_words`: the names that a keyword has looked at (None: all), for unevaluatedProperties."""

    order: tuple[str, ...] = ()
    named: tuple[tuple[str, Expr], ...] = ()
    layers: tuple[Layer, ...] = ()
    required: tuple[str, ...] = ()
    low: int = 0
    high: int | None = None
    some: tuple[SomeNames, ...] = ()
    seen: frozenset[str] | None = frozenset()
    seen_words: tuple[Words, ...] = ()

    def values(self, names: Iterable[str]) -> dict[str, Expr]:
        """What the values of names must be."""
        own: dict[str, list[Expr]] = {name: [] for name in names}
        for name, expr in self.named:
            if name in own:
                own[name].append(expr)
        return {
            name: all_of(*exprs, *(layer.of(name) for layer in self.layers)) for name, exprs in own.items()
        }


Branch: TypeAlias = Nulls | Booleans | Numbers | Strings | Arrays | Objects


def everything() -> tuple[Branch, ...]:
    """One branch for each kind of value."""
    return (Nulls(), Booleans(), Numbers(), Strings(), Arrays(), Objects())


def meet(one: Branch, other: Branch) -> Branch | None:
    """The values in both; None where there are none (and nothing below has to be looked at to know)."""
    match one, other:
        case Nulls(), Nulls():
            return one
        case Booleans(value=mine), Booleans(value=yours):
            if mine is None or mine == yours:
                return other
            return one if yours is None else None
        case Numbers(), Numbers():
            return _meet_numbers(one, other)
        case Strings(), Strings():
            return _meet_strings(one, other)
        case Arrays(), Arrays():
            return _meet_arrays(one, other)
        case Objects(), Objects():
            return _meet_objects(one, other)
        case _:
            return None


def within(one: Branch, other: Branch) -> bool:
    """Whether all values of one are values of the other, as far as it shows. What was seen must be the same."""
    return meet(one, other) == one or (
        isinstance(one, Objects) and isinstance(other, Objects) and _same(meet(one, other), one)
    )


def _same(one: Branch | None, other: Objects) -> bool:
    """Whether two objects differ in the order of what they ask for only."""
    return (
        isinstance(one, Objects)
        and (one.low, one.high, one.seen) == (other.low, other.high, other.seen)
        and all(
            set(getattr(one, name)) == set(getattr(other, name))
            for name in ("order", "named", "layers", "required", "some", "seen_words")
        )
    )


def _least(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one, other)


def _meet_numbers(one: Numbers, other: Numbers) -> Numbers | None:
    if one.whole is not None and other.whole is not None and one.whole != other.whole:
        return None
    low, low_open = one.low, one.low_open
    if other.low is not None and (low is None or (other.low, other.low_open) > (low, low_open)):
        low, low_open = other.low, other.low_open
    high, high_open = one.high, one.high_open
    if other.high is not None and (high is None or (other.high, not other.high_open) < (high, not high_open)):
        high, high_open = other.high, other.high_open
    if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
        return None
    steps = tuple(dict.fromkeys((*one.steps, *other.steps)))
    not_steps = tuple(dict.fromkeys((*one.not_steps, *other.not_steps)))
    whole = one.whole if other.whole is None else other.whole
    made = Numbers(whole, low, low_open, high, high_open, steps, not_steps)
    return made if _any_number(made) else None


def _any_number(given: Numbers) -> bool:
    """Whether a number is left; True where it takes too long to tell."""
    if given.whole is False and any(step == step.to_integral_value() for step in given.steps):
        return False
    if given.low is None or given.high is None:
        return True
    if given.low == given.high:
        return not _off(given.low, given.whole, given.steps, given.not_steps)
    steps = (*given.steps, Decimal(1)) if given.whole else given.steps
    if not steps:
        return True
    grid: Decimal = max(steps)
    if (given.high - given.low) / grid > _MOST_TRIED:
        return True
    value = (given.low / grid).to_integral_value("ROUND_CEILING") * grid
    while value <= given.high:
        inside = (value > given.low or not given.low_open) and (value < given.high or not given.high_open)
        if inside and not _off(value, given.whole, given.steps, given.not_steps):
            return True
        value += grid
    return False


def _off(
    value: Decimal, whole: bool | None, steps: tuple[Decimal, ...], not_steps: tuple[Decimal, ...]
) -> bool:
    with localcontext(prec=800):  # else the rest of a very large number cannot be told
        integral = value == value.to_integral_value()
        return (
            (whole is not None and whole != integral)
            or any(value % step for step in steps)
            or any(not value % step for step in not_steps)
        )


def _meet_strings(one: Strings, other: Strings) -> Strings | None:
    words = Words(
        tuple(dict.fromkeys((*one.words.must, *other.words.must))),
        tuple(dict.fromkeys((*one.words.never, *other.words.never))),
    )
    low, high = max(one.low, other.low), _least(one.high, other.high)
    if high is not None and low > high:
        return None
    if one.listed is None and other.listed is None:
        return Strings(words, low, high)
    listed = tuple(text for text in (one.listed or other.listed or ()) if text in one and text in other)
    return Strings(listed=listed) if listed else None


def _meet_arrays(one: Arrays, other: Arrays) -> Arrays | None:
    low, high = max(one.low, other.low), _least(one.high, other.high)
    if high is not None and low > high:
        return None
    size = max(len(one.prefix), len(other.prefix))
    prefix = tuple(all_of(one.item(index), other.item(index)) for index in range(size))
    some = tuple(dict.fromkeys((*one.some, *other.some)))
    seen = None if one.seen is None or other.seen is None else max(one.seen, other.seen)
    return Arrays(prefix, all_of(one.rest, other.rest), low, high, some, one.unique or other.unique, seen)


def _meet_objects(one: Objects, other: Objects) -> Objects | None:
    low, high = max(one.low, other.low), _least(one.high, other.high)
    required = tuple(dict.fromkeys((*one.required, *other.required)))
    if high is not None and max(low, len(required)) > high:
        return None
    return Objects(
        tuple(dict.fromkeys((*one.order, *other.order))),
        tuple(dict.fromkeys((*one.named, *other.named))),
        tuple(dict.fromkeys((*one.layers, *other.layers))),
        required,
        low,
        high,
        tuple(dict.fromkeys((*one.some, *other.some))),
        None if one.seen is None or other.seen is None else one.seen | other.seen,
        tuple(dict.fromkeys((*one.seen_words, *other.seen_words))),
    )


def inverted(branch: Branch) -> Iterator[Branch]:
    """Branches that hold every value that is not in this one. Raises NoWordsError."""
    kind = type(branch)
    yield from (other for other in everything() if not isinstance(other, kind))
    match branch:
        case Booleans(value=value) if value is not None:
            yield Booleans(not value)
        case Numbers():
            yield from _other_numbers(branch)
        case Strings():
            yield from _other_strings(branch)
        case Arrays():
            yield from _other_arrays(branch)
        case Objects():
            yield from _other_objects(branch)
        case _:
            pass


def _other_numbers(given: Numbers) -> Iterator[Branch]:
    if given.low is not None:
        yield Numbers(high=given.low, high_open=not given.low_open)
    if given.high is not None:
        yield Numbers(low=given.high, low_open=not given.high_open)
    if given.whole is not None:
        yield Numbers(whole=not given.whole)
    for step in given.steps:
        yield Numbers(not_steps=(step,))
    for step in given.not_steps:
        yield Numbers(steps=(step,))


def _other_strings(given: Strings) -> Iterator[Branch]:
    if given.low:
        yield Strings(high=given.low - 1)
    if given.high is not None:
        yield Strings(low=given.high + 1)
    if given.listed is not None:
        yield Strings(Words(never=(Union(tuple(literal(text) for text in given.listed)),)))
    for node in given.words.must:
        yield Strings(Words(never=(node,)))
    for node in given.words.never:
        yield Strings(Words(must=(node,)))


def _other_arrays(given: Arrays) -> Iterator[Branch]:
    if given.unique:
        raise NoWordsError("not with uniqueItems has no words in a grammar")
    if given.low:
        yield Arrays(high=given.low - 1)
    if given.high is not None:
        yield Arrays(low=given.high + 1)
    for index, item in enumerate(given.prefix):
        if item != TRUE:
            yield Arrays((TRUE,) * index + (negated(item),), low=index + 1)
    if given.rest != TRUE:
        yield Arrays(some=(SomeItems(negated(given.rest), 1, None, len(given.prefix)),))
    for some in given.some:
        if some.low:
            yield Arrays(some=(replace(some, low=0, high=some.low - 1),))
        if some.high is not None:
            yield Arrays(some=(replace(some, low=some.high + 1, high=None),))


def _other_objects(given: Objects) -> Iterator[Branch]:
    if given.low:
        yield Objects(high=given.low - 1)
    if given.high is not None:
        yield Objects(low=given.high + 1)
    for name in given.required:
        yield Objects(named=((name, FALSE),))
    for name, expr in given.named:
        if expr != TRUE:
            yield Objects(named=((name, negated(expr)),), required=(name,))
    for layer in given.layers:
        for words, expr in layer.patterns:
            if expr != TRUE:
                yield Objects(some=(SomeNames(words, negated(expr)),))
        if layer.other != TRUE:
            yield Objects(some=(SomeNames(_unnamed(layer), negated(layer.other)),))
    for some in given.some:
        yield Objects(layers=(Layer(patterns=((some.names, negated(some.item)),)),))


def _unnamed(layer: Layer) -> Words:
    """The names that a layer has no name and no pattern for."""
    never: list[Regular] = [literal(name) for name in sorted(layer.names)]
    for words, _ in layer.patterns:
        never.append(conjunction(words))
    return Words(never=(Union(tuple(never)),) if never else ())


def conjunction(words: Words) -> Regular:
    """One expression for all that is asked of a text."""
    from .derivative import both

    if not words.never and len(words.must) == 1:
        return words.must[0]
    return both([Times(ANY, 0, None), *words.must, *(Complement(node) for node in words.never)])
