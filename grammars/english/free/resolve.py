"""From the derivation of a whole free question to the `Query` that it may mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from jigwork.grammars.inflection import Words, split_name
from jigwork.grammars.linking.similar import stem

from ..choices import Choices, Trouble
from ..columns import leaves, sub, subs
from ..engine import Leaf, Node
from ..joins import Joins
from ..query import Agg, Cond, Operand, Order, Query, Ref, Related
from .adjectives import SUPERLATIVES
from .columns import DATES, NUMERIC, Columns
from .conditions import Conditions
from .entities import Entities, Entity
from .groups import Groups, column_leaves, group_key
from .spans import Names, Spans

__all__ = ["Resolved", "Resolver"]

_PEOPLE = frozenset(
    map(stem, "person people user employee customer player actor author student teacher patient".split())
)
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
            case "topagg":
                return self._groups.topagg(node)
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
            query = self._rows(entity, [] if asked else self._columns.labels(entity.table))
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
        keys = {name for key in self._schema.table(query.table).foreign_keys for name in key.columns}
        if any(isinstance(c, Related) and c.count == 0 for c in entity.conds) and keys & {
            item.column for item in query.items if isinstance(item, Ref)
        }:
            self._choices.cost += 4  # codes that no row of these has, or of the rows that are without
        if query.items and any(isinstance(cond, Related) for cond in entity.conds):
            query = replace(query, distinct=True)  # it is the values that are asked for, not rows
        return query

    def _listing(self, node: Node, *, asked: bool) -> Query:
        inner, items, owner = sub(node, "ent"), sub(node, "items"), sub(node, "owner")
        group = sub(node, "group")
        alone = sub(node, "supermod") or sub(node, "cmpmod")
        if alone is not None:
            return self._whoever(alone)
        top = sub(node, "gcol")
        if top is not None:
            return self._of_the_first(top, cast(Node, inner))
        if sub(node, "nth") is not None:
            return self._value_at(node)
        how = leaves(node, "COL")
        if how and items is None:
            raise Trouble("how much of what", depth=1)
        more = sub(node, "asked")
        if items is None:
            entity = self._entities.entity(cast(Node, inner))
            query = self._rows(entity, [] if asked else self._columns.labels(entity.table))
            return query if more is None else self._asked(more, query)
        if inner is not None and inner.start < items.start and not sub(node, "more"):
            entity = self._entities.entity(inner)
            query = self._listed(items, entity)
            named = [ref for ref in self._columns.labels(entity.table) if ref not in query.items]
            return query if query.measures else replace(query, items=(*named, *query.items))
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
            return self._groups.group_mods(node, self._groups.grouped(items, entity, group))
        if sub(node, "gmods") is not None:
            raise Trouble("a condition on groups without groups", depth=1)
        return self._listed(items, entity, sub(node, "more"))

    def _value_at(self, node: Node) -> Query:
        """`the second highest salary`: of the different values."""
        inner, colref = sub(node, "ent"), cast(Node, sub(node, "colref"))
        if inner is not None:
            entity = self._entities.entity(inner)
        else:
            owner = next(iter(leaves(colref, "TAB")), None)
            entity = Entity(
                self._columns.table(owner) if owner else self._groups.owner(leaves(colref, "COL")[0])
            )
        ref = self._columns.ref(colref, entity.table)
        if entity.order or ref.kind not in (*NUMERIC, *DATES):
            raise Trouble("only numbers and dates have a highest", depth=1)
        high = sub(cast(Node, sub(node, "ends1")), "high") is not None
        entity.order, entity.limit, entity.skip = [Order(ref, high)], 1, self._entities.place(node)
        return replace(self._rows(entity, [ref]), distinct=True)

    def _of_the_first(self, column: Node, inner: Node) -> Query:
        """`Which building has the largest classroom?`"""
        entity = self._entities.entity(inner)
        if not entity.order or entity.limit != 1:
            raise Trouble("say which of these", depth=1)
        return self._rows(entity, [self._columns.ref(column, entity.table)])

    def _whoever(self, mod: Node) -> Query:
        """`Who has the highest salary?`: people of the one table that has the column."""
        lexicon = self._columns.names.lexicon
        people = [
            (0, table.name)
            for table in self._schema.tables
            if lexicon.persons[table.name]
            or _PEOPLE & {stem(word) for way in split_name(table.name) for word in way}
        ]
        entity = Entity(self._choices.pick(people))
        self._entities.modify_one(mod, entity)
        return self._rows(entity, self._columns.labels(entity.table))

    def _rows(self, entity: Entity, items: Sequence[Operand]) -> Query:
        return Query(
            entity.table, items=tuple(items), where=entity.where, order=tuple(entity.order), limit=entity.limit,
            distinct=entity.distinct, skip=entity.skip,
        )  # fmt: skip

    def _asked_columns(self, node: Node) -> list[Node]:
        items = sub(node, "items")
        found = [sub(item, "colref") for item in subs(items, "item")] if items else []
        if not found or None in found:
            raise Trouble("numbers beside columns", depth=1)
        return [each for each in found if each is not None]

    def _listed(self, items: Node, entity: Entity, more: Node | None = None) -> Query:
        """Columns of rows, columns with a number of related rows, or measures over all the rows."""
        aggs: list[Agg] = []
        listed: list[Operand] = []
        distinct = False
        for item in subs(items, "item"):
            inner = cast(Node, next(n for n in item.children if cast(Node, n).name != "distinct"))
            distinct = distinct or sub(item, "distinct") is not None
            if inner.name == "colref":
                listed.extend(
                    self._columns.full_name(inner, entity.table) or [self._columns.ref(inner, entity.table)]
                )
            elif inner.name == "fullname":
                listed.extend(self._columns.names_of_person(inner, entity.table))
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
            full = sub(item, "fullname")
            if full is not None:
                refs.extend(self._columns.names_of_person(full, query.table))
                continue
            colref = sub(item, "colref")
            if colref is None:
                raise Trouble("numbers beside columns", depth=1)
            refs.extend(
                self._columns.full_name(colref, query.table) or [self._columns.ref(colref, query.table)]
            )
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
        each = sub(node, "eachkey") or sub(node, "group") or sub(node, "gunit")
        if each is None:
            if sub(node, "gmods") is not None:
                raise Trouble("a condition on groups without groups", depth=1)
            return Query(entity.table, measures=(Agg("count", ()),), where=entity.where)
        return self._groups.group_mods(
            node, self._groups.counted_by(entity, group_key(each), [], leaves(each, "VERB"))
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
            self._listed(items, entity) if items else self._rows(entity, self._columns.labels(entity.table))
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
