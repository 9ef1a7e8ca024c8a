"""From the words of a column, a part of a date, arithmetic or an aggregate over related rows to an operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from jigwork.grammars.schema import Kind

from .choices import Trouble
from .columns import Finder, Spot, sub, subs
from .engine import Leaf, Node
from .query import Agg, Arith, Calc, Cond, Const, Func, Operand, Part, Path, Ref, Unit
from .values import DATES, decimal, kind_of

__all__ = ["Operands", "check_func", "func_of", "nodes_of", "part_unit", "refs_in"]

_ORDERED: frozenset[Kind] = frozenset({"integer", "number", "date", "datetime", "time", "text", "other"})
_NUMBERS = ("integer", "number")
_ARITH: dict[str, Arith] = {"plus": "+", "minus": "-", "times": "*", "over": "/"}


def nodes_of(node: Node) -> list[Node]:
    """Return the children that are rules."""
    return [child for child in node.children if isinstance(child, Node)]


def func_of(node: Node) -> Func:
    """Return the function that a `func` node names."""
    return cast(Func, nodes_of(node)[0].name)


def part_unit(node: Node) -> Unit:
    """Return the unit of a `part` node."""
    unit = sub(node, "unit")
    assert unit is not None
    return cast(Unit, nodes_of(unit)[0].name)


def check_func(func: Func, operand: Operand, node: Node) -> None:
    """Only numbers have a sum and an average; only what has an order has a smallest."""
    kind = kind_of(operand)
    if func in ("sum", "avg") and kind not in _NUMBERS:
        raise Trouble(f"{'a sum' if func == 'sum' else 'an average'} needs numbers", node, depth=3)
    if func in ("min", "max") and kind not in _ORDERED:
        raise Trouble("these values have no order", node, depth=3)


def refs_in(operand: Operand | Const) -> list[Ref]:
    """Return the columns of arithmetic, of itself or of a part."""
    match operand:
        case Ref():
            return [operand]
        case Part(ref):
            return [ref]
        case Calc(_, left, right):
            return [*refs_in(left), *refs_in(right)]
        case _:
            return []


class Operands:
    """Resolves the operands of one run. `relation` and `filters` resolve related rows and their conditions."""

    def __init__(
        self,
        finder: Finder,
        relation: Callable[[Node, str], tuple[Path, Cond | None]],
        filters: Callable[[list[Node], str], Cond | None],
    ) -> None:
        self.finder = finder
        self._relation = relation
        self.filters = filters

    def operand(self, node: Node, table: str) -> tuple[Operand, Path]:
        """Return the operand, and the way to it where a row may have many (else an empty path)."""
        match node.name:
            case "aggref":
                return self.agg(node, table), ()
            case "part":
                spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
                part = Part(self.date_ref(node, spot), part_unit(node))
                if part.unit == "hour" and part.ref.kind != "datetime":
                    raise Trouble("this date has no time of day", node, depth=3)
                return part, () if spot.single else spot.path
            case "calc" | "days":
                calc, path = self.calc(node, table)
                if path:
                    raise Trouble("a row may have many of these: say `sum of`, `average of`", node, depth=2)
                return calc, ()
            case _:
                spot = self.finder.spot(node, table)
                if spot.single:
                    return self.finder.ref(spot), ()
                return self.finder.own_ref(spot), spot.path

    def date_ref(self, node: Node, spot: Spot) -> Ref:
        """Return a column that holds dates."""
        ref = self.finder.ref(spot) if spot.single else self.finder.own_ref(spot)
        if ref.kind not in DATES:
            shown = self.finder.lexicon.shown_column[spot.table, spot.column]
            raise Trouble(f"{shown} is no date", node, depth=3)
        return ref

    # --- arithmetic -----------------------------------------------------------------------------------------

    def calc(self, node: Node, table: str) -> tuple[Calc, Path]:
        """Return arithmetic relative to the rows at the end of the path, which is empty for rows of `table`."""
        tree = self._days(node, table) if node.name == "days" else self._tree(node, table)
        ways = [_many(ref.path) for ref in refs_in(tree)]
        way = max(ways, key=len, default=())
        return cast(Calc, self._without(tree, way, node)), way

    def _tree(self, node: Node, table: str) -> Calc:
        """Build the tree of columns and numbers."""
        return self.tree(node, lambda factor: self._factor(factor, table))

    def tree(self, node: Node, read: Callable[[Node], Ref | Agg | Calc | Const]) -> Calc:
        """Build a tree with times and over before plus and minus, from the left."""
        first, *rest = nodes_of(node)
        terms: list[tuple[Arith, Ref | Agg | Calc | Const]] = [("+", read(first))]
        for sign, factor in zip(rest[::2], rest[1::2], strict=True):
            op, right = _ARITH[sign.name], read(factor)
            if op in ("*", "/"):
                before, left = terms[-1]
                terms[-1] = before, self._made(op, left, right, node)
            else:
                terms.append((op, right))
        made = terms[0][1]
        for op, right in terms[1:]:
            made = self._made(op, made, right, node)
        assert isinstance(made, Calc)
        return made

    def _factor(self, node: Node, table: str) -> Ref | Agg | Calc | Const:
        child = node.children[0]
        if isinstance(child, Leaf):
            return Const(decimal(str(child.value)))
        match child.name:
            case "calc":
                return self._tree(child, table)
            case "days":
                return self._days(child, table)
            case "aggref":
                return self.agg(child, table)
            case _:
                return self._full(self.finder.spot(child, table))

    def _full(self, spot: Spot) -> Ref:
        return Ref(spot.table, spot.column, self.finder.column(spot).kind, spot.path)

    def _days(self, node: Node, table: str) -> Calc:
        early, late = (self._full(self.finder.spot(each, table)) for each in subs(node, "colref"))
        return self._made("-", late, early, node) if early.kind in DATES else self._no_dates(node)

    def _no_dates(self, node: Node) -> Calc:
        raise Trouble("days are counted between two dates", node, depth=3)

    def _made(
        self, op: Arith, left: Ref | Agg | Calc | Const, right: Ref | Agg | Calc | Const, node: Node
    ) -> Calc:
        kinds = [_kind(side) for side in (left, right)]
        if op == "-" and all(kind in DATES for kind in kinds):
            return Calc("days", left, right)
        if not all(kind in _NUMBERS for kind in kinds) or node.name == "days":
            raise Trouble("one can only reckon with numbers, and take a date from a date", node, depth=3)
        return Calc(op, left, right)

    def _without(self, side: Operand | Const, way: Path, node: Node) -> Operand | Const:
        """Return a side relative to the rows at the end of the way."""
        match side:
            case Ref(path=path):
                if path[: len(way)] != way:
                    reason = "these are values of different rows: name the table of each column"
                    raise Trouble(reason, node, depth=2)
                return Ref(side.table, side.column, side.kind, path[len(way) :])
            case Calc(op, left, right):
                sides = [self._without(each, way, node) for each in (left, right)]
                return Calc(op, *cast("list[Ref]", sides))
            case Agg() if way:
                raise Trouble("sums within sums need two questions", node, depth=3)
            case _:
                return side

    # --- aggregates -----------------------------------------------------------------------------------------

    def agg(self, node: Node, table: str) -> Agg:
        """Resolve an aggregate over related rows."""
        if sub(node, "number"):
            if sub(node, "distinct"):
                spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
                return Agg("count", self._several(spot, node), self.finder.own_ref(spot))
            path, where = self._relation(cast(Node, sub(node, "related")), table)
            return Agg("count", path, None, where)
        func = func_of(cast(Node, sub(node, "func")))
        if func == "count":
            raise Trouble(
                "count rows (`number of orders`) or different values (`number of distinct cities`)", node
            )
        calc = sub(node, "calc") or sub(node, "days")
        if calc is not None:
            made, path = self.calc(calc, table)
            if not path:
                raise Trouble("each row has only one of these, so there is nothing to add up", node, depth=2)
            return Agg(func, path, made, self.filters(subs(node, "filter"), path[-1].target))
        spot = self.finder.spot(cast(Node, sub(node, "colref")), table)
        path = self._several(spot, node)
        ref = self.finder.own_ref(spot)
        check_func(func, ref, node)
        self._check_shared(func, path, node)
        return Agg(func, path, ref, self.filters(subs(node, "filter"), spot.table))

    def _check_shared(self, func: Func, path: Path, node: Node) -> None:
        last = path[-1]
        if func in ("sum", "avg") and last.forward:
            one, many = self.finder.lexicon.shown_table[last.target]
            over = self.finder.lexicon.shown_table[last.source][1]
            reason = f"several {over} share one {one}, so its values would count several times or once: ask it of {many}"
            raise Trouble(reason, node, depth=3)

    def _several(self, spot: Spot, node: Node) -> Path:
        if spot.single:
            shown = self.finder.lexicon.shown_column[spot.table, spot.column]
            raise Trouble(
                f"each row has only one {shown} here, so there is nothing to aggregate", node, depth=2
            )
        return spot.path


def _many(path: Path) -> Path:
    """The way up to its last step that leads to several rows."""
    last = max((i for i, step in enumerate(path) if step.many), default=-1)
    return path[: last + 1]


def _kind(side: Ref | Agg | Calc | Const) -> Kind:
    return "number" if isinstance(side, Const) else kind_of(side)
