"""Putting conditions together: and, or, negation, one common row, periods. Pure functions over conditions."""

from __future__ import annotations

from collections.abc import Iterator

from .joins import is_single
from .query import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Cond,
    Empty,
    Match,
    Not,
    OneOf,
    Op,
    Period,
    Ref,
    Related,
)
from .values import Span

__all__ = ["all_of", "any_of", "exists", "negate", "parts_of", "period", "same_row"]


def all_of(conds: list[Cond]) -> Cond:
    """Join with `and`."""
    flat: list[Cond] = []
    for cond in conds:
        flat.extend(cond.conds if isinstance(cond, AllOf) else [cond])
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def parts_of(cond: Cond | None) -> Iterator[Cond]:
    """Yield the single tests of a condition on the row itself, or on the group itself."""
    match cond:
        case None:
            return
        case AllOf(conds) | AnyOf(conds):
            for each in conds:
                yield from parts_of(each)
        case Not(inner):
            yield from parts_of(inner)
        case _:
            yield cond


def any_of(conds: list[Cond]) -> Cond:
    """Join with `or`."""
    return conds[0] if len(conds) == 1 else AnyOf(tuple(conds))


def negate(cond: Cond) -> Cond:
    """Return the negated form of a single predicate; of an unknown it stays unknown."""
    match cond:
        case Compare(left, "=", right):
            return Compare(left, "<>", right)
        case Between():
            return Between(cond.left, cond.low, cond.high, True)
        case OneOf():
            return OneOf(cond.left, cond.values, True)
        case Match():
            return Match(cond.left, cond.how, cond.text, True)
        case Empty():
            return Empty(cond.left, True)
        case Period():
            return Period(cond.left, cond.start, cond.end, True)
        case _:
            return Not(cond)


def exists(cond: Cond) -> bool:
    """Tell whether the condition is that there is a row of some condition."""
    return isinstance(cond, Related) and (cond.op, cond.count) == (">=", 1) and cond.where is not None


def same_row(left: Related, right: Related) -> Related | None:
    """Return both conditions on one common row, or None where their ways have no row of many in common."""
    shared = 0
    for a, b in zip(left.path, right.path, strict=False):
        if a != b:
            break
        shared += 1
    common = left.path[:shared]
    if is_single(common):
        return None
    parts = [
        cond.where
        if len(cond.path) == shared and cond.where is not None
        else Related(cond.path[shared:], ">=", 1, cond.where)
        for cond in (left, right)
    ]
    return Related(common, ">=", 1, all_of(parts))


def period(ref: Ref, op: Op, span: Span) -> Cond:
    """Compare a date with a period, which it is in, before or after as a whole."""
    start, end = span
    match op:
        case "=":
            return Period(ref, start, end)
        case "<>":
            return Period(ref, start, end, True)
        case "<":
            return Period(ref, None, start)
        case "<=":
            return Period(ref, None, end)
        case ">":
            return Period(ref, end, None)
        case _:
            return Period(ref, start, None)
