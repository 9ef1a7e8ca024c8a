"""From a `Query` to a statement of canonical SQL, and the titles of its columns.

Ranks within groups, what compares a group with the one before, and two lists put together are a sub-query in FROM
that is then chosen from; everything else is one SELECT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.names import DERIVED_NAMES, quote_name

from .joins import Joins
from .logic import parts_of
from .query import (
    Agg,
    Before,
    Compare,
    Cond,
    Operand,
    Order,
    Query,
    Ref,
    Running,
)
from .scope import Names, Scope
from .spelling import Spelling
from .terms import Terms, refs_of
from .titles import titles_of

__all__ = ["Compiler"]


class Compiler:
    """Writes queries. `max_rows` is the limit where a question has none."""

    def __init__(self, schema: Schema, joins: Joins, max_rows: int) -> None:
        self._schema = schema
        self._max_rows = max_rows
        self._names = Names(schema, joins)
        self._spelling = Spelling(schema.dialect)
        tables = {table.name.casefold() for table in schema.tables}
        self._derived = [name for name in DERIVED_NAMES if name not in tables]

    def write(self, query: Query) -> tuple[str, tuple[str, ...]]:
        """Return the SQL and the titles of its columns; raises Trouble for what the dialect cannot say."""
        terms = self._terms(query)
        if query.also is not None:
            return self._combined(query, terms)
        if query.each:
            return self._ranked(query, terms)
        if befores(query.having):
            return self._compared(query, terms)
        if query.distinct and not self._spelling.rules.nulls_order:
            return self._distinct(query, terms)
        return self._plain(query, terms)

    def _terms(self, query: Query) -> Terms:
        return Terms(self._names, self._spelling, query, self._derived[1])

    def _limited(self, sql: str, limit: int | None, skip: int = 0) -> str:
        return self._spelling.limited(sql, min(limit or self._max_rows, self._max_rows), skip)

    # --- one SELECT -----------------------------------------------------------------------------------------

    def _plain(self, query: Query, terms: Terms) -> tuple[str, tuple[str, ...]]:
        scope = Scope(self._names, query.table)
        operands = self._shown(query)
        titles = titles_of(operands)
        written = [terms.operand(operand, scope) for operand in operands]
        items = [
            sql if isinstance(each, Ref) and each.column == title else self._titled(sql, title)
            for sql, each, title in zip(written, operands, titles, strict=True)
        ]
        rest = self._rest(query, terms, scope)
        order = self._sorted(self._orders(query), terms, scope)
        sql = f"SELECT {'DISTINCT ' if query.distinct else ''}{', '.join(items)} FROM {scope.source()}{rest}"
        if query.measures and not query.keys:
            return self._spelling.limited(f"{sql}{self._unordered()}", 1), titles
        return self._limited(f"{sql}{order or self._unordered()}", query.limit, query.skip), titles

    def _unordered(self) -> str:
        """Where a limit needs an order and there is none."""
        return " ORDER BY (SELECT NULL)" if self._spelling.rules.fetch else ""

    def _titled(self, sql: str, title: str) -> str:
        return f"{sql} AS {quote_name(title, self._schema.dialect)}"

    def _rest(self, query: Query, terms: Terms, scope: Scope) -> str:
        """WHERE, GROUP BY and HAVING; what compares groups with those before them comes later."""
        text = f" WHERE {terms.cond(query.where, scope)}" if query.where else ""
        if query.keys:
            text += " GROUP BY " + ", ".join(terms.operand(ref, scope) for ref in refs_of(query.keys))
        if query.having is not None and not befores(query.having):
            text += f" HAVING {terms.cond(query.having, scope)}"
        return text

    def _shown(self, query: Query) -> list[Operand]:
        operands: list[Operand]
        if query.measures:
            return [*refs_of(query.keys), *query.measures]
        if query.items:
            operands = list(query.items)
        else:
            columns = self._schema.table(query.table).columns
            operands = [Ref(query.table, column.name, column.kind) for column in columns]
        if query.each:
            keys: list[Operand] = [*refs_of(query.each)]
            operands = [*(ref for ref in keys if ref not in operands), *operands]
        added = [o.by for o in query.order if not isinstance(o.by, Ref)]
        if not query.distinct:
            operands.extend(each for each in dict.fromkeys(added) if each not in operands)
        return operands

    def _orders(self, query: Query) -> list[Order]:
        """The keys that were asked for, then what makes the order total."""
        orders = list(query.order)
        if query.keys:
            orders.extend(Order(ref) for ref in refs_of(query.keys))
        elif query.distinct:
            orders.extend(Order(item) for item in query.items)
        elif not query.measures:
            made = self._schema.table(query.table)
            orders.extend(Order(Ref(query.table, name, made.column(name).kind)) for name in made.primary_key)
        first: dict[Operand, Order] = {}
        for order in orders:
            first.setdefault(order.by, order)
        return list(first.values())

    def _sorted(self, orders: Iterable[Order], terms: Terms, scope: Scope) -> str:
        written: list[str] = []
        for order in orders:
            sql, optional = terms.operand(order.by, scope), terms.optional(order.by)
            written.extend(self._spelling.sorted(sql, descending=order.descending, optional=optional))
        return f" ORDER BY {', '.join(written)}" if written else ""

    # --- a SELECT around another ----------------------------------------------------------------------------

    def _inner(
        self, operands: Sequence[Operand], terms: Terms, scope: Scope
    ) -> tuple[list[str], dict[Operand, str]]:
        """Return the items of the inner SELECT, and how the outer one calls them."""
        items = [f"{terms.operand(each, scope)} AS c{i}" for i, each in enumerate(operands, 1)]
        return items, {each: f"{self._derived[0]}.c{i}" for i, each in enumerate(operands, 1)}

    def _outer(
        self, inner: str, shown: Sequence[Operand], known: Mapping[Operand, str], where: str = ""
    ) -> tuple[str, tuple[str, ...]]:
        titles = titles_of(shown)
        items = [self._titled(known[each], title) for each, title in zip(shown, titles, strict=True)]
        return f"SELECT {', '.join(items)} FROM ({inner}) AS {self._derived[0]}{where}", titles

    def _known(self, query: Query, known: Mapping[Operand, str]) -> Scope:
        scope = Scope(self._names, query.table)
        scope.known = known
        return scope

    def _ranked(self, query: Query, terms: Terms) -> tuple[str, tuple[str, ...]]:
        """So many rows of each group: numbered within their group, then chosen by the number."""
        scope = Scope(self._names, query.table)
        shown, groups = self._shown(query), refs_of(query.each)
        items, known = self._inner(list(dict.fromkeys([*shown, *groups])), terms, scope)
        partition = ", ".join(terms.operand(ref, scope) for ref in groups)
        order = self._sorted(self._orders(query), terms, scope)
        items.append(f"ROW_NUMBER() OVER (PARTITION BY {partition}{order}) AS place")
        conds = [terms.cond(query.where, scope, nested=True)] if query.where else []
        conds += [f"{terms.operand(key.refs[0], scope)} IS NOT NULL" for key in query.each if key.entity]
        where = f" WHERE {' AND '.join(conds)}" if conds else ""
        inner = f"SELECT {', '.join(items)} FROM {scope.source()}{where}"
        place = f"{self._derived[0]}.place"
        sql, titles = self._outer(inner, shown, known, f" WHERE {place} <= {query.limit or 1}")
        by = self._sorted([Order(ref) for ref in groups], terms, self._known(query, known))
        return self._limited(f"{sql}{by}, {place} ASC", None), titles

    def _compared(self, query: Query, terms: Terms) -> tuple[str, tuple[str, ...]]:
        """Groups with the measures of those before them, then chosen by comparing the two."""
        assert query.having is not None
        scope = Scope(self._names, query.table)
        shown = self._shown(query)
        tested = [part for part in _measures(query.having) if part not in shown]
        asked = [order.by for order in query.order if order.by not in shown]
        items, known = self._inner(list(dict.fromkeys([*shown, *tested, *asked])), terms, scope)
        for i, of in enumerate(befores(query.having), 1):
            items.append(f"LAG({terms.operand(of, scope)}) OVER ({terms.window(scope)}) AS before{i}")
            known[Running(of)] = f"{self._derived[0]}.before{i}"
        rest = self._rest(query, terms, scope)
        inner = f"SELECT {', '.join(items)} FROM {scope.source()}{rest}"
        outer = self._known(query, known)
        sql, titles = self._outer(inner, shown, known, f" WHERE {terms.cond(query.having, outer)}")
        return self._limited(
            sql + self._sorted(self._orders(query), terms, outer), query.limit, query.skip
        ), titles

    def _distinct(self, query: Query, terms: Terms) -> tuple[str, tuple[str, ...]]:
        """Different values, sorted outside: where empty ones come last is not said with DISTINCT everywhere."""
        scope = Scope(self._names, query.table)
        items, known = self._inner(self._shown(query), terms, scope)
        rest = self._rest(query, terms, scope)
        inner = f"SELECT DISTINCT {', '.join(items)} FROM {scope.source()}{rest}"
        sql, titles = self._outer(inner, self._shown(query), known)
        order = self._sorted(self._orders(query), terms, self._known(query, known))
        return self._limited(sql + order, query.limit, query.skip), titles

    def _combined(self, query: Query, terms: Terms) -> tuple[str, tuple[str, ...]]:
        """The different values of two lists."""
        assert query.also is not None
        rules = self._spelling.rules
        words = {"or": rules.set_operations[1], "and": rules.intersect, "not": rules.set_operations[2]}
        sides: list[str] = []
        for side in (query, query.also.query):
            scope, own = Scope(self._names, side.table), self._terms(side)
            items, _ = self._inner(self._shown(side), own, scope)
            where = f" WHERE {own.cond(side.where, scope)}" if side.where else ""
            sides.append(f"SELECT {', '.join(items)} FROM {scope.source()}{where}")
        shown = self._shown(query)
        known = {each: f"{self._derived[0]}.c{i}" for i, each in enumerate(shown, 1)}
        sql, titles = self._outer(f" {words[query.also.how]} ".join(sides), shown, known)
        order = self._sorted([Order(each) for each in shown], terms, self._known(query, known))
        if not self._spelling.rules.nulls_order or order:
            written = [
                part
                for each in shown
                for part in self._spelling.sorted(known[each], descending=False, optional=True)
            ]
            order = f" ORDER BY {', '.join(written)}"
        return self._limited(sql + order, query.limit, query.skip), titles


def befores(having: Cond | None) -> list[Agg]:
    """Return the measures that are compared with those of the group before."""
    found = [part.right.of for part in parts_of(having) if isinstance(part, Compare) and isinstance(part.right, Before)]  # fmt: skip
    return list(dict.fromkeys(found))


def _measures(having: Cond) -> list[Operand]:
    """Return the measures that a condition on groups tests."""
    found: list[Operand] = []
    for part in parts_of(having):
        left = getattr(part, "left", None)
        if isinstance(left, Agg):
            found.append(left)
        if isinstance(part, Compare) and isinstance(part.right, Agg):
            found.append(part.right)
    return list(dict.fromkeys(found))
