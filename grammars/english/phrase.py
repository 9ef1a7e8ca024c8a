"""From a `Query` back to a question that has exactly this one reading.

Used for the readings of an ambiguous question and for proposals; reading a phrase gives the query it came from.
"""

from __future__ import annotations

from decimal import Decimal

from .joins import Joins
from .names import Lexicon, form_said
from .query import (
    Agg,
    AllOf,
    AnyOf,
    Between,
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
    Period,
    Query,
    Ref,
    Related,
    Scalar,
    Step,
    Value,
)

__all__ = ["FUNC_WORDS", "Phraser", "number_text", "period_words", "say_value"]

FUNC_WORDS = {"count": "number", "sum": "sum", "avg": "average", "min": "minimum", "max": "maximum"}
_OPS = {"=": "is", "<>": "is not", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_QUANTITIES = {"=": "exactly", "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least"}
_MATCHES = {"contains": ("contains", "does not contain"), "starts": ("starts with", "does not start with"),
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
                    return "count"
                return f"number of {self.rows(operand.path, operand.where)}"
            case Agg(func="count") if operand.ref is not None:
                return f"number of distinct {self._far(operand.path, operand.ref)}"
            case Agg():
                assert operand.ref is not None
                inner = self._far(operand.path, operand.ref)
                if operand.where is not None:
                    inner = f"({inner} {self._where(operand.where)})"
                return f"{FUNC_WORDS[operand.func]} of {inner}"

    def _far(self, path: Path, ref: Ref) -> str:
        return self.ref(Ref(ref.table, ref.column, ref.kind, path + ref.path))

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

    def _compare(self, left: Operand, op: str, right: Const | Ref | Scalar) -> str:
        if isinstance(right, Const):
            said = say_value(right.value)
        elif isinstance(right, Ref):
            said = (
                self.ref(right)
                if right.path
                else f"{self.column(right.table, right.column)} of {self.table(right.table, one=True)}"
            )
        else:
            said = f"{FUNC_WORDS[right.func]} of {self.ref(right.ref)}"
        return f"{self.operand(left)} {_OPS[op]} {said}"

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
            text += f" having {self._having(query.having)}"
        if query.order:
            text += f" sorted by {', '.join(self._order(order) for order in query.order)}"
        if query.limit is not None:
            text += f" limit {query.limit}"
        return text

    def _measures(self, query: Query, table: str) -> str:
        first = query.measures[0]
        if len(query.measures) == 1 and first.func == "count":
            if first.ref is None:
                return f"count {table}"
            return f"count distinct {self.ref(first.ref)} for {table}"
        said = [self._measure(each, table) for each in query.measures]
        return f"{', '.join(said)} across {table}"

    def _measure(self, agg: Agg, table: str) -> str:
        if agg.ref is None:
            return f"number of {table}"
        return f"{FUNC_WORDS[agg.func]} of {self.ref(agg.ref)}"

    def key(self, key: Key) -> str:
        """Say a group key."""
        if key.entity is not None:
            last = key.entity[-1]
            if not self._lexicon.own_columns(last.source, tuple(self.step(last).split())):
                return self.nouns(key.entity)
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
