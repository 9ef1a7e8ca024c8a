"""From the words after `where`, `with` and `without` to conditions, relative to the rows of one table."""

from __future__ import annotations

from typing import cast

from jigwork.grammars.schema import Kind

from .choices import Trouble
from .columns import FAR, Finder, Spot, leaves, sub, subs
from .engine import Leaf, Node
from .joins import is_single
from .logic import all_of, any_of, exists, negate, period, same_row
from .query import (
    Agg,
    Between,
    Compare,
    Cond,
    Const,
    Empty,
    Func,
    Match,
    Not,
    OneOf,
    Op,
    Operand,
    Part,
    Path,
    Period,
    Ref,
    Related,
    Scalar,
    Unit,
)
from .values import Span, Values, kind_of

__all__ = ["Conditions", "check_func", "func_of", "is_value", "part_unit"]

_OPS: dict[str, Op] = {
    "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "=",
    "after": ">", "before": "<", "since": ">=", "until": "<=", "ormore": ">=", "orless": "<=",
}  # fmt: skip
_DATES: frozenset[Kind] = frozenset({"date", "datetime"})
_VALUES = frozenset({"TEXT", "NUMBER", "STORED", "date", "true", "false"})
_ORDERED: frozenset[Kind] = frozenset({"integer", "number", "date", "datetime", "time", "text", "other"})
_HOWS = {"contains": "contains", "starts": "starts", "ends": "ends"}


def is_value(node: Node | Leaf) -> bool:
    """Tell whether the node is a value written in the question."""
    return node.name in _VALUES


class Conditions:
    """Resolves the conditions of one run."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self.values = Values(finder.lexicon, finder.choices)

    # --- and, or, not ---------------------------------------------------------------------------------------

    def filters(self, nodes: list[Node], table: str) -> Cond | None:
        """Join several filters with `and`."""
        conds = [self.filter(node, table) for node in nodes]
        return all_of(conds) if conds else None

    def filter(self, node: Node, table: str) -> Cond:
        """Resolve `where ...`, `with ...` or `of ...`."""
        return self.cond(node if node.name == "owned" else _only(node), table)

    def cond(self, node: Node, table: str) -> Cond:
        """Resolve any node of a condition."""
        match node.name:
            case "cond" | "wcond":
                return any_of([self.cond(child, table) for child in _nodes(node)])
            case "conj" | "wconj" | "bconj":
                return self._conj(_nodes(node), table)
            case "neg":
                children = _nodes(node)
                inner = self.cond(children[-1], table)
                return Not(inner) if children[0].name == "not" else inner
            case "comparison":
                return self._comparison(node, table)
            case "with":
                return self._with(node, table)
            case "without":
                return self._without(node, table)
            case "owned":
                return self._owned(node, table)
            case _:
                return self._located(node, table)

    def _conj(self, nodes: list[Node], table: str) -> Cond:
        conds = [self.cond(node, table) for node in nodes]
        implied = [i for i, node in enumerate(nodes) if _is_comparison(node) and exists(conds[i])]
        for position, i in enumerate(implied):
            for j in implied[position + 1 :]:
                one = same_row(cast(Related, conds[i]), cast(Related, conds[j]))
                if one is not None:
                    merged = [cond for k, cond in enumerate(conds) if k not in (i, j)]
                    merged.insert(i, one)
                    return self.finder.choices.pick([(0, all_of(merged)), (0, all_of(conds))])
        return all_of(conds)

    # --- with and without -----------------------------------------------------------------------------------

    def _with(self, node: Node, table: str) -> Cond:
        inner = sub(node, "related")
        if inner is not None:
            return self.related(inner, table, *self.quantity(sub(node, "quantity")))
        comparison = sub(node, "comparison") or sub(node, "measured")
        if comparison is not None:
            return self._comparison(comparison, table)
        pair = sub(node, "pair")
        if pair is not None:
            return self._pair(pair, table)
        return self._presence(_only(node), table, negated=True)

    def _pair(self, node: Node, table: str) -> Cond:
        """`with status open`: the column is the value, or one of the values."""
        colref, *values = node.children
        operand, path = self.operand(cast(Node, colref), table)
        if len(values) > 1:
            cond = self._one_of(operand, values)
        else:
            cond = self._compare(operand, "=", values[0], table, many=bool(path))
        return Related(path, ">=", 1, cond) if path else cond

    def _without(self, node: Node, table: str) -> Cond:
        inner = sub(node, "related")
        if inner is not None:
            return self.related(inner, table, "=", 0)
        return self._presence(_only(node), table, negated=False)

    def _presence(self, node: Node, table: str, *, negated: bool) -> Cond:
        """`with email` is that there is one; of what is true or false, that may also be that it is true."""
        spot = self.finder.spot(sub(node, "colref") or node, table)
        if negated and spot.path:
            reason = "say `and ...` to list it, or `where ... is not empty` for those that have one"
            raise Trouble(reason, node, depth=3)
        if node.name == "part":
            self._date_ref(node, spot)
        if spot.single:
            ref = self.finder.ref(spot)
            options: list[tuple[int, Cond]] = [(0, Empty(ref, negated))]
            if ref.kind == "boolean":
                options.append((0, Compare(ref, "=", Const(negated))))
            return self.finder.choices.pick(options)
        filled = Related(spot.path, ">=", 1, Empty(self.finder.own_ref(spot), True))
        return filled if negated else Not(filled)

    def quantity(self, node: Node | None) -> tuple[Op, int]:
        """Return `at least 3` and `3 or more` as (`>=`, 3); nothing said is at least one.

        `3` alone is exactly or at least 3, which is asked back."""
        if node is None or sub(node, "some"):
            return ">=", 1
        count = int(leaves(node, "COUNT")[0].value)
        if not _nodes(node):
            ops: list[tuple[int, Op]] = [(0, "="), (0, ">=")]
            return self.finder.choices.pick(ops), count
        return _OPS[_nodes(node)[0].name], count

    def related(self, node: Node, table: str, op: Op, count: int) -> Cond:
        """Resolve related rows and how many of them there shall be."""
        path, where = self.relation(node, table)
        return Related(path, op, count, where)

    def relation(self, node: Node, table: str) -> tuple[Path, Cond | None]:
        """Resolve `nouns [filters]`: the way there, and the condition on the rows there."""
        nouns = sub(node, "nouns")
        assert nouns is not None
        path, target = self.finder.related(nouns, table)
        if not path:
            many = self.finder.lexicon.shown_table[table][1]
            steps = [s for s in self.finder.joins.steps(table) if s.target == table and not s.forward]
            via = [f"{many} via {' '.join(self._via(step.target_columns))}" for step in steps]
            raise Trouble(
                f"{many} cannot be related to themselves without saying how", nouns, suggestions=via, depth=3
            )
        return path, self.filters([*subs(node, "bare"), *subs(node, "filter")], target)

    def _via(self, columns: tuple[str, ...]) -> list[str]:
        return [f"`{' '.join(columns)}`"]

    def _owned(self, node: Node, table: str) -> Cond:
        """`orders of customers where ...`: those that belong to such customers."""
        pair, owner = sub(node, "pair"), sub(node, "owner")
        if pair is not None:
            return self._pair(pair, table)
        assert owner is not None
        path, target = self.finder.related(cast(Node, sub(owner, "lone")), table)
        if not path:
            many = self.finder.lexicon.shown_table[table][1]
            raise Trouble(f"say by which key {many} belong to {many}", node, depth=2)
        which = [*subs(owner, "owned"), *subs(owner, "bare"), *subs(owner, "filter")]
        return Related(path, ">=", 1, self.filters(which, target))

    def _standing(self, node: Node, table: str) -> Cond:
        """`manager is empty`: there is no such row."""
        nouns, verb = _nodes(node)
        path, target = self.finder.related(nouns, table)
        hop = leaves(nouns, "NOUN")[0].value
        if self.finder.lexicon.own_columns(table, hop):
            raise Trouble("this is a column", nouns, depth=0)
        if not path or not is_single(path):
            many = self.finder.lexicon.shown_table[target][1]
            raise Trouble(f"there may be many {many}: say `without {many}` or `with {many}`", node, depth=2)
        return Related(path, *((">=", 1) if verb.name == "filled" else ("=", 0)))

    def _located(self, node: Node, table: str) -> Cond:
        """`in 2024` is about the one date that the rows have; `in Brazil` is only offered with the column named."""
        *verb, value = node.children
        finder = self.finder
        if len(verb) > 1:
            return self._within(node, table)
        op = _OPS[verb[0].name] if verb else "="
        if value.name == "STORED" and isinstance(value, Leaf) and op == "=":
            options: list[tuple[int, Cond]] = []
            for stored in finder.lexicon.stored(value.value):
                paths: list[Path] = [()] if stored.table == table else finder.joins.paths(table, stored.table)
                for path in paths:
                    if is_single(path) and (stored.table != table or not path):
                        ref = finder.ref(Spot(path, stored.table, stored.column))
                        options.append((FAR, Compare(ref, "=", Const(stored.value))))
            if options:
                return finder.choices.pick(options)
        elif value.name in ("NUMBER", "date"):
            dates = self._dates(table)
            if dates:
                span = self.values.span(value)
                return finder.choices.pick([(1, period(ref, op, span)) for ref in dates])
        raise Trouble("say which column: `where COLUMN is VALUE`", node, depth=2)

    def _within(self, node: Node, table: str) -> Cond:
        """`between May 2024 and June 2024` is about the one date that the rows have."""
        _, low, high = node.children
        dates = self._dates(table) if low.name in ("NUMBER", "date") else []
        if not dates:
            raise Trouble("say which column: `where COLUMN is between ... and ...`", node, depth=2)
        return self.finder.choices.pick([(1, self._between(ref, [low, high])) for ref in dates])

    def _dates(self, table: str) -> list[Ref]:
        columns = self.finder.schema.table(table).columns
        return [Ref(table, c.name, c.kind) for c in columns if c.kind in _DATES]

    # --- comparisons ----------------------------------------------------------------------------------------

    def operand(self, node: Node, table: str) -> tuple[Operand, Path]:
        """Return what stands on the left, and the way to it where a row may have many (else an empty path)."""
        if node.name == "aggref":
            return self.agg(node, table), ()
        if node.name == "part":
            spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
            unit = part_unit(node)
            ref = self._date_ref(node, spot)
            return Part(ref, unit), () if spot.single else spot.path
        spot = self.finder.spot(node, table)
        if spot.single:
            return self.finder.ref(spot), ()
        return self.finder.own_ref(spot), spot.path

    def _date_ref(self, node: Node, spot: Spot) -> Ref:
        ref = self.finder.ref(spot) if spot.single else self.finder.own_ref(spot)
        if ref.kind not in _DATES:
            raise Trouble(
                f"{self.finder.lexicon.shown_column[spot.table, spot.column]} is no date", node, depth=3
            )
        return ref

    def agg(self, node: Node, table: str) -> Agg:
        """Resolve an aggregate over related rows."""
        if sub(node, "number"):
            if sub(node, "distinct"):
                spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
                return Agg("count", self._many(spot, node), self.finder.own_ref(spot))
            path, where = self.relation(cast(Node, sub(node, "related")), table)
            return Agg("count", path, None, where)
        func = func_of(cast(Node, sub(node, "func")))
        spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
        path = self._many(spot, node)
        if func == "count":
            raise Trouble(
                "count rows (`number of orders`) or different values (`number of distinct cities`)", node
            )
        ref = self.finder.own_ref(spot)
        check_func(func, ref, node)
        last = path[-1]
        if func in ("sum", "avg") and last.forward:
            one, many = self.finder.lexicon.shown_table[last.target]
            over = self.finder.lexicon.shown_table[last.source][1]
            reason = f"several {over} share one {one}, so its values would count several times or once: ask it of {many}"
            raise Trouble(reason, node, depth=3)
        return Agg(func, path, ref, self.filters(subs(node, "filter"), spot.table))

    def _many(self, spot: Spot, node: Node) -> Path:
        if spot.single:
            shown = self.finder.lexicon.shown_column[spot.table, spot.column]
            raise Trouble(
                f"each row has only one {shown} here, so there is nothing to aggregate", node, depth=2
            )
        return spot.path

    def _comparison(self, node: Node, table: str) -> Cond:
        standing = sub(node, "standing")
        if standing is not None:
            return self._standing(standing, table)
        operand, path = self.operand(cast(Node, node.children[0]), table)
        negated, cond = self._predicate(operand, list(node.children[1:]), table, many=bool(path))
        if not path:
            return negate(cond) if negated else cond
        some = Related(path, ">=", 1, cond)
        if not negated:
            return some
        other = Related(path, ">=", 1, negate(cond))
        return self.finder.choices.pick([(0, other), (0, Related(path, "=", 0, cond))])

    def _predicate(
        self, left: Operand, rest: list[Node | Leaf], table: str, *, many: bool
    ) -> tuple[bool, Cond]:
        """Return (negated, the positive condition)."""
        verb, values = rest[0], rest[1:]
        name = verb.name
        if name in ("empty", "filled"):
            return name == "filled", Empty(left)
        if name == "matches":
            return self._match(left, cast(Node, verb), values[0])
        if name in ("between", "notbetween", "fromto"):
            return name == "notbetween", self._between(left, values)
        if name in ("isin", "isnotin", "isneither"):
            return name != "isin", self._one_of(left, values)
        if name == "isq" and values[-1].name in ("ormore", "orless"):
            return False, self._compare(left, _OPS[values[1].name], values[0], table, many=many)
        if name == "isq" and len(values) > 1:
            return False, self._one_of(left, values)
        if name in ("isq", "isnt"):
            return name == "isnt", self._compare(left, "=", values[0], table, many=many)
        if len(values) == 3:
            parts = [self._predicate(left, pair, table, many=many)[1] for pair in (rest[:2], rest[2:])]
            return False, all_of(parts)
        how = _nodes(cast(Node, verb))[0].name
        if how in ("after", "before", "since", "until") and not _is_date(left):
            raise Trouble(f"`{how}` is for dates", verb, depth=3)
        return False, self._compare(left, _OPS[how], values[0], table, many=many)

    def _compare(self, left: Operand, op: Op, right: Node | Leaf, table: str, *, many: bool) -> Cond:
        if is_value(right):
            if _is_date(left):
                return period(_ref_of(left), op, self._span(left, right))
            kind = kind_of(left)
            if op != "=" and kind not in _ORDERED:
                raise Trouble(f"values of kind {kind} have no order", right, depth=3)
            return Compare(left, op, Const(self.values.read(right, left, ordered=op != "=")))
        if isinstance(left, Part) or many:
            raise Trouble("compare this with a value", right, depth=2)
        if right.name == "usual":
            if not isinstance(left, Ref) or left.path:
                raise Trouble("say of what: `average COLUMN`", right, depth=3)
            check_func("avg", left, cast(Node, right))
            return Compare(left, op, Scalar("avg", left))
        other = self._other_side(cast(Node, right), table)
        kind = other.ref.kind if isinstance(other, Scalar) else other.kind
        if _family(kind) != _family(kind_of(left)):
            raise Trouble("the two sides are of different kinds and cannot be compared", right, depth=3)
        return Compare(left, op, other)

    def _other_side(self, node: Node, table: str) -> Ref | Scalar:
        if node.name == "scalar":
            func = func_of(cast(Node, sub(node, "func")))
            spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
            if spot.path or func == "count":
                raise Trouble(
                    "only the average, sum, minimum or maximum of a column of the same table", node, depth=2
                )
            ref = self.finder.ref(spot)
            check_func(func, ref, node)
            return Scalar(func, ref)
        spot = self.finder.spot(node, table)
        if not spot.single:
            raise Trouble("a row may have many of these: compare with a single value", node, depth=2)
        return self.finder.ref(spot)

    def _match(self, left: Operand, verb: Node, value: Node | Leaf) -> tuple[bool, Cond]:
        how = _nodes(verb)[0].name
        negated = how.startswith("not")
        if not isinstance(left, Ref) or left.kind != "text":
            raise Trouble("only a text can contain, start or end with something", verb, depth=3)
        if isinstance(value, Leaf) and value.name in ("TEXT", "NUMBER"):
            text = str(value.value)
        else:
            text = str(self.values.read(value, left))
        if not text:
            raise Trouble("the text is empty", value, depth=3)
        return negated, Match(left, _HOWS[how.removeprefix("not")], text)  # type: ignore[arg-type]  # pyright: ignore

    def _between(self, left: Operand, values: list[Node | Leaf]) -> Cond:
        low, high = values
        if _is_date(left):
            start, end = self._span(left, low)[0], self._span(left, high)[1]
            if start >= end:
                raise Trouble("the second date is before the first", high, depth=4)
            return Period(_ref_of(left), start, end)
        if kind_of(left) not in _ORDERED:
            raise Trouble("these values have no order", low, depth=3)
        return Between(
            left, self.values.read(low, left, ordered=True), self.values.read(high, left, ordered=True)
        )

    def _one_of(self, left: Operand, values: list[Node | Leaf]) -> Cond:
        if _is_date(left):
            return any_of([period(_ref_of(left), "=", self._span(left, value)) for value in values])
        found = tuple(dict.fromkeys(self.values.read(value, left) for value in values))
        return Compare(left, "=", Const(found[0])) if len(found) == 1 else OneOf(left, found)

    def _span(self, left: Operand, value: Node | Leaf) -> Span:
        span = self.values.span(value)
        if isinstance(left, Part):
            days = {"year": 365, "month": 28, "day": 1}[left.unit]
            length = _days(span)
            if (
                (left.unit == "year") != (length >= 365)
                or (left.unit == "day") != (length == 1)
                or days > length
            ):
                example = {"year": "2024", "month": "2024-05", "day": "2024-05-17"}[left.unit]
                raise Trouble(f"a {left.unit} is written {example} here", value, depth=4)
        return span


# --- helpers ------------------------------------------------------------------------------------------------


def func_of(node: Node) -> Func:
    """Return the function that a `func` node names."""
    return cast(Func, _nodes(node)[0].name)


def part_unit(node: Node) -> Unit:
    """Return the unit of a `part` node."""
    unit = sub(node, "unit")
    assert unit is not None
    return cast(Unit, _nodes(unit)[0].name)


def check_func(func: Func, ref: Ref, node: Node) -> None:
    """Only numbers have a sum and an average; only what has an order has a smallest."""
    if func in ("sum", "avg") and ref.kind not in ("integer", "number"):
        raise Trouble(f"{'a sum' if func == 'sum' else 'an average'} needs numbers", node, depth=3)
    if func in ("min", "max") and ref.kind not in _ORDERED:
        raise Trouble("these values have no order", node, depth=3)


def _nodes(node: Node) -> list[Node]:
    return [child for child in node.children if isinstance(child, Node)]


def _only(node: Node) -> Node:
    return _nodes(node)[0]


def _is_comparison(node: Node) -> bool:
    while node.name in ("neg", "conj", "cond") and len(node.children) == 1:
        node = _only(node)
    return node.name == "comparison"


def _is_date(operand: Operand) -> bool:
    return isinstance(operand, Part) or (isinstance(operand, Ref) and operand.kind in _DATES)


def _ref_of(operand: Operand) -> Ref:
    ref = operand.ref if isinstance(operand, (Part, Agg)) else operand
    assert ref is not None
    return ref


def _days(span: Span) -> int:
    from datetime import date

    return (date.fromisoformat(span[1]) - date.fromisoformat(span[0])).days


def _family(kind: Kind) -> str:
    if kind in ("integer", "number"):
        return "number"
    return "date" if kind in _DATES else kind
