"""A sub-query that stands for one value and may give several: SQLite takes the first, where other databases complain."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from jigwork.grammars.sql.bindings import Bound, ColumnUse, Scope, Source
from jigwork.grammars.sql.parse import position

from .joins import JoinGraph, own_nodes

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["single_notes"]

_ROWS = frozenset(
    {"From", "Join", "In", "Any", "All", "Exists", "CTE", "Lateral", "Union", "Except", "Intersect"}
)
"""Where a sub-query stands for all its rows."""


def single_notes(bound: Bound, scope: Scope, aggregates: Container[str]) -> Iterator[str]:
    """Yield the note on one SELECT, where it is such a sub-query."""
    if bound.schema.dialect != "sqlite" or not _is_value(scope.node) or _is_single(bound, scope, aggregates):
        return
    where = position(scope.node, bound.text)
    yield (
        f"the sub-query{f' at {where}' if where else ''} may give several rows, of which an arbitrary one is taken: "
        "aggregate, compare with a key, or write ORDER BY and LIMIT 1"
    )


def _is_value(node: exp.Expr) -> bool:
    """Tell whether a query stands where one value is expected."""
    holder = node.parent
    if type(holder).__name__ != "Subquery":
        return False
    while type(holder).__name__ in ("Subquery", "Paren"):
        holder = holder.parent if holder is not None else None
    return holder is not None and type(holder).__name__ not in _ROWS


def _is_single(bound: Bound, scope: Scope, aggregates: Container[str]) -> bool:
    """Tell whether a SELECT surely gives one row at most."""
    from sqlglot import exp

    node, limit = scope.node, scope.node.args.get("limit")
    if not scope.sources or (
        limit is not None and limit.expression is not None and limit.expression.name in ("0", "1")
    ):
        return True
    grouped = node.args.get("group") is not None
    calls = [call for item in node.expressions for call in own_nodes(item, exp.Anonymous)]
    if not grouped and any(str(call.this).upper() in aggregates and not _is_window(call) for call in calls):
        return True
    held = {(id(use.source), use.column) for use in _held(bound, scope)}
    several = {id(source) for source in scope.sources if not _gives_one(bound, source, aggregates)}
    return JoinGraph(scope, bound).determined(held) >= several


def _is_window(call: Any) -> bool:
    holder = call.parent.parent if type(call.parent).__name__ == "Filter" else call.parent
    return type(holder).__name__ == "Window"


def _gives_one(bound: Bound, source: Source, aggregates: Container[str]) -> bool:
    """Tell whether a WITH query or a sub-query in FROM gives one row at most."""
    query = source.query
    while query is not None and type(query).__name__ == "Subquery":
        query = query.this
    inner = bound.scopes.get(id(query))
    return inner is not None and _is_single(bound, inner, aggregates)


def _held(bound: Bound, scope: Scope) -> Iterator[ColumnUse]:
    """Yield the columns of a SELECT that its conditions hold equal to something from outside of it."""
    from sqlglot import exp

    conditions: list[Any] = [join.args.get("on") for join in scope.node.args.get("joins") or ()]
    where = scope.node.args.get("where")
    conditions.append(where.this if where is not None else None)
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, (exp.And, exp.Paren)):
            conditions.extend((condition.this, condition.args.get("expression")))
        elif isinstance(condition, exp.EQ):
            for one, other in (
                (condition.this, condition.expression),
                (condition.expression, condition.this),
            ):
                use = bound.uses.get(id(one))
                if (
                    isinstance(use, ColumnUse)
                    and use.source in scope.sources
                    and not _reads(bound, scope, other)
                ):
                    yield use


def _reads(bound: Bound, scope: Scope, node: Any) -> bool:
    """Tell whether an expression has a column of this SELECT in it."""
    from sqlglot import exp

    uses = [bound.uses.get(id(column)) for column in node.find_all(exp.Column)]
    return any(not isinstance(use, ColumnUse) or use.source in scope.sources for use in uses)
