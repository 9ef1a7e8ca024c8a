"""From the derivation of a whole free question to the `Query` that it may mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from jigwork.grammars.inflection import Words

from ..choices import Choices, Trouble
from ..columns import leaves, sub, subs
from ..engine import Leaf, Node
from ..joins import Joins
from ..query import Agg, Cond, Operand, Order, Query, Ref, Related
from .adjectives import SUPERLATIVES
from .columns import Columns
from .conditions import Conditions
from .entities import Entities, Entity
from .groups import Groups, column_leaves
from .spans import Names, Spans

__all__ = ["Resolved", "Resolver"]

_VERB_NOTE = "that the two belong together"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query, how many of its first columns were asked for (None: all), and what words were taken for.

    `notes` are (first word, word after the last, meaning).
    """

    query: Query
    asked: int | None
    notes: tuple[tuple[int, int, str], ...]


class Resolver:
    """Resolves one derivation, for one run of its choices."""

    def __init__(self, names: Names, joins: Joins, spans: Spans, choices: Choices) -> None:
        self._columns = Columns(names, joins, spans, choices)
        self._conditions = Conditions(self._columns)
        self._entities = Entities(self._columns, self._conditions)
        self._groups = Groups(self._columns, self._conditions, self._entities)
        self._schema = names.lexicon.schema
        self._spans = spans
        self._choices = choices

    def resolve(self, question: Node) -> Resolved:
        """Return what the question means; raises Trouble."""
        query = self._query(question)
        listed = self._groups.only or len(query.items) or None
        notes = {(leaf.start, leaf.end): _VERB_NOTE for leaf in _verbs(question)} | self._columns.notes
        return Resolved(query, listed, tuple(sorted((*span, text) for span, text in notes.items())))

    def _query(self, question: Node) -> Query:
        core = next(
            n for n in question.children if isinstance(n, Node) and n.name not in ("order", "limit", "asked")
        )
        asked = sub(question, "asked")
        query = self._core(core, asked=asked is not None)
        if asked is not None:
            query = self._asked(asked, query)
        order = sub(question, "order")
        if order is not None:
            query = self._ordered(order, query)
        limits = leaves(sub(question, "limit") or Node("", (), 0, 0), "CNT")
        if limits:
            query = replace(query, limit=int(self._spans.number(limits[0].start)))
        return query

    def _core(self, node: Node, *, asked: bool) -> Query:
        match node.name:
            case "listing":
                return self._listing(node, asked=asked or sub(node, "asked") is not None)
            case "valuesof":
                return self._values_of(node)
            case "sorting":
                return self._sorting(node)
            case "whole":
                return self._rows(self._entities.entity(cast(Node, sub(node, "ent"))), [])
            case "counting":
                return self._counting(node)
            case "each":
                return self._groups.each(node)
            case "mostof":
                return self._groups.mostof(node)
            case "having":
                return self._groups.having(node)
            case _:
                return self._topping(node)

    # --- lists ----------------------------------------------------------------------------------------------

    def _values_of(self, node: Node) -> Query:
        """`different countries where singers above 20 are from`."""
        entity = self._entities.entity(cast(Node, sub(node, "ent")))
        ref = self._columns.ref(cast(Node, sub(node, "gcol")), entity.table)
        if entity.order:
            raise Trouble("different values of ordered rows", depth=1)
        return Query(entity.table, items=(ref,), where=entity.where, distinct=True)

    def _sorting(self, node: Node) -> Query:
        inner, owner, items = sub(node, "ent"), sub(node, "owner"), sub(node, "items")
        asked = sub(node, "asked")
        entity = (
            self._entities.entity(inner)
            if inner
            else Entity(self._columns.table(leaves(cast(Node, owner), "TAB")[0]))
        )
        if items is not None:
            query = self._listed(items, entity)
        else:
            query = self._rows(entity, [] if asked else [self._columns.label(entity.table)])
        return self._ordered(node, query if asked is None else self._asked(asked, query))

    def _bare(self, items: Node, node: Node) -> Query:
        """`population of Brazil`: the rows are those of the columns that are asked for."""
        first = next(iter(column_leaves(items)), None)
        if first is None or any(sub(item, "count") for item in subs(items, "item")):
            raise Trouble("say of which rows", depth=1)
        options = self._columns.names.columns(cast(Words, first.value))
        entity = Entity(self._choices.pick([(cost, place[0]) for cost, place in options]))
        if node.name == "bareowner":
            entity.add(self._conditions.valued(leaves(node, "VAL"), None, entity.table))
        else:
            mods = subs(node, "mod")
            if mods and cast(Node, mods[0].children[0]).name not in ("valmod", "yearmod", "bothmod"):
                raise Trouble("say of which rows", depth=1)
            self._entities.modify(mods, entity)
        query = self._listed(items, entity)
        if any(isinstance(item, Ref) and item.path for item in query.items):
            raise Trouble("these are columns of other rows", depth=1)
        if query.items and any(isinstance(cond, Related) for cond in entity.conds):
            query = replace(query, distinct=True)  # it is the values that are asked for, not rows
        return query

    def _listing(self, node: Node, *, asked: bool) -> Query:
        inner, items, owner = sub(node, "ent"), sub(node, "items"), sub(node, "owner")
        group = sub(node, "group")
        how = leaves(node, "COL")
        if how and items is None:
            raise Trouble("how much of what", depth=1)
        more = sub(node, "asked")
        if items is None:
            entity = self._entities.entity(cast(Node, inner))
            query = self._rows(entity, [] if asked else [self._columns.label(entity.table)])
            return query if more is None else self._asked(more, query)
        bare = sub(node, "bare") or sub(node, "bareowner")
        if bare is not None:
            return self._bare(items, bare)
        if inner is None and owner is None and group is None:
            return self._bare(items, node)
        if owner is None and group is not None and group.start < (inner.start if inner else node.end):
            query = self._groups.grouped_items(items, group, inner)
            query = self._groups.group_mods(node, query)
            return query if more is None else self._groups.with_columns(query, self._asked_columns(more))
        if owner is not None:
            entity = Entity(self._columns.table(leaves(owner, "TAB")[0]))
            mods = sub(node, "mods")
            self._entities.modify(subs(mods, "mod") if mods else [], entity)
        else:
            entity = self._entities.entity(cast(Node, inner))
        if group is not None:
            return self._groups.group_mods(
                node, self._groups.grouped(items, entity, cast(Node, sub(group, "key")))
            )
        if sub(node, "gmods") is not None:
            raise Trouble("a condition on groups without groups", depth=1)
        return self._listed(items, entity, sub(node, "more"))

    def _rows(self, entity: Entity, items: Sequence[Operand]) -> Query:
        return Query(
            entity.table, items=tuple(items), where=entity.where, order=tuple(entity.order), limit=entity.limit,
            distinct=entity.distinct,
        )  # fmt: skip

    def _asked_columns(self, node: Node) -> list[Node]:
        items = sub(node, "items")
        found = [sub(item, "colref") for item in subs(items, "item")] if items else []
        if not found or None in found:
            raise Trouble("numbers beside columns", depth=1)
        return [each for each in found if each is not None]

    def _listed(self, items: Node, entity: Entity, more: Node | None = None) -> Query:
        """Columns of rows, columns with a number of related rows, or measures over all the rows."""
        columns: list[Ref] = []
        aggs: list[Agg] = []
        listed: list[Operand] = []
        distinct = False
        for item in subs(items, "item"):
            inner = cast(Node, next(n for n in item.children if cast(Node, n).name != "distinct"))
            distinct = distinct or sub(item, "distinct") is not None
            if inner.name == "colref":
                columns.append(self._columns.ref(inner, entity.table))
                listed.append(columns[-1])
            elif inner.name == "agg":
                aggs.extend(self._groups.aggs(inner, entity.table))
            else:
                count, some = self._groups.count(inner, entity.table)
                if count is None:
                    aggs.append(Agg("count", ()))
                else:
                    listed.append(count)
                    self._some(entity, cast(Cond, some))
        if more is not None:
            count, some = self._groups.count(cast(Node, sub(more, "count")), entity.table)
            if (
                count is None
                or aggs
                or any(self._columns.table(leaf) != entity.table for leaf in leaves(more, "TAB"))
            ):
                raise Trouble("this is about other rows", depth=1)
            listed.append(count)
            self._some(entity, cast(Cond, some))
        if aggs and (listed or distinct):
            raise Trouble("numbers over all rows beside columns of each", depth=1)
        if aggs:
            if entity.order:
                raise Trouble("a measure of the first rows", depth=1)
            return Query(entity.table, measures=tuple(dict.fromkeys(aggs)), where=entity.where)
        if len(set(listed)) < len(listed):
            raise Trouble("the same column twice", depth=1)
        entity.distinct = entity.distinct or distinct
        if distinct and entity.order:
            raise Trouble("different values of ordered rows", depth=1)
        return self._rows(entity, listed)

    @staticmethod
    def _some(entity: Entity, some: Cond) -> None:
        """Rows without any are left out, as in groups; not of one that is chosen by something else."""
        if not entity.order and some not in entity.conds:
            entity.conds.append(some)

    def _asked(self, node: Node, query: Query) -> Query:
        """What a second sentence asks for, of the rows of the first."""
        items = sub(node, "items") or sub(sub(node, "asked") or node, "items")
        if items is None or query.measures or query.distinct:
            raise Trouble("what is asked for is not of these rows", depth=1)
        refs: list[Ref] = []
        for item in subs(items, "item"):
            colref = sub(item, "colref")
            if colref is None:
                raise Trouble("numbers beside columns", depth=1)
            refs.append(self._columns.ref(colref, query.table))
        for owner in [*leaves(sub(node, "owner") or Node("", (), 0, 0), "TAB"), *leaves(node, "TAB")]:
            if self._columns.table(owner) != query.table:
                raise Trouble("this is about other rows", depth=1)
        return replace(query, items=tuple(refs))

    # --- numbers --------------------------------------------------------------------------------------------

    def _counting(self, node: Node) -> Query:
        if sub(node, "distinct") is not None:
            return self._count_values(node)
        entity = self._entities.entity(cast(Node, sub(node, "ent")))
        if entity.order or entity.distinct:
            raise Trouble("a number of the first rows", depth=1)
        each = sub(node, "eachkey") or sub(node, "group")
        if each is None:
            if sub(node, "gmods") is not None:
                raise Trouble("a condition on groups without groups", depth=1)
            return Query(entity.table, measures=(Agg("count", ()),), where=entity.where)
        return self._groups.group_mods(
            node, self._groups.counted_by(entity, cast(Node, sub(each, "key")), [])
        )

    def _count_values(self, node: Node) -> Query:
        column = leaves(node, "COL")[0]
        inner, mods = sub(node, "ent"), sub(node, "mods")
        if inner is not None:
            entity = self._entities.entity(inner)
            ref = self._columns.column(column, entity.table)
        else:
            options = self._columns.names.columns(cast(Words, column.value))
            table, name = self._choices.pick([(cost, place) for cost, place in options])
            entity = Entity(table)
            ref = Ref(table, name, self._schema.table(table).column(name).kind)
            self._entities.modify(subs(mods, "mod") if mods else [], entity)
        if entity.order:
            raise Trouble("a number of the first rows", depth=1)
        return Query(entity.table, measures=(Agg("count", (), ref),), where=entity.where)

    # --- order ----------------------------------------------------------------------------------------------

    def _topping(self, node: Node) -> Query:
        entity = Entity(self._columns.table(leaves(cast(Node, sub(node, "noun")), "TAB")[0]))
        entity.limit = int(self._spans.number(leaves(node, "CNT")[0].start))
        rank = sub(node, "toprank")
        if rank is None:
            raise Trouble("say by what", depth=1)
        colref = sub(rank, "colref")
        if colref is None:
            path = self._columns.way(entity.table, self._columns.table(leaves(rank, "TAB")[0]))
            by: Operand = Agg("count", path)
        else:
            by = self._columns.ref(colref, entity.table)
        lowest = self._spans.said[cast(Node, sub(node, "top")).start] == "bottom"
        entity.order.append(Order(by, not lowest))
        items = sub(node, "items")
        return (
            self._listed(items, entity) if items else self._rows(entity, [self._columns.label(entity.table)])
        )

    def _ordered(self, node: Node, query: Query) -> Query:
        if query.order or (query.measures and not query.keys):
            raise Trouble("there is nothing to sort, or it is sorted already", depth=1)
        descending = _descending(node, self._spans)
        keys = sub(node, "keys")
        if keys is None:
            if len(query.items) != 1 or not isinstance(query.items[0], Ref):
                raise Trouble("say by what it is sorted", depth=1)
            return replace(query, order=(Order(query.items[0], descending),))
        orders: list[Order] = []
        for each in subs(keys, "skey"):
            colref, count = sub(each, "colref"), sub(each, "count")
            if count is not None:
                found, _ = self._groups.count(count, query.table)
                by: Operand = found or Agg("count", ())
                if found is None and not query.keys:
                    raise Trouble("there is nothing to count", depth=1)
            else:
                by = self._columns.ref(cast(Node, colref), query.table)
                if query.keys and by not in [ref for key in query.keys for ref in key.refs]:
                    raise Trouble("groups are sorted by what they are made of", depth=1)
            orders.append(Order(by, descending))
        if query.distinct and any(order.by not in query.items for order in orders):
            raise Trouble("different values are sorted by themselves", depth=1)
        return replace(query, order=tuple(orders))


def _descending(node: Node, spans: Spans) -> bool:
    words = spans.said[node.start : node.end]
    text = f" {' '.join(words)} "
    if " desc" in text or " decreasing" in text or " reverse" in text:
        return True
    if " to " in text:
        first = next((word for word in words if word in SUPERLATIVES), None)
        return SUPERLATIVES[first][1] if first else " high to low " in text
    return False


def _verbs(node: Node) -> list[Leaf]:
    found: list[Leaf] = []
    for child in node.children:
        if isinstance(child, Node):
            found.extend(_verbs(child))
        elif child.name == "VERB":
            found.append(child)
    return found
