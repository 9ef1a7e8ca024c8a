"""The rows that a free question speaks of: a table, what holds for them, and which of them come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from jigwork.grammars.inflection import Words

from ..choices import Trouble
from ..columns import leaves, sub, subs
from ..engine import Node
from ..joins import is_single
from ..logic import all_of
from ..query import Agg, Compare, Cond, Const, Empty, OneOf, Order, Period, Ref, Related
from .adjectives import ADJECTIVES, SUPERLATIVES
from .columns import DATES, NUMERIC, Columns, is_reversed
from .conditions import Conditions

__all__ = ["Entities", "Entity"]

_PLACES = {"second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4}


@dataclass
class Entity:
    """The rows that a question speaks of: a table, what holds for them, and their order where one is said with them."""

    table: str
    conds: list[Cond] = field(default_factory=list[Cond])
    order: list[Order] = field(default_factory=list[Order])
    limit: int | None = None
    skip: int = 0
    distinct: bool = False

    @property
    def where(self) -> Cond | None:
        """All conditions together."""
        return all_of(self.conds) if self.conds else None

    def add(self, cond: Cond) -> None:
        """Add a condition; raises Trouble where a column would have to be two things at once."""
        for other in self.conds:
            if _fixed(other) and _fixed(other) == _fixed(cond):
                raise Trouble("this cannot be two things at once", depth=1)
            if _apart(cond, other) or _apart(other, cond):
                raise Trouble("nothing can be both", depth=1)
        self.conds.append(cond)


class Entities:
    """Reads `singers from France who ...`."""

    def __init__(self, columns: Columns, conditions: Conditions) -> None:
        self._columns = columns
        self._conditions = conditions
        self._spans = columns.spans
        self._choices = columns.choices

    def entity(self, node: Node) -> Entity:
        """Read `singers from France who ...`."""
        noun = cast(Node, sub(node, "noun"))
        found = Entity(
            self._columns.table(leaves(noun, "TAB")[0]), distinct=sub(noun, "distinct") is not None
        )
        adjective = sub(noun, "adjective")
        if adjective is not None:
            found.add(self._conditions.valued(leaves(adjective, "VAL"), None, found.table))
        pre = sub(node, "pre")
        if pre is not None:
            self._first(pre, found)
        mods = sub(node, "mods")
        self.modify(subs(mods, "mod") if mods else [], found)
        return found

    def modify(self, mods: Sequence[Node], entity: Entity) -> None:
        """Add what modifiers say to an entity."""
        nested = False
        for mod in mods:
            inner = cast(Node, mod.children[0])
            if inner.name == "there":
                continue
            self._choices.cost += nested  # it could have been said of the noun before
            nested = nested or sub(inner, "ent") is not None or inner.name == "negrel"
            self.modify_one(inner, entity)

    def modify_one(self, node: Node, entity: Entity) -> None:
        """Add what one modifier says to an entity."""
        if node.name == "supermod":
            self._most(node, entity)
        else:
            entity.add(self._cond(node, entity.table))

    def _cond(self, node: Node, table: str) -> Cond:
        match node.name:
            case "relmod":
                return self._related(node, table)
            case "negrel":
                return self._unrelated(node, table)
            case _:
                return self._conditions.read(node, table)

    def _related(self, node: Node, table: str) -> Cond:
        inner = sub(node, "ent")
        other = self.entity(inner) if inner else Entity(self._columns.table(leaves(node, "TAB")[0]))
        if other.order or other.limit:
            raise Trouble("a condition on the first of other rows", depth=1)
        op, count = self._conditions.quantity(sub(node, "quant"))
        path = self._columns.way(table, other.table, leaves(node, "VERB"))
        if sub(node, "quant") is not None and is_single(path):
            raise Trouble("there is one of these at most", depth=1)
        return Related(path, op, count, other.where)

    def _unrelated(self, node: Node, table: str) -> Cond:
        noun = cast(Node, sub(node, "noun"))
        other = Entity(self._columns.table(leaves(noun, "TAB")[0]))
        adjective = sub(noun, "adjective")
        if adjective is not None:
            other.add(self._conditions.valued(leaves(adjective, "VAL"), None, other.table))
        mods = sub(node, "mods")
        self.modify(subs(mods, "mod") if mods else [], other)
        if other.order:
            raise Trouble("a condition on the first of other rows", depth=1)
        return Related(self._columns.way(table, other.table, leaves(node, "VERB")), "=", 0, other.where)

    def _first(self, pre: Node, entity: Entity) -> None:
        """`the 3 youngest singers`."""
        word = sub(pre, "super")
        counts = leaves(pre, "CNT")
        if word is None:
            raise Trouble("say by what they come first", depth=1)
        supers, adjectives = leaves(word, "SUPER"), leaves(word, "ADJ")
        if supers:
            concepts, most = SUPERLATIVES[cast(Words, supers[0].value)[0]]
        else:
            concepts = ADJECTIVES[" ".join(cast(Words, adjectives[0].value))]
            most = True
            if self._spans.said[word.start] == "least":
                most = False
        ref = self._columns.measured(concepts, entity.table, (*NUMERIC, *DATES))
        entity.order.append(Order(ref, most != is_reversed(ref)))
        entity.skip = self.place(pre)
        entity.limit = int(self._spans.number(counts[0].start)) if counts else 1

    def place(self, node: Node) -> int:
        """Return how many rows come before `the second`; 0 where none is said."""
        nth = sub(node, "nth")
        return 0 if nth is None else _PLACES[self._spans.said[nth.start]]

    def _most(self, node: Node, entity: Entity) -> None:
        """`with the highest price`, `with the most orders`."""
        if entity.order:
            raise Trouble("two superlatives", depth=1)
        counts = leaves(node, "CNT")
        entity.limit = int(self._spans.number(counts[0].start)) if counts else 1
        rank, ends = sub(node, "rank"), sub(node, "ends1")
        entity.skip = self.place(node)
        inner = sub(node, "ent")
        if inner is not None:
            other = self.entity(inner)
            path = self._columns.way(entity.table, other.table, leaves(node, "VERB"))
            if other.order or is_single(path):
                raise Trouble("there are not many of these", depth=1)
            most = sub(rank, "most") is not None if rank else sub(cast(Node, ends), "high") is not None
            some = Related(path, ">=", 1, other.where)
            if not most and self._choices.pick([(0, True), (0, False)]):
                entity.conds.append(some)
            entity.order.append(Order(Agg("count", path, None, other.where), most))
            return
        colref, high = cast(Node, sub(node, "colref")), sub(cast(Node, ends), "high") is not None
        try:
            ref = self._columns.ref(colref, entity.table)
        except Trouble:
            if leaves(colref, "TAB"):
                raise
            path, ref = self._columns.of_many(cast(Words, leaves(colref, "COL")[0].value), entity.table)
            entity.order.append(Order(Agg("max" if high else "min", path, ref), high))
            return
        if ref.kind not in (*NUMERIC, *DATES):
            raise Trouble("only numbers and dates have a highest", depth=1)
        entity.order.append(Order(ref, high))


def _fixed(cond: Cond) -> Ref | None:
    """The column that a condition fixes to one or some values."""
    if isinstance(cond, Compare) and cond.op == "=" and isinstance(cond.left, Ref):
        return cond.left
    return cond.left if isinstance(cond, OneOf) and isinstance(cond.left, Ref) and not cond.negated else None


def _apart(low: Cond, high: Cond) -> bool:
    """`before 2003 and after 2003`: nothing is both."""
    match low, high:
        case Compare(left, "<" | "<=", Const(most)), Compare(right, ">" | ">=", Const(least)) if (
            left == right
        ):
            return type(most) is type(least) and most <= least  # type: ignore[operator]
        case Period(left, None, str(end)), Period(right, str(start), None) if left == right:
            return end <= start
        case Empty(left, False), other:
            return left == _fixed(other)
        case _:
            return False
