"""Adjectives that ask about a number: `cheapest`, `longer than`. Each is about the columns that are called so."""

from __future__ import annotations

from datetime import date, timedelta

from .choices import Trouble
from .columns import Finder
from .engine import Node
from .moments import years_before
from .query import Cond, Op, Period, Ref

__all__ = ["births", "born", "judged"]

_PRICES = frozenset({"price", "cost", "rate", "fee"})
_LENGTHS = frozenset({"length", "duration", "milliseconds", "seconds", "minutes", "runtime"})
_WEIGHTS = frozenset({"weight", "mass"})
_AGES = frozenset({"age"})
_BIRTHS = frozenset({"birth", "born", "birthday", "birthdate", "dob"})
_JUDGED = {
    "older": (True, _AGES), "younger": (False, _AGES),
    "cheap": (False, _PRICES), "cheaper": (False, _PRICES), "dear": (True, _PRICES), "dearer": (True, _PRICES),
    "long": (True, _LENGTHS), "longer": (True, _LENGTHS), "short": (False, _LENGTHS), "shorter": (False, _LENGTHS),
    "heavy": (True, _WEIGHTS), "heavier": (True, _WEIGHTS), "light": (False, _WEIGHTS), "lighter": (False, _WEIGHTS),
}  # fmt: skip


def judged(finder: Finder, word: str, table: str) -> tuple[bool, list[Ref]]:
    """Return whether a word of the rules asks for the higher, and the columns that it can be about."""
    more, words = _JUDGED[word]
    columns = [c for c in finder.schema.table(table).columns if c.kind in ("integer", "number")]
    shown = finder.lexicon.shown_column
    fitting = [c for c in columns if words & set(shown[table, c.name].split())]
    return more, [Ref(table, c.name, c.kind) for c in fitting]


def births(finder: Finder, table: str) -> list[Ref]:
    """Return the columns that say when somebody was born: a date gives an age on any day."""
    columns = [c for c in finder.schema.table(table).columns if c.kind in ("date", "datetime")]
    shown = finder.lexicon.shown_column
    return [Ref(table, c.name, c.kind) for c in columns if _BIRTHS & set(shown[table, c.name].split())]


def born(ref: Ref, op: Op, age: int, *, today: date, node: Node) -> Cond:
    """Return that an age in whole years compares so on a day, as a condition on the birth date."""
    if not 0 <= age <= 150 or op not in ("<", "<=", ">", ">="):
        raise Trouble("this is no age", node, depth=3)
    turned = years_before(today, age + (op in (">", "<="))) + timedelta(days=1)
    if op in (">", ">="):
        return Period(ref, None, turned.isoformat())
    return Period(ref, turned.isoformat(), None)
