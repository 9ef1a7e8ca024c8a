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
from jigwork.grammars.sql.words import SQLITE_RESERVED

from .effort import check_effort

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["allowed_functions", "check"]


def check(text: str, schema: Schema, *, hidden: Sequence[str] = (), recursive: bool = False) -> Bound:
    """Check one query against a schema and return it with its names bound; `.text` is what may be run.

    `hidden` names tables and `table.column`s that exist but are answered as "not available here". WITH RECURSIVE is
    refused without `recursive`.
    Raises SQLRefused with what is wrong, where, and the nearest valid thing.
    """
    tree, cleaned = parse_select(text, schema.dialect)
    _check_depth(tree)
    try:
        _check_functions(tree, cleaned, dialect_of(schema.dialect))
        _check_growth(tree, cleaned)
        if schema.dialect == "sqlite":
            _check_words(tree, cleaned)
            _check_cte_names(tree, cleaned, schema)
        bound = resolve(tree, cleaned, schema, hidden=hidden, recursive=recursive)
        check_aggregates(bound)
        check_effort(bound)
    except RecursionError:
        raise SQLRefused(_DEEP) from None
    return bound


def _check_depth(tree: exp.Query) -> None:
    """A chain of operators nests without a parenthesis; only those of AND and of OR are read one by one by everybody."""
    from sqlglot import exp

    stack: list[tuple[exp.Expr, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH:
            raise SQLRefused(_DEEP)
        for child in node.iter_expressions():
            chained = isinstance(child, exp.Connector) and type(child) is type(node)
            stack.append((child, depth if chained else depth + 1))


def allowed_functions(dialect: str) -> frozenset[str]:
    """Return the names of all functions that a query may call, upper case."""
    rules = dialect_of(dialect)
    special = {*rules.unit_functions, *rules.ordered_aggregates, *rules.arrows, *rules.constants}
    if rules.row_values:
        special.add("ROW")
    if rules.grouping == "sets":
        special.add("GROUPING")
    if rules.name == "mysql":
        special |= {"DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE", "ISNULL", "->", "->>"}
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


_MAX_DEPTH = 200
_DEEP = "the query nests too deeply; write a simpler one"
_GROWING = frozenset({"REPLACE", "REGEXP_REPLACE", "TRANSLATE"})
_MAX_GROWTH, _MAX_GROWING = 2, 50


def _check_growth(tree: exp.Query, text: str) -> None:
    """Replacing by something longer, inside itself, makes texts that fill the memory of a server."""
    from sqlglot import exp

    growing = [call for call in tree.find_all(exp.Anonymous) if _grows(call)]
    known = {id(call) for call in growing}
    for call in growing:
        depth = 0
        around: exp.Expr | None = call
        while around is not None and depth <= _MAX_GROWTH:
            depth += id(around) in known
            around = around.parent
        if depth > _MAX_GROWTH or len(growing) > _MAX_GROWING:
            where = position(call, text)
            raise SQLRefused(
                f"{call.name} nests too deeply{f' at {where}' if where else ''}; write it once or twice"
            )


def _grows(call: exp.Expr) -> bool:
    """Tell whether a call may put longer texts in the place of shorter ones."""
    if call.name.upper() not in _GROWING or len(call.expressions) < 3:
        return False
    old, new = call.expressions[1:3]
    literal = all(type(part).__name__ == "Literal" for part in (old, new))
    return not literal or len(new.name) > max(1, len(old.name))


def _check_words(tree: exp.Query, text: str) -> None:
    """SQLite cannot read a reserved word as the name of a column of something, where sqlglot can."""
    from sqlglot import exp

    for column in tree.find_all(exp.Column):
        name = column.this
        if not column.table or not isinstance(name, exp.Identifier) or name.quoted:
            continue
        if name.name.upper() in SQLITE_RESERVED:
            where = position(name, text)
            raise SQLRefused(
                f'{name.name} is a keyword{f" at {where}" if where else ""}; as a name it is written "{name.name}"'
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
