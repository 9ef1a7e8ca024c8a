"""What rows have most or least of: `the 3 products with the highest price`, `the latest order of each customer`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from .choices import Trouble
from .columns import Finder, sub
from .conditions import Conditions
from .engine import Node
from .judged import judged
from .logic import all_of
from .query import Agg, Func, Operand, Order, Part, Path, Query, Ref, Related
from .values import kind_of

__all__ = ["Peaks"]

_DATES = ("date", "datetime")
_SEVERAL = 5
_HOW = ("high", "low", "most", "fewest")


class Peaks:
    """Resolves superlatives of one run."""

    def __init__(self, finder: Finder, conditions: Conditions) -> None:
        self._finder = finder
        self._conditions = conditions

    def peak(self, node: Node, query: Query) -> Query:
        """Sort `query` by `highest price` or `most orders`. Whether `fewest orders` may be none is asked back."""
        order = self._order(node, query)
        query = replace(query, order=(order, *query.order))
        by = order.by
        if isinstance(by, Agg) and by.func == "count" and by.ref is None and not order.descending:
            some = Related(by.path, ">=", 1, by.where)
            where = some if query.where is None else all_of([query.where, some])
            return self._finder.choices.pick([(0, query), (0, replace(query, where=where))])
        return query

    def _order(self, node: Node, query: Query) -> Order:
        how = next(n for n in node.children if isinstance(n, Node) and n.name in _HOW)
        descending = how.name in ("high", "most")
        related, agg = sub(node, "related"), sub(node, "aggref")
        if related is not None:
            path, where = self._conditions.relation(related, query.table)
            return Order(Agg("count", path, None, where), descending)
        if agg is not None:
            return Order(
                self._checked(self._conditions.operands.agg(agg, query.table), how, node), descending
            )
        column = cast(Node, sub(node, "colref") or sub(node, "part"))
        operand, path = self._conditions.operands.operand(column, query.table)
        if isinstance(operand, Part):
            if operand.unit != "day":
                raise Trouble("say by which date: `latest COLUMN`", node, depth=3)
            operand = operand.ref
        self._checked(operand, how, node)
        if path:
            raise self._several(node, query, cast(Ref, operand), (path, descending))
        return Order(operand, descending)

    def unnumbered(self, node: Node, query: Query) -> Trouble:
        """`products with the highest price` may be one, or all that have it: how many is asked back."""
        one, many = self._finder.lexicon.shown_table[query.table]
        reason = f"say how many: `the {one} with the ...`, or `the {_SEVERAL} {many} with the ...`"
        queries = [_limited(query, query.order, limit) for limit in (1, _SEVERAL)]
        return Trouble(reason, node, queries=queries, depth=4)

    def best(self, node: Node, query: Query) -> Query:
        """Sort by what `latest`, `cheapest`, `longest` are about: the one column that it can be; several are asked."""
        late = sub(node, "late") is not None or sub(node, "final") is not None
        descending, refs = (
            (late, self._dates(query.table))
            if node.name in ("recent", "ordinal")
            else judged(self._finder, cast(Node, node.children[0]).name, query.table)
        )
        if not refs:
            many = self._finder.lexicon.shown_table[query.table][1]
            raise Trouble(f"{many} have no such column: say `top {_SEVERAL} ... by COLUMN`", node, depth=3)
        if query.limit is None:
            queries = [_limited(query, (Order(ref, descending),), _SEVERAL) for ref in refs]
            word = "top" if descending else "bottom"
            raise Trouble(f"say by what: `{word} {_SEVERAL} ... by COLUMN`", node, queries=queries, depth=3)
        costs = {ref: cost for cost, ref in self._conditions.keys.when(query.table)}
        ref = self._finder.choices.pick([(costs.get(ref, 1), ref) for ref in refs])
        return replace(query, order=(Order(ref, descending), *query.order))

    def _dates(self, table: str) -> list[Ref]:
        columns = self._finder.schema.table(table).columns
        return [Ref(table, c.name, c.kind) for c in columns if c.kind in _DATES]

    def _checked(self, operand: Operand, how: Node, node: Node) -> Operand:
        kind = kind_of(operand)
        if (sub(how, "late") or sub(how, "early")) and kind not in _DATES:
            raise Trouble("`latest` and `earliest` are for dates: say `highest` or `lowest`", node, depth=3)
        if kind not in ("integer", "number", *_DATES):
            raise Trouble("only numbers and dates have a highest and a lowest", node, depth=3)
        return operand

    def _several(self, node: Node, query: Query, ref: Ref, way: tuple[Path, bool]) -> Trouble:
        (path, descending), one = way, self._finder.lexicon.shown_table[query.table][0]
        funcs: Sequence[Func] = ("max" if descending else "min",)
        if ref.kind not in _DATES and not path[-1].forward:
            funcs = ("sum", *funcs, "avg")
        orders = [(Order(Agg(func, path, ref), descending),) for func in funcs]
        queries = [_limited(query, order, query.limit or 1) for order in orders]
        return Trouble(f"a {one} may have many of these: of which?", node, queries=queries, depth=4)


def _limited(query: Query, order: Iterable[Order], limit: int) -> Query:
    return Query(query.table, items=query.items, where=query.where, order=tuple(order), limit=limit)
