"""Rewrite any SELECT of a dialect into the canonical form that the grammar of its schema accepts.

The meaning stays: the rows are the same, up to the row limit that canonical SQL must have. What canonical SQL
cannot say is refused with the construct and its place, never approximated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jigwork.errors import SQLRefused
from jigwork.grammars.schema import Schema

from .aggregates import filters_rows
from .bindings import AliasUse, Bound, ColumnUse, Output, Scope, Source
from .compounds import Compounds
from .dialects import dialect_of
from .limits import row_count, whole
from .names import CTE_NAMES, DERIVED_NAMES, quote_name, table_aliases
from .parse import parse_select, position
from .render import Renderer
from .resolve import resolve

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Canonical", "canonicalize", "rewrite"]


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical query. `limit_added` tells that its LIMIT is ours, or lower than the one that was written."""

    sql: str
    limit_added: bool


def canonicalize(
    sql: str, schema: Schema, *, max_limit: int = 1000, hidden: Sequence[str] = (), recursive: bool = False
) -> Canonical:
    """Rewrite `sql` into canonical form for `schema` (whose dialect it is read in).

    A LIMIT that is missing or above `max_limit` becomes `max_limit`. A double-quoted text is read as SQLite
    reads it. WITH RECURSIVE is refused without `recursive`. Raises SQLRefused for what is not allowed, unknown, or beyond canonical SQL, with its place.
    """
    tree, text = parse_select(sql, schema.dialect)
    bound = resolve(tree, text, schema, hidden=hidden, quoted_texts=True, recursive=recursive)
    writer = _Writer(bound, max_limit)
    try:
        written = writer.statement()
    except RecursionError:
        raise SQLRefused("the query nests too deeply; write a simpler one") from None
    return Canonical(written, writer.limit_added)


def rewrite(bound: Bound, views: Mapping[str, str]) -> str:
    """Write a bound query for its database, with the tables in `views` replaced by sub-queries.

    The text is canonical but for those sub-queries, and no LIMIT is added. It is for running, not for showing.
    """
    return _Writer(bound, None, views).statement()


_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class _Writer:
    """Writes statements; expressions are the renderer's, which asks back for names and sub-queries."""

    def __init__(self, bound: Bound, max_limit: int | None, views: Mapping[str, str] | None = None) -> None:
        self.bound = bound
        self.views = views or {}
        self.max_limit = max_limit
        self.limit_added = False
        self.dialect = dialect_of(bound.schema.dialect)
        self.render = Renderer(bound, self)
        self.compounds = Compounds(self)
        self.aliases = table_aliases(bound.schema)
        used = {table.name.casefold() for table in bound.schema.tables}
        self.cte_pool = [name for name in CTE_NAMES if name not in used]
        self.sub_pool = [name for name in DERIVED_NAMES if name not in used]
        self.ctes: dict[int, str] = {}
        self.definitions: list[str] = []
        self.column_names: dict[int, list[str]] = {}
        self.qualifiers: dict[int, str] = {}
        self.scope: Scope | None = None
        self.recursive = False
        self.always = "1 = 1" if self.dialect.strict else "TRUE"

    def refuse(self, what: str, node: Any) -> SQLRefused:
        where = position(node, self.bound.text)
        return SQLRefused(f"{what} cannot be said in canonical SQL{f' (at {where})' if where else ''}")

    # Statements

    def statement(self) -> str:
        body = self.query(self.bound.tree, top=True)
        word = "WITH RECURSIVE" if self.recursive else "WITH"
        start = f"{word} {', '.join(self.definitions)} " if self.definitions else ""
        return start + body

    def query(
        self,
        node: Any,
        *,
        top: bool = False,
        names: Sequence[str] | None = None,
        one: bool = False,
        bare: bool = False,
    ) -> str:
        """Write a query; `names` are what its outputs must be called, `one` asks for a single column without names.

        `bare` asks for any number of columns without names.
        """
        from sqlglot import exp

        self.hoist(node)
        if isinstance(node, exp.Subquery):
            if any(node.args.get(part) for part in ("order", "limit", "offset", "with_")):
                raise self.refuse("ORDER BY or LIMIT after a parenthesised query", node)
            return self.query(node.this, top=top, names=names, one=one, bare=bare)
        if one and len(self.bound.outputs.get(id(node), [])) != 1:
            raise self.refuse("a sub-query of more than one column in an expression", node)
        if isinstance(node, exp.SetOperation):
            if one and any(node.args.get(part) for part in ("order", "limit", "offset")):
                return self.compounds.derived(node, None, one)
            text = self.compounds.compound(node, names, one)
            order = self.positions(node)
        else:
            text, order = self.select(node, names, one or bare)
        limit = self.limit(node, top)
        if self.dialect.fetch and limit and not order:
            order = " ORDER BY 1"  # FETCH stands after an ORDER BY only
        return text + order + limit

    def hoist(self, node: exp.Expr) -> None:
        """Write the WITH queries of any query to the top of the statement, each after what it reads."""
        clause: Any = node.args.get("with_")
        if clause is None:
            return
        for cte in clause.expressions:
            names = self.names_for(cte.this, self.bound.outputs[id(cte.this)], cte)
            recursive = bool(clause.args.get("recursive")) and self.reads_itself(cte.this)
            if recursive:
                self.recursive = True
                self.name_cte(cte)
            before, self.scope = self.scope, None
            body = self.query(cte.this, names=names)
            self.scope = before
            if not recursive:
                self.name_cte(cte)
            self.definitions.append(f"{self.ctes[id(cte.this)]} AS ({body})")

    def name_cte(self, cte: Any) -> None:
        if not self.cte_pool:
            raise self.refuse(f"more than {len(self.ctes)} WITH queries", cte)
        self.ctes[id(cte.this)] = self.cte_pool.pop(0)

    def reads_itself(self, query: Any) -> bool:
        """Tell whether a WITH query stands in its own FROM."""
        from sqlglot import exp

        scopes = [self.bound.scopes[id(select)] for select in query.find_all(exp.Select)]
        return any(source.query is query for scope in scopes for source in scope.sources)

    def names_for(self, query: exp.Expr, outputs: Sequence[Output], holder: exp.Expr) -> list[str]:
        """Choose plain, different names for what a CTE or derived table gives."""
        alias = holder.args.get("alias")
        listed = alias.args.get("columns") if alias is not None else None
        wanted = [item.name for item in listed] if listed else [output.name or "" for output in outputs]
        taken: list[str] = []
        for number, name in enumerate(wanted, 1):
            plain = re.sub(r"[^a-z0-9_]", "_", name.lower())[:50] or f"column_{number}"
            if not _PLAIN.fullmatch(plain):
                plain = f"c_{plain}"
            if plain.upper() in self.dialect.keywords:
                plain += "_"
            while plain in taken:
                plain += "_"
            taken.append(plain)
        self.column_names[id(query)] = taken
        return taken

    def positions(self, node: exp.Expr) -> str:
        """Write ORDER BY of a set operation: by position only."""
        order = node.args.get("order")
        if order is None:
            return ""
        keys: list[str] = []
        for key in order.expressions:
            use = self.bound.uses[id(key.this)]
            assert isinstance(use, AliasUse)  # the resolver binds keys of set operations to outputs only
            keys.append(f"{use.index + 1}{self.render.direction(key)}")
        return " ORDER BY " + ", ".join(keys)

    def limit(self, node: exp.Expr, top: bool) -> str:
        limit: Any = node.args.get("limit")
        offset: Any = node.args.get("offset")
        count = None if limit is None else row_count(limit, self.dialect.name, self.refuse)
        maximum = self.max_limit
        if maximum is None:
            pass
        elif top:
            if count is None or count > maximum:
                count, self.limit_added = maximum, True
        elif count is not None and count > maximum:
            raise self.refuse(f"a sub-query's LIMIT above {maximum}", limit)
        if count is not None and count < 1:
            raise self.refuse("LIMIT 0", limit)
        if count is None and offset is not None:
            raise self.refuse("OFFSET without LIMIT", offset)
        if self.dialect.fetch:
            if count is None:
                return ""
            skip = whole(offset, self.refuse) if offset is not None else 0
            return f" OFFSET {skip} ROWS FETCH NEXT {count} ROWS ONLY"
        skipped = f" OFFSET {whole(offset, self.refuse)}" if offset is not None else ""
        return (f" LIMIT {count}" if count is not None else "") + skipped

    # One SELECT

    def select(
        self, node: exp.Select, names: Sequence[str] | None, one: bool, *, starred: bool = True
    ) -> tuple[str, str]:
        """Write a SELECT without LIMIT: its body, and its ORDER BY. Without `starred`, a star is written out."""
        scope = self.bound.scopes[id(node)]
        before, self.scope = self.scope, scope
        for source in scope.sources:
            self.qualifiers.pop(id(source), None)  # it may be written twice: where it stands, and in ORDER BY
        for source in scope.sources:
            self.name_source(source, scope)
        having, group = node.args.get("having"), node.args.get("group")
        if having is not None and group is None and not filters_rows(self.bound, scope):
            text = self.held(node, scope, names, one)
            self.scope = before
            return text, ""
        sources = self.sources(node, scope)
        text = (
            "SELECT " + self.distinct(node) + self.items(node, scope, names, one, starred=starred) + sources
        )
        text += self.conditions(node, scope)
        order = node.args.get("order")
        keys = [self.render.sort_key(key) for key in order.expressions] if order is not None else []
        keys = [key for key in keys if not self.render.idle(key)]
        self.scope = before
        return text, f" ORDER BY {', '.join(keys)}" if keys else ""

    def held(self, node: exp.Select, scope: Scope, names: Sequence[str] | None, one: bool) -> str:
        """Write HAVING without GROUP BY, of one row at most, as the condition of what a derived table tells of it."""
        having: Any = node.args["having"]
        if self.dialect.strict and not self.dialect.booleans:
            raise self.refuse("HAVING without GROUP BY", having)
        given = self.names_for(node, scope.outputs, node)
        test = next(name for name in ("kept", "kept_", "kept__") if name not in given)
        sources, name = self.sources(node, scope), self.free_name(scope)
        inner = self.items(node, scope, given, False, starred=False)
        inner += f", {self.render.value(having.this)} AS {test}{sources}{self.conditions(node, scope)}"
        wanted: Sequence[str | None] = names or [self.alias(node, output) for output in scope.outputs]
        items = [
            f"{name}.{own} AS {self.written_alias(shown)}"
            if shown and shown != own and not one
            else f"{name}.{own}"
            for own, shown in zip(given, wanted, strict=True)
        ]
        return f"SELECT {', '.join(items)} FROM (SELECT {inner}) AS {name} WHERE {name}.{test}{' = TRUE' if self.dialect.strict else ''}"

    def free_name(self, scope: Scope) -> str:
        """Return a name for a derived table that no other around it has."""
        free = [name for name in self.sub_pool if name not in self.taken(scope)]
        if not free:
            raise self.refuse(f"one more sub-query beside {len(self.sub_pool)} others", scope.node)
        return free[0]

    def distinct(self, node: exp.Select) -> str:
        distinct = node.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            return "DISTINCT " if distinct is not None else ""
        return f"DISTINCT ON ({', '.join(self.render.key(key) for key in on.expressions)}) "

    def conditions(self, node: exp.Select, scope: Scope) -> str:
        """Write WHERE, GROUP BY and HAVING."""
        where, group, having = (node.args.get(part) for part in ("where", "group", "having"))
        if group and not scope.sources:
            raise self.refuse("GROUP BY without FROM", node)
        tests = [self.render.condition(where.this)] if where is not None else []
        if having is not None and group is None and filters_rows(self.bound, scope):
            tests = [self.render.condition(part.this, 2) for part in (where, having) if part is not None]
        text = f" WHERE {' AND '.join(tests)}" if tests else ""
        if tests and not scope.sources:  # one row, of which the condition tells whether it is there
            text = f" FROM (SELECT 1 AS one) AS {self.free_name(scope)}{text}"
        if group is None:
            return text
        text += " GROUP BY " + self.render.group(group)
        return text + (f" HAVING {self.render.condition(having.this)}" if having is not None else "")

    def name_source(self, source: Source, scope: Scope) -> None:
        """Give a source the first name of its pool that no source around it has."""
        taken = self.taken(scope)
        if source.table is not None:
            own = [source.table.name, *self.aliases[source.table.name]]
            pool = [own[0], *own[1:]]
        elif id(source.query) in self.ctes:
            pool = [self.ctes[id(source.query)], *self.sub_pool]
        else:
            pool = list(self.sub_pool)
        free = [name for name in pool if name not in taken]
        if not free:
            raise self.refuse(
                f"one more use of {source.name or 'a sub-query'} beside {len(pool)} others", source.node
            )
        self.qualifiers[id(source)] = free[0]

    def taken(self, scope: Scope) -> set[str]:
        """Return the names that sources have, in a scope and around it."""
        names: set[str] = set()
        around: Scope | None = scope
        while around is not None:
            names.update(self.qualifiers.get(id(other), "") for other in around.sources)
            around = around.parent
        return names

    def sources(self, node: exp.Select, scope: Scope) -> str:
        if not scope.sources:
            return ""
        text = f" FROM {self.source(scope.sources[0])}"
        for join, source in zip(node.args.get("joins") or (), scope.sources[1:], strict=True):
            text += self.join(join, source, scope)
        return text

    def source(self, source: Source) -> str:
        name = self.qualifiers[id(source)]
        if source.table is not None:
            written = quote_name(source.table.name, self.dialect.name)
            if source.table.name in self.views:
                return f"({self.views[source.table.name]}) AS {quote_name(name, self.dialect.name)}"
            return written if name == source.table.name else f"{written} AS {name}"
        if id(source.query) in self.ctes:
            own = self.ctes[id(source.query)]
            return own if name == own else f"{own} AS {name}"
        query: Any = source.query
        names = self.names_for(query, self.bound.outputs[id(query)], source.node)
        before = self.scope
        self.scope = before if source.lateral or before is None else before.parent
        body = self.query(query, names=names)
        self.scope = before
        return f"{'LATERAL ' if source.lateral else ''}({body}) AS {name}"

    def join(self, join: exp.Join, source: Source, scope: Scope) -> str:
        kind = str(join.args.get("kind") or "").upper()
        if kind not in ("", "INNER", "OUTER", "CROSS"):
            raise self.refuse(f"{kind} JOIN", join)
        written = self.source(source)
        conditions = self.render.shared_conditions(source, scope)
        if join.args.get("on") is not None:
            alone = 0 if not conditions else 2  # beside others, an OR needs parentheses
            conditions.append(self.render.condition(join.args["on"], alone))
        words = f"{source.side} JOIN".strip()
        if not conditions and not source.side:
            return f" CROSS JOIN {written}"
        if words not in self.dialect.joins:
            raise self.refuse(words, join)
        if source.grouped and source.side in ("RIGHT", "FULL"):
            raise self.refuse(f"{words} after a comma", join)
        return f" {words} {written} ON {' AND '.join(conditions) or self.always}"

    def items(
        self, node: exp.Select, scope: Scope, names: Sequence[str] | None, one: bool, *, starred: bool
    ) -> str:
        from sqlglot import exp

        plain = (
            starred
            and names is None
            and not one
            and not scope.shared
            and all(source.table for source in scope.sources)
        )
        if plain and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star):
            return "*"
        written: list[str] = []
        for index, output in enumerate(scope.outputs):
            if output.node is not None:
                text = self.render.value(output.node)
            else:
                text = self.render.column(output.use) if output.use is not None else "NULL"
            wanted = names[index] if names is not None else self.alias(node, output)
            implied = text.rpartition(".")[2] if output.use is not None else None
            named = wanted is not None and not one and self.written_alias(wanted) != implied
            written.append(
                f"{text} AS {self.written_alias(wanted)}" if named and wanted is not None else text
            )
        return ", ".join(written) or "1"

    def alias(self, node: exp.Select, output: Output) -> str | None:
        """Return the name an output was given, or that a renamed column would lose."""
        from sqlglot import exp

        if output.node is not None and isinstance(output.node.parent, exp.Alias):
            return output.name
        return output.name if output.use is not None and output.use.source.table is None else None

    def written_alias(self, name: str) -> str:
        """Write an output's name as the grammar takes it; characters it does not take become `_`."""
        opening, closing = self.dialect.quotes
        clean = re.sub(r"[\\\x00-\x1f\x7f" + re.escape(opening + closing) + "]", "_", name)[:63] or "_"
        return quote_name(clean, self.dialect.name)

    def column_of(self, use: ColumnUse) -> str:
        """Write one column of one source."""
        source = use.source
        qualifier = self.qualifiers.get(id(source))
        if qualifier is None:
            raise SQLRefused(
                f"{source.name}.{use.column} is read from outside a WITH query; that cannot be said"
            )
        if source.table is not None:
            dialect = self.dialect.name
            return f"{quote_name(qualifier, dialect)}.{quote_name(use.column, dialect)}"
        names = self.column_names[id(source.query)]
        index = source.columns.index(use.column) if use.index is None else use.index
        return f"{qualifier}.{names[index]}"
