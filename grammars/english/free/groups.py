"""Numbers per group in free questions: by a column, or by the rows of another table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from jigwork.grammars.inflection import Words, split_name
from jigwork.grammars.linking.synonyms import SHORT

from ..choices import Trouble
from ..columns import leaves, sub, subs
from ..engine import Leaf, Node
from ..joins import is_single
from ..query import Agg, Compare, Cond, Const, Func, Key, Operand, Order, Query, Ref, Related
from .columns import DATES, NUMERIC, Columns
from .conditions import Conditions
from .dates import Dates
from .entities import Entities, Entity

__all__ = ["Groups", "column_leaves", "group_key"]

_FUNCS: dict[str, Func] = {"longest": "max", "shortest": "min"}
_SAYS: dict[str, frozenset[str]] = {
    "sum": frozenset({"total", "sum"}), "avg": frozenset({"average", "mean"}),
    "max": frozenset({"maximum", "highest"}), "min": frozenset({"minimum", "lowest"}),
}  # fmt: skip


class Groups:
    """Reads what is asked for per group. `only` is how many of the first columns were asked for, None for all."""

    def __init__(self, columns: Columns, conditions: Conditions, entities: Entities) -> None:
        self._columns = columns
        self._conditions = conditions
        self._entities = entities
        self._schema = columns.schema
        self._choices = columns.choices
        self._dates = Dates(columns)
        self.only: int | None = None

    def aggs(self, node: Node, table: str) -> list[Agg]:
        ref = self._columns.ref(cast(Node, sub(node, "colref")), table)
        named = [cast(Node, each.children[0]).name for each in subs(node, "func")]
        funcs: list[Func] = [_FUNCS.get(name) or cast(Func, name) for name in named]
        if ref.kind not in NUMERIC and not (ref.kind in DATES and set(funcs) <= {"min", "max"}):
            raise Trouble("this column holds no numbers", depth=1)
        said = set(cast(Words, leaves(cast(Node, sub(node, "colref")), "COL")[0].value))
        made = {SHORT.get(word, word) for way in split_name(ref.column) for word in way}
        if any(_SAYS[func] & made and not _SAYS[func] & said for func in funcs if func in _SAYS):
            self._choices.cost += 2  # the `total credits` are a column, not a sum
        return [Agg(func, (), ref) for func in funcs]

    def count(self, node: Node, table: str) -> tuple[Agg | None, Cond | None]:
        """The number of related rows, and that there are some; None where the rows themselves are counted."""
        nouns = leaves(node, "TAB")
        if not nouns or sub(node, "distinct"):
            raise Trouble("say what is counted", depth=1)
        other = self._columns.table(nouns[0])
        if other == table:
            return None, None
        path = self._columns.way(table, other)
        if is_single(path):
            raise Trouble("there is one of these at most", depth=1)
        return Agg("count", path), Related(path, ">=", 1)

    def grouped_items(self, items: Node, group: Node, inner: Node | None) -> Query:
        """`the number of employees from each city`, `the average age per country`: what is counted is the table."""
        if inner is not None:
            return self.grouped(items, self._entities.entity(inner), group)
        nouns = _counted(items)
        if not nouns:
            first = next(iter(column_leaves(items)), None)
            if first is None:
                raise Trouble("say of which rows", depth=1)
            table = self.owner(first)
            return self.grouped(items, Entity(table), group)
        return self.grouped(items, Entity(self._columns.table(nouns[0])), group)

    def grouped(self, items: Node, entity: Entity, group: Node) -> Query:
        """Numbers of rows per what a `group` says."""
        measures, columns = self._measures(items, entity.table)
        query = self.counted_by(entity, group_key(group), measures, leaves(group, "VERB"))
        return self.with_columns(query, columns)

    def _measures(self, items: Node, table: str) -> tuple[list[Agg], list[Node]]:
        measures: list[Agg] = []
        columns: list[Node] = []
        for item in subs(items, "item"):
            colref, agg, count = sub(item, "colref"), sub(item, "agg"), sub(item, "count")
            if agg is not None:
                measures.extend(self.aggs(agg, table))
            elif count is not None:
                found, _ = self.count(count, table)
                if found is not None:
                    raise Trouble("what is counted is not what is grouped", depth=1)
                measures.append(Agg("count", ()))
            elif colref is not None:
                columns.append(colref)
        if not measures:
            raise Trouble("there is no number for the groups", depth=1)
        return measures, columns

    def with_columns(self, query: Query, columns: Sequence[Node]) -> Query:
        """Columns beside the numbers of groups are the groups' own."""
        refs = [self._columns.ref(colref, query.table) for colref in columns]
        if query.keys:
            if any(ref not in query.keys[0].refs for ref in refs):
                raise Trouble("this is no group", depth=1)
            return query
        if refs:
            return replace(query, items=(*refs, *(item for item in query.items if isinstance(item, Agg))))
        return query

    def counted_by(
        self, entity: Entity, key: Node, measures: Sequence[Agg], verbs: Sequence[Leaf] = ()
    ) -> Query:
        """Group rows by a column, or by the rows of another table that each belongs to."""
        measures = tuple(dict.fromkeys(measures or [Agg("count", ())]))
        if entity.order:
            raise Trouble("groups of the first rows", depth=1)
        if key.name == "gunit":
            made = self._dates.part(cast(Node, sub(key, "unit")), entity.table, leaves(key, "VERB"))
            return Query(entity.table, measures=measures, keys=(Key((made,)),), where=entity.where)
        tables, columns = leaves(key, "TAB"), leaves(key, "COL")
        if tables and not columns:
            return self._per_row(entity, self._columns.table(tables[0]), measures, verbs)
        ref = self._columns.ref(key, entity.table)
        if (ref.column,) == self._schema.table(ref.table).primary_key and not ref.path:
            raise Trouble("these are groups of one", depth=1)
        if not all(step.forward for step in ref.path):
            raise Trouble("not every row has this", depth=1)
        return Query(entity.table, measures=measures, keys=(Key((ref,)),), where=entity.where)

    def _per_row(
        self, entity: Entity, target: str, measures: Sequence[Agg], verbs: Sequence[Leaf] = ()
    ) -> Query:
        """One line for each row of the other table that has any."""
        if target == entity.table:
            raise Trouble("these are groups of one", depth=1)
        path = self._columns.way(target, entity.table, verbs)
        if is_single(path):
            raise Trouble("there is one of these at most", depth=1)
        found: list[Operand] = [*self._columns.labels(target)]
        for agg in measures:
            found.append(Agg(agg.func, path, agg.ref, entity.where))
        return Query(target, items=tuple(found), where=Related(path, ">=", 1, entity.where))

    def each(self, node: Node) -> Query:
        items = cast(Node, sub(node, "items"))
        key = sub(node, "key") or cast(Node, sub(node, "key3"))
        again = sub(node, "key2")
        nouns = _counted(items)
        if nouns:
            table = self._columns.table(nouns[0])
        elif leaves(key, "TAB"):
            table = self._columns.table(leaves(key, "TAB")[0])
        else:
            table = self.owner(leaves(key, "COL")[0])
        query = self.grouped(items, Entity(table), key)
        if again is not None:
            query = self.with_columns(query, [again])
        last = sub(node, "key4")
        if last is not None:
            self._check_key(last, query)
        return self.group_mods(node, query)

    def owner(self, column: Leaf) -> str:
        """The table of a column that is named alone."""
        options = self._columns.names.columns(cast(Words, column.value))
        return self._choices.pick([(cost, place[0]) for cost, place in options])

    def _check_key(self, node: Node, query: Query) -> None:
        """`document ids and the number of paragraphs in each document`: what is named again is what is grouped by."""
        tables, columns = leaves(node, "TAB"), leaves(node, "COL")
        if columns:
            self.with_columns(query, [node])
            return
        table = self._columns.table(tables[0])
        ref = query.keys[0].refs[0] if query.keys else None
        keys = self._schema.table(ref.table).foreign_keys if isinstance(ref, Ref) else ()
        points = any(
            key.table == table and isinstance(ref, Ref) and ref.column in key.columns for key in keys
        )
        if (
            table
            != (ref.table if isinstance(ref, Ref) and ref.path else query.table if ref is None else None)
            and not points
        ):
            raise Trouble("these are other groups", depth=1)

    def mostof(self, node: Node) -> Query:
        """`Which year has the most concerts?`"""
        column = cast(Node, sub(node, "gcol"))
        inner = sub(node, "ent")
        if inner is not None:
            entity = self._entities.entity(inner)
        elif leaves(column, "TAB"):
            entity = Entity(self._columns.table(leaves(column, "TAB")[0]))
        elif sub(node, "rank") is None:
            entity = Entity(self.owner(leaves(column, "COL")[0]))
        else:
            raise Trouble("say of which rows", depth=1)
        if entity.order:
            raise Trouble("groups of the first rows", depth=1)
        rank = sub(node, "rank")
        most = rank is None or sub(rank, "most") is not None
        query = self.counted_by(entity, column, [])
        self._choices.cost += _is_far(query)
        again = sub(node, "again")
        if again is None:
            self.only = 1
        else:
            self._check_again(again, query)
        return replace(query, order=(Order(Agg("count", ()), most),), limit=1)

    def topagg(self, node: Node) -> Query:
        """`Which country has the highest average age of singers?`"""
        column, inner = leaves(node, "COL")[0], sub(node, "ent")
        entity = self._entities.entity(inner) if inner else Entity(self.owner(column))
        ref = self._columns.column(column, entity.table)
        if entity.order or ref.kind not in NUMERIC or ref.path:
            raise Trouble("there is no such measure", depth=1)
        measure = Agg("avg" if sub(node, "avg") else "sum", (), ref)
        query = self.counted_by(entity, cast(Node, sub(node, "gcol") or sub(node, "key")), [measure])
        by = measure if query.keys else query.items[-1]
        self.only = 1 if query.keys else len(query.items) - 1
        return replace(
            query, order=(Order(by, sub(cast(Node, sub(node, "ends1")), "high") is not None),), limit=1
        )

    def _check_again(self, node: Node, query: Query) -> None:
        """`List the country and the number of channels it has.`"""
        column, count = sub(node, "gcol"), sub(node, "count")
        if column is not None:
            self.with_columns(query, [column])
        nouns = leaves(count, "TAB") if count else leaves(node, "TAB")
        if any(self._columns.table(noun) != query.table for noun in nouns):
            raise Trouble("this counts other rows", depth=1)

    def having(self, node: Node) -> Query:
        """`cities that have more than one employee`."""
        entity = self._entities.entity(cast(Node, sub(node, "ent")))
        op, count = self._conditions.quantity(sub(node, "quant"))
        query = self.counted_by(entity, cast(Node, sub(node, "gcol")), [])
        self._choices.cost += _is_far(query)
        self.only = 1
        return replace(query, having=Compare(Agg("count", ()), op, Const(count)))

    def group_mods(self, node: Node, query: Query) -> Query:
        """What is said after `each ...`: a condition on the groups, or on the rows that are counted."""
        gmods = sub(node, "gmods")
        if gmods is None:
            return query
        hav, mods = sub(gmods, "hav"), sub(gmods, "mods1")
        if mods is not None:
            entity = Entity(query.table, [] if query.where is None else [query.where])
            if not query.keys:
                raise Trouble("this may be said of the groups or of what is counted", depth=1)
            self._entities.modify(subs(mods, "mod"), entity)
            if entity.order:
                raise Trouble("groups of the first rows", depth=1)
            return replace(query, where=entity.where)
        hav = cast(Node, hav)
        if not query.keys or query.having is not None:
            raise Trouble("there are no groups", depth=1)
        agg, pred = sub(hav, "agg"), cast(Node, sub(hav, "pred"))
        measure = self.aggs(agg, query.table)[0] if agg else Agg("count", ())
        op, value = self._conditions.limit_of(pred)
        return replace(query, having=Compare(measure, op, Const(value)))


def _is_far(query: Query) -> bool:
    """Groups by a column of other rows: the customers with most orders are customers, not groups of orders."""
    return any(isinstance(ref, Ref) and bool(ref.path) for key in query.keys for ref in key.refs)


def group_key(group: Node) -> Node:
    """Return what a group names: a `key`, or the unit of a date; a key itself is that."""
    return (
        group
        if group.name in ("key", "key3", "gcol", "gunit")
        else sub(group, "gunit") or cast(Node, sub(group, "key"))
    )


def _counted(items: Node) -> list[Leaf]:
    """The tables whose rows are counted."""
    counts = [sub(item, "count") for item in subs(items, "item")]
    return [leaf for count in counts if count for leaf in leaves(count, "TAB")]


def column_leaves(items: Node) -> list[Leaf]:
    """Return the columns that items name without a table, in order."""
    found: list[Leaf] = []
    for item in subs(items, "item"):
        agg = sub(item, "agg")
        colref = sub(item, "colref") or (sub(agg, "colref") if agg else None)
        if colref is not None and not leaves(colref, "TAB"):
            found.extend(leaves(colref, "COL"))
    return found
