"""From the words of groups and of measures over their rows (`per`, `having`, `sum of ...`) to what they mean."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from .choices import Trouble
from .columns import Finder, Spot, leaves, sub, subs
from .conditions import Conditions, check_func, func_of
from .engine import Leaf, Node
from .joins import Joins, is_single, reverse
from .logic import all_of, any_of, negate
from .query import (
    Agg,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Cond,
    Const,
    Func,
    Key,
    Not,
    Op,
    Operand,
    Part,
    Path,
    Query,
    Ref,
    Related,
    Unit,
)
from .values import kind_of

__all__ = ["Groups", "child_of", "name_of", "per_many", "table_of"]


def child_of(node: Node) -> Node:
    """Return the first child, which is a rule."""
    return cast(Node, next(iter(node.children)))


def name_of(node: Node) -> str:
    """Return the name of the first child."""
    return child_of(node).name


def table_of(noun: Node) -> str:
    """Return the table of a noun."""
    leaf = next(iter(noun.children))
    assert isinstance(leaf, Leaf)
    return str(leaf.value)


class Groups:
    """Resolves groups and measures of one run."""

    def __init__(self, finder: Finder, conditions: Conditions) -> None:
        self._finder = finder
        self._conditions = conditions
        self._lexicon = finder.lexicon
        self._choices = finder.choices

    # --- measures -------------------------------------------------------------------------------------------

    def measured(self, colref: Node, table: str, funcs: Collection[Func], *, across: bool) -> Ref:
        """Resolve what is summed, averaged or compared over the rows of `table`; `across` says once per row."""
        spot = self._finder.spot(colref, table)
        names = self._lexicon.shown_table
        if not spot.single:
            reason = (
                f"{names[table][1]} may have many {names[spot.table][1]}: ask it of {names[spot.table][1]}"
            )
            raise Trouble(f"{reason}, with a condition on {names[table][1]}", colref, depth=2)
        if spot.path and not across and set(funcs) & {"sum", "avg"}:
            shown = self._lexicon.shown_column[spot.table, spot.column]
            said = "average" if "avg" in funcs else "sum of"
            one, many, rows = names[spot.table][0], names[spot.table][1], names[table][1]
            proposals = (f"{said} {shown} of {many}", f"{said} {one} {shown} across {rows}")
            reason = (
                f"several {rows} share one {one}: each {one} once, or once for each of the {rows} (`across`)?"
            )
            raise Trouble(reason, colref, proposals=proposals, depth=3)
        return self._finder.ref(spot)

    def ranking(self, node: Node, table: str) -> Agg:
        """Resolve a measure of the rows of a group."""
        noun, colref = sub(node, "noun"), sub(node, "colref")
        if noun is not None and table_of(noun) != table:
            raise Trouble(f"the groups are of {self._lexicon.shown_table[table][1]}", noun, depth=2)
        if colref is None:
            return Agg("count", ())
        if sub(node, "distinct"):
            return Agg("count", (), self.measured(colref, table, ["count"], across=True))
        func = func_of(cast(Node, sub(node, "func")))
        ref = self.measured(colref, table, [func], across=False)
        if func == "count":
            raise Trouble("count rows (`count`) or different values", node, depth=2)
        check_func(func, ref, node)
        return Agg(func, (), ref)

    def counted(self, agg: Node) -> tuple[str, Agg, Cond | None]:
        """Return table, measure and condition of `number of orders where ...` or `sum of order total`."""
        inner = sub(agg, "related")
        if inner is not None:
            nouns = cast(Node, sub(inner, "nouns"))
            hops = leaves(nouns, "NOUN")
            tables = self._lexicon.tables.best(hops[0].value)
            if len(hops) > 1 or not tables:
                raise Trouble("count one table here", agg, depth=1)
            table = self._choices.pick([(0, name) for name in tables])
            return table, Agg("count", ()), self._conditions.filters(subs(inner, "filter"), table)
        noun, colref = sub(agg, "noun"), sub(agg, "colref")
        if noun is not None:
            return table_of(noun), Agg("count", ()), None
        if colref is None or sub(agg, "distinct"):
            raise Trouble("say what to count", agg, depth=1)
        table = self._choices.pick([(0, name) for name in self._finder.roots(colref)])
        func = func_of(cast(Node, sub(agg, "func")))
        ref = self.measured(colref, table, [func], across=False)
        if func == "count":
            raise Trouble("count rows: `number of ...`", agg, depth=1)
        check_func(func, ref, agg)
        return table, Agg(func, (), ref), self._conditions.filters(subs(agg, "filter"), table)

    # --- keys -----------------------------------------------------------------------------------------------

    def key(self, node: Node, table: str) -> Key:
        """Resolve one group key."""
        child = cast(Node, node.children[0])
        if child.name == "nouns":
            if len(child.children) == 1 and self._lexicon.own_columns(
                table, cast(Leaf, child.children[0]).value
            ):
                raise Trouble("this is a column", child, depth=0)
            return self._rows(child, table)
        if child.name == "unit":
            return Key((self.unit(child, table),))
        operand, many = self._conditions.operand(child, table)
        if many or isinstance(operand, Agg):
            one = self._lexicon.shown_table[table][0]
            raise Trouble(f"a {one} may have many of these, so they are no groups", node, depth=3)
        return Key((operand,))

    def _rows(self, nouns: Node, table: str) -> Key:
        """Rows of another table as groups: those that each row has one of, or of which it may be in several."""
        path, target = self._finder.related(nouns, table)
        identity = self._finder.schema.table(target).primary_key
        label = self._lexicon.labels[target]
        if path and is_single(path):
            return self._entity(path, target)
        if path and identity and not is_single(reverse(path, self._finder.joins)):
            spots = [Spot((), target, name) for name in (*identity, *([label] if label else []))]
            return Key(tuple(self._finder.ref(spot) for spot in spots), path)
        rows, many = self._lexicon.shown_table[table][1], self._lexicon.shown_table[target][1]
        reason = f"one of the {rows} may have many {many}, so they are no groups"
        listed = ", ".join(self._lexicon.shown_column[target, n] for n in ([label] if label else identity))
        proposals = (f"list {listed}, number of {rows} for {many}",) if path and listed else ()
        raise Trouble(reason, nouns, proposals=proposals, depth=3)

    def _entity(self, path: Path, target: str) -> Key:
        """A row as a group: what identifies it, and its name."""
        names = self._finder.schema.table(target).primary_key or path[-1].target_columns
        label = self._lexicon.labels[target]
        spots = [Spot(path, target, name) for name in (*names, *([label] if label else []))]
        return Key(tuple(dict.fromkeys(self._finder.ref(self._finder.normal(spot)) for spot in spots)), path)

    def unit(self, node: Node, table: str) -> Part:
        """Resolve `per year` by the one date of the rows."""
        unit = cast(Unit, name_of(node))
        columns = [c for c in self._finder.schema.table(table).columns if c.kind in ("date", "datetime")]
        if not columns:
            many = self._lexicon.shown_table[table][1]
            raise Trouble(
                f"{many} have no date of their own: say of which, `per {unit} of COLUMN`", node, depth=2
            )
        return self._choices.pick([(1, Part(Ref(table, c.name, c.kind), unit)) for c in columns])

    def order(self, node: Node, query: Query) -> Operand:
        """Resolve what groups are sorted by."""
        if node.name == "ranking":
            return self.ranking(node, query.table)
        if node.name == "aggref":
            raise Trouble("sort groups by a measure of their rows", node, depth=1)
        if node.name == "unit":
            operand: Operand = self.unit(node, query.table)
        else:
            operand, _ = self._conditions.operand(node, query.table)
        known = [ref for key in query.keys for ref in key.refs]
        if operand not in known:
            raise Trouble(
                "groups can be sorted by what they are made of, or by a measure (`sorted by count`)",
                node,
                depth=3,
            )
        return operand

    # --- having ---------------------------------------------------------------------------------------------

    def having(self, node: Node, table: str) -> Cond:
        """Resolve a condition on groups."""
        children = [child for child in node.children if isinstance(child, Node)]
        match node.name:
            case "hcond":
                return any_of([self.having(child, table) for child in children])
            case "hconj":
                return all_of([self.having(child, table) for child in children])
            case _ if children[0].name == "not":
                return Not(self.having(children[1], table))
            case _ if children[0].name == "hcond":
                return self.having(children[0], table)
            case _:
                return self._group_test(node, table)

    def _group_test(self, node: Node, table: str) -> Cond:
        measure = self.ranking(cast(Node, node.children[0]), table)
        verb, *values = node.children[1:]
        read = [self._conditions.values.read(value, measure, ordered=True) for value in values]
        if kind_of(measure) not in ("integer", "number"):
            raise Trouble("groups are compared by numbers", verb, depth=2)
        if verb.name in ("between", "notbetween"):
            return Between(measure, read[0], read[1], verb.name == "notbetween")
        ops: dict[str, Op] = {"gt": ">", "lt": "<", "ge": ">=", "le": "<="}
        op: Op = "=" if verb.name in ("isq", "isnt") else ops.get(name_of(cast(Node, verb)), "=")
        if verb.name == "compare" and name_of(cast(Node, verb)) not in ops:
            raise Trouble("groups are compared by numbers", verb, depth=2)
        cond = Compare(measure, op, Const(read[0]))
        return negate(cond) if verb.name == "isnt" else cond


def per_many(query: Query, joins: Joins, node: Node) -> Query:
    """Turn groups that a row may be in several of (`tracks per playlist`) into the rows they are: one per playlist
    that has any, each with the measures of its own tracks."""
    key = next((key for key in query.keys if key.entity and not is_single(key.entity)), None)
    if key is None or key.entity is None:
        return query
    path = key.entity
    if len(query.keys) > 1:
        raise Trouble("groups that a row may be in several of stand alone after `per`", node, depth=3)
    back = reverse(path, joins)
    conds: list[Cond] = [Related(back, ">=", 1, query.where)]
    if query.having is not None:
        conds.append(_moved(query.having, back, query.where))
    measures = tuple(_measure_at(agg, back, query.where) for agg in query.measures)
    orders = tuple(
        replace(o, by=_measure_at(o.by, back, query.where) if isinstance(o.by, Agg) else o.by)
        for o in query.order
    )
    items = (*key.refs, *measures)
    return Query(path[-1].target, items=items, where=all_of(conds), order=orders, limit=query.limit)


def _measure_at(agg: Agg, path: Path, where: Cond | None) -> Agg:
    return Agg(agg.func, path, agg.ref, where)


def _moved(cond: Cond, path: Path, where: Cond | None) -> Cond:
    """A condition on groups as one on the rows that stand for them."""
    match cond:
        case AllOf(conds):
            return AllOf(tuple(_moved(each, path, where) for each in conds))
        case AnyOf(conds):
            return AnyOf(tuple(_moved(each, path, where) for each in conds))
        case Not(inner):
            return Not(_moved(inner, path, where))
        case Compare(Agg() as left) | Between(Agg() as left):
            return replace(cond, left=_measure_at(left, path, where))
        case _:
            raise AssertionError("groups are compared by measures")
