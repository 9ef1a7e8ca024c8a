"""From operands and conditions to SQL expressions, within the scope of the SELECT that they stand in.

A column of another table is a LEFT JOIN where each row has at most one value there. Everything with many rows on
the other side is a correlated sub-query over the rows there, each once, so that no join ever multiplies the rows
that are counted or summed.
"""

from __future__ import annotations

from collections.abc import Callable

from .choices import Trouble
from .query import (
    Agg,
    AllOf,
    Among,
    AnyOf,
    Before,
    Between,
    Calc,
    Compare,
    Cond,
    Const,
    Empty,
    Key,
    Match,
    Not,
    OneOf,
    Operand,
    Part,
    Path,
    Percent,
    Period,
    Query,
    Ref,
    Related,
    Right,
    Running,
    Scalar,
    Share,
    Step,
)
from .scope import Names, Scope
from .spelling import Spelling
from .values import kind_of

__all__ = ["Terms", "refs_of"]

_FUNCS = {"count": "COUNT", "sum": "SUM", "avg": "AVG", "min": "MIN", "max": "MAX"}
_SIGNS = {"+": " + ", "-": " - ", "*": " * "}


def refs_of(keys: tuple[Key, ...]) -> list[Ref | Part]:
    """Return what groups are told apart by, and their names."""
    return list(dict.fromkeys(ref for key in keys for ref in key.refs))


class Terms:
    """Writes the terms of one query."""

    def __init__(self, names: Names, spelling: Spelling, query: Query, derived: str) -> None:
        self._names = names
        self._spelling = spelling
        self._query = query
        self._derived = derived

    # --- operands -------------------------------------------------------------------------------------------

    def operand(self, operand: Operand | Const, scope: Scope) -> str:
        """Write an operand."""
        if not isinstance(operand, Const) and operand in scope.known:
            return scope.known[operand]
        match operand:
            case Const(value):
                return self._spelling.value(value)
            case Ref():
                return self._names.dot(scope.at(operand.path), operand.column)
            case Part():
                return self._spelling.part(self.operand(operand.ref, scope), operand.unit)
            case Calc():
                return self._calc(operand, scope)
            case Agg() if operand.path:
                return self._sub(operand, scope)
            case Agg():
                return self._call(operand, scope)
            case Share(of):
                return self._share(of, scope)
            case Running(of):
                window = f"{self.window(scope)} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                return f"SUM({self.operand(of, scope)}) OVER ({window})"
            case Percent(where):
                return f"AVG(CASE WHEN {self.cond(where, scope)} THEN 100.0 ELSE 0.0 END)"

    def _calc(self, calc: Calc, scope: Scope) -> str:
        left, right = (self.operand(side, scope) for side in (calc.left, calc.right))
        if calc.op == "days":
            return self._spelling.days(left, right)
        if isinstance(calc.left, Calc):
            left = f"({left})"
        if calc.op != "/":
            return f"{left}{_SIGNS[calc.op]}{f'({right})' if isinstance(calc.right, Calc) else right}"
        divisor = right if isinstance(calc.right, Const) and calc.right.value else f"NULLIF({right}, 0)"
        return f"{self._spelling.fraction(left)} / {divisor}"

    def _call(self, agg: Agg, scope: Scope) -> str:
        if agg.ref is None:
            return "COUNT(*)"
        distinct = "DISTINCT " if agg.func == "count" else ""
        return f"{_FUNCS[agg.func]}({distinct}{self._argument(agg.func, agg.ref, scope)})"

    def _argument(self, func: str, of: Ref | Agg | Calc, scope: Scope) -> str:
        """What a function takes; whole numbers have an average with digits in every dialect."""
        sql = self.operand(of, scope)
        if func == "avg" and kind_of(of) == "integer" and self._spelling.name in ("mysql", "tsql"):
            return self._spelling.fraction(
                f"({sql})" if " " in sql and self._spelling.name == "tsql" else sql
            )
        return sql

    def _share(self, of: Agg, scope: Scope) -> str:
        """The whole is a sub-query of its own, so that neither `having` nor a limit changes it."""
        query = self._query
        inner = Scope(self._names, query.table, scope)
        call = self._call(of, inner)
        where = f" WHERE {self.cond(query.where, inner)}" if query.where else ""
        whole = f"(SELECT {call} FROM {inner.source()}{where})"
        return f"{self._spelling.hundredfold(self.operand(of, scope))} / NULLIF({whole}, 0)"

    def window(self, scope: Scope) -> str:
        """Write the window of running totals: in the order of the last key, within the others."""
        *others, last = self._query.keys
        if len(last.refs) != 1:
            raise Trouble("groups have no order here: end with `per month`, `per year` or a number", depth=3)
        partition = ", ".join(self.operand(ref, scope) for ref in refs_of(tuple(others)))
        key = self.operand(last.refs[0], scope)
        order = ", ".join(self._spelling.sorted(key, descending=False, optional=self.optional(last.refs[0])))
        return f"{f'PARTITION BY {partition} ' if partition else ''}ORDER BY {order}"

    def optional(self, operand: Operand) -> bool:
        """Tell whether an operand may be empty."""
        match operand:
            case Agg():
                return operand.func != "count"
            case Share() | Running() | Percent() | Calc():
                return True
            case Part(ref):
                return self.optional(ref)
            case Ref():
                table = self._names.schema.table(operand.table)
                return bool(operand.path) or table.column(operand.column).nullable

    # --- rows of other tables -------------------------------------------------------------------------------

    def _sub(self, agg: Agg, scope: Scope) -> str:
        inner, source, link = self._reach(agg.path, scope)
        call = self._call(Agg(agg.func, (), agg.ref), inner)
        where = f" AND {self.cond(agg.where, inner, nested=True)}" if agg.where else ""
        return f"(SELECT {call} FROM {source()} WHERE {link}{where})"

    def _reach(self, path: Path, scope: Scope) -> tuple[Scope, Callable[[], str], str]:
        """Return the scope of the rows that a path leads to, its FROM when all is written, and the link to `scope`."""
        inner = Scope(self._names, path[-1].target, scope)
        back = [self._names.joins.reverse(step) for step in reversed(path)]
        joins, link = self._back(back, inner.name, inner, scope.name)
        return inner, lambda: inner.source() + joins, link

    def _back(self, steps: list[Step], name: str, inner: Scope, goal: str) -> tuple[str, str]:
        """Walk back from `name` to the outer row `goal`: joins while each row has one, then EXISTS."""
        joins = ""
        for i, step in enumerate(steps[:-1]):
            right = inner.fresh(step.target)
            on = self._names.link(step, name, right)
            if step.many:
                more, link = self._back(steps[i + 1 :], right, inner, goal)
                source = self._names.source(step.target, right)
                return joins, f"EXISTS (SELECT 1 FROM {source}{more} WHERE {on} AND {link})"
            joins += f" JOIN {self._names.source(step.target, right)} ON {on}"
            name = right
        return joins, self._names.link(steps[-1], name, goal)

    # --- conditions -----------------------------------------------------------------------------------------

    def cond(self, cond: Cond, scope: Scope, *, nested: bool = False) -> str:
        """Write a condition; `nested` where AND or OR is around it."""
        match cond:
            case AllOf(conds):
                return " AND ".join(self.cond(each, scope, nested=True) for each in conds)
            case AnyOf(conds):
                text = " OR ".join(self.cond(each, scope, nested=True) for each in conds)
                return f"({text})" if nested else text
            case Not(inner):
                return f"NOT ({self.cond(inner, scope)})"
            case Related():
                return self._related(cond, scope)
            case Empty(left, negated):
                return f"{self._left(left, scope)} IS {'NOT ' if negated else ''}NULL"
            case Match():
                return self._spelling.match(self.operand(cond.left, scope), cond)
            case Period():
                text = self._period(cond, scope)
                return f"({text})" if nested and " OR " in text else text
            case Compare(left, op, right):
                return f"{self._left(left, scope)} {op} {self._right(right, scope)}"
            case Between(left, low, high, negated):
                values = f"{self._spelling.value(low)} AND {self._spelling.value(high)}"
                return f"{self._left(left, scope)} {'NOT ' if negated else ''}BETWEEN {values}"
            case OneOf(left, values, negated):
                listed = ", ".join(self._spelling.value(value) for value in values)
                return f"{self._left(left, scope)} {'NOT ' if negated else ''}IN ({listed})"

    def _left(self, left: Operand, scope: Scope) -> str:
        """What joins texts needs parentheses beside a comparison."""
        text = self.operand(left, scope)
        return f"({text})" if " || " in text and not text.startswith("(") else text

    def _right(self, right: Right, scope: Scope) -> str:
        match right:
            case Scalar():
                return self._scalar(right, scope)
            case Among(func, of):
                return self._among(_FUNCS[func], of, scope)
            case Before():
                return scope.known[Running(right.of)]
            case _:
                return self.operand(right, scope)

    def _scalar(self, right: Scalar, scope: Scope) -> str:
        inner = Scope(self._names, right.table, scope)
        call = "COUNT(*)"
        if right.of is not None:
            call = f"{_FUNCS[right.func]}({self._argument(right.func, right.of, inner)})"
        conds = [f"{self._left(ref, inner)} = {self._left(ref, scope)}" for ref in right.same]
        if right.where is not None:
            conds.append(self.cond(right.where, inner, nested=bool(conds)))
        where = f" WHERE {' AND '.join(conds)}" if conds else ""
        return f"(SELECT {call} FROM {inner.source()}{where})"

    def _among(self, func: str, of: Agg, scope: Scope) -> str:
        query = self._query
        inner = Scope(self._names, query.table, scope)
        call = self._call(of, inner)
        keys = ", ".join(self.operand(ref, inner) for ref in refs_of(query.keys))
        where = f" WHERE {self.cond(query.where, inner)}" if query.where else ""
        if func == "AVG" and (of.ref is None or kind_of(of) == "integer"):
            call = self._spelling.fraction(call)
        groups = f"SELECT {call} AS c1 FROM {inner.source()}{where} GROUP BY {keys}"
        return f"(SELECT {func}({self._derived}.c1) FROM ({groups}) AS {self._derived})"

    def _related(self, cond: Related, scope: Scope) -> str:
        some, none = (cond.op, cond.count) == (">=", 1), (cond.op, cond.count) == ("=", 0)
        if not some and not none:
            return f"{self._sub(Agg('count', cond.path, None, cond.where), scope)} {cond.op} {cond.count}"
        inner, source, link = self._reach(cond.path, scope)
        where = f" AND {self.cond(cond.where, inner, nested=True)}" if cond.where else ""
        return f"{'NOT ' if none else ''}EXISTS (SELECT 1 FROM {source()} WHERE {link}{where})"

    def _period(self, cond: Period, scope: Scope) -> str:
        column = self.operand(cond.left, scope)
        signs = ("<", ">=") if cond.negated else (">=", "<")
        ends = zip(signs, (cond.start, cond.end), strict=True)
        parts = [f"{column} {sign} {self._spelling.text(end)}" for sign, end in ends if end]
        return (" OR " if cond.negated else " AND ").join(parts)
