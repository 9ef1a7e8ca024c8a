"""From a `Query` back to a question that has exactly this one reading.

Used for the readings of an ambiguous question and for proposals; reading a phrase gives the query it came from.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from .joins import Joins
from .names import Lexicon, form_said
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
    Order,
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

__all__ = ["FUNC_WORDS", "Phraser", "number_text", "period_words", "say_value"]

FUNC_WORDS = {"count": "number", "sum": "sum", "avg": "average", "min": "minimum", "max": "maximum"}
_OPS = {"=": "is", "<>": "is not", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_QUANTITIES = {"=": "exactly", "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least"}
_ALSO = {"or": "either ({}) or ({})", "and": "both ({}) and ({})", "not": "({}) but not ({})"}
_MATCHES = {"like": ("like", "not like"), "contains": ("contains", "does not contain"), "starts": ("starts with", "does not start with"),
            "ends": ("ends with", "does not end with")}  # fmt: skip


def number_text(value: int | Decimal) -> str:
    """Write a number without an exponent."""
    return str(value) if isinstance(value, int) else format(value, "f")


def say_value(value: Value) -> str:
    """Write a value so that it is read back as this value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return number_text(value)
    return '"' + value.replace('"', '""') + '"'


def back_quoted(name: str) -> str:
    """Write a name so that it means itself."""
    return "`" + name.replace("`", "``") + "`"


def period_words(start: str | None, end: str | None) -> str:
    """Say a period as a predicate: `is 2024-05`, `before 2024`, `between 2024-01-01 and 2024-02-10`."""
    from datetime import date, timedelta

    if start is None and end is not None:
        return f"before {end}"
    if end is None and start is not None:
        return f"since {start}"
    assert start is not None and end is not None
    first, after = date.fromisoformat(start), date.fromisoformat(end)
    last = after - timedelta(days=1)
    if first == last:
        return f"is {start}"
    if first.day == 1 and last.month == first.month and last.year == first.year and after.day == 1:
        return f"is {start[:7]}"
    if start.endswith("-01-01") and end == f"{first.year + 1:04}-01-01":
        return f"in {first.year:04}"
    return f"between {start} and {last.isoformat()}"


class Phraser:
    """Writes questions in the words of one schema."""

    def __init__(self, lexicon: Lexicon, joins: Joins, *, quoted: bool = False) -> None:
        self._lexicon = lexicon
        self._joins = joins
        self._quoted = quoted

    # --- names ----------------------------------------------------------------------------------------------

    def table(self, name: str, *, one: bool = False) -> str:
        """Return a name that means this table and no other."""
        shown = self._lexicon.shown_table[name][0 if one else 1]
        plain = not self._quoted and self._lexicon.tables.best(tuple(shown.split())) == [name]
        return shown if plain else back_quoted(name)

    def column(self, table: str, name: str) -> str:
        """Return a name that means this column among those of its table."""
        shown = self._lexicon.shown_column[table, name]
        own = self._lexicon.own_columns(table, form_said(shown))
        return shown if not self._quoted and [n for n, _ in own] == [name] else back_quoted(name)

    def step(self, step: Step) -> str:
        """Return the words for one step: a table where only this key leads there, else the key is named."""
        target = self.table(step.target, one=not step.many)
        roles = [s for s in self._lexicon.role_steps(step.source, tuple(target.split())) if s != step]
        if (
            step.source != step.target
            and self._joins.paths(step.source, step.target) == [(step,)]
            and not any(s.target == step.target and s != step for s in self._joins.steps(step.source))
            and not roles
        ):
            return target
        if step.forward:
            return self._role(step)
        return f"{target} via {back_quoted(' '.join(step.target_columns))}"

    def _role(self, step: Step) -> str:
        roles = self._lexicon.roles.entries
        forms = [
            form
            for form, steps in roles.items()
            if step in steps and form not in self._lexicon.tables.entries
        ]
        alone = [form for form in forms if self._lexicon.role_steps(step.source, form) == [step]]
        plain = [form for form in alone if not form[0].startswith("`")]
        if plain and not self._quoted:
            return min((" ".join(form) for form in plain), key=len)
        return back_quoted(" ".join(step.source_columns))

    def nouns(self, path: Path) -> str:
        """Say a path from its end: `order lines of orders`."""
        return " of ".join(self.step(step) for step in reversed(path))

    def ref(self, ref: Ref) -> str:
        """Say a column: `name of customer`."""
        column = self.column(ref.table, ref.column)
        return f"{column} of {self.nouns(ref.path)}" if ref.path else column

    def operand(self, operand: Operand) -> str:
        """Say what stands on the left of a comparison, or what is listed."""
        match operand:
            case Ref():
                return self.ref(operand)
            case Part():
                return f"{operand.unit} of {self.ref(operand.ref)}"
            case Agg(func="count", ref=None):
                if not operand.path:
                    return "how many" if self._quoted else "count"
                return f"number of {self.rows(operand.path, operand.where)}"
            case Agg(func="count") if operand.ref is not None:
                return f"number of distinct {self._far(operand.path, operand.ref)}"
            case Agg():
                assert operand.ref is not None
                inner = self._far(operand.path, operand.ref)
                if operand.where is not None:
                    inner = f"({inner} {self._where(operand.where)})"
                return f"{FUNC_WORDS[operand.func]} of {inner}"
            case Calc():
                return self._calc(operand, ())
            case Share(of):
                return f"share of {self.operand(of)}"
            case Running(of):
                return f"running {self.operand(of)}"
            case Percent(where):
                return f"percentage ({self._where(where)})"

    def _far(self, path: Path, ref: Ref | Calc | Agg) -> str:
        if isinstance(ref, Calc):
            return self._calc(ref, path)
        if isinstance(ref, Agg):
            return self.operand(ref)
        return self.ref(Ref(ref.table, ref.column, ref.kind, path + ref.path))

    def _calc(self, calc: Calc, path: Path) -> str:
        left, right = (self._side(side, path) for side in (calc.left, calc.right))
        if calc.op == "days":
            return f"days from {right} to {left}"
        return f"{left} {calc.op} {right}"

    def _side(self, side: Ref | Agg | Calc | Const, path: Path) -> str:
        match side:
            case Const(value):
                return say_value(value)
            case Agg():
                return f"({self.operand(side)})"
            case Calc():
                return f"({self._calc(side, path)})"
            case Ref():
                return self._far(path, side)

    def rows(self, path: Path, where: Cond | None) -> str:
        """Say related rows, in parentheses where they have a condition of their own."""
        nouns = self.nouns(path)
        if where is None and self._quoted:
            return f"({nouns})"
        return f"({nouns} {self._where(where)})" if where is not None else nouns

    def _where(self, cond: Cond) -> str:
        """Say a condition with its `where`; parentheses tell it from a table of that name."""
        return f"where ({self.cond(cond)})" if self._quoted else f"where {self.cond(cond)}"

    # --- conditions -----------------------------------------------------------------------------------------

    def cond(self, cond: Cond, *, nested: bool = False) -> str:
        """Say a condition as it stands after `where`."""
        match cond:
            case AllOf(conds):
                text = " and ".join(self.cond(each, nested=True) for each in conds)
                return f"({text})" if nested else text
            case AnyOf(conds):
                text = " or ".join(self.cond(each, nested=True) for each in conds)
                return f"({text})" if nested else text
            case Not(inner):
                return f"not ({self.cond(inner)})"
            case Related():
                return self._related(cond)
            case Empty(left, negated):
                return f"{self.operand(left)} is {'not ' if negated else ''}empty"
            case Match():
                return f"{self.ref(cond.left)} {_MATCHES[cond.how][cond.negated]} {say_value(cond.text)}"
            case Period():
                return self._period(cond)
            case Between(left, low, high, negated):
                word = "is not between" if negated else "between"
                return f"{self.operand(left)} {word} {say_value(low)} and {say_value(high)}"
            case OneOf(left, values, negated):
                listed = ", ".join(say_value(value) for value in values)
                return f"{self.operand(left)} {'not ' if negated else ''}in ({listed})"
            case Compare(left, op, right):
                return self._compare(left, op, right)

    def _compare(self, left: Operand, op: str, right: Right) -> str:
        return f"{self.operand(left)} {_OPS[op]} {self._right(right)}"

    def _right(self, right: Right) -> str:
        match right:
            case Const(value):
                return say_value(value)
            case Ref() if not right.path:
                return f"{self.column(right.table, right.column)} of {self.table(right.table, one=True)}"
            case Scalar():
                return self._scalar(right)
            case Among(func, of):
                return f"{FUNC_WORDS[func]} {self.operand(of)}"
            case Before(of):
                return f"{self.operand(of)} before"
            case _:
                return self.operand(right)

    def _scalar(self, right: Scalar) -> str:
        of = "count" if right.of is None else f"{FUNC_WORDS[right.func]} of {self.operand(right.of)}"
        where = "" if right.where is None else f" {self._where(right.where)}"
        if right.same:
            where += " per " + ", ".join(self.operand(ref) for ref in right.same)
        return f"({of} across {self.table(right.table)}{where})"

    def _period(self, cond: Period) -> str:
        said = period_words(cond.start, cond.end)
        if cond.negated:
            verb, _, rest = said.partition(" ")
            said = f"is not between {rest}" if verb == "between" else f"is not {rest}"
        return f"{self.ref(cond.left)} {said}"

    def _related(self, cond: Related) -> str:
        rows = self.rows(cond.path, cond.where)
        if (cond.op, cond.count) == (">=", 1):
            return f"with {rows}"
        if (cond.op, cond.count) == ("=", 0):
            return f"without {rows}"
        return f"with {_QUANTITIES[cond.op]} {cond.count} {rows}"

    # --- questions ------------------------------------------------------------------------------------------

    def question(self, query: Query) -> str:
        """Say the whole question."""
        table = self.table(query.table)
        if query.also is not None:
            first = self.question(replace(query, also=None))
            return _ALSO[query.also.how].format(first, self.question(query.also.query))
        if query.measures:
            text = self._measures(query, table)
        elif query.items:
            distinct = "distinct " if query.distinct else ""
            text = f"list {distinct}{', '.join(self.operand(item) for item in query.items)} for {table}"
        else:
            text = f"list {table}"
        if query.where is not None:
            where = self.cond(query.where)
            plain = where.startswith(("with ", "without ")) and not self._quoted
            text += f" {where}" if plain else f" {self._where(query.where)}"
        if query.keys:
            text += f" per {', '.join(self.key(key) for key in query.keys)}"
        if query.having is not None:
            having = self._having(query.having)
            text += f" having ({having})" if self._quoted else f" having {having}"
        if query.order:
            text += f" sorted by {', '.join(self._order(order) for order in query.order)}"
        if query.limit is not None:
            text += f" limit {query.limit}" + (f" skipping {query.skip}" if query.skip else "")
        if query.each:
            text += f" per {', '.join(self.key(key) for key in query.each)}"
        return text

    def _measures(self, query: Query, table: str) -> str:
        first = query.measures[0]
        if len(query.measures) == 1 and isinstance(first, Agg) and first.func == "count":
            if first.ref is None:
                return f"count {table}"
            assert isinstance(first.ref, Ref)
            return f"count distinct {self.ref(first.ref)} for {table}"
        said = [self._measure(each, table) for each in query.measures]
        return f"{', '.join(said)} across {table}"

    def _measure(self, measure: Operand, table: str) -> str:
        if measure == Agg("count", ()) and not self._quoted:
            return f"number of {table}"
        return self.operand(measure)

    def key(self, key: Key) -> str:
        """Say a group key."""
        if key.entity is not None:
            nouns = self.nouns(key.entity)
            return f"({nouns})" if self._quoted else nouns
        return ", ".join(self.operand(ref) for ref in key.refs)

    def _having(self, cond: Cond, *, nested: bool = False) -> str:
        match cond:
            case AllOf(conds) | AnyOf(conds):
                word = " and " if isinstance(cond, AllOf) else " or "
                text = word.join(self._having(each, nested=True) for each in conds)
                return f"({text})" if nested else text
            case Not(inner):
                return f"not ({self._having(inner)})"
            case _:
                return self.cond(cond)

    def _order(self, order: Order) -> str:
        return f"{self.operand(order.by)} {'descending' if order.descending else 'ascending'}"
