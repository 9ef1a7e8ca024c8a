"""Bind every name of a parsed SELECT to what it means: a table's column, a sub-query's output, an output alias.

The result is what the guard trusts, what `canonicalize` prints from, and what notes about a result are found in.
A name that means nothing, or two things, raises SQLRefused with its place and the nearest names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from jigwork.errors import SQLRefused
from jigwork.grammars.schema import Schema

from .bindings import AliasUse, Bound, ColumnUse, Output, Scope, Source, TextUse, Use
from .dialects import dialect_of
from .lookup import Names, implied_name
from .names import names_equal, nearest_names

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["resolve"]


_MOST_COLUMNS = 2_000
_JOIN_PARTS = ("kind", "side", "method", "on", "using")
_Visible: TypeAlias = "dict[str, tuple[exp.Expr, tuple[str, ...]]]"


def resolve(
    tree: exp.Query,
    text: str,
    schema: Schema,
    *,
    hidden: Sequence[str] = (),
    quoted_texts: bool = False,
    recursive: bool = False,
) -> Bound:
    """Bind all names of `tree`.

    `hidden` names tables (`table`) and columns (`table.column`) that exist but are not available here.
    `quoted_texts` reads an unknown double-quoted name as a text, as SQLite does; else it is refused.
    """
    resolver = _Resolver(Bound(tree, text, schema), hidden, quoted_texts, recursive)
    try:
        resolver.query(tree, None, {})
    except RecursionError:
        raise SQLRefused("the query nests too deeply; write a simpler one") from None
    return resolver.bound


class _Resolver(Names):
    """Goes through a tree, query by query."""

    # Queries

    def query(self, node: exp.Expr, parent: Scope | None, visible: _Visible) -> list[Output]:
        """Bind a query and return its outputs; `parent` is the scope that correlated names may reach."""
        from sqlglot import exp

        visible = self.with_clause(node, parent, visible)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, parent, visible)
            self.order_by_output(node, outputs, parent, visible)
        elif isinstance(node, exp.SetOperation):
            outputs = self.query(node.this, parent, visible)
            others = self.query(node.expression, parent, visible)
            if len(others) != len(outputs):
                word = type(node).__name__.upper()
                raise self.refuse(f"{word} joins {len(outputs)} columns with {len(others)}", node.expression)
            self.order_by_output(node, outputs, parent, visible)
        elif isinstance(node, exp.Select):
            outputs = self.select(node, parent, visible)
        else:
            raise self.refuse("only SELECT may stand here", node)
        self.bound.outputs[id(node)] = outputs
        return outputs

    def with_clause(self, node: exp.Expr, parent: Scope | None, visible: _Visible) -> _Visible:
        from sqlglot import exp

        clause = node.args.get("with_")
        if clause is None:
            return visible
        if clause.args.get("recursive") and not self.recursive:
            raise self.refuse("WITH RECURSIVE is not allowed", clause)
        visible, own = dict(visible), set[str]()
        for cte in clause.expressions:
            name = self.spelled(cte.args["alias"].this)
            if name.casefold() in own:
                raise self.refuse(f"WITH defines {name} twice", cte.args["alias"])
            if clause.args.get("recursive") and isinstance(cte.this, exp.Union):
                # What the first query gives is what the second one reads under the name of the whole.
                first = self.query(cte.this.this, parent, visible)
                visible[name.casefold()] = (cte.this, self.column_list(cte, first))
            outputs = self.query(cte.this, parent, visible)
            names = self.column_list(cte, outputs)
            own.add(name.casefold())
            visible[name.casefold()] = (cte.this, names)
        return visible

    def column_list(self, node: exp.Expr, outputs: Sequence[Output]) -> tuple[str, ...]:
        """Return the column names of a CTE or derived table: its own list, or what its query gives."""
        alias = node.args.get("alias")
        listed = alias.args.get("columns") if alias is not None else None
        if alias is not None and listed:
            if len(listed) != len(outputs):
                raise self.refuse(
                    f"{alias.name} lists {len(listed)} columns, its query gives {len(outputs)}", alias
                )
            return tuple(self.spelled(identifier) for identifier in listed)
        return tuple(output.name or "" for output in outputs)

    def order_by_output(
        self, node: exp.Expr, outputs: list[Output], parent: Scope | None, visible: _Visible
    ) -> None:
        """Bind ORDER BY, LIMIT and OFFSET of a set operation or a parenthesised query."""
        from sqlglot import exp

        order = node.args.get("order")
        for ordered in order.expressions if order is not None else ():
            key = ordered.this
            if isinstance(key, exp.Literal) and not key.is_string:
                self.ordinal(key, outputs)
                continue
            for column in [key] if isinstance(key, exp.Column) else ():
                found = [
                    i
                    for i, output in enumerate(outputs)
                    if output.name and self.same(column.this, output.name)
                ]
                if not found or column.args.get("table"):
                    names = [output.name for output in outputs if output.name]
                    what = f"ORDER BY of a set operation takes a result column; {column.sql()} is none"
                    raise self.refuse(what, column, names, column.name)
                self.bound.uses[id(column)] = AliasUse(outputs[found[0]], found[0])
            if not isinstance(key, exp.Column):
                raise self.refuse(
                    "ORDER BY of a set operation takes a result column or its position", ordered
                )
        self.limits(node, parent, visible)

    def limits(self, node: exp.Expr, parent: Scope | None, visible: _Visible) -> None:
        scope = Scope(node=node, parent=parent)  # type: ignore[arg-type]
        for part in ("limit", "offset"):
            clause = node.args.get(part)
            if clause is not None:
                self.expression(clause, scope, visible, aliases=False)

    # One SELECT

    def select(self, node: exp.Select, parent: Scope | None, visible: _Visible) -> list[Output]:
        scope = Scope(node, parent)
        self.bound.scopes[id(node)] = scope
        from_ = node.args.get("from_")
        if not node.expressions and (self.schema.dialect != "postgres" or from_ is None):
            raise self.refuse("SELECT needs something to select", node)
        if from_ is not None:
            self.add_source(from_.this, scope, visible, "")
        for join in node.args.get("joins") or ():
            self.join(join, scope, visible)
        for item in node.expressions:
            self.item(item, scope, visible)
        self.distinct_on(node, scope, visible)
        aliases_everywhere = self.schema.dialect == "sqlite"
        for part in ("where", "group", "having", "windows"):
            for child in _as_list(node.args.get(part)):
                aliases = part != "where" or aliases_everywhere
                if part == "having" and self.schema.dialect == "mysql":
                    self.bind_aliases(child, scope)
                self.clause(child, scope, visible, aliases=aliases, ordinals=part == "group")
        order = node.args.get("order")
        for ordered in order.expressions if order is not None else ():
            self.order_key(ordered, scope, visible)
        self.limits(node, scope, visible)
        return scope.outputs

    def distinct_on(self, node: exp.Select, scope: Scope, visible: _Visible) -> None:
        """Bind what DISTINCT ON compares: like keys of ORDER BY, outputs come first."""
        from sqlglot import exp

        distinct = node.args.get("distinct")
        on = distinct.args.get("on") if distinct is not None else None
        if on is None:
            return
        if not dialect_of(self.schema.dialect).distinct_on or not isinstance(on, exp.Tuple):
            raise self.refuse("DISTINCT ON may not stand here", on)
        for key in on.expressions:
            self.key(key, scope, visible)

    def join(self, join: exp.Join, scope: Scope, visible: _Visible) -> None:
        side = str(join.args.get("side") or "").upper()
        source = self.add_source(join.this, scope, visible, side)
        using = list(join.args.get("using") or ())
        if self.schema.dialect != "sqlite" and not any(join.args.get(part) for part in _JOIN_PARTS):
            scope.group = (
                len(scope.sources) - 1
            )  # a comma binds less than JOIN, which sees only what follows it
        before = scope.sources[scope.group : -1]
        source.grouped = scope.group > 0
        if str(join.args.get("method") or "").upper() == "NATURAL":
            taken = {name.casefold() for other in before for name in other.columns}
            names = [name for name in source.columns if name.casefold() in taken]
        else:
            names = [self.spelled(identifier) for identifier in using]
        for index, name in enumerate(names):
            right = next((column for column in source.columns if names_equal(column, name)), None)
            left = self.among(name, before, scope)
            if right is None or not left:
                sides = [other.table.name if other.table else other.name for other in (*before, source)]
                if any(f"{side}.{name}".casefold() in self.hidden for side in sides):
                    raise self.refuse(f"{name} is not available here", using[index] if using else join)
                raise self.refuse(
                    f"USING needs a column {name} on both sides", using[index] if using else join
                )
            uses = scope.shared.setdefault(name.casefold(), left[:1])
            uses.append(ColumnUse(source, right))
        if join.args.get("on") is not None:
            self.expression(join.args["on"], scope, visible, aliases=False)

    def among(self, name: str, sources: Sequence[Source], scope: Scope) -> list[ColumnUse]:
        """Return which of `sources` have a column of that name; columns that USING merged count once."""
        if name.casefold() in scope.shared:
            return scope.shared[name.casefold()]
        return [
            ColumnUse(source, column)
            for source in sources
            for column in source.columns
            if names_equal(column, name)
        ]

    def add_source(self, node: exp.Expr, scope: Scope, visible: _Visible, side: str) -> Source:
        from sqlglot import exp

        if isinstance(node, exp.Table):
            source = self.table(node, visible)
        elif isinstance(node, (exp.Subquery, exp.Lateral)):
            lateral = isinstance(node, exp.Lateral)
            inner = node.this if isinstance(node.this, exp.Query) else None
            if inner is None or (lateral and not isinstance(inner, exp.Subquery)):
                raise self.refuse("only tables and sub-queries may stand in FROM", node)
            outputs = self.query(inner if lateral else node, scope if lateral else scope.parent, visible)
            alias = node.args.get("alias")
            name = self.spelled(alias.this) if alias is not None and alias.this is not None else ""
            query = inner.this if lateral else inner
            source = Source(name, self.column_list(node, outputs), node, query=query, lateral=lateral)
            if lateral and (side in ("RIGHT", "FULL") or not dialect_of(self.schema.dialect).laterals):
                raise self.refuse(f"LATERAL may not stand here{f' after {side} JOIN' if side else ''}", node)
        else:
            raise self.refuse("only tables and sub-queries may stand in FROM", node)
        source.side = side
        if source.name and any(names_equal(source.name, other.name) for other in scope.sources):
            raise self.refuse(f"{source.name} stands twice in FROM; give each an alias", node)
        scope.sources.append(source)
        return source

    def table(self, node: exp.Table, visible: _Visible) -> Source:
        alias = node.args.get("alias")
        identifier = node.this
        name = (
            self.spelled(alias.this)
            if alias is not None and alias.this is not None
            else self.spelled(identifier)
        )
        if alias is not None and alias.args.get("columns"):
            raise self.refuse("a table alias may not rename columns", node)
        database = node.args.get("db")
        if database is None and (found := visible.get(self.spelled(identifier).casefold())):
            return Source(name, found[1], node, query=found[0])
        if database is not None and not self.known_database(database):
            raise self.refuse(f"no schema {database.name} is available here", node)
        alike = [table for table in self.schema.tables if self.same(identifier, table.name)]
        if alike:  # some servers have names that differ in case alone
            table = next((table for table in alike if table.name == identifier.name), alike[0])
            return Source(name, tuple(column.name for column in table.columns), node, table=table)
        if identifier.name.casefold() in self.hidden:
            raise self.refuse(f"{identifier.name} is not available here", node)
        names = [table.name for table in self.schema.tables] + list(visible)
        raise self.refuse(f"there is no table {identifier.name} here", node, names, identifier.name)

    # Expressions

    def item(self, item: exp.Expr, scope: Scope, visible: _Visible) -> None:
        """Bind one thing that is selected, and add what it gives to the outputs."""
        from sqlglot import exp

        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
            scope.outputs.extend(self.star(item, scope))
            if (
                len(scope.outputs) > _MOST_COLUMNS
            ):  # WITH queries that select * of each other twice double them
                raise self.refuse(
                    f"a query may give {_MOST_COLUMNS} columns at most; name those that are needed", item
                )
            return
        body = item.this if isinstance(item, exp.Alias) else item
        self.expression(body, scope, visible, aliases=False)
        use = self.bound.uses.get(id(body))
        column = use if isinstance(use, ColumnUse) else None
        name = (
            self.spelled(item.args["alias"])
            if isinstance(item, exp.Alias)
            else column.column
            if column
            else None
        )
        implied = implied_name(body) if name is None and self.schema.dialect == "postgres" else None
        scope.outputs.append(Output(name, body, column, implied))

    def star(self, item: exp.Expr, scope: Scope) -> Iterator[Output]:
        qualifier = item.args.get("table")
        if not scope.sources:
            raise self.refuse("* needs a FROM", item)
        sources = scope.sources if qualifier is None else [self.source(qualifier, scope)]
        seen: set[str] = set()
        for source in sources:
            for index, column in enumerate(source.columns):
                shared = scope.shared.get(column.casefold()) if qualifier is None else None
                if shared and column.casefold() in seen:
                    continue
                seen.add(column.casefold())
                yield Output(column, None, ColumnUse(source, column, tuple(shared or ()), index))

    def source(self, qualifier: exp.Expr, scope: Scope) -> Source:
        around: Scope | None = scope
        while around is not None:
            for source in around.sources:
                if self.same(qualifier, source.name):
                    return source
            around = around.parent
        names = [source.name for source in scope.sources]
        renamed = [s.name for s in scope.sources if s.table and self.same(qualifier, s.table.name)]
        if renamed:
            raise self.refuse(
                f"{qualifier.name} has the alias {renamed[0]} here; write {self.written(renamed[0])}.",
                qualifier,
            )
        what = f"{qualifier.name} is not in FROM"
        if not nearest_names(qualifier.name, names) and names:
            what += f" (FROM has {', '.join(names)})"
        raise self.refuse(what, qualifier, names, qualifier.name)

    def constant(self, key: exp.Expr) -> bool:
        """Tell whether SQLite makes the number 0, and so a position, of `... AND 0`."""
        from sqlglot import exp

        if isinstance(key, exp.Paren):
            return self.constant(key.this)
        if isinstance(key, exp.And):
            return self.constant(key.this) or self.constant(key.expression)
        return isinstance(key, exp.Literal) and key.name == "0"

    def check_key(self, key: exp.Expr, word: str) -> None:
        from sqlglot import exp

        if isinstance(key, exp.Neg) and isinstance(key.this, exp.Literal):
            raise self.refuse(f"a negative position {word} nothing", key)
        if isinstance(key, (exp.And, exp.Paren)) and self.schema.dialect == "sqlite" and self.constant(key):
            raise self.refuse(f"a constant {word} nothing", key)

    def clause(
        self, node: exp.Expr, scope: Scope, visible: _Visible, *, aliases: bool, ordinals: bool
    ) -> None:
        from sqlglot import exp

        for child in node.expressions if ordinals else [node]:
            if ordinals:
                self.check_key(child, "groups")
            if ordinals and isinstance(child, exp.Literal) and not child.is_string:
                self.ordinal(child, scope.outputs)
            else:
                self.expression(child, scope, visible, aliases=aliases)

    def ordinal(self, literal: exp.Expr, outputs: list[Output]) -> None:
        """Bind a position in GROUP BY or ORDER BY."""
        if not literal.name.isdigit() or not 1 <= int(literal.name) <= len(outputs):
            what = f"position {literal.name} is none of the {len(outputs)} result columns"
            raise self.refuse(what, literal.parent or literal)
        self.bound.uses[id(literal)] = AliasUse(outputs[int(literal.name) - 1], int(literal.name) - 1)

    def order_key(self, ordered: exp.Expr, scope: Scope, visible: _Visible) -> None:
        """A bare name in ORDER BY means a result column first, then a column of a table."""
        self.check_key(ordered.this, "sorts")
        self.key(ordered.this, scope, visible)

    def key(self, key: exp.Expr, scope: Scope, visible: _Visible) -> None:
        from sqlglot import exp

        if isinstance(key, exp.Literal) and not key.is_string:
            self.ordinal(key, scope.outputs)
        elif (
            isinstance(key, exp.Column)
            and key.args.get("table") is None
            and (use := self.alias(key, scope, implied=True))
        ):
            self.bound.uses[id(key)] = use
        else:
            self.expression(key, scope, visible, aliases=self.schema.dialect != "postgres")

    def expression(self, node: exp.Expr, scope: Scope, visible: _Visible, *, aliases: bool) -> None:
        """Bind every name below `node`, without going into the queries it holds twice."""
        from sqlglot import exp

        stack: list[Any] = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, exp.Column):
                if id(current) not in self.settled:
                    self.bound.uses[id(current)] = self.column(current, scope, aliases)
            elif isinstance(current, (exp.Select, exp.SetOperation, exp.Subquery)):
                self.query(current, scope, visible)
            else:
                stack.extend(child for child in current.iter_expressions(reverse=True))

    def column(self, node: exp.Column, scope: Scope, aliases: bool) -> Use:
        qualifier = node.args.get("table")
        if node.args.get("db") is not None and not self.known_database(node.args["db"]):
            raise self.refuse(f"no schema {node.args['db'].name} is available here", node)
        if qualifier is not None:
            return self.qualified(node, self.source(qualifier, scope))
        around: Scope | None = scope
        while around is not None:
            found = self.uses_in(node.this, around)
            if len(found) > 1:
                names = ", ".join(
                    f"{self.written(use.source.name)}.{self.written(use.column)}" for use in found
                )
                raise self.refuse(f"{node.name} is ambiguous; write one of {names}", node)
            if found:
                return found[0]
            if around is scope and aliases and (use := self.alias(node, scope)):
                return use
            around = around.parent
        if self.quoted_texts and self.is_double_quoted(node.this):
            return TextUse(node.name)
        raise self.unknown(node, scope)

    def uses_in(self, identifier: exp.Expr, scope: Scope) -> list[ColumnUse]:
        shared = scope.shared.get(self.spelled(identifier).casefold())
        if shared:
            return [ColumnUse(shared[0].source, shared[0].column, tuple(shared))]
        return [
            ColumnUse(source, column)
            for source in scope.sources
            for column in source.columns
            if self.same(identifier, column)
        ]

    def qualified(self, node: exp.Column, source: Source) -> ColumnUse:
        for column in source.columns:
            if self.same(node.this, column):
                return ColumnUse(source, column)
        table = source.table.name if source.table else source.name
        if f"{table}.{node.name}".casefold() in self.hidden:
            raise self.refuse(f"{table}.{node.name} is not available here", node)
        raise self.refuse(f"{table} has no column {node.name}", node, source.columns, node.name)


def _as_list(clause: Any) -> list[Any]:
    """Parts of a SELECT are one node, a list of nodes, or absent."""
    if clause is None:
        return []
    return list(clause) if isinstance(clause, list) else [clause]  # pyright: ignore[reportUnknownArgumentType]
