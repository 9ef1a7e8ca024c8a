"""What a reader should know before trusting a result: the ways in which a query can be right and its answer wrong.

Found from the bound query, the keys of the schema, and a few short looks at the data. A note is one sentence, for
the model and for the person alike; none of them changes the result.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jigwork.grammars.sql.bindings import AliasUse, Bound, ColumnUse, Scope
from jigwork.grammars.sql.dialects import dialect_of
from jigwork.grammars.sql.names import quote_name

from .engine import Look, RawRows
from .fan_out import FanOut, aggregate_calls, group_uses, value_uses
from .joins import JoinGraph, own_nodes
from .single_notes import single_notes
from .typed_notes import typed_notes
from .value_notes import value_notes

__all__ = ["notes_on"]

_LOOKING_SECONDS = 0.8
_MOST_NOTES = 8
_TOP = 50
"""Who sorts and takes at most so many rows wants the first ones: that there are more goes without saying."""
_LEAVING_OUT = frozenset({"SUM", "AVG", "TOTAL", "COUNT"})
_FILLING = frozenset({"COALESCE", "IFNULL", "NVL", "ISNULL", "IIF", "IF", "CONCAT", "CONCAT_WS"})
"""What makes a value of a NULL."""


def notes_on(
    bound: Bound,
    raw: RawRows,
    sources: Mapping[str, str],
    look: Look,
    *,
    partial: Collection[str] = (),
    most: int | None = None,
) -> tuple[str, ...]:
    """Return the notes on one result, most important first, each once.

    `sources` says what tables are read from; of those in `partial` only a part of the rows is there. `most` is the
    highest LIMIT that may be asked for; one that was higher, or missing, has become that.
    """
    found = _Notes(bound, raw, sources, look, partial=partial, most=most)
    return tuple(dict.fromkeys(found.all()))[:_MOST_NOTES]


class _Notes:
    def __init__(
        self,
        bound: Bound,
        raw: RawRows,
        sources: Mapping[str, str],
        look: Look,
        *,
        partial: Collection[str],
        most: int | None,
    ) -> None:
        self.bound = bound
        self.most = most
        self.raw = raw
        self.schema = schema = bound.schema
        self.sources = sources
        self.look = look
        self.partial = [name for name in bound.tables() if name in partial]
        # Of a table of which a part is there, nobody can say what it never holds.
        self.whole = {name: source for name, source in sources.items() if name not in partial}
        self.aggregates = dialect_of(schema.dialect).aggregates
        self.tables = {table.name: table for table in schema.tables}
        self.ends = time.monotonic() + _LOOKING_SECONDS

    def all(self) -> Iterator[str]:
        yield from self.size()
        if self.partial:
            yield f"only a part of the rows of {' and '.join(self.partial)} is available here"
        empty = self.empty()
        fan_out = FanOut(self.bound, self.aggregates, self.sources, self.rows)
        for scope in self.bound.scopes.values():
            graph = JoinGraph(scope, self.bound)
            rowed = not empty and scope.node is self.bound.tree and self.is_rowed(scope)
            yield from value_notes(self.bound, scope, self.whole, self.rows, empty=empty, rowed=rowed)
            yield from self.unjoined(graph)
            yield from fan_out.notes(scope)
            yield from self.off_key(graph)
            yield from self.ungrouped(scope, graph)
            yield from typed_notes(self.bound, scope, self.sources, self.rows)
            yield from self.nulls(scope)
            yield from single_notes(self.bound, scope, self.aggregates)

    # The result

    def size(self) -> Iterator[str]:
        raw = self.raw
        if raw.row_count == 0:
            yield "no row matches"
        elif raw.row_count == 1 and raw.rows and all(value is None for value in raw.rows[0]):
            yield "the result is one row of NULLs: no row went into it, or all values are NULL"
        if raw.cut_by is not None:
            total = f"{raw.row_count}" if raw.counted else f"at least {raw.row_count}"
            why = "" if raw.cut_by == "rows" else " (the rest is too large)"
            if not raw.rows:
                yield "the first row alone is larger than a result may be: select fewer columns, or a part with SUBSTR"
                return
            yield f"{total} rows in all; only the first {len(raw.rows)} are shown{why}"
        limit = self.bound.tree.args.get("limit")
        count = limit.args.get("expression") if limit is not None else None
        if count is not None and count.name.isdigit() and int(count.name) == raw.row_count:
            yield from self.limit_reached(raw.row_count)

    def limit_reached(self, count: int) -> Iterator[str]:
        ordered = self.bound.tree.args.get("order") is not None
        arbitrary = "" if ordered else ", and which ones these are is arbitrary"
        if self.most is not None and count >= self.most:
            yield f"LIMIT {count} was reached, the most that may be asked for: there may be more rows{arbitrary}"
        elif count > 1 and not ordered:
            yield f"LIMIT {count} was reached without ORDER BY: there may be more rows{arbitrary}"
        elif count > _TOP:
            yield f"LIMIT {count} was reached; there may be more rows"

    def empty(self) -> bool:
        """Tell whether the result holds nothing: no row, or one of NULLs and zeros."""
        return self.raw.row_count == 0 or _all_empty(self.raw)

    def is_rowed(self, scope: Scope) -> bool:
        """Tell whether each row of a SELECT stands for rows that it read: not so for a count of none."""
        return scope.node.args.get("group") is not None or not any(
            True for _ in aggregate_calls(scope, self.aggregates)
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        left = self.ends - time.monotonic()
        return self.look(sql, min(left, 0.3)) if left > 0 else []

    # Joins

    def unjoined(self, graph: JoinGraph) -> Iterator[str]:
        one_row = [s for s in graph.unconnected() if s.table is not None]
        for source in one_row:
            first = graph.scope.sources[0].name
            yield f"{source.name} and {first} are joined by no condition: every row meets every row"

    def off_key(self, graph: JoinGraph) -> Iterator[str]:
        for link in graph.off_key(self.tables):
            left, right = (f"{use.source.name}.{use.column}" for use in (link.left, link.right))
            yield f"the join on {left} = {right} follows no foreign key"

    # Groups

    def ungrouped(self, scope: Scope, graph: JoinGraph) -> Iterator[str]:
        """A column beside an aggregate, neither grouped nor aggregated: some databases pick any row for it."""
        if self.schema.dialect == "postgres" or not any(
            True for _ in aggregate_calls(scope, self.aggregates)
        ):
            return
        group = scope.node.args.get("group")
        keys = {self.key(node) for node in (group.expressions if group is not None else ())}
        grouped = {(id(use.source), use.column) for use in group_uses(self.bound, scope)} | graph.fixed
        settled = graph.determined(grouped)
        extremes = [
            call
            for call in aggregate_calls(scope, self.aggregates)
            if str(call.this).upper() in ("MIN", "MAX")
        ]
        if len(extremes) == 1 and self.schema.dialect == "sqlite":
            return  # SQLite takes the other columns from the row of the one minimum or maximum
        for index, output in enumerate(scope.outputs):
            use = output.use
            if use is None or use.source.table is None or ("position", index) in keys:
                continue
            if (id(use.source), use.column) in grouped or id(use.source) in settled:
                continue
            name = f"{use.source.name}.{use.column}"
            yield f"{name} is neither grouped nor aggregated: its value comes from an arbitrary row of the group"

    def key(self, node: Any) -> tuple[Any, ...]:
        use = self.bound.uses.get(id(node))
        if isinstance(use, ColumnUse):
            return ("column", id(use.source), use.column)
        if isinstance(use, AliasUse):
            output = use.output
            direct = output.use is not None and output.node is not None
            return self.key(output.node) if direct else ("position", use.index)
        return ("expression", id(node))

    # NULLs

    def nulls(self, scope: Scope) -> Iterator[str]:
        from sqlglot import exp

        for call in aggregate_calls(scope, self.aggregates):
            name = str(call.this).upper()
            if name not in _LEAVING_OUT or len(call.expressions) != 1 or self.fills(call.expressions[0]):
                continue
            for use in dict.fromkeys(value_uses(self.bound, call)):
                if not self.filtered(use, scope) and (missing := self.missing(use)):
                    yield f"{missing}, which {name} leaves out"
        for condition in own_nodes(scope.node, exp.Not):
            inner = condition.this
            query = inner.args.get("query") if isinstance(inner, exp.In) else None
            outputs = self.bound.outputs.get(id(query.this if isinstance(query, exp.Subquery) else query), [])
            inside = outputs[0].use if outputs else None
            if inside is not None and (missing := self.missing(inside)):
                yield f"{missing}, and NOT IN with a NULL among its values matches no row at all"

    def fills(self, argument: Any) -> bool:
        """Tell whether an expression has a value where its columns have none, or is about different ones."""
        from sqlglot import exp

        known = (exp.Distinct, exp.Case, exp.Is, exp.And, exp.Or)
        called = (str(call.this).upper() for call in own_nodes(argument, exp.Anonymous))
        return any(True for _ in own_nodes(argument, known)) or bool(_FILLING & set(called))

    def filtered(self, use: ColumnUse, scope: Scope) -> bool:
        """Tell whether the WHERE compares the column with something, which no NULL meets."""
        from sqlglot import exp

        where = scope.node.args.get("where")
        conditions = [where.this] if where is not None else []
        while conditions:
            condition = conditions.pop()
            if isinstance(condition, (exp.And, exp.Paren)):
                conditions.extend((condition.this, condition.args.get("expression")))
            elif isinstance(condition, (exp.Predicate, exp.Not)) and not isinstance(
                condition, (exp.Or, exp.Is)
            ):
                inner = condition.this if isinstance(condition, exp.Not) else condition
                other = self.bound.uses.get(id(inner.this))
                if isinstance(other, ColumnUse) and other.source is use.source and other.column == use.column:
                    return True
        return False

    def missing(self, use: ColumnUse) -> str | None:
        """Count the NULLs of a column."""
        table = use.source.table
        if table is None or not table.column(use.column).nullable:
            return None
        dialect = self.schema.dialect
        name = quote_name(use.column, dialect)
        counted = self.rows(f"SELECT COUNT(*) - COUNT({name}), COUNT(*) FROM {self.sources[table.name]}")
        if not counted or not counted[0][0]:
            return None
        return f"{table.name}.{use.column} is NULL in {counted[0][0]} of {counted[0][1]} rows"


def _all_empty(raw: RawRows) -> bool:
    """Tell whether a result is one row of nothing: NULLs and zeros."""
    return raw.row_count == 1 and bool(raw.rows) and all(value in (None, 0) for value in raw.rows[0])
