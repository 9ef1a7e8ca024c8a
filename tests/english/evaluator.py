"""The rows of an understood query over plain Python rows: it knows nothing of SQL, it follows keys from row to row."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jigwork.grammars.english.query import (
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
)

Row = dict[str, Any]
Rows = list[tuple[Any, ...]]


class Evaluator:
    """Gives the rows of a query over plain Python rows."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.query = Query("")

    def rows(self, query: Query) -> Rows:
        """Return the rows, in order."""
        self.query = query
        if query.also is not None:
            return self._combined(query)
        kept = self._kept(query)
        if query.measures:
            return self._groups(query, kept)
        table = self.world.schema.table(query.table)
        items: list[Operand] = list(query.items) or [Ref(query.table, c.name, c.kind) for c in table.columns]
        keys = _refs(query.each)
        shown = [*(key for key in keys if key not in items), *items]
        if not query.distinct:
            for order in query.order:
                if not isinstance(order.by, Ref) and order.by not in shown:
                    shown.append(order.by)
        sorts: list[tuple[Operand, bool]] = [(order.by, order.descending) for order in query.order]
        if query.distinct:
            sorts += [(item, False) for item in items]
        else:
            sorts += [(Ref(query.table, name, table.column(name).kind), False) for name in table.primary_key]
        made = [
            (tuple(self.value(item, row) for item in shown), [self.value(by, row) for by, _ in sorts])
            for row in kept
        ]
        if query.distinct:
            made = list({values: (values, order) for values, order in reversed(made)}.values())
        if query.each:
            return self._ranked(query, kept, made, [descending for _, descending in sorts])
        made = _sorted(made, [descending for _, descending in sorts])
        return _window([values for values, _ in made], query)

    def _kept(self, query: Query) -> list[Row]:
        rows: list[Row] = self.world.rows[query.table]
        return [row for row in rows if query.where is None or self.cond(query.where, row) is True]

    def _combined(self, query: Query) -> Rows:
        assert query.also is not None
        sides: list[set[tuple[Any, ...]]] = []
        for side in (query, query.also.query):
            sides.append({tuple(self.value(item, row) for item in side.items) for row in self._kept(side)})
        left, right = sides
        found = {"or": left | right, "and": left & right, "not": left - right}[query.also.how]
        made = _sorted([(values, list(values)) for values in found], [False] * len(query.items))
        return [values for values, _ in made]

    def _ranked(self, query: Query, kept: list[Row], made: list[Any], descending: list[bool]) -> Rows:
        keys = _refs(query.each)
        needed = [key.refs[0] for key in query.each if key.entity is not None]
        groups: dict[tuple[Any, ...], list[Any]] = {}
        for row, each in zip(kept, made, strict=True):
            if all(self.value(ref, row) is not None for ref in needed):
                groups.setdefault(tuple(self.value(ref, row) for ref in keys), []).append(each)
        found: list[tuple[Any, list[Any]]] = []
        for key, members in groups.items():
            chosen = _sorted(members, descending)[: query.limit or 1]
            found.append(([values for values, _ in chosen], list(key)))
        return [values for rows, _ in _sorted(found, [False] * len(keys)) for values in rows]

    # --- groups ---------------------------------------------------------------------------------------------

    def _groups(self, query: Query, kept: list[Row]) -> Rows:
        refs = _refs(query.keys)
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in kept:
            groups.setdefault(tuple(self.value(ref, row) for ref in refs), []).append(row)
        if not refs:
            groups.setdefault((), [])
        ordered = [key for key, _ in _sorted([(key, list(key)) for key in groups], [False] * len(refs))]
        orders: list[tuple[Operand, bool]] = [(order.by, order.descending) for order in query.order]
        orders += [(ref, False) for ref in refs]
        made: list[tuple[tuple[Any, ...], list[Any]]] = []
        for key in ordered:

            def value(operand: Operand, key: tuple[Any, ...] = key) -> Any:
                return self._of_group(operand, key, (refs, groups, ordered))

            def right(other: Right, key: tuple[Any, ...] = key) -> Any:
                return self._other_groups(other, key, (refs, groups, ordered))

            if query.having is None or self._test(query.having, value, right) is True:
                made.append(((*key, *(value(m) for m in query.measures)), [value(by) for by, _ in orders]))
        return _window(
            [values for values, _ in _sorted(made, [descending for _, descending in orders])], query
        )

    def _of_group(self, operand: Operand | Const, key: tuple[Any, ...], known: Any) -> Any:
        refs, groups, ordered = known
        match operand:
            case Agg():
                return self._measure(operand, groups[key])
            case Const(value):
                return value
            case Calc():
                sides = (self._of_group(side, key, known) for side in (operand.left, operand.right))
                return _calc(operand.op, *sides)
            case Share(of):
                whole = self._measure(of, [row for rows in groups.values() for row in rows])
                part = self._measure(of, groups[key])
                return None if part is None or not whole else part * 100 / whole
            case Percent(where):
                met = [self.cond(where, row) is True for row in groups[key]]
                return sum(met) * 100 / len(met) if met else None
            case Running(of):
                before = [k for k in ordered[: ordered.index(key) + 1] if k[:-1] == key[:-1]]
                values = [self._measure(of, groups[k]) for k in before]
                known_values = [value for value in values if value is not None]
                return sum(known_values) if known_values else None
            case _:
                return key[refs.index(operand)]

    def _other_groups(self, other: Right, key: tuple[Any, ...], known: Any) -> Any:
        _, groups, ordered = known
        match other:
            case Const(value):
                return value
            case Before(of):
                alike = [k for k in ordered if k[:-1] == key[:-1]]
                at = alike.index(key)
                return self._measure(of, groups[alike[at - 1]]) if at else None
            case Among(func, of):
                values = [self._measure(of, rows) for rows in groups.values()]
                return _aggregate(func, [value for value in values if value is not None])
            case Scalar():
                return self._scalar(other, None)
            case _:
                raise AssertionError("no group has that")

    def _measure(self, agg: Agg, rows: list[Row]) -> Any:
        if agg.ref is None:
            return len(rows)
        values = [value for row in rows if (value := self.value(agg.ref, row)) is not None]
        return _aggregate(agg.func, values)

    # --- rows -----------------------------------------------------------------------------------------------

    def value(self, operand: Operand | Const, row: Row) -> Any:
        """Return the value of an operand for one row."""
        match operand:
            case Const(value):
                return value
            case Part():
                return _part(self.value(operand.ref, row), operand.unit)
            case Ref():
                found = self.follow(row, operand.path)
                assert len(found) <= 1
                return found[0][operand.column] if found else None
            case Calc():
                return _calc(operand.op, self.value(operand.left, row), self.value(operand.right, row))
            case Agg():
                found = [
                    each
                    for each in self.follow(row, operand.path)
                    if not operand.where or self.cond(operand.where, each) is True
                ]
                return self._measure(Agg(operand.func, (), operand.ref), found)
            case _:
                raise AssertionError("a measure of groups needs groups")

    def _scalar(self, scalar: Scalar, row: Row | None) -> Any:
        rows: list[Row] = self.world.rows[scalar.table]
        if scalar.where is not None:
            rows = [each for each in rows if self.cond(scalar.where, each) is True]
        if scalar.same:
            assert row is not None
            rows = [
                each
                for each in rows
                if all(
                    _compare(self.value(ref, each), "=", self.value(ref, row)) is True for ref in scalar.same
                )
            ]
        if scalar.of is None:
            return len(rows)
        values = [self.value(scalar.of, each) for each in rows]
        return _aggregate(scalar.func, [value for value in values if value is not None])

    def follow(self, row: Row, path: Path) -> list[Row]:
        """Return the rows at the end of a path, each once."""
        rows = [row]
        for step in path:
            met: dict[int, Row] = {}
            for here in rows:
                wanted = [here[name] for name in step.source_columns]
                if None in wanted:
                    continue
                for other in self.world.rows[step.target]:
                    if [other[name] for name in step.target_columns] == wanted:
                        met[id(other)] = other
            rows = list(met.values())
        return rows

    def cond(self, cond: Cond, row: Row) -> bool | None:
        """Return whether a condition holds for a row; None is unknown."""

        def right(other: Right) -> Any:
            if isinstance(other, Scalar):
                return self._scalar(other, row)
            assert not isinstance(other, (Among, Before))
            return self.value(other, row)

        return self._test(cond, lambda operand: self.value(operand, row), right, row)

    def _test(
        self,
        cond: Cond,
        value: Callable[[Operand], Any],
        right: Callable[[Right], Any],
        row: Row | None = None,
    ) -> bool | None:
        match cond:
            case AllOf(conds):
                results = [self._test(each, value, right, row) for each in conds]
                return False if False in results else None if None in results else True
            case AnyOf(conds):
                results = [self._test(each, value, right, row) for each in conds]
                return True if True in results else None if None in results else False
            case Not(inner):
                result = self._test(inner, value, right, row)
                return None if result is None else not result
            case Related():
                assert row is not None
                rows = self.follow(row, cond.path)
                count = sum(1 for each in rows if not cond.where or self.cond(cond.where, each) is True)
                return _compare(count, cond.op, cond.count)
            case Compare():
                return _compare(value(cond.left), cond.op, right(cond.right))
            case _:
                return _single(cond, value(cond.left))


def _single(cond: Any, left: Any) -> bool | None:
    """Test one value."""
    match cond:
        case Empty():
            return (left is None) != cond.negated
        case Between():
            low, high = _compare(left, ">=", cond.low), _compare(left, "<=", cond.high)
            return None if low is None or high is None else (low and high) != cond.negated
        case OneOf():
            return None if left is None else any(_compare(left, "=", v) for v in cond.values) != cond.negated
        case Match():
            return _match(cond, left)
        case _:
            return _period(cond, left)


def _window(rows: Rows, query: Query) -> Rows:
    """The rows that limit and skip leave."""
    return rows[query.skip : None if query.limit is None else query.skip + query.limit]


def _refs(keys: tuple[Key, ...]) -> list[Operand]:
    return list(dict.fromkeys(ref for key in keys for ref in key.refs))


def _part(text: str | None, unit: str) -> str | int | None:
    if text is None:
        return None
    if unit == "weekday":
        return date.fromisoformat(text[:10]).isoweekday()
    if unit == "hour":
        return int(text[11:13])
    if unit == "quarter":
        return f"{text[:4]}-Q{(int(text[5:7]) + 2) // 3}"
    if unit == "week":
        day = date.fromisoformat(text[:10])
        return (day - timedelta(days=day.weekday())).isoformat()
    return text[: {"year": 4, "month": 7, "day": 10}[unit]]


def _calc(op: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if op == "days":
        return (date.fromisoformat(left[:10]) - date.fromisoformat(right[:10])).days
    left, right = float(left), float(right)
    if op == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[op]


def _aggregate(func: str, values: list[Any]) -> Any:
    if func == "count":
        return len(set(values))
    if not values:
        return None
    if func == "avg":
        return sum(values) / len(values)
    return {"sum": sum, "min": min, "max": max}[func](values)


def _compare(left: Any, op: str, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    left, right = (float(v) if isinstance(v, (int, float, Decimal)) else v for v in (left, right))
    return {"=": left == right, "<>": left != right}[op] if op in ("=", "<>") else _ordered(left, op, right)


def _ordered(left: Any, op: str, right: Any) -> bool:
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op])


def _lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


def _match(cond: Match, text: str | None) -> bool | None:
    if text is None:
        return None
    whole, part = _lower(text), _lower(cond.text)
    if cond.how == "like":
        wild = {"%": ".*", "_": "."}
        pattern = "".join(wild.get(char) or re.escape(char) for char in part)
        return (re.fullmatch(pattern, whole, re.DOTALL) is not None) != cond.negated
    found = {"contains": part in whole, "starts": whole.startswith(part), "ends": whole.endswith(part)}[
        cond.how
    ]
    return found != cond.negated


def _period(cond: Period, text: str | None) -> bool | None:
    if text is None:
        return None
    return (
        (cond.start is None or text >= cond.start) and (cond.end is None or text < cond.end)
    ) != cond.negated


def _sorted(made: list[tuple[Any, list[Any]]], descending: list[bool]) -> list[tuple[Any, list[Any]]]:
    for i in range(len(descending) - 1, -1, -1):
        filled = [each for each in made if each[1][i] is not None]
        empty = [each for each in made if each[1][i] is None]
        filled.sort(key=lambda each: each[1][i], reverse=descending[i])
        made = filled + empty
    return made
