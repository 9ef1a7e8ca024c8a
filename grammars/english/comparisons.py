"""From the words of a comparison to a condition on the rows of one table."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from jigwork.grammars.schema import Kind

from .choices import Trouble
from .columns import Finder, leaves, sub, subs
from .engine import Leaf, Node
from .keys import Keys
from .logic import all_of, any_of, negate, period
from .naming import Namings
from .operands import Operands, check_func, func_of, nodes_of
from .query import (
    RECURRING,
    Agg,
    Between,
    Calc,
    Compare,
    Cond,
    Const,
    Empty,
    Func,
    Match,
    OneOf,
    Op,
    Operand,
    Part,
    Period,
    Ref,
    Related,
    Right,
    Scalar,
)
from .values import DATES, Span, Values, kind_of

__all__ = ["OPS", "Comparisons", "is_value"]

OPS: dict[str, Op] = {
    "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "=", "more": ">", "less": "<",
    "after": ">", "before": "<", "since": ">=", "until": "<=", "ormore": ">=", "orless": "<=",
}  # fmt: skip
_VALUES = frozenset({"TEXT", "NUMBER", "STORED", "date", "true", "false"})
_ORDERED: frozenset[Kind] = frozenset({"integer", "number", "date", "datetime", "time", "text", "other"})
_BACK: dict[Op, Op] = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_LENGTHS = {"year": (365, 366), "quarter": (90, 92), "month": (28, 31), "week": (7, 7), "day": (1, 1)}
_EXAMPLES = {"year": "2024", "quarter": "last quarter", "month": "2024-05", "week": "last week", "day": "2024-05-17"}  # fmt: skip


def is_value(node: Node | Leaf) -> bool:
    """Tell whether the node is a value written in the question."""
    return node.name in _VALUES


class Comparisons:
    """Resolves the comparisons of one run."""

    def __init__(self, finder: Finder, operands: Operands, values: Values, namings: Namings) -> None:
        self._finder = finder
        self._operands = operands
        self._values = values
        self._namings = namings
        self._keys = Keys(finder, operands)

    def comparison(self, node: Node, table: str) -> Cond:
        """Resolve `operand predicate`."""
        operand, path = self._operands.operand(cast(Node, node.children[0]), table)
        negated, cond = self._predicate(operand, list(node.children[1:]), table, many=bool(path))
        if not path:
            return negate(cond) if negated else cond
        some = Related(path, ">=", 1, cond)
        if not negated:
            return some
        other = Related(path, ">=", 1, negate(cond))
        return self._finder.choices.pick([(0, other), (0, Related(path, "=", 0, cond))])

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
            return name == "notbetween", self.between(left, values)
        if name in ("isin", "isnotin", "isneither"):
            return name != "isin", self.one_of(left, values)
        if name == "isq" and values[-1].name in ("ormore", "orless"):
            return False, self.compare(left, OPS[values[1].name], values[0], table, many=many)
        if name == "isq" and len(values) > 1:
            return False, self.one_of(left, values)
        if name in ("isq", "isnt"):
            return name == "isnt", self.compare(left, "=", values[0], table, many=many)
        if len(values) == 3:
            parts = [self._predicate(left, pair, table, many=many)[1] for pair in (rest[:2], rest[2:])]
            return False, all_of(parts)
        how = nodes_of(cast(Node, verb))[0].name
        if how in ("after", "before", "since", "until") and not _is_date(left):
            raise Trouble(f"`{how}` is for dates", verb, depth=3)
        op = OPS[how]
        if how not in ("after", "before", "since", "until") and _is_ago(values[0]):
            op = _BACK[op]  # more than 30 days ago is before that day
        return False, self.compare(left, op, values[0], table, many=many)

    def compare(self, left: Operand, op: Op, right: Node | Leaf, table: str, *, many: bool = False) -> Cond:
        """Compare with what stands on the right; `many` where the left is of one of several rows."""
        if is_value(right):
            if _is_date(left):
                return period(_ref_of(left), op, self._span(left, right))
            kind = kind_of(left)
            if op != "=" and kind not in _ORDERED:
                raise Trouble(f"values of kind {kind} have no order", right, depth=3)
            return Compare(left, op, Const(self._values.read(right, left, ordered=op != "=")))
        if isinstance(left, Part) or many or (right.name == "peer" and op == "="):
            raise Trouble("compare this with a value", right, depth=2)
        other = self._other_side(left, cast(Node, right), table)
        of = other.of if isinstance(other, Scalar) else other
        kind = "integer" if of is None else kind_of(cast(Operand, of))
        if _family(kind) != _family(kind_of(left)):
            raise Trouble("the two sides are of different kinds and cannot be compared", right, depth=3)
        if isinstance(other, Scalar) and op != "=" and _family(kind) not in ("number", "date"):
            raise Trouble("compare texts with a text in quotes", right, depth=2)
        return Compare(left, op, other)

    def _other_side(self, left: Operand, node: Node, table: str) -> Right:
        match node.name:
            case "usual":
                return self._usual(left, node, table)
            case "scalar":
                return self.scalar(node, table)
            case "peer":
                return self.peer(left, node, table)
            case "calc" | "days":
                calc, _ = self._operands.operand(node, table)
                return cast(Calc, calc)
            case _:
                spot = self._finder.spot(node, table)
                if not spot.single:
                    raise Trouble("a row may have many of these: compare with a single value", node, depth=2)
                return self._finder.ref(spot)

    def _usual(self, left: Operand, node: Node, table: str) -> Scalar:
        if not isinstance(left, (Ref, Agg, Calc)) or (isinstance(left, Ref) and left.path):
            raise Trouble("say of what: `average COLUMN`", node, depth=3)
        check_func("avg", left, node)
        return Scalar("avg", left, table, same=self._sames(node, table))

    def _sames(self, node: Node, table: str) -> tuple[Ref | Part, ...]:
        same = sub(node, "same") or sub(node, "sames")
        keys = subs(same, "key") if same is not None else []
        return tuple(dict.fromkeys(ref for key in keys for ref in self._keys.same(key, table)))

    def scalar(self, node: Node, table: str) -> Scalar:
        """Resolve `average price`, and `(sum of price across products where ...)`."""
        noun, func = sub(node, "noun"), sub(node, "func")
        term = next((sub(node, name) for name in ("aggref", "calc", "days", "part") if sub(node, name)), None)
        of_table = str(leaves(noun, "TABLE")[0].value) if noun else table
        where = self._operands.filters(subs(node, "filter"), of_table)
        if func is None:
            return Scalar("count", None, of_table, where)
        how: Func = func_of(func)
        if term is None:
            spot = self._finder.spot(cast(Node, sub(node, "colref")), of_table)
            if spot.path or how == "count":
                reason = "only the average, sum, minimum or maximum of a column of the same table"
                raise Trouble(reason, node, depth=2)
            of: Operand = self._finder.ref(spot)
        else:
            of, _ = self._operands.operand(term, of_table)
        if how == "count" or isinstance(of, Part):
            raise Trouble("only a number or a date can be compared with", node, depth=2)
        check_func(how, of, node)
        if (sub(node, "same") or sub(node, "sames")) and of_table != table:
            raise Trouble("only rows of the same table have the same of something", node, depth=3)
        return Scalar(how, cast("Ref | Agg | Calc", of), of_table, where, self._sames(node, table))

    def peer(self, left: Operand, node: Node, table: str, *, any_kind: bool = False) -> Scalar:
        """Resolve the value of the same operand for a row that is named: `price > "Chai"`."""
        noun, naming = sub(node, "noun"), cast(Node, sub(node, "naming"))
        if noun is not None and leaves(noun, "TABLE")[0].value != table:
            one = self._finder.lexicon.shown_table[table][0]
            raise Trouble(f"compare with another {one}", noun, depth=2)
        named = naming.children[0].name
        if not any_kind and noun is None and not (named == "TEXT" and _is_plain(naming)):
            raise Trouble("compare this with a value", naming, depth=1)
        if not isinstance(left, (Ref, Agg, Calc)) or (not any_kind and kind_of(left) == "text"):
            raise Trouble("compare this with a value", naming, depth=1)
        return Scalar("max", left, table, self._namings.at((), table, [naming]))

    def outdo(self, node: Node, table: str, left: Operand) -> Cond:
        """`more orders than "Ada"`, `a higher price than average`."""
        op = OPS[nodes_of(node)[0].name]
        right = node.children[-1]
        return self.compare(left, op, right, table)

    def alike(self, node: Node, table: str) -> Cond:
        """`the same country as "Ada"`."""
        left, path = self._operands.operand(cast(Node, sub(node, "colref")), table)
        if path:
            raise Trouble("a row may have many of these", node, depth=2)
        return Compare(left, "=", self.peer(left, cast(Node, sub(node, "peer")), table, any_kind=True))

    # --- values ---------------------------------------------------------------------------------------------

    def _match(self, left: Operand, verb: Node, value: Node | Leaf) -> tuple[bool, Cond]:
        how = nodes_of(verb)[0].name
        negated = how.startswith("not")
        if not isinstance(left, Ref) or left.kind != "text":
            raise Trouble("only a text can contain, start or end with something", verb, depth=3)
        if isinstance(value, Leaf) and value.name in ("TEXT", "NUMBER"):
            text = str(value.value)
        else:
            text = str(self._values.read(value, left))
        if not text:
            raise Trouble("the text is empty", value, depth=3)
        return negated, replace(Match(left, "like", text), how=how.removeprefix("not"))  # type: ignore[arg-type]  # pyright: ignore

    def between(self, left: Operand, values: list[Node | Leaf]) -> Cond:
        """Resolve the two ends of `between ... and ...`, of which both are included."""
        low, high = values
        if _is_date(left):
            start, end = self._span(left, low)[0], self._span(left, high)[1]
            if start >= end:
                raise Trouble("the second date is before the first", high, depth=4)
            return Period(_ref_of(left), start, end)
        if kind_of(left) not in _ORDERED:
            raise Trouble("these values have no order", low, depth=3)
        ends = [self._values.read(value, left, ordered=True) for value in (low, high)]
        return Between(left, ends[0], ends[1])

    def one_of(self, left: Operand, values: list[Node | Leaf]) -> Cond:
        """Resolve a list of values."""
        if _is_date(left):
            return any_of([period(_ref_of(left), "=", self._span(left, value)) for value in values])
        found = tuple(dict.fromkeys(self._values.read(value, left) for value in values))
        return Compare(left, "=", Const(found[0])) if len(found) == 1 else OneOf(left, found)

    def _span(self, left: Operand, value: Node | Leaf) -> Span:
        span = self._values.span(value)
        if isinstance(left, Part):
            low, high = _LENGTHS[left.unit]
            if not low <= _days(span) <= high:
                raise Trouble(f"a {left.unit} is written {_EXAMPLES[left.unit]} here", value, depth=4)
        return span


def _is_ago(value: Node | Leaf) -> bool:
    inner = sub(value, "relative") if isinstance(value, Node) else None
    return inner is not None and sub(inner, "ago") is not None


def _is_plain(naming: Node) -> bool:
    """Tell whether a quoted text is neither a number nor a date, which it would be compared with."""
    text = str(cast(Leaf, naming.children[0]).value)
    return not text[:1].isdigit() and not text.startswith("-")


def _is_date(operand: Operand) -> bool:
    if isinstance(operand, Part):
        return operand.unit not in RECURRING
    return isinstance(operand, Ref) and operand.kind in DATES


def _ref_of(operand: Operand) -> Ref:
    ref = operand.ref if isinstance(operand, Part) else operand
    assert isinstance(ref, Ref)
    return ref


def _days(span: Span) -> int:
    from datetime import date

    return (date.fromisoformat(span[1]) - date.fromisoformat(span[0])).days


def _family(kind: Kind) -> str:
    if kind in ("integer", "number"):
        return "number"
    return "date" if kind in DATES else kind
