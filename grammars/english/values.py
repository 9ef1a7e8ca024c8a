"""From what stands on the right of a comparison to a value that fits the column on the left."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from jigwork.grammars.schema import Kind

from .choices import Choices, Trouble
from .engine import Leaf, Node
from .moments import relative_span
from .names import Lexicon
from .query import RECURRING, Agg, Calc, Operand, Part, Ref, Value

__all__ = ["DATES", "MONTHS", "Span", "Values", "decimal", "kind_of"]

Span = tuple[str, str]
"""First day of a period, and the first day after it, as ISO dates."""

_NAMES = "january february march april may june july august september october november december".split()
MONTHS = {name: i + 1 for i, name in enumerate(_NAMES)}
MONTHS.update({name[:3]: i + 1 for i, name in enumerate(_NAMES)} | {"sept": 9})
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_NUMERIC: frozenset[Kind] = frozenset({"integer", "number"})
DATES: frozenset[Kind] = frozenset({"date", "datetime"})
"""The kinds that are dates."""


def kind_of(operand: Operand) -> Kind:
    """Return what the values of an operand are."""
    if isinstance(operand, Agg):
        if operand.ref is None or operand.func == "count":
            return "integer"
        return kind_of(operand.ref) if operand.func in ("min", "max") else "number"
    if isinstance(operand, Ref):
        return operand.kind
    if isinstance(operand, Part):
        return "integer" if operand.unit in RECURRING else "date"
    return "integer" if isinstance(operand, Calc) and operand.op == "days" else "number"


class Values:
    """Reads the values of one run of the resolver."""

    def __init__(self, lexicon: Lexicon, choices: Choices, today: date) -> None:
        self._lexicon = lexicon
        self._choices = choices
        self._today = today

    def read(self, node: Node | Leaf, operand: Operand, *, ordered: bool = False) -> Value:
        """Return the value for comparing with `operand`; `ordered` for less, greater and between."""
        kind = kind_of(operand)
        if node.name == "STORED" and isinstance(node, Leaf):
            return self._stored(node, operand)
        if kind in _NUMERIC:
            return self._number(node)
        if kind == "text":
            return self._text(node, ordered)
        if kind == "boolean":
            return self._truth(node)
        if node.name == "NUMBER" and isinstance(node, Leaf):
            return decimal(node.value)
        if node.name == "TEXT" and isinstance(node, Leaf):
            return str(node.value)
        raise Trouble(f"a column of kind {kind} cannot be compared with this", node)

    def _number(self, node: Node | Leaf) -> Value:
        if node.name == "NUMBER" and isinstance(node, Leaf):
            return decimal(node.value)
        if node.name == "TEXT" and isinstance(node, Leaf) and _is_number(str(node.value)):
            raise Trouble(f"this column holds numbers: write {node.value} without quotes", node, depth=3)
        raise Trouble("this column holds numbers: compare it with a number", node, depth=3)

    def _text(self, node: Node | Leaf, ordered: bool) -> Value:
        if node.name == "TEXT" and isinstance(node, Leaf):
            return str(node.value)
        if isinstance(node, Leaf) and node.name == "NUMBER" and not ordered:
            return str(node.value)
        if isinstance(node, Leaf) and node.name == "NUMBER":
            reason = f'this column holds text, and texts are compared letter by letter: write "{node.value}" to do that'
            raise Trouble(reason, node, depth=3)
        raise Trouble("this column holds text: write the text in quotes", node, depth=3)

    def _truth(self, node: Node | Leaf) -> Value:
        if node.name in ("true", "false"):
            return node.name == "true"
        if isinstance(node, Leaf) and node.name == "NUMBER" and node.value in ("0", "1"):
            return str(node.value) == "1"
        raise Trouble("this column is true or false", node, depth=3)

    def _stored(self, leaf: Leaf, operand: Operand) -> Value:
        said = str(leaf.value)
        ref = operand.ref if isinstance(operand, (Agg, Part)) else operand
        found = self._lexicon.stored(said)
        if isinstance(ref, Ref) and isinstance(operand, Ref):
            own = [each.value for each in found if (each.table, each.column) == (ref.table, ref.column)]
            if own:
                value = self._choices.pick([(0, value) for value in own])
                return decimal(value) if ref.kind in _NUMERIC and _is_number(value) else value
        places = sorted(
            {
                f"{self._lexicon.shown_column[e.table, e.column]} of {self._lexicon.shown_table[e.table][1]}"
                for e in found
            }
        )
        reason = (
            f"{said} is no stored value here (it is one of {', '.join(places[:3])}); write a text in quotes"
        )
        raise Trouble(reason, leaf, depth=2)

    def span(self, node: Node | Leaf) -> Span:
        """Return the period that a date names: a year, a month or a day. Raises Trouble for anything else."""
        if isinstance(node, Node) and node.name == "relative":
            return relative_span(node, self._today)
        if isinstance(node, Node) and node.name == "date":
            inner = node.children[0]
            return self.span(inner) if inner.name == "relative" else self._date(node)
        if isinstance(node, Leaf) and node.name in ("NUMBER", "TEXT"):
            match = _ISO.fullmatch(str(node.value))
            if match:
                return _span(node, *match.groups())
        raise Trouble("this column holds dates: write 2024, 2024-05, 2024-05-17 or May 2024", node, depth=3)

    def _date(self, node: Node) -> Span:
        first = node.children[0]
        if isinstance(first, Leaf) and first.name == "DATE":
            match = _ISO.fullmatch(str(first.value))
            if match:
                return _span(node, *match.groups())
        parts = {leaf.name: leaf.value for leaf in node.children if isinstance(leaf, Leaf)}
        month = str(MONTHS[str(parts["MONTH"])])
        return _span(node, str(parts["YEARNUM"]), month, str(parts["DAYNUM"]) if "DAYNUM" in parts else None)


def _span(node: Node | Leaf, year: str, month: str | None, day: str | None) -> Span:
    try:
        start = date(int(year), int(month or 1), int(day or 1))
        if day:
            end = start + timedelta(days=1)
        elif month:
            end = (start + timedelta(days=31)).replace(day=1)
        else:
            end = date(start.year + 1, 1, 1)
    except (ValueError, OverflowError):
        raise Trouble("there is no such date", node, depth=4) from None
    return start.isoformat(), end.isoformat()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def decimal(text: str) -> int | Decimal:
    """Read a number as it is written."""
    return int(text) if re.fullmatch(r"-?\d+", text) else Decimal(text)
