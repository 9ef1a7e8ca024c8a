"""The check of a query before a database sees it: it holds for any text, wherever the text comes from.

In order: size, nesting, characters and comments; one statement; nothing in its tree that is not on the list of
what a SELECT may be; only functions that are allowed; every name bound to something that is there. What is refused
is refused with a sentence that a model can act on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jigwork.errors import SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.aggregates import check_aggregates
from jigwork.grammars.sql.bindings import Bound
from jigwork.grammars.sql.dialects import Dialect, dialect_of
from jigwork.grammars.sql.names import nearest_names
from jigwork.grammars.sql.parse import parse_select, position
from jigwork.grammars.sql.resolve import resolve

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["allowed_functions", "check"]


def check(text: str, schema: Schema, *, hidden: Sequence[str] = ()) -> Bound:
    """Check one query against a schema and return it with its names bound; `.text` is what may be run.

    `hidden` names tables and `table.column`s that exist but are answered as "not available here".
    Raises SQLRefused with what is wrong, where, and the nearest valid thing.
    """
    tree, cleaned = parse_select(text, schema.dialect)
    _check_functions(tree, cleaned, dialect_of(schema.dialect))
    if schema.dialect == "sqlite":
        _check_cte_names(tree, cleaned, schema)
    bound = resolve(tree, cleaned, schema, hidden=hidden)
    check_aggregates(bound)
    return bound


def allowed_functions(dialect: str) -> frozenset[str]:
    """Return the names of all functions that a query may call, upper case."""
    rules = dialect_of(dialect)
    special = (*rules.unit_functions, *rules.ordered_aggregates)
    return frozenset({*rules.functions, *rules.aggregates, *rules.windows, *rules.synonyms, *special})


def _check_functions(tree: exp.Query, text: str, dialect: Dialect) -> None:
    from sqlglot import exp

    allowed = allowed_functions(dialect.name)
    for call in tree.find_all(exp.Anonymous):
        name = call.name.upper()
        if name in allowed and isinstance(call.this, str):
            continue
        where = position(call, text)
        near = nearest_names(name, allowed)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        raise SQLRefused(
            f"the function {call.name} is not available here{f' at {where}' if where else ''}{hint}"
        )


def _check_cte_names(tree: exp.Query, text: str, schema: Schema) -> None:
    """SQLite's authorizer tells a CTE from a view by its name only, so the two may not be alike."""
    taken = {table.name.casefold() for table in schema.tables}
    for name, node in _cte_names(tree):
        if name.casefold() in taken:
            raise SQLRefused(f"{name} is a table; name the WITH query otherwise, at {position(node, text)}")


def _cte_names(tree: exp.Query) -> Iterator[tuple[str, exp.Expr]]:
    from sqlglot import exp

    for cte in tree.find_all(exp.CTE):
        yield cte.alias, cte.args["alias"]
