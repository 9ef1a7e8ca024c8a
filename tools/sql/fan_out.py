"""Aggregates over rows that a join repeats: what they take, what they are grouped by, and which join does it.

The join may stand in the SELECT of the aggregate, or in a WITH query or derived table that it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from typing import Any

from jigwork.grammars.sql.bindings import AliasUse, Bound, ColumnUse, Scope, Source
from jigwork.grammars.sql.names import quote_name

from .joins import JoinGraph, Place, own_nodes

__all__ = ["FanOut", "aggregate_calls", "group_uses", "value_uses"]

_ADDING = frozenset({"SUM", "AVG", "TOTAL", "COUNT", "STDDEV", "VARIANCE"})


def aggregate_calls(scope: Scope, aggregates: Container[str], *, windows: bool = False) -> Iterator[Any]:
    """Yield the aggregate calls of one SELECT; with `windows`, those over a window too."""
    from sqlglot import exp

    for part in (*scope.node.expressions, scope.node.args.get("having"), scope.node.args.get("order")):
        for call in own_nodes(part, exp.Anonymous) if part is not None else ():
            over = isinstance(call.parent, exp.Window)
            if (windows or not over) and str(call.this).upper() in aggregates:
                yield call


def value_uses(bound: Bound, call: Any) -> Iterator[ColumnUse]:
    """Yield the columns whose values an aggregate takes: not those that a CASE only asks."""
    from sqlglot import exp

    asked = {
        id(column)
        for case in own_nodes(call, exp.Case)
        for part in (case.this, *(branch.this for branch in case.args["ifs"]))
        for column in (own_nodes(part, exp.Column) if part is not None else ())
    }
    for column in own_nodes(call, exp.Column):
        use = bound.uses.get(id(column))
        if isinstance(use, ColumnUse) and id(column) not in asked:
            yield use


def group_uses(bound: Bound, scope: Scope) -> Iterator[ColumnUse]:
    """Yield the columns that rows are grouped by, by name, alias or position."""
    group = scope.node.args.get("group")
    yield from _column_uses(bound, group.expressions if group is not None else ())


def _column_uses(bound: Bound, nodes: Collection[Any]) -> Iterator[ColumnUse]:
    for node in nodes:
        use = bound.uses.get(id(node))
        use = use.output.use if isinstance(use, AliasUse) else use
        if isinstance(use, ColumnUse):
            yield use


class FanOut:
    """Finds them in one query; `rows` runs a look at the data, `sources` says what tables are read from."""

    def __init__(
        self,
        bound: Bound,
        aggregates: Container[str],
        sources: Mapping[str, str],
        rows: Callable[[str], list[tuple[Any, ...]]],
    ) -> None:
        self.bound = bound
        self.aggregates = aggregates
        self.sources = sources
        self.rows = rows
        self.unique: dict[tuple[str, frozenset[str]], bool] = {}

    def notes(self, scope: Scope) -> Iterator[str]:
        """Yield a note for each aggregate of one SELECT that may count a row more than once."""
        from sqlglot import exp

        for call in aggregate_calls(scope, self.aggregates, windows=True):
            name = str(call.this).upper()
            if name not in _ADDING or any(isinstance(item, exp.Distinct) for item in call.expressions):
                continue
            window = call.parent if isinstance(call.parent, exp.Window) else None
            keys = [*group_uses(self.bound, scope)]
            if window is not None:
                keys += _column_uses(self.bound, window.args.get("partition_by") or ())
            taken = [self.origin(scope, use) for use in value_uses(self.bound, call)]
            origins = [origin for origin in taken if origin is not None]
            if not origins or len(origins) < len(taken) or len({id(inner.node) for inner, _ in origins}) > 1:
                continue
            inner = origins[0][0]
            grouped = {
                (id(origin[1].source), origin[1].column)
                for key in keys
                if (origin := self.origin(scope, key)) is not None and origin[0] is inner
            }
            yield from self.repeated(name, inner, [use for _, use in origins], grouped)

    def origin(self, scope: Scope, use: ColumnUse) -> tuple[Scope, ColumnUse] | None:
        """Follow a column through queries that pass rows on as they are, to the SELECT that reads its table."""
        from sqlglot import exp

        while use.source.table is None:
            query = use.source.query
            inside = self.bound.scopes.get(id(query)) if isinstance(query, exp.Select) else None
            if inside is None or inside is scope or use.column not in use.source.columns:
                return None
            merged = inside.node.args.get("group") or inside.node.args.get("distinct")
            if merged or any(True for _ in aggregate_calls(inside, self.aggregates)):
                return None
            place = use.source.columns.index(use.column)
            found = inside.outputs[place].use if place < len(inside.outputs) else None
            if found is None:
                return None
            scope, use = inside, found
        return (scope, use) if use.source in scope.sources else None

    def repeated(
        self, name: str, scope: Scope, uses: list[ColumnUse], grouped: Collection[Place]
    ) -> Iterator[str]:
        graph, table = JoinGraph(scope, self.bound), uses[0].source.table
        if table is None or (name == "COUNT" and self.counts_others(uses[0], grouped, graph)):
            return
        sources = list({id(use.source): use.source for use in uses}.values())
        # What the keys say is cheap; where they do not settle it, the data may.
        others = graph.repeating(sources, grouped) and graph.repeating(sources, grouped, self.is_unique)
        if others:
            yield (
                f"the join with {others[0].name} may repeat rows of {table.name}, so {name}({table.name}."
                f"{uses[0].column}) may count a row more than once"
            )

    def counts_others(self, use: ColumnUse, grouped: Collection[Place], graph: JoinGraph) -> bool:
        """Tell whether a group has one row of the counted column's table: then those joined to it are what is counted."""
        if (id(use.source), use.column) in {*grouped, *graph.fixed}:
            return True
        return id(use.source) in graph.determined(grouped, self.is_unique)

    def is_unique(self, source: Source, columns: Collection[str]) -> bool:
        """Look whether columns tell the rows of a table apart, though no key does."""
        if source.table is None:
            return False
        key = source.table.name, frozenset(columns)
        if key not in self.unique:
            names = [quote_name(column, self.bound.schema.dialect) for column in sorted(columns)]
            there = " AND ".join(f"{name} IS NOT NULL" for name in names)
            counts = (
                f"SELECT COUNT(*) AS jigwork_count FROM {self.sources[source.table.name]} WHERE {there} "
                f"GROUP BY {', '.join(names)}"
            )
            found = self.rows(f"SELECT MAX(jigwork_count) FROM ({counts}) AS jigwork_counts")
            self.unique[key] = bool(found) and found[0][0] in (None, 1)
        return self.unique[key]
