"""From a `Query` to the sentence that says what was understood: the rows, the conditions, the way of each join,
and what happens to empty values and ties where that could surprise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from .joins import Joins
from .names import Lexicon
from .phrase import number_text
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
    Value,
)
from .steps import steps_of
from .values import kind_of
from .words import join_and, split_name

__all__ = ["Readback"]

_FUNCS = {"count": "number", "sum": "sum", "avg": "average", "min": "smallest", "max": "largest"}
_OPS = {
    "=": "is",
    "<>": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_DATE_FUNCS = {"min": "earliest", "max": "latest"}
_QUANTITIES = {"=": "exactly", "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least"}
_SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_ALSO = {"or": "together with", "and": "that are also in", "not": "without"}
_MATCHES = {"like": ("has the pattern", "does not have the pattern"), "contains": ("contains", "does not contain"), "starts": ("starts with", "does not start with"),
            "ends": ("ends with", "does not end with")}  # fmt: skip


class Readback:
    """Writes read-backs in the words of one schema."""

    def __init__(self, lexicon: Lexicon, joins: Joins) -> None:
        self._lexicon = lexicon
        self._joins = joins

    def sentence(self, query: Query, *, limit: int | None) -> str:
        """Return the read-back; `limit` is the number of rows that are shown at most where none was asked for."""
        if query.also is not None:
            return self._combined(query, limit)
        text = self._what(query)
        if query.where is not None:
            text += f" where {self._cond(query.where)}"
        if query.keys:
            text += f", for each {join_and(self._key(key) for key in query.keys)}"
        if query.having is not None:
            text += f", only groups where {self._cond(query.having)}"
        if query.order:
            text += "; sorted by " + ", then ".join(
                f"{self._operand(o.by)} ({'highest' if o.descending else 'lowest'} first)"
                for o in query.order
            )
        if query.each:
            groups = join_and(self._key(key) for key in query.each)
            text += f"; the first {query.limit if query.limit != 1 else 'one'} of each {groups}"
        elif query.skip:
            text += f"; after the first {query.skip if query.skip > 1 else 'one'}, only the next {query.limit if query.limit != 1 else 'one'}"
        elif query.limit is not None:
            text += (
                f"; only the first {query.limit if query.limit > 1 else 'one'}"
                if query.order
                else f"; {query.limit} of them"
            )
        if limit is not None:
            text += f"; at most {limit} rows"
        return " ".join([f"{text}.", *self._notes(query)])

    def _combined(self, query: Query, limit: int | None) -> str:
        assert query.also is not None
        sides: list[str] = []
        for side in (query, query.also.query):
            where = f" where {self._cond(side.where)}" if side.where is not None else ""
            sides.append(self._what(replace(side, distinct=True)) + where)
        second = sides[1].removeprefix("List ").removeprefix("the ")
        cap = f"; at most {limit} rows" if limit is not None else ""
        text = f"{sides[0]}, {_ALSO[query.also.how]} the {second}, each once{cap}."
        return " ".join([text, *self._ways(query)])

    def _what(self, query: Query) -> str:
        table = self._table(query.table)
        if query.measures:
            said = [self._measure(agg, table) for agg in query.measures]
            if query.measures == (Agg("count", ()),):
                return f"Count the {table}"
            return f"The {join_and(said)}, over the {table}"
        if query.items:
            items = join_and(self._operand(item) for item in query.items).removeprefix("the ")
            return f"List the {'different values of ' if query.distinct else ''}{items} of the {table}"
        return f"List the {table} with all their columns"

    def _measure(self, measure: Operand, table: str) -> str:
        match measure:
            case Agg(ref=None):
                return f"number of {table}"
            case Agg(func="count"):
                assert isinstance(measure.ref, Ref)
                return f"number of different values of {self._ref(measure.ref)}"
            case Agg():
                return f"{self._func(measure)} {self._argument(measure.ref)}"
            case Share(of):
                return f"share in percent of the whole {self._measure(of, table)}"
            case Running(of):
                return f"running total of the {self._measure(of, table)}"
            case Percent(where):
                return f"percentage of {table or 'rows'} where {self._cond(where)}"
            case _:
                return self._operand(measure).removeprefix("the ")

    def _func(self, agg: Agg | Scalar) -> str:
        of = agg.ref if isinstance(agg, Agg) else agg.of
        dates = of is not None and kind_of(of) in ("date", "datetime")
        word = _DATE_FUNCS.get(agg.func, _FUNCS[agg.func]) if dates else _FUNCS[agg.func]
        return f"{word} of" if word == "sum" else word

    def _argument(self, of: Ref | Agg | Calc | None) -> str:
        if isinstance(of, Ref):
            return self._ref(of)
        return "" if of is None else self._operand(of).removeprefix("the ")

    # --- names ----------------------------------------------------------------------------------------------

    def _table(self, name: str, *, one: bool = False) -> str:
        return self._lexicon.shown_table[name][0 if one else 1]

    def _ref(self, ref: Ref) -> str:
        shown = self._lexicon.shown_column[ref.table, ref.column].strip("`")
        return f"{shown} of the {self._way(ref.path)}" if ref.path else shown

    def _way(self, path: Path) -> str:
        """`country of the city of the address`; where there may be many, `tags (through product tags)`."""
        many = [i for i, step in enumerate(path) if step.many]
        if not many or len(path) == 1:
            return " of the ".join(self._step(step) for step in reversed(path))
        last = self._table(path[-1].target)
        return f"{last} (through {' and '.join(self._step(step) for step in path[:-1])})"

    def _step(self, step: Step) -> str:
        shown = self._table(step.target, one=not step.many)
        others = [path for path in self._joins.paths(step.source, step.target) if path != (step,)]
        if not others and step.source != step.target and self._plainly_named(step):
            return shown
        key = step.source_columns if step.forward else step.target_columns
        return f"{shown} (by {', '.join(key)})"

    def _plainly_named(self, step: Step) -> bool:
        """Whether the key is called like the table it leads to, so that it need not be said."""
        forward = step if step.forward else self._joins.reverse(step)
        words = split_name(forward.source_columns[0])[0]
        shown = self._table(forward.target, one=True).split()
        return len(forward.source_columns) > 1 or list(words[: len(shown)]) == shown

    def _operand(self, operand: Operand) -> str:
        match operand:
            case Ref():
                return self._ref(operand)
            case Part():
                days = " (1 is Monday, 7 is Sunday)" if operand.unit == "weekday" else ""
                return f"the {operand.unit} of {self._ref(operand.ref)}{days}"
            case Agg() if not operand.path:
                if operand.ref is None:
                    return "the number of rows"
                return f"the {self._measure(operand, '')}"
            case Agg(func="count"):
                what = f"different values of {self._argument(operand.ref)} of the " if operand.ref else ""
                return f"the number of {what}{self._rows(operand.path, operand.where)}"
            case Agg():
                rows = self._rows(operand.path, operand.where)
                return f"the {self._func(operand)} {self._argument(operand.ref)} of their {rows}"
            case Calc(op="days"):
                return f"the days from {self._side(operand.right)} to {self._side(operand.left)}"
            case Calc(op, left, right):
                return f"{self._side(left)} {_SIGNS[op]} {self._side(right)}"
            case Share() | Running() | Percent():
                return f"the {self._measure(operand, '')}"

    def _side(self, side: Ref | Agg | Calc | Const) -> str:
        match side:
            case Const(value):
                return _say(value)
            case Calc():
                return f"({self._operand(side)})"
            case _:
                return self._operand(side)

    def _rows(self, path: Path, where: Cond | None) -> str:
        return (
            f"{self._way(path)} (those where {self._cond(where)})" if where is not None else self._way(path)
        )

    def _key(self, key: Key) -> str:
        if key.entity is not None:
            return f"{self._way(key.entity)}"
        return self._operand(key.refs[0]).removeprefix("the ")

    # --- conditions -----------------------------------------------------------------------------------------

    def _cond(self, cond: Cond, *, nested: bool = False) -> str:
        match cond:
            case AllOf(conds):
                text = " and ".join(self._cond(each, nested=True) for each in conds)
                return f"({text})" if nested else text
            case AnyOf(conds):
                text = " or ".join(self._cond(each, nested=True) for each in conds)
                return f"({text})" if nested else text
            case Not(inner):
                return f"it is not so that ({self._cond(inner)})"
            case Related():
                return self._related(cond)
            case Empty(left, negated):
                return f"{self._operand(left)} has {'a' if negated else 'no'} value"
            case Match():
                return f"{self._ref(cond.left)} {_MATCHES[cond.how][cond.negated]} {_say(cond.text)} (in any case)"
            case Period():
                return f"{self._ref(cond.left)} {_period(cond)}"
            case Between(left, low, high, negated):
                word = "is not between" if negated else "is between"
                return f"{self._operand(left)} {word} {_say(low)} and {_say(high)} (both included)"
            case OneOf(left, values, negated):
                word = "is none of" if negated else "is one of"
                return f"{self._operand(left)} {word} {join_and((_say(value) for value in values), 'or')}"
            case Compare(left, op, right):
                return f"{self._operand(left)} {_OPS[op]} {self._right(right)}"

    def _right(self, right: Right) -> str:
        match right:
            case Const(value):
                return _say(value)
            case Ref():
                return f"the {self._ref(right)}" if right.path else f"its {self._ref(right)}"
            case Scalar():
                return self._scalar(right)
            case Among(func, of):
                return f"the {_FUNCS[func]} of {self._operand(of)} over the groups"
            case Before(of):
                return f"{self._operand(of)} of the group before (of those that have rows)"
            case _:
                return self._operand(right)

    def _scalar(self, right: Scalar) -> str:
        what = "number" if right.of is None else f"{self._func(right)} {self._argument(right.of)}"
        which = f" where {self._cond(right.where)}" if right.where is not None else ""
        every = "those" if which else "all"
        same = f" of the same {join_and(self._operand(ref) for ref in right.same)}" if right.same else ""
        return f"the {what} of {every} {self._table(right.table)}{same}{which}"

    def _related(self, cond: Related) -> str:
        rows = self._rows(cond.path, cond.where)
        many = any(step.many for step in cond.path)
        article = "an" if rows[:1] in "aeiou" else "a"
        if (cond.op, cond.count) == ("=", 0):
            return f"they have no {rows}"
        if (cond.op, cond.count) == (">=", 1):
            return f"they have at least one of the {rows}" if many else f"they have {article} {rows}"
        return f"they have {_QUANTITIES[cond.op]} {cond.count} of the {rows}"

    # --- notes ----------------------------------------------------------------------------------------------

    def _ways(self, query: Query) -> list[str]:
        steps = dict.fromkeys(steps_of(query))
        return (
            [f"Joined by {join_and(dict.fromkeys(self._key_of(step) for step in steps))}."] if steps else []
        )

    def _notes(self, query: Query) -> list[str]:
        notes = self._ways(query)
        left_out = [self._ref(ref) for ref in dict.fromkeys(_negated(query)) if self._nullable(ref)]
        if left_out:
            notes.append(f"Rows with no {join_and(left_out, 'or')} are not among them.")
        for key in (*query.keys, *query.each):
            ref = key.refs[0].ref if isinstance(key.refs[0], Part) else key.refs[0]
            if not self._nullable(ref):
                continue
            alone = "are left out" if query.each and key.entity else "form a group of their own"
            notes.append(f"Rows with no {self._key(key)} {alone}.")
        if query.limit is not None and query.order and not query.keys and not query.distinct:
            made = self._lexicon.schema.table(query.table)
            first = query.order[0].by
            if made.primary_key and not (isinstance(first, Ref) and (first.column,) == made.primary_key):
                notes.append(f"Equal ones are taken in the order of {', '.join(made.primary_key)}.")
            elif not made.primary_key:
                notes.append("Equal ones are taken in any order.")
        return notes

    def _key_of(self, step: Step) -> str:
        forward = step if step.forward else self._joins.reverse(step)
        pairs = zip(forward.source_columns, forward.target_columns, strict=True)
        return " and ".join(f"{forward.source}.{a} = {forward.target}.{b}" for a, b in pairs)

    def _nullable(self, ref: Ref) -> bool:
        if any(step.optional for step in ref.path):
            return True
        return self._lexicon.schema.table(ref.table).column(ref.column).nullable


def _say(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, (int, Decimal)) else f'"{value}"'


def _period(cond: Period) -> str:
    word = "is not" if cond.negated else "is"
    if cond.start is None:
        return f"{word} before {cond.end}"
    if cond.end is None:
        return f"{word} on {cond.start} or later"
    from datetime import date, timedelta

    last = (date.fromisoformat(cond.end) - timedelta(days=1)).isoformat()
    if last == cond.start:
        return f"{word} on {last}"
    return f"{word} from {cond.start} to {last}"


def _negated(query: Query) -> Iterator[Ref]:
    """Columns under a negation, whose empty values are in neither half."""
    yield from _negated_in(query.where, False)


def _negated_in(cond: Cond | None, inside: bool) -> Iterator[Ref]:
    match cond:
        case AllOf(conds) | AnyOf(conds):
            for each in conds:
                yield from _negated_in(each, inside)
        case Not(inner):
            yield from _negated_in(inner, True)
        case Compare(Ref() as left, op, _) if inside or op == "<>":
            yield left
        case OneOf(Ref() as left, _, negated) | Between(Ref() as left, _, _, negated) if inside or negated:
            yield left
        case Match() | Period() if inside or cond.negated:
            yield cond.left
        case _:
            return
