"""From the derivation of a whole question to what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .checks import (
    check_direction,
    check_distinct,
    check_listed,
    check_noun,
    checked_limit,
    colref_of,
    group_size,
    in_common,
    is_bare,
)
from .choices import Choices, Trouble
from .columns import FAR, Finder, leaves, sub, subs
from .conditions import Conditions, check_func, func_of
from .engine import Node
from .groups import Groups, child_of, name_of, per_many, table_of
from .joins import Joins
from .logic import all_of
from .names import Lexicon
from .peaks import Peaks
from .query import (
    Agg,
    Compare,
    Cond,
    Const,
    Func,
    Key,
    Operand,
    Order,
    Query,
    Ref,
)

__all__ = ["Questions"]


class Questions:
    """Resolves one derivation, for one run of its choices."""

    def __init__(self, lexicon: Lexicon, joins: Joins, choices: Choices) -> None:
        self._lexicon = lexicon
        self._choices = choices
        self._finder = Finder(lexicon, joins, choices)
        self._conditions = Conditions(self._finder)
        self._groups = Groups(self._finder, self._conditions)
        self._peaks = Peaks(self._finder, self._conditions)

    def resolve(self, question: Node) -> Query:
        """Return what the question means; raises Trouble."""
        node = cast(Node, question.children[0])
        match node.name:
            case "listing":
                return self._listing(node)
            case "counting":
                return self._counting(node)
            case "measuring":
                return self._measuring(node)
            case _:
                return self._topping(node)

    # --- the four kinds -------------------------------------------------------------------------------------

    def _listing(self, node: Node) -> Query:
        table, items, distinct = self._what(node)
        check_listed(node)
        if sub(node, "group"):
            raise self._no_groups(node, table)
        extras = sub(node, "extras")
        if extras is not None:
            columns = self._finder.schema.table(table).columns
            added = [self._extra(agg, table, extras) for agg in subs(extras, "aggref")]
            items = (*(Ref(table, c.name, c.kind) for c in columns), *dict.fromkeys(added))
        query = Query(table, items=items, where=self._where(node, table), distinct=distinct)
        counts = leaves(node, "COUNT")
        if counts:
            query = replace(query, limit=checked_limit(int(counts[0].value), node))
        return self._tail(query, node)

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
        return self._conditions.agg(agg, table)

    def _no_groups(self, node: Node, table: str) -> Trouble:
        """`orders per status`, `products by price`: the count, or the sorted list, is offered."""
        group = cast(Node, sub(node, "group"))
        many = self._lexicon.shown_table[table][1]
        reason = f"a list has no groups: count the {many} per group, or sort them"
        where = self._where(node, table)
        keys = tuple(self._groups.key(key, table) for key in subs(group, "key"))
        counted = Query(table, measures=(Agg("count", ()),), keys=keys, where=where)
        refs = [ref for key in keys for ref in key.refs if key.entity is None]
        queries = [per_many(counted, self._finder.joins, node)]
        if len(refs) == len(keys):
            queries.append(Query(table, where=where, order=tuple(Order(ref) for ref in refs)))
        return Trouble(reason, group, queries=queries, depth=2)

    def _what(self, node: Node) -> tuple[str, tuple[Operand, ...], bool]:
        """Return the table, the columns asked for (none: all), and whether doubles are dropped."""
        noun = sub(node, "noun")
        if noun is not None:
            return table_of(noun), (), False
        named = sub(node, "named")
        return self._selection(cast(Node, sub(named or node, "selection")), named=named is not None)

    def _selection(self, node: Node, *, named: bool = False) -> tuple[str, tuple[Operand, ...], bool]:
        """Return the same for columns; `named` says that a table has to be named with them."""
        items = subs(node, "item")
        noun = sub(node, "noun")
        if named and noun is None and all(is_bare(item) for item in items):
            raise Trouble("say of which table: `COLUMN of TABLE`", items[0], depth=2)
        if named and child_of(items[0]).name == "aggref":
            raise Trouble("begin with `list` for a number of each", items[0], depth=1)
        table = table_of(noun) if noun else self._root(items)
        found = tuple(self._item(item, table) for item in items)
        if len(set(found)) < len(found):
            raise Trouble("the same column is asked for twice", node, depth=3)
        if named and len(found) == 1:
            self._check_sum(items[0], table, found[0])
        return table, found, sub(node, "distinct") is not None

    def _check_sum(self, item: Node, table: str, operand: Operand) -> None:
        """`total of orders` may be each one's total, or their sum."""
        colref = child_of(item)
        said = next((leaf.value for leaf in leaves(sub(colref, "post") or colref, "COLUMN")), ())
        if (
            said in (("total",), ("sum",))
            and isinstance(operand, Ref)
            and operand.kind in ("integer", "number")
        ):
            queries = (Query(table, items=(operand,)), Query(table, measures=(Agg("sum", (), operand),)))
            raise Trouble("say whether to list them or to add them up", item, queries=queries, depth=4)

    def _root(self, items: list[Node]) -> str:
        """Return the table that a list of columns without a noun is about."""
        candidates: list[set[str]] = []
        for item in items:
            colref = colref_of(cast(Node, item.children[0]))
            if colref is not None:
                check_noun(colref, item)
                candidates.append(set(self._finder.roots(colref)))
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

    def _item(self, item: Node, table: str) -> Operand:
        node = cast(Node, item.children[0])
        operand, path = self._conditions.operand(node, table)
        if path:
            one = self._lexicon.shown_table[table][0]
            target = self._lexicon.shown_table[path[-1].target][1]
            reason = f"a {one} may have many {target}: ask for a number, sum or average of them, or for the {target}"
            raise Trouble(reason, item, depth=2)
        return operand

    def _counting(self, node: Node) -> Query:
        if sub(node, "distinct") is None:
            table = table_of(cast(Node, sub(node, "noun")))
            measure = Agg("count", ())
        else:
            items = subs(node, "item")
            if len(items) > 1:
                raise Trouble("count the different values of one column", items[1], depth=2)
            table, (operand,), _ = self._selection(node)
            if not isinstance(operand, Ref):
                raise Trouble("count the different values of a column", items[0], depth=2)
            measure = Agg("count", (), operand)
        query = Query(table, measures=(measure,))
        return self._grouped(query, node)

    def _measuring(self, node: Node) -> Query:
        measures = subs(node, "measure")
        roots: list[set[str]] = []
        for measure in measures:
            colref, rows = sub(measure, "colref"), sub(measure, "countrows")
            noun = sub(rows, "noun") if rows else None
            if colref:
                roots.append(set(self._finder.roots(colref)))
            elif noun:
                roots.append({table_of(noun)})
        across = sub(node, "noun")
        if across is not None:
            table = table_of(across)
            self._check_counted(measures, table)
        elif not roots:
            raise Trouble("say what to count", node, depth=2)
        else:
            common = in_common(roots)
            if not common:
                raise Trouble(
                    "these are columns of different tables: ask one question for each", measures[-1], depth=2
                )
            cost = FAR if len(common) > 1 else 1
            table = self._choices.pick([(cost, name) for name in sorted(common)])
        found: list[Agg] = []
        for measure in measures:
            found.extend(self._measure(measure, table, across=sub(node, "across") is not None))
        return self._grouped(Query(table, measures=tuple(dict.fromkeys(found))), node)

    def _check_counted(self, measures: list[Node], table: str) -> None:
        """Over customers one cannot count orders: `number of orders across customers`."""
        for measure in measures:
            rows = sub(measure, "countrows")
            noun = sub(rows, "noun") if rows else None
            if noun and table_of(noun) != table:
                rows_said, many = (
                    self._lexicon.shown_table[table_of(noun)][1],
                    self._lexicon.shown_table[table][1],
                )
                reason = f"count {rows_said} by themselves, with a condition on {many}"
                raise Trouble(reason, noun, depth=2)

    def _measure(self, node: Node, table: str, *, across: bool) -> list[Agg]:
        colref = sub(node, "colref")
        if colref is None:
            return [Agg("count", ())]
        funcs: list[Func] = [func_of(func) for func in subs(node, "func")]
        ref = self._groups.measured(colref, table, funcs, across=across)
        found: list[Agg] = []
        for func in funcs:
            if func == "count":
                if len(funcs) == 1:
                    said = self._lexicon.shown_column[ref.table, ref.column]
                    raise Trouble(
                        f"count rows, or different values: `count distinct {said} ...`", node, depth=2
                    )
                found.append(Agg("count", ()))
                continue
            check_func(func, ref, node)
            found.append(Agg(func, (), ref))
        return found

    def _peaked(self, node: Node) -> Query:
        """`the 3 products with the highest price`, `latest orders`."""
        noun, counts = cast(Node, sub(node, "single") or sub(node, "noun")), leaves(node, "COUNT")
        table = table_of(noun)
        limit = checked_limit(int(counts[0].value), node) if counts else 1 if sub(node, "single") else None
        if sub(node, "group"):
            raise Trouble("a list has no groups", sub(node, "group"), depth=1)
        items = tuple(dict.fromkeys(self._item(item, table) for item in subs(node, "item")))
        query = self._tail(Query(table, items=items, where=self._where(node, table)), node)
        if query.limit is not None:
            raise Trouble("there are two limits here", node, depth=3)
        recent = sub(node, "recent")
        if recent is not None:
            raise self._peaks.recent(recent, replace(query, limit=limit))
        peak = cast(Node, sub(node, "peak"))
        query = self._peaks.peak(peak, replace(query, limit=limit))
        if limit is None:
            raise self._peaks.unnumbered(peak, query)
        return query

    def _topping(self, node: Node) -> Query:
        if sub(node, "peak") or sub(node, "recent"):
            return self._peaked(node)
        extreme = name_of(cast(Node, sub(node, "extreme")))
        count = int(leaves(node, "COUNT")[0].value)
        selection, sortkey = sub(node, "selection"), sub(node, "sortkey")
        if sub(node, "group"):
            raise self._no_top(node, (extreme in ("top", "last"), count))
        if selection and sortkey and self._by_groups(selection):
            return self._top_groups(node, selection, sortkey, (extreme, count))
        table, items, distinct = self._what(node)
        query = Query(table, items=items, where=self._where(node, table), distinct=distinct)
        query = self._tail(query, node)
        if query.limit is not None:
            raise Trouble("there are two limits here", node, depth=3)
        descending = extreme in ("top", "last")
        if sortkey is not None:
            order = self._order(sortkey, query)
            if sub(sortkey, "asc") or sub(sortkey, "desc"):
                descending = order.descending
            orders = (Order(order.by, descending), *query.order)
        elif query.order:
            flip = extreme in ("last", "bottom")
            orders = tuple(Order(o.by, o.descending != flip) for o in query.order)
        else:
            orders = (Order(self._natural(node, table, extreme), extreme in ("last", "bottom")),)
        check_distinct(query, orders, sortkey or node)
        return replace(query, order=orders, limit=checked_limit(count, node))

    def _no_top(self, node: Node, wanted: tuple[bool, int]) -> Trouble:
        """`top 3 customers by orders`: by their number is offered."""
        noun, group = sub(node, "noun"), cast(Node, sub(node, "group"))
        queries: list[Query] = []
        for key in subs(group, "key"):
            nouns = sub(key, "nouns")
            if noun is not None and nouns is not None:
                path, _ = self._finder.related(nouns, table_of(noun))
                order = Order(Agg("count", path), wanted[0])
                where = self._where(node, table_of(noun))
                queries.append(Query(table_of(noun), where=where, order=(order,), limit=wanted[1]))
        return Trouble("say by what number: `by number of ...`, `by sum of ...`", group, queries=queries)

    def _by_groups(self, selection: Node) -> bool:
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

    def _top_groups(self, node: Node, selection: Node, sortkey: Node, wanted: tuple[str, int]) -> Query:
        """`top 3 countries by number of customers`: the groups of a column, by a measure of their rows."""
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
        conds = [cond for cond in (where, self._where(node, table)) if cond is not None]
        query = Query(table, measures=(measure,), keys=(Key((self._finder.ref(spot),)),))
        query = replace(query, where=all_of(conds) if conds else None)
        descending = extreme in ("top", "last")
        if sub(sortkey, "asc") or sub(sortkey, "desc"):
            descending = sub(sortkey, "desc") is not None
        return replace(query, order=(Order(measure, descending),), limit=checked_limit(count, node))

    # --- clauses --------------------------------------------------------------------------------------------

    def _where(self, node: Node, table: str) -> Cond | None:
        return self._conditions.filters(self._filters(node), table)

    @staticmethod
    def _filters(node: Node) -> list[Node]:
        inner = sub(sub(node, "named") or node, "selection") or node
        return [*subs(inner, "owned"), *(subs(node, "owned") if inner is not node else []),
                *subs(node, "bare"), *subs(node, "filter")]  # fmt: skip

    def _grouped(self, query: Query, node: Node) -> Query:
        groups = subs(node, "group")
        if len(groups) > 1:
            raise Trouble("name all groups after one `per`", groups[1], depth=3)
        if groups:
            keys = tuple(dict.fromkeys(self._groups.key(key, query.table) for key in subs(groups[0], "key")))
            query = replace(query, keys=keys)
        filters, having = self._split(node, query)
        where = self._conditions.filters(filters, query.table)
        having.extend(
            self._groups.having(cast(Node, each.children[0]), query.table) for each in subs(node, "having")
        )
        if having and not query.keys:
            raise Trouble("a condition on groups needs groups: `per COLUMN`", sub(node, "having"), depth=2)
        query = replace(query, where=where, having=all_of(having) if having else None)
        return per_many(self._tail(query, node), self._finder.joins, node)

    def _split(self, node: Node, query: Query) -> tuple[list[Node], list[Cond]]:
        """`count orders per customer with more than 5 orders` is a condition on the groups."""
        filters: list[Node] = []
        having: list[Cond] = []
        for each in self._filters(node):
            size = group_size(each)
            if query.keys and size and self._lexicon.tables.best(size[1]) == [query.table]:
                op, count = self._conditions.quantity(size[0])
                having.append(Compare(Agg("count", ()), op, Const(count)))
            else:
                filters.append(each)
        return filters, having

    def _tail(self, query: Query, node: Node) -> Query:
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
        limit = query.limit
        for each in limits + tops:
            limit = checked_limit(int(leaves(each, "COUNT")[0].value), each)
        if tops and not order:
            if not query.keys:
                raise Trouble("say by what: `sorted by COLUMN` before `top`", tops[0], depth=2)
            order = (Order(query.measures[0], True),)
        check_distinct(query, order, sorts[0] if sorts else node)
        return replace(query, order=order, limit=limit)

    def _sorted(self, node: Node, query: Query) -> tuple[Order, ...]:
        keys = subs(node, "sortkey")
        orders = tuple(self._order(key, query) for key in keys)
        if not sub(node, "up") and not sub(node, "down"):
            return orders
        if sub(keys[0], "asc") or sub(keys[0], "desc"):
            raise Trouble("the direction is said twice", node, depth=3)
        return tuple(Order(order.by, sub(node, "down") is not None) for order in orders)

    def _order(self, node: Node, query: Query) -> Order:
        descending = sub(node, "desc") is not None
        order = Order(self._sort_key(node, query), descending)
        check_direction(order, sub(node, "asc") or sub(node, "desc"))
        return order

    def _sort_key(self, node: Node, query: Query) -> Operand:
        child = cast(Node, node.children[0])
        if query.measures:
            return self._groups.order(child, query)
        if child.name == "ranking":
            raise Trouble("say of what: `number of orders`, `sum of order total`", child, depth=2)
        if child.name == "unit":
            return self._groups.unit(child, query.table)
        operand, many = self._conditions.operand(child, query.table)
        if many:
            one = self._lexicon.shown_table[query.table][0]
            raise Trouble(
                f"a {one} may have many of these: sort by their number, sum, minimum...", child, depth=2
            )
        return operand
