"""What the columns of a result are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .query import Agg, Calc, Const, Operand, Part, Percent, Ref, Running, Share

__all__ = ["titles_of"]

_NOT_IN_ALIASES = re.compile(r"""["'`\[\]\\\x00-\x1f\x7f]""")
_FUNCS = {"sum": "sum", "avg": "average", "min": "minimum", "max": "maximum"}
_SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "per"}


def titles_of(operands: Sequence[Operand]) -> tuple[str, ...]:
    """Name the columns; equal names get their table, then a number."""
    titles: list[str] = []
    for operand in operands:
        title = _title(operand)
        if _taken(title, titles) and isinstance(operand, Ref):
            title = f"{operand.table} {title}"
        if not isinstance(operand, Ref) or title != operand.column:
            title = _NOT_IN_ALIASES.sub("", title)[:60].strip() or "value"
        number = 2
        base = _NOT_IN_ALIASES.sub("", title)[:55]
        while _taken(title, titles):
            title = f"{base} {number}"
            number += 1
        titles.append(title)
    return tuple(titles)


def _taken(title: str, titles: Iterable[str]) -> bool:
    return title.lower() in map(str.lower, titles)


def _title(operand: Operand | Const) -> str:
    match operand:
        case Const(value):
            return str(value)
        case Ref():
            return operand.column
        case Part():
            return f"{operand.ref.column} {operand.unit}"
        case Calc(op="days"):
            return f"days to {_title(operand.left)}"
        case Calc(op, left, right):
            return f"{_title(left)} {_SIGNS[op]} {_title(right)}"
        case Agg(func="count", ref=None):
            return f"{operand.path[-1].target} count" if operand.path else "count"
        case Agg(func="count"):
            return f"distinct {_title(operand.ref)}" if operand.ref else "count"
        case Agg():
            return f"{_FUNCS[operand.func]} {_title(operand.ref)}" if operand.ref else _FUNCS[operand.func]
        case Share(of):
            return f"share of {_title(of)}"
        case Running(of):
            return f"running {_title(of)}"
        case Percent():
            return "percentage"
