"""Looking at the parts of a question, and what they may not be. Pure functions over derivations and queries."""

from __future__ import annotations

from typing import cast

from .choices import Trouble
from .columns import colrefs, leaves, sub, subs
from .engine import Leaf, Node
from .groups import child_of
from .query import Order, Query
from .values import kind_of
from .words import is_plural

__all__ = [
    "check_direction",
    "check_distinct",
    "check_listed",
    "check_noun",
    "checked_limit",
    "colref_of",
    "group_size",
    "in_common",
    "is_bare",
]

_MOST_ROWS = 100_000


def in_common(sets: list[set[str]]) -> set[str]:
    """Return what is in all of the sets."""
    common = set(sets[0])
    for each in sets[1:]:
        common &= each
    return common


def colref_of(node: Node) -> Node | None:
    """Return the column that an item names, if it names one."""
    return node if node.name == "colref" else sub(node, "colref") if node.name == "part" else None


def is_bare(item: Node) -> bool:
    """Tell whether an item is a column without a table."""
    found = colrefs(cast(Node, item.children[0]))
    return bool(found) and all(isinstance(each.children[0], Leaf) for each in found)


def group_size(filter_: Node) -> tuple[Node | None, tuple[str, ...]] | None:
    """Return quantity and noun of a filter that is only `with more than 5 orders`."""
    node = filter_
    while len(node.children) == 1 and isinstance(node.children[0], Node) and node.name != "with":
        node = child_of(node)
    quantity, related = sub(node, "quantity"), sub(node, "related")
    if node.name != "with" or quantity is None or related is None or len(related.children) > 1:
        return None
    nouns = leaves(child_of(related), "NOUN")
    if len(child_of(related).children) > 1:
        return None
    return quantity, nouns[0].value


def checked_limit(count: int, node: Node) -> int:
    """Return a limit that is not out of reason."""
    if not 1 <= count <= _MOST_ROWS:
        raise Trouble(f"a limit is between 1 and {_MOST_ROWS}", node, depth=3)
    return count


def check_noun(colref: Node, item: Node) -> None:
    """`orders shipped` alone may mean the orders or their dates; `order shipped` and `shipped of orders` may not."""
    pre = sub(colref, "pre")
    if pre is None:
        return
    noun, column = leaves(pre, "NOUN")[0], leaves(pre, "COLUMN")[0]
    if noun.end == column.start and is_plural(noun.value[-1]):
        said, many = " ".join(column.value), " ".join(noun.value)
        reason = f"say `{said} of {many}` for the column, or a condition for some of the {many}"
        raise Trouble(reason, item, depth=2)


def check_listed(node: Node) -> None:
    """`member names with towns` may ask for the towns too, or for members that have one."""
    selection = sub(sub(node, "named") or node, "selection")
    if selection is None or sub(selection, "noun"):
        return
    last = colref_of(child_of(subs(selection, "item")[-1]))
    if last is not None and sub(last, "post"):
        return
    for each in node.children:
        inner = each
        while isinstance(inner, Node) and inner.name != "with" and len(inner.children) == 1:
            (inner,) = inner.children
        if isinstance(inner, Node) and inner.name == "with" and (sub(inner, "colref") or sub(inner, "part")):
            reason = "say `and ...` to list it, or `where ... is not empty` for those that have one"
            raise Trouble(reason, inner, depth=3)


def check_direction(order: Order, said: Node | None) -> None:
    """`oldest first` of an age would be the highest first: such words are for dates, `alphabetically` for texts."""
    kind = kind_of(order.by)
    if said and (sub(said, "oldfirst") or sub(said, "newfirst")) and kind not in ("date", "datetime"):
        raise Trouble(
            "`newest` and `oldest` are for dates: say `highest first` or `lowest first`", said, depth=3
        )
    if said and sub(said, "alphabetic") and kind != "text":
        raise Trouble("`alphabetically` is for texts: say `ascending`", said, depth=3)


def check_distinct(query: Query, order: tuple[Order, ...], node: Node) -> None:
    """Different values have nothing else to be sorted by."""
    if query.distinct and any(each.by not in query.items for each in order):
        raise Trouble("different values can only be sorted by what is listed", node, depth=3)
