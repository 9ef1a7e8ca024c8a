"""Why a query reads what it reads: each table with what its columns are for, each join with what holds it together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jigwork.grammars.sql.bindings import Bound, ColumnUse, Scope, Source

from .joins import JoinGraph

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["explain_query"]

_ROLES = {
    "joins": "joined by",
    "expressions": "shows",
    "where": "kept by",
    "group": "grouped by",
    "having": "groups kept by",
    "order": "sorted by",
}
"""Part of a SELECT: what a column in it is for. In the order in which they are told."""


def explain_query(bound: Bound) -> list[str]:
    """Return a sentence for each table that a checked query reads, in the order of the query."""
    lines: list[str] = []
    for scope in bound.scopes.values():
        graph = JoinGraph(scope, bound)
        lines += [_line(source, scope, graph, bound) for source in scope.sources if source.table is not None]
    return list(dict.fromkeys(lines))


def _line(source: Source, scope: Scope, graph: JoinGraph, bound: Bound) -> str:
    table = source.table
    assert table is not None
    size = "" if table.rows is None else f" ({table.rows:,} {'row' if table.rows == 1 else 'rows'})"
    roles = _roles(source, bound)
    parts = [f"{words} {', '.join(names)}" for role, words in _ROLES.items() if (names := roles.get(role))]
    if set(roles) <= {"joins"} and len(scope.sources) > 2:
        parts = [f"only connects {_others(source, scope, graph)}"]
    told = "; ".join(parts) or "its rows are counted or shown as a whole"
    joins = _joins(source, scope, graph)
    return f"{table.name}{size}: {told}{f'. {joins}' if joins else ''}"


def _roles(source: Source, bound: Bound) -> dict[str, list[str]]:
    """Return which columns of a source are used for what."""
    from sqlglot import exp

    found: dict[str, list[str]] = {}
    for node in bound.tree.find_all(exp.Column):
        use = bound.uses.get(id(node))
        if not isinstance(use, ColumnUse) or source not in [u.source for u in (use, *use.merged)]:
            continue
        names = found.setdefault(_role(node), [])
        if use.column not in names:
            names.append(use.column)
    for output in (o for scope in bound.scopes.values() for o in scope.outputs if o.node is None):
        if output.use is not None and output.use.source is source:  # a column that a star stands for
            found.setdefault("expressions", []).append(output.use.column)
    found.pop("joins", None)  # told with the join itself
    return found


def _role(node: exp.Expr) -> str:
    """Say in which part of the nearest SELECT around it a node stands."""
    from sqlglot import exp

    here: Any = node
    while here.parent is not None and not isinstance(here.parent, exp.Select):
        here = here.parent
    key = str(here.arg_key).rstrip("_")
    return key if key in _ROLES else "expressions"


def _joins(source: Source, scope: Scope, graph: JoinGraph) -> str:
    """Say what holds a source to those before it."""
    before = scope.sources[: scope.sources.index(source)]
    if not before:
        return ""
    said: list[str] = []
    for mine, theirs in _links(source, before, graph):
        key = _is_foreign_key(mine, theirs) or _is_foreign_key(theirs, mine)
        how = "along its foreign key" if key else "by equal values, which no foreign key asks for"
        said.append(f"{mine.column} = {theirs.source.name}.{theirs.column}, {how}")
    if not said:
        return "Joined by no equality of columns: every row meets every row that the other conditions leave"
    kind = {"LEFT": "Joined, rows without a partner kept,", "FULL": "Joined, all rows kept,"}.get(
        source.side.upper(), "Joined"
    )
    return f"{kind} on {' and '.join(said)}"


def _links(
    source: Source, before: Sequence[Source], graph: JoinGraph
) -> Iterator[tuple[ColumnUse, ColumnUse]]:
    for link in graph.links:
        for mine, theirs in ((link.left, link.right), (link.right, link.left)):
            if mine.source is source and theirs.source in before:
                yield mine, theirs


def _is_foreign_key(mine: ColumnUse, theirs: ColumnUse) -> bool:
    table, other = mine.source.table, theirs.source.table
    if table is None or other is None:
        return False
    pairs = [
        pair
        for key in table.foreign_keys
        if key.table == other.name
        for pair in zip(key.columns, key.references, strict=True)
    ]
    return (mine.column, theirs.column) in pairs


def _others(source: Source, scope: Scope, graph: JoinGraph) -> str:
    others = [other for other in scope.sources if other is not source]
    return " and ".join(other.name for other in others if any(_links(source, [other], graph))) or "the others"
