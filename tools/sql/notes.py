"""What a reader should know before trusting a result: the ways in which a query can be right and its answer wrong.

Found from the bound query, the keys of the schema, and a few short looks at the data. A note is one sentence, for
the model and for the person alike; none of them changes the result.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from jigwork.grammars.sql.bindings import AliasUse, Bound, ColumnUse, Scope
from jigwork.grammars.sql.dialects import dialect_of
from jigwork.grammars.sql.names import nearest_names, quote_name, string_literal

from .engine import Look, RawRows
from .joins import JoinGraph, own_nodes
from .typed_notes import typed_notes

__all__ = ["notes_on"]

_LOOKING_SECONDS = 0.8
_MOST_NOTES = 8
_TOP = 50
"""Who sorts and takes at most so many rows wants the first ones: that there are more goes without saying."""
_ADDING = frozenset({"SUM", "AVG", "TOTAL", "COUNT", "STDDEV", "VARIANCE"})


def notes_on(bound: Bound, raw: RawRows, sources: Mapping[str, str], look: Look) -> tuple[str, ...]:
    """Return the notes on one result, most important first, each once; `sources` says what tables are read from."""
    found = _Notes(bound, raw, sources, look)
    return tuple(dict.fromkeys(found.all()))[:_MOST_NOTES]


class _Notes:
    def __init__(self, bound: Bound, raw: RawRows, sources: Mapping[str, str], look: Look) -> None:
        self.bound = bound
        self.raw = raw
        self.schema = schema = bound.schema
        self.sources = sources
        self.look = look
        self.aggregates = dialect_of(schema.dialect).aggregates
        self.tables = {table.name: table for table in schema.tables}
        self.ends = time.monotonic() + _LOOKING_SECONDS

    def all(self) -> Iterator[str]:
        yield from self.size()
        for scope in self.bound.scopes.values():
            graph = JoinGraph(scope, self.bound)
            yield from self.ungrounded(scope)
            yield from self.unjoined(graph)
            yield from self.repeated(scope, graph)
            yield from self.off_key(graph)
            yield from self.ungrouped(scope, graph)
            yield from typed_notes(self.bound, scope, self.sources, self.rows, empty=self.empty())
            yield from self.nulls(scope)

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
        if count is not None and count.name.isdigit() and 1 < int(count.name) == raw.row_count:
            if self.bound.tree.args.get("order") is None:
                yield f"LIMIT {count.name} was reached without ORDER BY: there may be more rows, and which ones these are is arbitrary"
            elif int(count.name) > _TOP:
                yield f"LIMIT {count.name} was reached; there may be more rows"

    # Filters

    def ungrounded(self, scope: Scope) -> Iterator[str]:
        """A text that a column is compared with, and that is not stored there."""
        where = scope.node.args.get("where")
        for column, text in _compared_texts(where, self.bound) if where is not None else ():
            table = column.source.table
            if table is None:
                continue
            stored = table.column(column.column).values
            name = f"{table.name}.{column.column}"
            if stored is not None and text in stored:
                continue
            if stored is not None or self.empty():  # collations may take another spelling for the same
                known, near = self.stored(table.name, column.column, text)
                near = nearest_names(text, stored) if stored is not None else near
            else:
                continue
            if not known:
                hint = f"; nearest: {', '.join(repr(value) for value in near)}" if near else ""
                yield f"{name} never is {text!r}{hint}"

    def empty(self) -> bool:
        """Tell whether the result holds nothing: no row, or one of NULLs and zeros."""
        return self.raw.row_count == 0 or _all_empty(self.raw)

    def stored(self, table: str, column: str, text: str) -> tuple[bool, list[str]]:
        """Look whether a text is stored in a column, and for those like it."""
        dialect = self.schema.dialect
        source, name = self.sources[table], quote_name(column, dialect)
        try:
            literal = string_literal(text, dialect)
        except ValueError:
            return True, []
        counted = self.rows(f"SELECT COUNT(*) FROM {source} WHERE {name} = {literal}")
        if not counted or counted[0][0]:
            return True, []
        values = self.rows(f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL LIMIT 3000")
        return False, nearest_names(text, [row[0] for row in values if isinstance(row[0], str)])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        left = self.ends - time.monotonic()
        return self.look(sql, min(left, 0.3)) if left > 0 else []

    # Joins

    def unjoined(self, graph: JoinGraph) -> Iterator[str]:
        one_row = [s for s in graph.unconnected() if s.table is not None]
        for source in one_row:
            first = graph.scope.sources[0].name
            yield f"{source.name} and {first} are joined by no condition: every row meets every row"

    def repeated(self, scope: Scope, graph: JoinGraph) -> Iterator[str]:
        """An aggregate over rows that a join repeats."""
        from sqlglot import exp

        for call in _calls(scope, self.aggregates):
            name = str(call.this).upper()
            if name not in _ADDING or any(isinstance(item, exp.Distinct) for item in call.expressions):
                continue
            for column in own_nodes(call, exp.Column):
                use = self.bound.uses.get(id(column))
                if (
                    not isinstance(use, ColumnUse)
                    or use.source not in scope.sources
                    or use.source.table is None
                ):
                    continue
                others = graph.repeating(use.source)
                if others and not (name == "COUNT" and len(scope.sources) == 2):
                    table = use.source.table.name
                    yield (
                        f"the join with {others[0].name} may repeat rows of {table}, so {name}({table}.{use.column}) "
                        "may count a row more than once"
                    )

    def off_key(self, graph: JoinGraph) -> Iterator[str]:
        for link in graph.off_key(self.tables):
            left, right = (f"{use.source.name}.{use.column}" for use in (link.left, link.right))
            yield f"the join on {left} = {right} follows no foreign key"

    # Groups

    def ungrouped(self, scope: Scope, graph: JoinGraph) -> Iterator[str]:
        """A column beside an aggregate, neither grouped nor aggregated: some databases pick any row for it."""
        if self.schema.dialect == "postgres" or not any(True for _ in _calls(scope, self.aggregates)):
            return
        group = scope.node.args.get("group")
        keys = {self.key(node) for node in (group.expressions if group is not None else ())}
        grouped = {(key[1], key[2]) for key in keys if key[0] == "column"}
        settled = graph.determined(grouped)
        extremes = [
            call for call in _calls(scope, self.aggregates) if str(call.this).upper() in ("MIN", "MAX")
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

        for call in _calls(scope, self.aggregates):
            name = str(call.this).upper()
            argument = call.expressions[0] if len(call.expressions) == 1 else None
            use = self.bound.uses.get(id(argument))
            if name not in ("AVG", "COUNT") or not isinstance(use, ColumnUse) or self.filtered(use, scope):
                continue
            if missing := self.missing(use):
                yield f"{missing}, which {name} leaves out"
        for condition in own_nodes(scope.node, exp.Not):
            inner = condition.this
            query = inner.args.get("query") if isinstance(inner, exp.In) else None
            outputs = self.bound.outputs.get(id(query.this if isinstance(query, exp.Subquery) else query), [])
            use = outputs[0].use if outputs else None
            if use is not None and (missing := self.missing(use)):
                yield f"{missing}, and NOT IN with a NULL among its values matches no row at all"

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


def _calls(scope: Scope, aggregates: Container[str]) -> Iterator[Any]:
    """Yield the aggregate calls of one SELECT that are no window."""
    from sqlglot import exp

    for part in (*scope.node.expressions, scope.node.args.get("having"), scope.node.args.get("order")):
        for call in own_nodes(part, exp.Anonymous) if part is not None else ():
            if not isinstance(call.parent, exp.Window) and str(call.this).upper() in aggregates:
                yield call


def _compared_texts(where: Any, bound: Bound) -> Iterator[tuple[ColumnUse, str]]:
    """Yield `column = 'text'` and `column IN ('text')`, wherever they stand in a filter of this SELECT."""
    from sqlglot import exp

    for node in own_nodes(where, (exp.EQ, exp.In)):
        column = bound.uses.get(id(node.this))
        texts: Sequence[Any] = [node.expression] if isinstance(node, exp.EQ) else node.expressions
        for text in texts:
            if isinstance(column, ColumnUse) and isinstance(text, exp.Literal) and text.is_string:
                yield column, text.name


def _all_empty(raw: RawRows) -> bool:
    """Tell whether a result is one row of nothing: NULLs and zeros."""
    return raw.row_count == 1 and bool(raw.rows) and all(value in (None, 0) for value in raw.rows[0])
