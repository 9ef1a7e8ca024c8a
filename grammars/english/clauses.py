"""From the clauses after what is asked for (conditions, order, limit) to their part of the query."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .checks import check_direction, check_distinct, checked_limit
from .choices import Trouble
from .columns import Finder, leaves, sub, subs
from .conditions import Conditions
from .engine import Node
from .groups import Groups, child_of
from .query import Cond, Key, Operand, Order, Query

__all__ = ["Clauses"]


class Clauses:
    """Resolves the clauses of one run."""

    def __init__(self, finder: Finder, conditions: Conditions, groups: Groups) -> None:
        self._finder = finder
        self._lexicon = finder.lexicon
        self._conditions = conditions
        self._groups = groups

    @staticmethod
    def filters(node: Node) -> list[Node]:
        """Return the nodes of the conditions, wherever they stand in the question."""
        inner = sub(sub(node, "named") or node, "selection") or node
        own = [node] if inner is node else [inner, node]
        names = ("valued", "owned", "bare", "filter")
        named = [part for part in own if subs(part, "naming")]
        return [*named, *(each for name in names[:2] for part in own for each in subs(part, name)),
                *(each for name in names[2:] for each in subs(node, name))]  # fmt: skip

    def where(self, node: Node, table: str) -> Cond | None:
        """Resolve all conditions on the rows."""
        return self._conditions.filters(self.filters(node), table)

    def keys(self, node: Node, table: str) -> tuple[Key, ...]:
        """Resolve the groups, of all `per ...` together."""
        groups = subs(node, "group")
        return tuple(
            dict.fromkeys(self._groups.key(key, table) for group in groups for key in subs(group, "key"))
        )

    def tail(self, query: Query, node: Node) -> Query:
        """Add order and limit."""
        if sub(node, "having") and not query.measures:
            raise Trouble("`having` is for groups: use `where` or `with`", sub(node, "having"), depth=2)
        sorts, limits, tops = subs(node, "sort"), subs(node, "limit"), subs(node, "tops")
        if len(sorts) > 1 or len(limits) + len(tops) > 1:
            raise Trouble("sorted or limited twice", (sorts + limits + tops)[-1], depth=3)
        if query.measures and not query.keys and (sorts or limits or tops):
            raise Trouble(
                "one number cannot be sorted or limited: add `per COLUMN`",
                (sorts + limits + tops)[0],
                depth=3,
            )
        order = self._sorted(sorts[0], query) if sorts else ()
        limit, skip = query.limit, query.skip
        for each in limits + tops:
            counts = [int(leaf.value) for leaf in leaves(each, "COUNT")]
            limit, skip = checked_limit(counts[0], each), checked_limit(counts[1], each) if counts[1:] else 0
        if tops and not order:
            if not query.keys:
                raise Trouble("say by what: `sorted by COLUMN` before `top`", tops[0], depth=2)
            order = (Order(query.measures[0], True),)
        check_distinct(query, order, sorts[0] if sorts else node)
        return replace(query, order=order, limit=limit, skip=skip)

    def _sorted(self, node: Node, query: Query) -> tuple[Order, ...]:
        keys = subs(node, "sortkey")
        orders = tuple(self.order(key, query) for key in keys)
        if not sub(node, "up") and not sub(node, "down"):
            return orders
        if sub(keys[0], "asc") or sub(keys[0], "desc"):
            raise Trouble("the direction is said twice", node, depth=3)
        return tuple(Order(order.by, sub(node, "down") is not None) for order in orders)

    def order(self, node: Node, query: Query) -> Order:
        """Resolve one sort key."""
        descending = sub(node, "desc") is not None
        order = Order(self._sort_key(node, query), descending)
        check_direction(order, sub(node, "asc") or sub(node, "desc"))
        return order

    def _sort_key(self, node: Node, query: Query) -> Operand:
        child = child_of(node)
        if query.measures:
            return self._groups.order(child, query)
        if child.name in ("ranking", "share", "running"):
            raise Trouble("say of what: `number of orders`, `sum of order total`", child, depth=2)
        if child.name == "unit":
            return self._conditions.keys.unit(child, query.table)
        operand, many = self._conditions.operands.operand(child, query.table)
        if many:
            one = self._lexicon.shown_table[query.table][0]
            raise Trouble(
                f"a {one} may have many of these: sort by their number, sum, minimum...", child, depth=2
            )
        return operand

    def item(self, item: Node, table: str) -> Operand:
        """Resolve what is listed of each row."""
        operand, path = self._conditions.operands.operand(cast(Node, item.children[0]), table)
        if path:
            one = self._lexicon.shown_table[table][0]
            target = self._lexicon.shown_table[path[-1].target][1]
            reason = f"a {one} may have many {target}: ask for a number, sum or average of them, or for the {target}"
            raise Trouble(reason, item, depth=2)
        return operand
