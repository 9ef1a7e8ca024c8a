"""From the words of numbers (counts, sums, shares, running totals), alone or per group, to what they mean."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .checks import checked_limit, colref_of, group_size, in_common
from .choices import Choices, Trouble
from .clauses import Clauses
from .columns import FAR, Finder, colrefs, leaves, sub, subs
from .conditions import Conditions
from .engine import Leaf, Node
from .groups import Groups, child_of, name_of, per_many, summed_of, table_of
from .lists import Lists
from .logic import all_of
from .query import Agg, Compare, Cond, Const, Key, Operand, Order, Part, Percent, Query, Ref, Running, Share
from .words import is_plural

__all__ = ["Sums"]


class Sums:
    """Resolves the questions for numbers of one run."""

    def __init__(self, finder: Finder, conditions: Conditions, groups: Groups, clauses: Clauses) -> None:
        self._finder = finder
        self._lexicon = finder.lexicon
        self._choices: Choices = finder.choices
        self._conditions = conditions
        self._groups = groups
        self._clauses = clauses

    # --- counts ---------------------------------------------------------------------------------------------

    def counting(self, node: Node, lists: Lists) -> Query:
        """Resolve `count orders`, `how many different cities of customers`."""
        if sub(node, "distinct") is None:
            table = table_of(cast(Node, sub(node, "noun")))
            measure = Agg("count", ())
        else:
            items = subs(node, "item")
            if len(items) > 1:
                raise Trouble("count the different values of one column", items[1], depth=2)
            table, (operand,), _ = lists.selection(node)
            if not isinstance(operand, Ref):
                raise Trouble("count the different values of a column", items[0], depth=2)
            measure = Agg("count", (), operand)
        return self._grouped(Query(table, measures=(measure,)), node)

    # --- measures -------------------------------------------------------------------------------------------

    def measuring(self, node: Node) -> Query:
        """Resolve `count and average of price per category`, `share of orders per country`."""
        measures = subs(node, "measure")
        across = sub(node, "noun")
        table = ""
        if across is not None:
            table = table_of(across)
            self._check_counted(measures, table)
        elif not any(sub(measure, "aggref") for measure in measures):
            table = self._root(measures, node)
        self._groups.across = sub(node, "across") is not None
        if any(sub(measure, "aggref") for measure in measures):
            return self._of_each(measures, node, None if across is None else table)
        found: list[Operand] = []
        for measure in measures:
            found.extend(self._groups.measures(measure, table))
        query = Query(table, measures=tuple(dict.fromkeys(found)))
        if any(isinstance(each, Share) for each in found):
            return self._shares(query, node)
        return self._grouped(query, node)

    def _of_each(self, measures: list[Node], node: Node, table: str | None) -> Query:
        """`average number of orders per customer` is over the customers; so is `... across customers`, per any group."""
        groups = subs(node, "group")
        nouns = sub(child_of(groups[0]), "nouns") if len(groups) == 1 else None
        if table is None and any(_is_total(measure) for measure in measures):
            reason = "say `list ..., number of ... for ...` for the number of each, `across` for all of them together"
            raise Trouble(reason, node, depth=3)
        if table is None:
            if nouns is None or len(subs(groups[0], "key")) > 1:
                raise Trouble("say over what: `average number of orders across customers`", node, depth=2)
            tables = self._lexicon.tables.best(leaves(nouns, "NOUN")[0].value)
            table = self._choices.pick([(0, name) for name in tables])
            keys: tuple[Key, ...] = ()
        else:
            keys = self._clauses.keys(node, table)
        found = [each for measure in measures for each in self._groups.measures(measure, table)]
        query = Query(table, measures=tuple(dict.fromkeys(found)), keys=keys)
        return self._clauses.tail(replace(query, where=self._clauses.where(node, table)), node)

    def _shares(self, query: Query, node: Node) -> Query:
        """Shares are of the rows of the question; with a condition and groups, also how many of each group meet it."""
        if not sub(node, "group"):
            if query.measures != (Share(Agg("count", ())),):
                raise Trouble("a share needs groups: `share of ... per COLUMN`", node, depth=2)
            return self._percent(query, node)
        made = self._grouped(query, node)
        if (
            made.where is not None
            and query.measures == (Share(Agg("count", ())),)
            and not sub(node, "across")
        ):
            percent: tuple[Operand, ...] = (Percent(made.where),)
            return self._choices.pick([(0, made), (0, replace(made, measures=percent, where=None))])
        return made

    def _percent(self, query: Query, node: Node) -> Query:
        """`percentage of customers with orders` is of all customers."""
        where = self._clauses.where(node, query.table)
        if where is None:
            raise Trouble("say which of them, or per what: `percentage of ... where ...`", node, depth=2)
        return self._clauses.tail(Query(query.table, measures=(Percent(where),)), node)

    def _root(self, measures: list[Node], node: Node) -> str:
        roots: list[set[str]] = []
        for measure in [part for each in measures for part in _parts(each)]:
            inner = sub(measure, "share") or sub(measure, "running") or measure
            summed, rows = summed_of(inner), sub(inner, "countrows")
            noun = sub(rows, "noun") if rows else sub(inner, "noun")
            if summed:
                roots.append(set(self._finder.roots(summed)))
            elif noun:
                roots.append({table_of(noun)})
        if not roots:
            raise Trouble("say what to count", node, depth=2)
        common = in_common(roots)
        if not common:
            reason = "these are columns of different tables: ask one question for each"
            raise Trouble(reason, measures[-1], depth=2)
        cost = FAR if len(common) > 1 else 1
        return self._choices.pick([(cost, name) for name in sorted(common)])

    def _check_counted(self, measures: list[Node], table: str) -> None:
        """Over customers one cannot count orders: `number of orders across customers`."""
        for measure in measures:
            inner = sub(measure, "share") or sub(measure, "running") or measure
            rows = sub(inner, "countrows")
            noun = sub(rows, "noun") if rows else sub(inner, "noun")
            if noun and table_of(noun) != table:
                rows_said, many = (
                    self._lexicon.shown_table[table_of(noun)][1],
                    self._lexicon.shown_table[table][1],
                )
                reason = f"count {rows_said} by themselves, with a condition on {many}"
                raise Trouble(reason, noun, depth=2)

    # --- groups ---------------------------------------------------------------------------------------------

    def _grouped(self, query: Query, node: Node) -> Query:
        query = replace(query, keys=self._clauses.keys(node, query.table))
        filters, having = self._split(node, query)
        where = self._conditions.filters(filters, query.table)
        having.extend(
            self._groups.having(cast(Node, each.children[0]), query.table) for each in subs(node, "having")
        )
        if having and not query.keys:
            raise Trouble("a condition on groups needs groups: `per COLUMN`", sub(node, "having"), depth=2)
        query = replace(query, where=where, having=all_of(having) if having else None)
        query = self._clauses.tail(query, node)
        if any(isinstance(each, Running) for each in query.measures):
            self._check_running(query, node)
        return per_many(query, self._finder.joins, node)

    def _check_running(self, query: Query, node: Node) -> None:
        last = query.keys[-1].refs if query.keys else ()
        if len(last) != 1:
            reason = "a running total goes along an order: end with `per month`, `per year` or a number"
            raise Trouble(reason, node, depth=3)
        if query.having is not None:
            raise Trouble(
                "a running total is of all groups: leave `having` out", sub(node, "having"), depth=3
            )

    def _split(self, node: Node, query: Query) -> tuple[list[Node], list[Cond]]:
        """`count orders per customer with more than 5 orders` is a condition on the groups."""
        filters: list[Node] = []
        having: list[Cond] = []
        for each in self._clauses.filters(node):
            size = group_size(each)
            if query.keys and size and self._lexicon.tables.best(size[1]) == [query.table]:
                op, count = self._conditions.quantity(size[0])
                having.append(Compare(Agg("count", ()), op, Const(count)))
            else:
                filters.append(each)
        return filters, having

    # --- groups that are asked for by their size ------------------------------------------------------------

    def grouping(self, node: Node) -> Query:
        """Resolve `countries with more than 5 customers`, `months with more orders than the month before`."""
        if sub(node, "gwith") is None:
            return self._largest(node)
        test = cast(Node, sub(node, "gwith"))
        table, measure = self._tested(test)
        if sub(node, "group") or sub(node, "having"):
            raise Trouble("the groups are named already", sub(node, "group") or sub(node, "having"), depth=3)
        ref = self._group(child_of(node), table)
        query = Query(table, measures=(measure,), keys=(Key((ref,)),))
        query = replace(query, having=self._test(test, measure, query))
        query = replace(query, where=self._clauses.where(node, table))
        return self._clauses.tail(query, node)

    def _largest(self, node: Node) -> Query:
        """Resolve `which country has the most customers`; how many of several is asked."""
        table, counts = table_of(cast(Node, sub(node, "noun"))), leaves(node, "COUNT")
        child = cast(Node, sub(node, "colref") or sub(node, "part") or sub(node, "unit"))
        ref = self._group(child, table)
        measure = Agg("count", ())
        query = Query(table, measures=(measure,), keys=(Key((ref,)),), where=self._clauses.where(node, table))
        query = replace(query, order=(Order(measure, sub(node, "most") is not None),))
        if counts:
            return replace(query, limit=checked_limit(int(counts[0].value), node))
        leaf = child.children[0]
        if isinstance(leaf, Leaf) and is_plural(leaf.value[-1]):
            queries = [replace(query, limit=limit) for limit in (1, 5)]
            raise Trouble("say how many: `the 5 ... with the most ...`", child, queries=queries, depth=3)
        return replace(query, limit=1)

    def _group(self, child: Node, table: str) -> Ref | Part:
        if any(not isinstance(each.children[0], Leaf) for each in colrefs(child)):
            raise Trouble("groups are of a column of the rows that are counted", child, depth=0)
        if child.name == "unit":
            return self._conditions.keys.unit(child, table)
        ref, many = self._conditions.operands.operand(child, table)
        if many or not isinstance(ref, (Ref, Part)):
            raise Trouble("these are no groups", child, depth=2)
        return ref

    def _tested(self, test: Node) -> tuple[str, Agg]:
        noun, ranking = sub(test, "noun"), sub(test, "ranking")
        if noun is not None and ranking is None:
            return table_of(noun), Agg("count", ())
        table, measure, _ = self._groups.counted(cast(Node, ranking))
        return table, measure

    def _test(self, test: Node, measure: Agg, query: Query) -> Cond:
        quantity, more, less = sub(test, "quantity"), sub(test, "more"), sub(test, "less")
        if quantity is not None:
            op, count = self._conditions.quantity(quantity)
            return Compare(measure, op, Const(count))
        if more is None and less is None:
            predicate = list(test.children[1:])
            return self._groups.test(measure, predicate, query.table)
        other = cast(Node, test.children[-1])
        op = ">" if more is not None else "<"
        key = query.keys[0].refs[0]
        if other.name == "naming":
            return Compare(measure, op, self._groups.of_group(measure, other, query.table, key))
        self._check_unit(other, key)
        return Compare(measure, op, self._groups.other(measure, other, query.table))

    def _check_unit(self, other: Node, key: Ref | Part) -> None:
        """The month before is for months."""
        unit = sub(other, "unit")
        if unit is not None and (not isinstance(key, Part) or key.unit != name_of(unit)):
            raise Trouble("these groups have no such thing before them", other, depth=3)

    # --- the largest groups ---------------------------------------------------------------------------------

    def top_groups(self, node: Node, selection: Node, sortkey: Node, wanted: tuple[str, int]) -> Query:
        """Resolve `top 3 countries by number of customers`: the groups of a column, by a measure of their rows."""
        items = subs(selection, "item")
        key = colref_of(cast(Node, items[0].children[0])) if len(items) == 1 else None
        agg = sub(sortkey, "aggref") or sub(sortkey, "ranking")
        if key is None or agg is None or sub(selection, "distinct"):
            raise Trouble("say of which table: `top 5 name for customers by ...`", selection, depth=1)
        extreme, count = wanted
        table, measure, where = self._groups.counted(agg)
        spot = self._finder.spot(key, table)
        if not spot.single:
            raise Trouble("this is no group of these rows", key, depth=2)
        conds = [cond for cond in (where, self._clauses.where(node, table)) if cond is not None]
        query = Query(table, measures=(measure,), keys=(Key((self._finder.ref(spot),)),))
        query = replace(query, where=all_of(conds) if conds else None)
        descending = extreme in ("top", "last")
        if sub(sortkey, "asc") or sub(sortkey, "desc"):
            descending = sub(sortkey, "desc") is not None
        return replace(query, order=(Order(measure, descending),), limit=checked_limit(count, node))


def _is_total(measure: Node) -> bool:
    """`total number of orders per customer` may be the number of each, or all of them together."""
    funcs = subs(measure, "func")
    return any(sub(func, "sum") is not None for func in funcs) and sub(measure, "aggref") is not None


def _parts(measure: Node) -> list[Node]:
    """The measures that arithmetic is made of; the measure itself where it is none."""
    ratio = sub(measure, "ratio")
    if ratio is None:
        return [measure]
    return [part for factor in subs(ratio, "mfactor") for part in _parts(factor)]
