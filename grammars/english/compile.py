"""From a `Query` to canonical SQL.

A column of another table is a LEFT JOIN where each row has at most one value there. Everything with many rows on
the other side is a correlated sub-query over the rows there, each once, so that no join ever multiplies the rows
that are counted or summed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.names import quote_name, string_literal, table_aliases

from .choices import Trouble
from .joins import Joins
from .phrase import number_text
from .query import (
    Agg,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Cond,
    Const,
    Empty,
    Match,
    Not,
    OneOf,
    Operand,
    Order,
    Part,
    Path,
    Period,
    Query,
    Ref,
    Related,
    Scalar,
    Step,
    Value,
)

__all__ = ["Compiler"]

_FUNCS = {"count": "COUNT", "sum": "SUM", "avg": "AVG", "min": "MIN", "max": "MAX"}
_FORMATS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
_PG_FORMATS = {"year": "YYYY", "month": "YYYY-MM", "day": "YYYY-MM-DD"}


class _Scope:
    """One SELECT: its table under a name, and the joins that columns have asked for."""

    def __init__(self, compiler: Compiler, table: str, outer: _Scope | None = None) -> None:
        self._compiler = compiler
        self._outer = outer
        self._names: set[str] = set()
        self.table = table
        self.name = self.fresh(table)
        self.joins: list[str] = []
        self._joined: dict[Path, str] = {}

    def fresh(self, table: str) -> str:
        """Return a name for the table that neither this SELECT nor one around it uses."""
        taken: set[str] = set()
        scope: _Scope | None = self
        while scope is not None:
            taken |= scope._names
            scope = scope._outer
        name = next((name for name in self._compiler.names(table) if name not in taken), None)
        if name is None:
            raise Trouble(
                f"the table {table} is needed too often for one question: ask for less at a time", depth=9
            )
        self._names.add(name)
        return name

    def source(self) -> str:
        """The FROM clause without its keyword."""
        return self._compiler.source(self.table, self.name) + "".join(self.joins)

    def at(self, path: Path) -> str:
        """Return the name of the table at the end of a path of single steps, joining it where needed."""
        if not path:
            return self.name
        if path not in self._joined:
            left = self.at(path[:-1])
            step = path[-1]
            right = self.fresh(step.target)
            on = self._compiler.link(step, left, right)
            self.joins.append(f" LEFT JOIN {self._compiler.source(step.target, right)} ON {on}")
            self._joined[path] = right
        return self._joined[path]


class Compiler:
    """Writes one query. `max_rows` is the limit where the question has none."""

    def __init__(self, schema: Schema, joins: Joins, max_rows: int) -> None:
        self._schema = schema
        self._joins = joins
        self._max_rows = max_rows
        self._dialect = schema.dialect
        self._aliases = table_aliases(schema)

    # --- names ----------------------------------------------------------------------------------------------

    def names(self, table: str) -> tuple[str, ...]:
        """Return the names that the table may be given, as written in SQL."""
        return quote_name(table, self._dialect), *self._aliases[table]

    def source(self, table: str, name: str) -> str:
        """Return the table as it stands in FROM."""
        quoted = quote_name(table, self._dialect)
        return quoted if name == quoted else f"{quoted} AS {name}"

    def link(self, step: Step, left: str, right: str) -> str:
        """Return the join condition of one step."""
        pairs = zip(step.source_columns, step.target_columns, strict=True)
        return " AND ".join(f"{self._dot(right, b)} = {self._dot(left, a)}" for a, b in pairs)

    def _dot(self, name: str, column: str) -> str:
        return f"{name}.{quote_name(column, self._dialect)}"

    # --- the whole ------------------------------------------------------------------------------------------

    def write(self, query: Query) -> tuple[str, tuple[str, ...]]:
        """Return the SQL and the titles of its columns."""
        scope = _Scope(self, query.table)
        items, titles = self._items(query, scope)
        where = self._cond(query.where, scope) if query.where else ""
        keys = [self._operand(ref, scope) for key in query.keys for ref in key.refs]
        having = self._cond(query.having, scope) if query.having else ""
        order = self._order(query, scope)
        distinct = "DISTINCT " if query.distinct else ""
        sql = f"SELECT {distinct}{', '.join(items)} FROM {scope.source()}"
        if where:
            sql += f" WHERE {where}"
        if keys:
            sql += f" GROUP BY {', '.join(keys)}"
        if having:
            sql += f" HAVING {having}"
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        if query.measures and not keys:
            return f"{sql} LIMIT 1", titles
        return f"{sql} LIMIT {min(query.limit or self._max_rows, self._max_rows)}", titles

    def _items(self, query: Query, scope: _Scope) -> tuple[list[str], tuple[str, ...]]:
        if query.measures:
            operands: list[Operand] = [ref for key in query.keys for ref in key.refs]
            operands.extend(query.measures)
        elif query.items:
            operands = list(query.items)
        else:
            columns = self._schema.table(query.table).columns
            operands = [Ref(query.table, column.name, column.kind) for column in columns]
        added = [o.by for o in query.order if isinstance(o.by, Agg) and not query.measures]
        operands.extend(each for each in dict.fromkeys(added) if each not in operands and not query.distinct)
        titles = _titles(operands)
        written: list[str] = []
        for operand, title in zip(operands, titles, strict=True):
            sql = self._operand(operand, scope)
            plain = isinstance(operand, Ref) and operand.column == title
            written.append(sql if plain else f"{sql} AS {quote_name(title, self._dialect)}")
        return written, titles

    def _order(self, query: Query, scope: _Scope) -> list[str]:
        """The keys that were asked for, then what makes the order total."""
        orders = list(query.order)
        if query.keys:
            orders.extend(Order(ref) for key in query.keys for ref in key.refs)
        elif query.distinct:
            orders.extend(Order(item) for item in query.items)
        elif not query.measures:
            made = self._schema.table(query.table)
            orders.extend(Order(Ref(query.table, name, made.column(name).kind)) for name in made.primary_key)
        seen: set[Operand] = set()
        written: list[str] = []
        for order in orders:
            if order.by in seen:
                continue
            seen.add(order.by)
            written.extend(self._sort_key(order, scope, distinct=query.distinct))
        return written

    def _sort_key(self, order: Order, scope: _Scope, *, distinct: bool) -> list[str]:
        sql = self._operand(order.by, scope)
        direction = "DESC" if order.descending else "ASC"
        if not self._may_be_empty(order.by):
            return [f"{sql} {direction}"]
        if self._dialect in ("mysql", "mariadb"):
            last = [] if order.descending or distinct else [f"{sql} IS NULL"]
            return [*last, f"{sql} {direction}"]
        return [f"{sql} {direction} NULLS LAST"]

    def _may_be_empty(self, operand: Operand) -> bool:
        if isinstance(operand, Agg):
            return operand.func != "count"
        ref = operand.ref if isinstance(operand, Part) else operand
        return bool(ref.path) or self._schema.table(ref.table).column(ref.column).nullable

    # --- operands -------------------------------------------------------------------------------------------

    def _operand(self, operand: Operand, scope: _Scope) -> str:
        match operand:
            case Ref():
                return self._dot(scope.at(operand.path), operand.column)
            case Part():
                return self._part(operand, scope)
            case Agg() if operand.path:
                return self._sub(operand, scope)
            case Agg():
                return self._call(operand, scope)

    def _part(self, part: Part, scope: _Scope) -> str:
        column = self._operand(part.ref, scope)
        if self._dialect in ("postgres", "postgresql"):
            return f"TO_CHAR({column}, '{_PG_FORMATS[part.unit]}')"
        if self._dialect in ("mysql", "mariadb"):
            return f"DATE_FORMAT({column}, '{_FORMATS[part.unit]}')"
        return f"STRFTIME('{_FORMATS[part.unit]}', {column})"

    def _call(self, agg: Agg, scope: _Scope) -> str:
        if agg.ref is None:
            return "COUNT(*)"
        distinct = "DISTINCT " if agg.func == "count" else ""
        return f"{_FUNCS[agg.func]}({distinct}{self._operand(agg.ref, scope)})"

    def _sub(self, agg: Agg, scope: _Scope) -> str:
        inner, source, link = self._reach(agg.path, scope)
        call = self._call(Agg(agg.func, (), agg.ref), inner)
        where = f" AND {self._cond(agg.where, inner, nested=True)}" if agg.where else ""
        return f"(SELECT {call} FROM {source()} WHERE {link}{where})"

    def _reach(self, path: Path, scope: _Scope) -> tuple[_Scope, Callable[[], str], str]:
        """Return the scope of the rows that a path leads to, its FROM when all is written, and the link to `scope`."""
        inner = _Scope(self, path[-1].target, scope)
        back = [self._joins.reverse(step) for step in reversed(path)]
        joins, link = self._back(back, inner.name, inner, scope.name)
        return inner, lambda: inner.source() + joins, link

    def _back(self, steps: list[Step], name: str, inner: _Scope, goal: str) -> tuple[str, str]:
        """Walk back from `name` to the outer row `goal`: joins while each row has one, then EXISTS."""
        joins = ""
        for i, step in enumerate(steps[:-1]):
            right = inner.fresh(step.target)
            on = self.link(step, name, right)
            if step.many:
                more, link = self._back(steps[i + 1 :], right, inner, goal)
                source = self.source(step.target, right)
                return joins, f"EXISTS (SELECT 1 FROM {source}{more} WHERE {on} AND {link})"
            joins += f" JOIN {self.source(step.target, right)} ON {on}"
            name = right
        return joins, self.link(steps[-1], name, goal)

    # --- conditions -----------------------------------------------------------------------------------------

    def _cond(self, cond: Cond, scope: _Scope, *, nested: bool = False) -> str:
        match cond:
            case AllOf(conds):
                return " AND ".join(self._cond(each, scope, nested=True) for each in conds)
            case AnyOf(conds):
                text = " OR ".join(self._cond(each, scope, nested=True) for each in conds)
                return f"({text})" if nested else text
            case Not(inner):
                return f"NOT ({self._cond(inner, scope)})"
            case Related():
                return self._related(cond, scope)
            case Empty(left, negated):
                return f"{self._operand(left, scope)} IS {'NOT ' if negated else ''}NULL"
            case Match():
                return self._match(cond, scope)
            case Period():
                text = self._period(cond, scope)
                return f"({text})" if nested and " OR " in text else text
            case Compare(left, op, right):
                return f"{self._operand(left, scope)} {op} {self._right(right, left, scope)}"
            case Between(left, low, high, negated):
                values = f"{self._value(low)} AND {self._value(high)}"
                return f"{self._operand(left, scope)} {'NOT ' if negated else ''}BETWEEN {values}"
            case OneOf(left, values, negated):
                listed = ", ".join(self._value(value) for value in values)
                return f"{self._operand(left, scope)} {'NOT ' if negated else ''}IN ({listed})"

    def _right(self, right: Const | Ref | Scalar, left: Operand, scope: _Scope) -> str:
        if isinstance(right, Const):
            return self._value(right.value)
        if isinstance(right, Ref):
            return self._operand(right, scope)
        inner = _Scope(self, right.ref.table, scope)
        call = self._call(Agg(right.func, (), right.ref), inner)
        return f"(SELECT {call} FROM {inner.source()})"

    def _related(self, cond: Related, scope: _Scope) -> str:
        some, none = (cond.op, cond.count) == (">=", 1), (cond.op, cond.count) == ("=", 0)
        if not some and not none:
            return f"{self._sub(Agg('count', cond.path, None, cond.where), scope)} {cond.op} {cond.count}"
        inner, source, link = self._reach(cond.path, scope)
        where = f" AND {self._cond(cond.where, inner, nested=True)}" if cond.where else ""
        return f"{'NOT ' if none else ''}EXISTS (SELECT 1 FROM {source()} WHERE {link}{where})"

    def _match(self, cond: Match, scope: _Scope) -> str:
        text = cond.text
        escape = ""
        if "%" in text or "_" in text or "\\" in text:
            text = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            escape = f" ESCAPE {self._text(chr(92))}"
        pattern = {"contains": f"%{text}%", "starts": f"{text}%", "ends": f"%{text}"}[cond.how]
        column = self._operand(cond.left, scope)
        like = "NOT LIKE" if cond.negated else "LIKE"
        if self._dialect in ("postgres", "postgresql"):
            like = like.replace("LIKE", "ILIKE")
        return f"{column} {like} {self._text(pattern)}{escape}"

    def _period(self, cond: Period, scope: _Scope) -> str:
        column = self._operand(cond.left, scope)
        if cond.negated:
            low = f"{column} < {self._text(cond.start)}" if cond.start else ""
            high = f"{column} >= {self._text(cond.end)}" if cond.end else ""
            return " OR ".join(each for each in (low, high) if each)
        low = f"{column} >= {self._text(cond.start)}" if cond.start else ""
        high = f"{column} < {self._text(cond.end)}" if cond.end else ""
        return " AND ".join(each for each in (low, high) if each)

    def _value(self, value: Value) -> str:
        if isinstance(value, bool):
            if self._dialect == "sqlite":
                return "1" if value else "0"
            return "TRUE" if value else "FALSE"
        if isinstance(value, (int, Decimal)):
            text = number_text(value)
            if len(text.lstrip("-").partition(".")[0]) > 18:
                raise Trouble("this number has too many digits", depth=9)
            return text
        return self._text(value)

    def _text(self, text: str) -> str:
        try:
            return string_literal(text, self._dialect)
        except ValueError as error:
            raise Trouble(f"this text cannot be used in a query: {error}", depth=9) from error


def _titles(operands: list[Operand]) -> tuple[str, ...]:
    """Name the columns of the result; equal names get their table, then a number."""
    titles: list[str] = []
    for operand in operands:
        title = _title(operand)
        if title.lower() in map(str.lower, titles) and isinstance(operand, Ref):
            title = f"{operand.table} {title}"
        if not isinstance(operand, Ref) or title != operand.column:
            title = _NOT_IN_ALIASES.sub("", title)[:60].strip() or "value"
        number = 2
        base = _NOT_IN_ALIASES.sub("", title)[:55]
        while title.lower() in map(str.lower, titles):
            title = f"{base} {number}"
            number += 1
        titles.append(title)
    return tuple(titles)


_NOT_IN_ALIASES = re.compile(r"""["'`\\\x00-\x1f\x7f]""")


def _title(operand: Operand) -> str:
    match operand:
        case Ref():
            return operand.column
        case Part():
            return f"{operand.ref.column} {operand.unit}"
        case Agg(func="count", ref=None):
            return f"{operand.path[-1].target} count" if operand.path else "count"
        case Agg(func="count"):
            return f"distinct {operand.ref.column}" if operand.ref else "count"
        case Agg():
            said = {"sum": "sum", "avg": "average", "min": "minimum", "max": "maximum"}[operand.func]
            return f"{said} {operand.ref.column}" if operand.ref else said
