"""Random queries over a schema: everything that the language can say, without a word of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from jigwork.grammars.english.joins import Joins, is_single
from jigwork.grammars.english.query import (
    Agg,
    AllOf,
    Also,
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
    Op,
    Operand,
    Order,
    Part,
    Path,
    Percent,
    Period,
    Query,
    Ref,
    Related,
    Running,
    Scalar,
    Share,
    Unit,
)
from jigwork.grammars.schema import Kind, Schema

NUMBERS = ("integer", "number")
DATES = ("date", "datetime")
UNITS: tuple[Unit, ...] = ("year", "quarter", "month", "week", "day", "weekday", "hour")
OPS: tuple[Op, ...] = ("=", "<>", "<", "<=", ">", ">=")
TEXTS = ("Brazil", "red", "o", "50%", "a_b", "x' OR 1=1 --", 'say "hi"')
DAYS = ("2022-12-01", "2023-01-01", "2023-02-15", "2023-06-30", "2024-01-01")


class Queries:
    """Makes queries over one schema."""

    def __init__(self, schema: Schema, joins: Joins, rng: random.Random) -> None:
        self._schema = schema
        self._joins = joins
        self._rng = rng

    def query(self) -> Query:
        """Return the next query."""
        rng = self._rng
        table = rng.choice(self._schema.tables).name
        kinds: list[Callable[[str], Query | None]] = [
            self._list, self._list, self._number, self._groups, self._groups, self._running, self._each, self._both,
        ]  # fmt: skip
        while True:
            found = rng.choice(kinds)(table)
            if found is not None:
                return found
            table = rng.choice(self._schema.tables).name

    # --- the kinds ------------------------------------------------------------------------------------------

    def _list(self, table: str) -> Query:
        rng = self._rng
        items: list[Operand] = [self._ref(table) for _ in range(rng.choice([0, 0, 1, 2]))]
        order: list[Order] = []
        for made in (self._calc(table), self._agg(table), self._part(table)):
            if made is not None and rng.random() < 0.3:
                items.append(made)
            if made is not None and rng.random() < 0.2:
                order.append(Order(made, rng.random() < 0.5))
        if rng.random() < 0.4:
            order.append(Order(self._ref(table), rng.random() < 0.5))
        items = list(dict.fromkeys(items))
        distinct = bool(items) and all(isinstance(item, Ref) for item in items) and rng.random() < 0.3
        if distinct:
            order = [each for each in order if each.by in items]
        order = list({each.by: each for each in order}.values())
        limit = rng.choice([None, None, 1, 3])
        return Query(
            table, tuple(items), where=self._where(table), order=tuple(order), limit=limit, distinct=distinct,
            skip=rng.choice([0, 0, 2]) if limit else 0,
        )  # fmt: skip

    def _number(self, table: str) -> Query:
        measures = [self._measure(table) for _ in range(self._rng.randint(1, 3))]
        where = self._where(table)
        if self._rng.random() < 0.2:
            return Query(table, measures=(Percent(self._cond(table)),), where=where)
        return Query(table, measures=tuple(dict.fromkeys(measures)), where=where)

    def _keys(self, table: str) -> tuple[Key, ...]:
        found = [Key((self._part(table) or self._ref(table, far=False),)) if self._rng.random() < 0.5 else Key((self._ref(table),))
                 for _ in range(self._rng.choice([1, 1, 2]))]  # fmt: skip
        return tuple(dict.fromkeys(found))

    def _groups(self, table: str) -> Query:
        rng = self._rng
        keys = self._keys(table)
        counts = Agg("count", ())
        measures: list[Operand] = [self._measure(table) for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.3:
            measures.append(Share(rng.choice([counts, self._sum(table) or counts])))
        if rng.random() < 0.2:
            measures.append(Percent(self._cond(table)))
        total = self._sum(table)
        if total is not None and rng.random() < 0.3:
            measures.append(Calc(rng.choice(("+", "-", "*", "/")), total, rng.choice([counts, total])))
        measures = list(dict.fromkeys(measures))
        having: Cond | None = None
        if rng.random() < 0.5:
            measure = self._sum(table) or counts
            right = rng.choice([Const(rng.randint(1, 3)), Before(measure), Among("avg", measure), Scalar("count", None, table, self._where(table))])  # fmt: skip
            having = Compare(measure, rng.choice(OPS[2:]), cast(Any, right))
        order = rng.choice([(), (Order(measures[0], rng.random() < 0.5),)])
        if isinstance(measures[0], Percent):
            order = ()
        return Query(
            table, (), tuple(measures), keys, self._where(table), having, order, rng.choice([None, None, 2])
        )

    def _running(self, table: str) -> Query | None:
        part = self._part(table)
        if part is None:
            return None
        keys = [Key((part,))]
        if self._rng.random() < 0.4:
            keys.insert(0, Key((self._ref(table, far=False),)))
        of = self._sum(table) or Agg("count", ())
        measures = (of, Running(of)) if self._rng.random() < 0.5 else (Running(of),)
        return Query(table, measures=measures, keys=tuple(dict.fromkeys(keys)), where=self._where(table))

    def _each(self, table: str) -> Query | None:
        key = self._schema.table(table).primary_key
        if not key:
            return None
        order = (Order(self._agg(table) or self._ref(table), self._rng.random() < 0.5),)
        items = () if self._rng.random() < 0.5 else (self._ref(table),)
        keys = self._keys(table)
        return Query(
            table, items, where=self._where(table), order=order, limit=self._rng.randint(1, 2), each=keys
        )

    def _both(self, table: str) -> Query | None:
        rng = self._rng
        first = self._ref(table)
        other = rng.choice(self._schema.tables).name
        fitting = [ref for ref in self._own(other) if ref.kind == first.kind]
        if not fitting:
            return None
        second = Query(other, (rng.choice(fitting),), where=self._where(other))
        how = rng.choice(("or", "and", "not"))
        return Query(table, (first,), where=self._where(table), also=Also(cast(Any, how), second))

    # --- operands -------------------------------------------------------------------------------------------

    def _own(self, table: str) -> list[Ref]:
        return [Ref(table, column.name, column.kind) for column in self._schema.table(table).columns]

    def _ways(self, table: str, *, single: bool) -> list[Path]:
        found: list[Path] = []
        for other in self._joins.reachable(table):
            found.extend(path for path in self._joins.paths(table, other) if is_single(path) is single)
        return found

    def _ref(self, table: str, *, far: bool = True, kinds: tuple[Kind, ...] = ()) -> Ref:
        rng = self._rng
        ways = self._ways(table, single=True)
        if far and not kinds and ways and rng.random() < 0.25:
            path = rng.choice(ways)
            keys = {name for step in path for name in step.target_columns}
            found = [ref for ref in self._own(path[-1].target) if ref.column not in keys]
            if found:
                ref = rng.choice(found)
                return Ref(ref.table, ref.column, ref.kind, path)
        own = [ref for ref in self._own(table) if not kinds or ref.kind in kinds]
        return rng.choice(own) if own else self._own(table)[0]

    def _part(self, table: str) -> Part | None:
        dates = [ref for ref in self._own(table) if ref.kind in DATES]
        if not dates:
            return None
        ref = self._rng.choice(dates)
        return Part(ref, self._rng.choice(UNITS if ref.kind == "datetime" else UNITS[:-1]))

    def _calc(self, table: str, depth: int = 0) -> Calc | None:
        rng = self._rng
        numbers = [ref for ref in self._own(table) if ref.kind in NUMBERS]
        dates = [ref for ref in self._own(table) if ref.kind in DATES]
        if len(dates) > 1 and rng.random() < 0.4:
            return Calc("days", *rng.sample(dates, 2))
        if not numbers:
            return None
        right: Any = rng.choice([rng.choice(numbers), Const(2), Const(Decimal("0.5"))])
        if depth < 2 and rng.random() < 0.3:
            right = self._calc(table, depth + 1) or right
        return Calc(rng.choice(("+", "-", "*", "/")), rng.choice(numbers), right)

    def _sum(self, table: str) -> Agg | None:
        numbers: list[Any] = [ref for ref in self._own(table) if ref.kind in NUMBERS]
        calc = self._calc(table)
        if calc is not None and self._rng.random() < 0.3:
            numbers = [calc]
        return Agg("sum", (), self._rng.choice(numbers)) if numbers else None

    def _measure(self, table: str) -> Operand:
        rng = self._rng
        total = self._sum(table)
        choices: list[Agg] = [Agg("count", ()), Agg("count", (), self._ref(table))]
        if total is not None:
            choices += [total, Agg(rng.choice(("avg", "min", "max")), (), total.ref)]
        return rng.choice(choices)

    def _agg(self, table: str) -> Agg | None:
        """An aggregate over related rows."""
        rng = self._rng
        ways = [path for path in self._ways(table, single=False) if path[-1].many]
        if not ways:
            return None
        path = rng.choice(ways)
        where = self._cond(path[-1].target, deep=False) if rng.random() < 0.3 else None
        total = self._sum(path[-1].target)
        if total is not None and rng.random() < 0.6:
            return Agg(rng.choice(("sum", "avg", "min", "max")), path, total.ref, where)
        return Agg("count", path, None, where)

    # --- conditions -----------------------------------------------------------------------------------------

    def _where(self, table: str) -> Cond | None:
        return self._cond(table) if self._rng.random() < 0.4 else None

    def _cond(self, table: str, *, deep: bool = True) -> Cond:
        rng = self._rng
        roll = rng.random()
        if deep and roll < 0.15:
            parts = (self._cond(table, deep=False), self._cond(table, deep=False))
            return AllOf(parts) if rng.random() < 0.5 else AnyOf(parts)
        if deep and roll < 0.2:
            return Not(self._cond(table, deep=False))
        ways = [path for path in self._ways(table, single=False) if path[-1].many]
        if deep and ways and roll < 0.4:
            path = rng.choice(ways)
            where = self._cond(path[-1].target, deep=False) if rng.random() < 0.4 else None
            return Related(path, rng.choice(OPS[2:]), rng.choice([1, 2]), where)
        agg = self._agg(table) if deep else None
        if agg is not None and roll < 0.5:
            return Compare(agg, rng.choice(OPS), rng.choice([Const(2), Scalar("avg", agg, table)]))
        return self._single(table)

    def _single(self, table: str) -> Cond:
        rng = self._rng
        ref = self._ref(table)
        if rng.random() < 0.1:
            return Empty(ref, rng.random() < 0.5)
        if ref.kind in NUMBERS:
            return self._numeric(table, ref)
        if ref.kind == "text":
            negated = rng.random() < 0.2
            how: Any = rng.choice(("contains", "starts", "ends", "like"))
            return rng.choice([
                Compare(ref, rng.choice(OPS[:2]), Const(rng.choice(TEXTS))),
                OneOf(ref, tuple(rng.sample(TEXTS, 2)), negated),
                Match(ref, how, rng.choice(TEXTS), negated),
            ])  # fmt: skip
        if ref.kind == "boolean":
            return Compare(ref, "=", Const(rng.random() < 0.5))
        if ref.kind in DATES:
            start, end = sorted(rng.sample(DAYS, 2))
            return Period(ref, *rng.choice([(start, end), (start, None), (None, end)]), negated=False)
        return Empty(ref, True)

    def _numeric(self, table: str, ref: Ref) -> Cond:
        rng = self._rng
        same = tuple(each for each in [self._ref(table, far=False)] if rng.random() < 0.5)
        calc = self._calc(table)
        choices: list[Cond] = [
            Compare(ref, rng.choice(OPS), Const(rng.randint(-2, 6))),
            Between(ref, 1, Decimal("5.5"), rng.random() < 0.3),
            OneOf(ref, (1, 2, 7), rng.random() < 0.3),
        ]
        if not ref.path:
            choices.append(
                Compare(ref, rng.choice(OPS[2:]), Scalar("avg", ref, table, self._simple(table), same))
            )
        if calc is not None:
            choices.append(Compare(calc, rng.choice(OPS[2:]), Const(3)))
            choices.append(Compare(ref, rng.choice(OPS[2:]), cast(Any, calc)))
        return rng.choice(choices)

    def _simple(self, table: str) -> Cond | None:
        texts = [ref for ref in self._own(table) if ref.kind == "text"]
        return Compare(texts[0], "=", Const("Brazil")) if texts and self._rng.random() < 0.4 else None
