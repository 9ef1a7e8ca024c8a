"""Years and groups by date in free questions, and which date of the rows is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

from jigwork.grammars.inflection import Words, singular, split_name
from jigwork.grammars.linking.similar import stem

from ..choices import Trouble
from ..columns import leaves, sub
from ..deeds import deeds_of, past
from ..engine import Leaf, Node
from ..logic import period
from ..query import Compare, Cond, Const, Empty, OneOf, Op, Part, Path, Period, Ref, Unit, Value
from ..values import MONTHS
from .columns import DATES, NUMERIC, Columns

__all__ = ["OPS", "Dates"]

OPS: dict[str, Op] = {"gt": ">", "lt": "<", "ge": ">=", "le": "<=", "after": ">", "before": "<"}
_NEUTRAL = frozenset(
    """placed made created issued held recorded registered occurred happened took take taken place written done added
    listed entered posted are were was""".split()
)
"""Verbs that say of a row only that it came to be."""


class Dates:
    """Reads what is said about the time of rows."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._schema = columns.schema
        self._spans = columns.spans
        self._choices = columns.choices

    # --- which date -----------------------------------------------------------------------------------------

    def _rank(self, table: str, column: str, verbs: Sequence[Leaf]) -> int:
        """How far a date is from being meant: `hired` says the hire date, and the order date is that of an order."""
        stems = {stem(each) for way in split_name(column) for word in way for each in (word, past(word))}
        if verbs and any(stem(cast(Words, verb.value)[0]) in stems for verb in verbs):
            return 0
        own = {singular(word) for way in split_name(table) for word in way}
        said = [cast(Words, verb.value)[0] for verb in verbs]
        unsaid = 0 if all(word in _NEUTRAL or word in deeds_of(own) for word in said) else 3
        return unsaid + (1 if own & {singular(word) for way in split_name(column) for word in way} else 2)

    def _dates(self, table: str, verbs: Sequence[Leaf], *, years: bool) -> list[tuple[int, Ref]]:
        """The dates (and columns of years) of the rows, and of rows that each has one of, with their ranks."""
        found: list[tuple[int, Ref]] = []
        for far, path in [(0, cast(Path, ())), *self._parents(table)]:
            where = path[-1].target if path else table
            for column in self._schema.table(where).columns:
                if column.kind in DATES or (years and "year" in column.name.lower()):
                    ref = Ref(where, column.name, column.kind, path)
                    found.append((far + self._rank(where, column.name, verbs), ref))
        return found

    def _parents(self, table: str) -> list[tuple[int, Path]]:
        return [(2, (step,)) for step in self._columns.joins.steps(table) if step.forward and not step.many]

    # --- conditions -----------------------------------------------------------------------------------------

    def in_year(self, node: Node, table: str) -> Cond:
        """Read `hired after 2003`, `in 2014`."""
        words = leaves(node, "YEAR")
        inner = sub(node, "year") or node
        words = words or leaves(inner, "YEAR")
        years = [self._spans.number(leaf.start) for leaf in words]
        op: Op = "="
        if sub(inner, "orafter"):
            op = ">="
        elif sub(inner, "orbefore"):
            op = "<="
        elif (when := sub(node, "when")) is not None:
            op = OPS[cast(Node, when.children[0]).name]
        day = self._span(node)
        options = self._dates(table, leaves(node, "VERB"), years=day is None)
        low = min((cost for cost, _ in options), default=0)
        if day is not None:
            return self._choices.pick(
                [(max(0, c - 2), period(ref, op, day)) for c, ref in options if c == low]
            )
        made = [(max(0, cost - 2), self.years(ref, op, years)) for cost, ref in options if cost == low]
        return self._choices.pick(made)

    def _span(self, node: Node) -> tuple[str, str] | None:
        """The month or the day that is said; None for a year."""
        said = self._spans.words
        dates, months, days = leaves(node, "DATE"), leaves(node, "MONTH"), leaves(node, "DAY")
        try:
            if dates:
                first = date.fromisoformat(said[dates[0].start].text)
                return first.isoformat(), (first + timedelta(days=1)).isoformat()
            if not months:
                return None
            year, month = int(leaves(node, "YEAR")[0].value[0]), MONTHS[said[months[0].start].said]
            if days:
                first = date(year, month, int(re.sub(r"\D", "", said[days[0].start].said)))
                return first.isoformat(), (first + timedelta(days=1)).isoformat()
        except ValueError:
            raise Trouble("there is no such date", depth=1) from None
        return date(year, month, 1).isoformat(), date(year + month // 12, month % 12 + 1, 1).isoformat()

    def years(self, ref: Ref, op: Op, years: Sequence[str]) -> Cond:
        """Return that a date is in a year, or a column of years is that year."""
        if ref.kind in DATES:
            if len(years) > 1:
                raise Trouble("two years of a date", depth=1)
            first, after = f"{years[0]}-01-01", f"{int(years[0]) + 1}-01-01"
            return {
                "=": Period(ref, first, after), ">=": Period(ref, first, None), ">": Period(ref, after, None),
                "<": Period(ref, None, first), "<=": Period(ref, None, after),
            }[cast(str, op)]  # fmt: skip
        values = [self.number(ref, year, ordered=op != "=") for year in years]
        return OneOf(ref, tuple(values)) if len(values) > 1 else Compare(ref, op, Const(values[0]))

    def number(self, ref: Ref, text: str, *, ordered: bool = False) -> Value:
        """Return a number as the column holds it."""
        if ref.kind in NUMERIC:
            return int(text) if text.lstrip("-").isdigit() else Decimal(text)
        if ref.kind == "text" and (not ordered or (len(text) == 4 and "year" in ref.column.lower())):
            return text
        raise Trouble("this column holds no numbers", depth=1)

    def done(self, node: Node, table: str) -> Cond:
        """Read `shipped`, `not yet returned`: whether there is a date of it, or what is true or false."""
        leaf = leaves(node, "DONE")[0]
        found = self._columns.names.lexicon.flags.entries.get(cast(Words, leaf.value), {})
        options: list[tuple[int, Cond]] = []
        negated = sub(node, "notdone") is not None
        for where, name in found:
            kind = self._schema.table(where).column(name).kind
            ref = Ref(where, name, kind)
            if where == table:
                known = Empty(ref, not negated) if kind in DATES else Compare(ref, "=", Const(not negated))
                last = leaf.end == len(self._spans.words)  # `shipped by ...` goes on to say something else
                options.append((0 if negated or last or kind not in DATES else 3, known))
        cond = self._choices.pick(options)
        self._columns.note(leaf, f"the column {next(iter(found))[0]}.{next(iter(found))[1]}")
        return cond

    # --- groups ---------------------------------------------------------------------------------------------

    def part(self, node: Node, table: str, verbs: Sequence[Leaf]) -> Part:
        """Read `each year`, `per month`: a part of the date of the rows."""
        unit = cast(Node, node.children[0]).name[1:]
        options = [(cost, ref) for cost, ref in self._dates(table, verbs, years=False) if ref.kind in DATES]
        low = min((cost for cost, _ in options), default=0)
        named = [
            column.name
            for column in self._schema.table(table).columns
            if unit in {singular(word) for way in split_name(column.name) for word in way}
        ]
        if named:
            raise Trouble(f"there is a column of that: {named[0]}", depth=1)
        ref = self._choices.pick([(max(0, cost - 2), ref) for cost, ref in options if cost == low])
        return Part(ref, cast(Unit, unit))
