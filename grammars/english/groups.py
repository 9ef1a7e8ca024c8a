"""From the words of measures over the rows of a group (`sum of ...`, `share of ...`, `having`) to what they mean."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from .choices import Trouble
from .columns import Finder, leaves, sub, subs
from .comparisons import OPS
from .conditions import Conditions
from .engine import Leaf, Node
from .joins import Joins, is_single, reverse
from .logic import all_of, any_of, negate
from .operands import check_func, func_of, nodes_of, refs_in
from .query import (
    Agg,
    AllOf,
    Among,
    AnyOf,
    Before,
    Between,
    Calc,
    Compare,
    Cond,
    Const,
    Func,
    Key,
    Not,
    Op,
    Operand,
    Order,
    Part,
    Path,
    Percent,
    Query,
    Ref,
    Related,
    Right,
    Running,
    Scalar,
    Share,
)
from .values import kind_of

__all__ = ["Groups", "child_of", "name_of", "per_many", "summed_of", "table_of"]


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


def summed_of(node: Node) -> Node | None:
    """Return what is summed or averaged: a column, arithmetic, days, a number of each row."""
    return sub(node, "colref") or sub(node, "calc") or sub(node, "days") or sub(node, "aggref")


class Groups:
    """Resolves measures of one run."""

    def __init__(self, finder: Finder, conditions: Conditions) -> None:
        self._finder = finder
        self._conditions = conditions
        self._lexicon = finder.lexicon
        self._choices = finder.choices
        self.across = False
        """Whether the question says once for each of its rows."""

    def key(self, node: Node, table: str) -> Key:
        """Resolve one group key."""
        return self._conditions.keys.key(node, table)

    # --- measures -------------------------------------------------------------------------------------------

    def measured(self, node: Node, table: str, funcs: Collection[Func], *, across: bool) -> Ref | Calc | Agg:
        """Resolve what is summed, averaged or compared over the rows of `table`; `across` says once per row."""
        if node.name == "aggref":
            return self._conditions.operands.agg(node, table)
        if node.name != "colref":
            return self._reckoned(node, table, across=across)
        spot = self._finder.spot(node, table)
        names = self._lexicon.shown_table
        if not spot.single:
            reason = (
                f"{names[table][1]} may have many {names[spot.table][1]}: ask it of {names[spot.table][1]}"
            )
            raise Trouble(f"{reason}, with a condition on {names[table][1]}", node, depth=2)
        if spot.path and not across and set(funcs) & {"sum", "avg"}:
            shown = self._lexicon.shown_column[spot.table, spot.column]
            said = "average" if "avg" in funcs else "sum of"
            one, many, rows = names[spot.table][0], names[spot.table][1], names[table][1]
            proposals = (f"{said} {shown} of {many}", f"{said} {one} {shown} across {rows}")
            reason = (
                f"several {rows} share one {one}: each {one} once, or once for each of the {rows} (`across`)?"
            )
            raise Trouble(reason, node, proposals=proposals, depth=3)
        return self._finder.ref(spot)

    def _reckoned(self, node: Node, table: str, *, across: bool) -> Calc:
        calc, path = self._conditions.operands.calc(node, table)
        rows = self._lexicon.shown_table[table][1]
        if path:
            many = self._lexicon.shown_table[path[-1].target][1]
            raise Trouble(f"{rows} may have many {many}: ask it of {many}", node, depth=2)
        if not across and all(ref.path for ref in refs_in(calc)):
            raise Trouble(f"say once for each of the {rows}: `across {rows}`", node, depth=3)
        return calc

    def ranking(self, node: Node, table: str) -> Agg:
        """Resolve a measure of the rows of a group."""
        noun, summed = sub(node, "noun"), summed_of(node)
        if noun is not None and table_of(noun) != table:
            raise Trouble(f"the groups are of {self._lexicon.shown_table[table][1]}", noun, depth=2)
        if summed is None:
            return Agg("count", ())
        if sub(node, "distinct"):
            return Agg("count", (), self.measured(summed, table, ["count"], across=True))
        func = func_of(cast(Node, sub(node, "func")))
        ref = self.measured(summed, table, [func], across=self.across)
        if func == "count":
            raise Trouble("count rows (`count`) or different values", node, depth=2)
        check_func(func, ref, node)
        return Agg(func, (), ref)

    def measures(self, node: Node, table: str) -> list[Operand]:
        """Resolve one `measure`, which may be several functions of one column."""
        share, running, filters = sub(node, "share"), sub(node, "running"), subs(node, "filter")
        ratio = sub(node, "ratio")
        if ratio is not None:
            return [self._conditions.operands.tree(ratio, lambda factor: self._factor(factor, table))]
        if share is not None:
            return [Share(self._whole(share, table))]
        if running is not None:
            return [Running(self._whole(running, table))]
        if filters:
            cond = self._conditions.filters(filters, table)
            assert cond is not None
            return [Percent(cond)]
        summed = summed_of(node)
        if summed is None:
            return [Agg("count", ())]
        if sub(node, "distinct"):
            return [Agg("count", (), self.measured(summed, table, ["count"], across=True))]
        funcs: list[Func] = [func_of(func) for func in subs(node, "func")]
        ref = self.measured(summed, table, funcs, across=self.across)
        found: list[Operand] = []
        for func in funcs:
            if func == "count" and len(funcs) == 1:
                reason = "count rows, or different values: `count distinct COLUMN ...`"
                raise Trouble(reason, node, depth=2)
            check_func(func, ref, node)
            found.append(Agg("count", ()) if func == "count" else Agg(func, (), ref))
        return found

    def _factor(self, node: Node, table: str) -> Agg | Calc:
        """Resolve one side of arithmetic with measures."""
        noun = sub(sub(node, "countrows") or node, "noun")
        if noun is not None and table_of(noun) != table:
            raise Trouble(f"these are measures of {self._lexicon.shown_table[table][1]}", noun, depth=2)
        (measure,) = self.measures(node, table)
        assert isinstance(measure, (Agg, Calc))
        return measure

    def _whole(self, node: Node, table: str) -> Agg:
        """Resolve what shares and running totals are of: rows, or the sum of a column."""
        summed, func = summed_of(node), sub(node, "func")
        if summed is None:
            return Agg("count", ())
        how: Func = func_of(func) if func is not None else "sum"
        if how not in ("sum", "count"):
            raise Trouble("only counts and sums add up to a whole", node, depth=3)
        ref = self.measured(summed, table, ["sum"], across=self.across)
        check_func("sum", ref, node)
        if how == "count":
            raise Trouble("count rows: `number of ...`", node, depth=2)
        return Agg("sum", (), ref)

    def counted(self, agg: Node) -> tuple[str, Agg, Cond | None]:
        """Return table, measure and condition of `number of orders where ...` or `sum of order total`."""
        inner = sub(agg, "related")
        if inner is not None:
            nouns = cast(Node, sub(inner, "nouns"))
            hops = leaves(nouns, "NOUN")
            tables = self._lexicon.tables.best(hops[0].value)
            if len(hops) > 1 or not tables or sub(inner, "names"):
                raise Trouble("count one table here", agg, depth=1)
            table = self._choices.pick([(0, name) for name in tables])
            which = [*subs(inner, "valued"), *subs(inner, "bare"), *subs(inner, "filter")]
            return table, Agg("count", ()), self._conditions.filters(which, table)
        noun, summed = sub(agg, "noun"), summed_of(agg)
        if noun is not None:
            return table_of(noun), Agg("count", ()), None
        if summed is None or sub(agg, "distinct"):
            raise Trouble("say what to count", agg, depth=1)
        table = self._choices.pick([(0, name) for name in self._finder.roots(summed)])
        func = func_of(cast(Node, sub(agg, "func")))
        ref = self.measured(summed, table, [func], across=False)
        if func == "count":
            raise Trouble("count rows: `number of ...`", agg, depth=1)
        check_func(func, ref, agg)
        return table, Agg(func, (), ref), self._conditions.filters(subs(agg, "filter"), table)

    def order(self, node: Node, query: Query) -> Operand:
        """Resolve what groups are sorted by."""
        if node.name == "ranking":
            return self.ranking(node, query.table)
        if node.name == "aggref":
            raise Trouble("sort groups by a measure of their rows", node, depth=1)
        if node.name in ("share", "running"):
            return self.measures(Node("measure", (node,), node.start, node.end), query.table)[0]
        if node.name == "unit":
            operand: Operand = self._conditions.keys.unit(node, query.table)
        else:
            operand, _ = self._conditions.operands.operand(node, query.table)
        known = [ref for key in query.keys for ref in key.refs]
        if operand not in known:
            reason = "groups can be sorted by what they are made of, or by a measure (`sorted by count`)"
            raise Trouble(reason, node, depth=3)
        return operand

    # --- having ---------------------------------------------------------------------------------------------

    def having(self, node: Node, table: str) -> Cond:
        """Resolve a condition on groups."""
        children = nodes_of(node)
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
                return self.test(self.ranking(children[0], table), list(node.children[1:]), table)

    def test(self, measure: Agg, predicate: list[Node | Leaf], table: str) -> Cond:
        """Resolve the predicate of a measure."""
        verb, *values = predicate
        if kind_of(measure) not in ("integer", "number"):
            raise Trouble("groups are compared by numbers", verb, depth=2)
        names = ("prior", "among", "scalar")
        if verb.name in ("between", "notbetween"):
            low, high = (self._conditions.values.read(value, measure, ordered=True) for value in values)
            return Between(measure, low, high, verb.name == "notbetween")
        op: Op = "=" if verb.name in ("isq", "isnt") else self._op(cast(Node, verb))
        if values[0].name in names:
            return Compare(measure, op, self.other(measure, cast(Node, values[0]), table))
        cond = Compare(measure, op, Const(self._conditions.values.read(values[0], measure, ordered=True)))
        return negate(cond) if verb.name == "isnt" else cond

    @staticmethod
    def _op(verb: Node) -> Op:
        name = name_of(verb)
        if name not in ("gt", "ge", "lt", "le"):
            raise Trouble("groups are compared by numbers", verb, depth=2)
        return OPS[name]

    def other(self, measure: Agg, node: Node, table: str) -> Right:
        """Resolve another group, the usual one, or a number over all rows."""
        match node.name:
            case "prior":
                ranking = sub(node, "ranking")
                return Before(self.ranking(ranking, table) if ranking else measure)
            case "among":
                ranking, func = sub(node, "ranking"), sub(node, "func")
                if ranking is None:
                    check_func("avg", measure, node)
                    return Among("avg", measure)
                how = func_of(cast(Node, func))
                if how == "count":
                    raise Trouble("groups are compared by numbers", node, depth=2)
                compared = self.ranking(ranking, table)
                check_func(how, compared, node)
                return Among(how, compared)
            case "usual":
                check_func("avg", measure, node)
                return Among("avg", measure)
            case _:
                return self._conditions.comparisons.scalar(node, table)

    def of_group(self, measure: Agg, naming: Node, table: str, key: Ref | Part) -> Scalar:
        """Resolve the measure of the group of one value: `than France`."""
        leaf = cast(Leaf, naming.children[0])
        if isinstance(key, Part):
            raise Trouble("name the group by a text or a number", naming, depth=2)
        where = self._conditions.comparisons.compare(key, "=", leaf, table)
        return Scalar(measure.func, measure.ref, table, where)


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
    measures = [_measure_at(agg, back, query.where) for agg in query.measures]
    orders = tuple(Order(_sorted_at(o.by, back, query.where), o.descending) for o in query.order)
    items = (*key.refs, *measures)
    return Query(path[-1].target, items=items, where=all_of(conds), order=orders, limit=query.limit)


def _sorted_at(operand: Operand, path: Path, where: Cond | None) -> Operand:
    return operand if isinstance(operand, Ref) else _measure_at(operand, path, where)


def _measure_at(agg: Operand, path: Path, where: Cond | None) -> Agg:
    if not isinstance(agg, Agg):
        raise Trouble("a row may be in several of these groups, so they make up no whole", depth=3)
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
        case Compare(right=Among() | Before()):
            raise Trouble("a row may be in several of these groups, so they have no common measure", depth=3)
        case Compare(Agg() as left) | Between(Agg() as left):
            return replace(cond, left=_measure_at(left, path, where))
        case _:
            raise AssertionError("groups are compared by measures")
