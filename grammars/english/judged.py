"""Adjectives that ask about a number: `cheapest`, `longer than`. Each is about the columns that are called so."""

from __future__ import annotations

from .columns import Finder
from .query import Ref

__all__ = ["judged"]

_PRICES = frozenset({"price", "cost", "rate", "fee"})
_LENGTHS = frozenset({"length", "duration", "milliseconds", "seconds", "minutes", "runtime"})
_WEIGHTS = frozenset({"weight", "mass"})
_JUDGED = {
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
