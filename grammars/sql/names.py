"""How names and text are written in SQL: quoting per dialect, and the fixed aliases a table may be given.

Everything that writes canonical SQL (the grammar, `canonicalize`, the controlled English) takes its spelling
from here, so that they agree to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from jigwork.grammars.schema import Schema

from .dialects import dialect_of

__all__ = [
    "CTE_NAMES",
    "DERIVED_NAMES",
    "names_equal",
    "nearest_names",
    "quote_name",
    "string_literal",
    "table_aliases",
]

CTE_NAMES = tuple(f"cte{number}" for number in range(1, 7))
"""What a common table expression may be called; a schema that has such a table loses that name."""
DERIVED_NAMES = tuple(f"sub{number}" for number in range(1, 5))
"""What a sub-query in FROM may be called."""

_MAX_TEXT = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f]|[\ud800-\udfff]")


def quote_name(name: str, dialect: str = "sqlite") -> str:
    """Write a table, column or alias so that the dialect reads exactly `name` back.

    Plain where that is safe, else in the dialect's quotes. Raises ValueError for what no quote can hold (NUL).
    """
    rules = dialect_of(dialect)
    if "\x00" in name or not name:
        raise ValueError(f"{name!r} cannot be a name in SQL")
    if rules.plain_name.fullmatch(name) and name.upper() not in rules.keywords:
        return name
    opening, closing = rules.quotes
    return opening + name.replace(closing, closing * 2) + closing


def string_literal(text: str, dialect: str = "sqlite") -> str:
    """Write `text` as a literal of canonical SQL; raises ValueError where canonical SQL cannot say it."""
    if len(text) > _MAX_TEXT:
        raise ValueError(
            f"a text of {len(text)} characters is longer than the {_MAX_TEXT} that a literal may have"
        )
    if _CONTROL.search(text):
        raise ValueError("a literal may hold no control characters")
    rules = dialect_of(dialect)
    if rules.backslash_escapes:
        text = text.replace("\\", "\\\\")
    return "'" + text.replace("'", "''" if rules.doubled_quotes else "\\'") + "'"


def table_aliases(schema: Schema, count: int = 3) -> Mapping[str, tuple[str, ...]]:
    """Return the aliases each table may be given, unquoted: `users` gives `users_1`, `users_2`, `users_3`.

    They need no quotes in any dialect, and clash with no table, with each other, or with the names of CTEs.
    """
    taken = {table.name.casefold() for table in schema.tables} | set(CTE_NAMES) | set(DERIVED_NAMES)
    aliases: dict[str, tuple[str, ...]] = {}
    for table in schema.tables:
        base = re.sub(r"[^A-Za-z0-9_]", "_", table.name)[:50]
        folds = dialect_of(schema.dialect).folds
        base = base.lower() if folds == "lower" else base.upper() if folds == "upper" else base
        if not re.match(r"[A-Za-z_]", base):
            base = f"t_{base}"
        while any(f"{base}_{number}".casefold() in taken for number in range(1, count + 1)):
            base += "_"
        aliases[table.name] = tuple(f"{base}_{number}" for number in range(1, count + 1))
        taken.update(alias.casefold() for alias in aliases[table.name])
    return aliases


def names_equal(left: str, right: str) -> bool:
    """Tell whether two names differ in nothing but case."""
    return left.casefold() == right.casefold()


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Return the names that look most like `name`, best first; case does not count."""
    by_fold: dict[str, str] = {}
    for candidate in names:
        by_fold.setdefault(candidate.casefold(), candidate)
    close = get_close_matches(name.casefold(), list(by_fold), n=limit, cutoff=0.6)
    return [by_fold[fold] for fold in close]
