"""From the words of lists (all rows, the highest, so many of each group, two lists together) to what they mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from .checks import check_distinct, check_listed, check_noun, checked_limit, colref_of, in_common, is_bare
from .choices import Choices, Trouble
from .clauses import Clauses
from .columns import FAR, Finder, colrefs, leaves, sub, subs
from .conditions import Conditions
from .engine import Node
from .groups import Groups, child_of, name_of, per_many, table_of
from .joins import is_single
from .operands import nodes_of
from .peaks import Peaks
from .query import Agg, Also, Operand, Order, Query, Ref
from .values import kind_of

__all__ = ["Lists"]

_PLACES = {"second": 1, "third": 2, "fourth": 3, "fifth": 4}


class Lists:
    """Resolves the lists of one run."""

    def __init__(self, finder: Finder, conditions: Conditions, groups: Groups, clauses: Clauses) -> None:
        self._finder = finder
        self._lexicon = finder.lexicon
        self._choices: Choices = finder.choices
        self._conditions = conditions
        self._groups = groups
        self._clauses = clauses
        self._peaks = Peaks(finder, conditions)

    def listing(self, node: Node) -> Query:
        """Resolve `list customers`, `names of customers sorted by name`."""
        table, items, distinct = self._what(node)
        check_listed(node)
        if sub(node, "group") and not sub(node, "limit"):
            raise self._no_groups(node, table)
        extras = sub(node, "extras")
        if extras is not None:
            columns = self._finder.schema.table(table).columns
            added = [self._extra(agg, table, extras) for agg in subs(extras, "aggref")]
            items = (*(Ref(table, c.name, c.kind) for c in columns), *dict.fromkeys(added))
        query = Query(table, items=items, where=self._clauses.where(node, table), distinct=distinct)
        counts = leaves(node, "COUNT")
        if counts:
            query = replace(query, limit=checked_limit(int(counts[0].value), node))
        return self._each(self._clauses.tail(query, node), node)

    def _each(self, query: Query, node: Node) -> Query:
        """So many rows of each group."""
        keys = self._clauses.keys(node, query.table)
        if not keys:
            return query
        if query.distinct or query.skip:
            raise Trouble(
                "different values have no groups, nor has the second of all", sub(node, "group"), depth=3
            )
        if not query.order:
            raise Trouble("say by what they are chosen: `sorted by COLUMN`", sub(node, "group"), depth=3)
        if any(key.entity and not is_single(key.entity) for key in keys):
            one = self._lexicon.shown_table[query.table][0]
            raise Trouble(f"a {one} may be in several of these groups", sub(node, "group"), depth=3)
        return replace(query, each=keys)

    def _extra(self, agg: Node, table: str, extras: Node) -> Operand:
        """A number that each row is listed with; `with the highest total` is no such number."""
        func = sub(agg, "func")
        best = func and (sub(child_of(func), "superlative") or sub(child_of(func), "diminutive"))
        if best and sub(extras, "unsaid"):
            many = self._lexicon.shown_table[table][1]
            reason = (
                f"say `top 5 {many} by ...` for the highest, or `{many} with their ...` for all with a number"
            )
            raise Trouble(reason, agg, depth=2)
        return self._conditions.operands.agg(agg, table)

    def _no_groups(self, node: Node, table: str) -> Trouble:
        """`orders per status`, `products by price`: the count, or the sorted list, is offered."""
        group = cast(Node, sub(node, "group"))
        many = self._lexicon.shown_table[table][1]
        reason = f"a list has no groups: count the {many} per group, or sort them"
        where = self._clauses.where(node, table)
        keys = tuple(self._groups.key(key, table) for key in subs(group, "key"))
        counted = Query(table, measures=(Agg("count", ()),), keys=keys, where=where)
        refs = [ref for key in keys for ref in key.refs if key.entity is None]
        queries = [per_many(counted, self._finder.joins, node)]
        if len(refs) == len(keys):
            queries.append(Query(table, where=where, order=tuple(Order(ref) for ref in refs)))
        return Trouble(reason, group, queries=queries, depth=2)

    # --- what is listed -------------------------------------------------------------------------------------

    def _what(self, node: Node) -> tuple[str, tuple[Operand, ...], bool]:
        """Return the table, the columns asked for (none: all), and whether doubles are dropped."""
        noun = sub(node, "noun") or sub(node, "single")
        if noun is not None:
            return table_of(noun), (), False
        named = sub(node, "named")
        selection = cast(Node, sub(named or node, "selection"))
        table, items, distinct = self.selection(selection, named=named is not None)
        if named is not None and len(items) == 1:
            self._check_sum(node, table, items[0])
        return table, items, distinct

    def selection(self, node: Node, *, named: bool = False) -> tuple[str, tuple[Operand, ...], bool]:
        """Return the same for columns; `named` says that a table has to be named with them."""
        items = subs(node, "item")
        noun = sub(node, "noun")
        if named and noun is None and all(is_bare(item) for item in items):
            raise Trouble("say of which table: `COLUMN of TABLE`", items[0], depth=2)
        if named and child_of(items[0]).name == "aggref":
            raise Trouble("begin with `list` for a number of each", items[0], depth=1)
        table = table_of(noun) if noun else self._root(items)
        found = tuple(self._clauses.item(item, table) for item in items)
        if len(set(found)) < len(found):
            raise Trouble("the same column is asked for twice", node, depth=3)
        return table, found, sub(node, "distinct") is not None

    def _check_sum(self, node: Node, table: str, operand: Operand) -> None:
        """`total of orders` may be each one's total, or their sum; per group it is the sum, which is offered."""
        item = subs(cast(Node, sub(cast(Node, sub(node, "named")), "selection")), "item")[0]
        colref = child_of(item)
        said = next((leaf.value for leaf in leaves(sub(colref, "post") or colref, "COLUMN")), ())
        if (
            said in (("total",), ("sum",))
            and isinstance(operand, Ref)
            and operand.kind in ("integer", "number")
        ):
            added = Query(table, measures=(Agg("sum", (), operand),), where=self._clauses.where(node, table))
            queries = [Query(table, items=(operand,), where=added.where), added]
            if sub(node, "group"):
                queries = [replace(added, keys=self._clauses.keys(node, table))]
            raise Trouble("say whether to list them or to add them up", item, queries=queries, depth=4)

    def _root(self, items: list[Node]) -> str:
        """Return the table that a list of columns without a noun is about."""
        candidates: list[set[str]] = []
        for item in items:
            child = cast(Node, item.children[0])
            if child.name == "aggref":
                continue
            for colref in colrefs(child):
                check_noun(colref, item)
            if colrefs(child):
                candidates.append(set(self._finder.roots(colref_of(child) or child)))
        if not candidates:
            raise Trouble("say of which table: `list ... for TABLE`", items[0], depth=2)
        common = in_common(candidates)
        if not common:
            names = sorted({self._lexicon.shown_table[t][1] for found in candidates for t in found})
            reason = f"these are columns of different tables: say of which, `... for {'`, `... for '.join(names[:3])}`"
            raise Trouble(reason, items[-1], depth=2)
        implied = all(is_bare(item) for item in items)
        return self._choices.pick(
            [(FAR if len(common) > 1 else int(implied), name) for name in sorted(common)]
        )

    # --- the first of an order ------------------------------------------------------------------------------

    def peaked(self, node: Node) -> Query:
        """Resolve `the 3 products with the highest price`, `the latest order of each customer`."""
        noun, counts = cast(Node, sub(node, "single") or sub(node, "noun")), leaves(node, "COUNT")
        table = table_of(noun)
        one = sub(node, "single") is not None
        limit = checked_limit(int(counts[0].value), node) if counts else 1 if one else None
        items = tuple(dict.fromkeys(self._clauses.item(item, table) for item in subs(node, "item")))
        where = self._clauses.where(node, table)
        query = self._clauses.tail(Query(table, items=items, where=where), node)
        if query.limit is not None:
            raise Trouble("there are two limits here", node, depth=3)
        nth = sub(sub(node, "peak") or node, "nth")
        if nth is not None:
            if counts or sub(node, "group"):
                raise Trouble("the second, third... is one row of all", nth, depth=3)
            limit, query = 1, replace(query, skip=_PLACES[name_of(nth)])
        best, peak = sub(node, "recent") or sub(node, "judged") or sub(node, "ordinal"), sub(node, "peak")
        query = replace(query, limit=limit)
        if best is not None:
            query = self._peaks.best(best, query)
        elif peak is not None:
            query = self._peaks.peak(peak, query)
            if limit is None:
                raise self._peaks.unnumbered(peak, query)
        return self._each(query, node)

    def ranked(self, node: Node) -> Query:
        """Resolve `second highest price of products`: of the different values, the one in that place."""
        table, items, _ = self.selection(node)
        if kind_of(items[0]) not in ("integer", "number", "date", "datetime") or sub(node, "group"):
            raise Trouble("only numbers and dates have a highest and a lowest", node, depth=3)
        query = Query(table, items=items, where=self._clauses.where(node, table), distinct=True)
        query = self._clauses.tail(query, node)
        if query.order or query.limit is not None:
            raise Trouble("there are two orders here", node, depth=3)
        order = Order(items[0], sub(node, "high") is not None)
        return replace(query, order=(order,), limit=1, skip=_PLACES[name_of(cast(Node, sub(node, "nth")))])

    def topping(self, node: Node, extreme: str) -> Query:
        """Resolve `top 5 customers by sum of order total`, `last 3 orders`, `top 3 tracks per genre by length`."""
        count = int(leaves(node, "COUNT")[0].value)
        sortkey = sub(node, "sortkey")
        if sub(node, "group") and sortkey is None and not sub(node, "sort"):
            raise self._no_top(node, (extreme in ("top", "last"), count))
        table, items, distinct = self._what(node)
        query = Query(table, items=items, where=self._clauses.where(node, table), distinct=distinct)
        query = self._clauses.tail(query, node)
        if query.limit is not None:
            raise Trouble("there are two limits here", node, depth=3)
        descending = extreme in ("top", "last")
        if sortkey is not None:
            order = self._clauses.order(sortkey, query)
            if sub(sortkey, "asc") or sub(sortkey, "desc"):
                descending = order.descending
            orders = (Order(order.by, descending), *query.order)
        elif query.order:
            flip = extreme in ("last", "bottom")
            orders = tuple(Order(o.by, o.descending != flip) for o in query.order)
        else:
            orders = (Order(self._natural(node, table, extreme), extreme in ("last", "bottom")),)
        check_distinct(query, orders, sortkey or node)
        return self._each(replace(query, order=orders, limit=checked_limit(count, node)), node)

    def _no_top(self, node: Node, wanted: tuple[bool, int]) -> Trouble:
        """`top 3 customers by orders`: by their number is offered."""
        noun, group = sub(node, "noun"), cast(Node, sub(node, "group"))
        queries: list[Query] = []
        for key in subs(group, "key"):
            nouns = sub(key, "nouns")
            if noun is not None and nouns is not None:
                path, _ = self._finder.related(nouns, table_of(noun))
                order = Order(Agg("count", path), wanted[0])
                where = self._clauses.where(node, table_of(noun))
                queries.append(Query(table_of(noun), where=where, order=(order,), limit=wanted[1]))
        return Trouble("say by what number: `by number of ...`, `by sum of ...`", group, queries=queries)

    def by_groups(self, selection: Node) -> bool:
        """`top 3 countries by sum of order total` is about groups, `top 3 name for customers by ...` about rows."""
        items = subs(selection, "item")
        if sub(selection, "noun") or len(items) > 1:
            return False
        return self._choices.pick([(int(is_bare(items[0])), False), (0, True)])

    def _natural(self, node: Node, table: str, extreme: str) -> Operand:
        """What `first` and `last` go by when nothing is said: the key, or a date; more than one is asked back."""
        made = self._finder.schema.table(table)
        if extreme in ("top", "bottom"):
            raise Trouble("say by what: `top 5 ... by COLUMN`", sub(node, "extreme"), depth=2)
        names = [c.name for c in made.columns if c.kind in ("date", "datetime")]
        if len(made.primary_key) == 1:
            names.insert(0, made.primary_key[0])
        if not names:
            raise Trouble("say by what: `first 5 ... by COLUMN`", sub(node, "extreme"), depth=2)
        return self._choices.pick(
            [(0, Ref(table, name, made.column(name).kind)) for name in dict.fromkeys(names)]
        )

    # --- two lists ------------------------------------------------------------------------------------------

    def combining(self, node: Node) -> Query:
        """Resolve `cities of customers or suppliers`, `either (...) or (...)`, `(...) but not (...)`."""
        how: Literal["or", "and", "not"] = (
            "or" if sub(node, "either") else "not" if sub(node, "unless") else "and"
        )
        sides = subs(node, "side")
        if sides:
            first, second = (self._side(nodes_of(side)[0]) for side in sides)
        else:
            nouns, items = [table_of(noun) for noun in subs(node, "noun")], subs(node, "item")
            first, second = (
                Query(table, items=(self._clauses.item(each, table),))
                for table, each in zip(nouns, (items[0], items[-1]), strict=True)
            )
        self._check_sides(first, second, node)
        plain = replace(second, distinct=False)
        return replace(first, distinct=False, also=Also(how, plain))

    def _side(self, node: Node) -> Query:
        query = self.listing(node)
        if query.order or query.limit or query.each or not query.items:
            raise Trouble(
                "lists that are put together have columns, and no order or limit of their own", node, depth=3
            )
        return query

    def _check_sides(self, first: Query, second: Query, node: Node) -> None:
        kinds = [[_family(item) for item in query.items] for query in (first, second)]
        if len(kinds[0]) != len(kinds[1]):
            raise Trouble("the two lists have different numbers of columns", node, depth=3)
        if kinds[0] != kinds[1]:
            raise Trouble("the two lists have columns of different kinds", node, depth=3)


def _family(item: Operand) -> str:
    kind = kind_of(item)
    return "number" if kind in ("integer", "number") else kind
