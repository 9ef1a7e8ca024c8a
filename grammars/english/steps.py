"""Every key that a query walks along, in the order in which one reads of them."""

from __future__ import annotations

from collections.abc import Iterator

from .query import (
    Agg,
    AllOf,
    Among,
    AnyOf,
    Before,
    Calc,
    Compare,
    Cond,
    Not,
    Operand,
    Part,
    Percent,
    Query,
    Ref,
    Related,
    Right,
    Running,
    Scalar,
    Share,
    Step,
)

__all__ = ["steps_of"]


def steps_of(query: Query) -> Iterator[Step]:
    """Yield the steps; one that is walked twice comes twice."""
    for operand in (*query.items, *query.measures):
        yield from _operand(operand)
    yield from _cond(query.where)
    for key in (*query.keys, *query.each):
        for ref in key.refs:
            yield from _operand(ref)
        yield from key.entity or ()
    yield from _cond(query.having)
    for order in query.order:
        yield from _operand(order.by)
    if query.also is not None:
        yield from steps_of(query.also.query)


def _operand(operand: Operand | Right) -> Iterator[Step]:
    match operand:
        case Ref():
            yield from operand.path
        case Part():
            yield from operand.ref.path
        case Agg():
            yield from operand.path
            if operand.ref is not None:
                yield from _operand(operand.ref)
            yield from _cond(operand.where)
        case Calc():
            yield from _operand(operand.left)
            yield from _operand(operand.right)
        case Share(of) | Running(of) | Among(_, of) | Before(of):
            yield from _operand(of)
        case Percent(where):
            yield from _cond(where)
        case Scalar():
            if operand.of is not None:
                yield from _operand(operand.of)
            yield from _cond(operand.where)
            for ref in operand.same:
                yield from _operand(ref)
        case _:
            return


def _cond(cond: Cond | None) -> Iterator[Step]:
    match cond:
        case None:
            return
        case AllOf(conds) | AnyOf(conds):
            for each in conds:
                yield from _cond(each)
        case Not(inner):
            yield from _cond(inner)
        case Related():
            yield from cond.path
            yield from _cond(cond.where)
        case Compare(left, _, right):
            yield from _operand(left)
            yield from _operand(right)
        case _:
            yield from _operand(cond.left)
