"""Write the operators that dialects disagree about: bits, JSON arrows, COLLATE, rows, ANY and ALL.

Databases give them different precedence, so that canonical SQL takes them between simple parts only, or in parentheses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SQLRefused

from .bindings import Bound
from .dialects import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["BITS", "OPERATORS", "Operators"]

OPERATORS = {
    "BitwiseAnd": "bits", "BitwiseOr": "bits", "BitwiseXor": "bits", "BitwiseLeftShift": "bits",
    "BitwiseRightShift": "bits", "BitwiseNot": "complement", "Collate": "collate", "Xor": "xor", "Pow": "power",
    "AtTimeZone": "at_time_zone",
}  # fmt: skip
"""Which method of `Operators` writes which of sqlglot's nodes."""
BITS = {
    "BitwiseAnd": "&", "BitwiseOr": "|", "BitwiseXor": "^", "BitwiseLeftShift": "<<", "BitwiseRightShift": ">>",
}  # fmt: skip
"""The signs of sqlglot's operators on bits."""
_NOT, _PREDICATE, _OPERAND, _FACTOR = 2, 3, 4, 6
_MAX_ROW = 8
_ROWS_BY_MEMBER = frozenset({"sqlite", "postgres", "mysql"})
"""Where rows are compared member by member; elsewhere they are values of their own, in which a NULL is equal."""


class Expressions(Protocol):
    """What operators need of the renderer of expressions."""

    bound: Bound
    dialect: Dialect

    def text(self, node: Any, needed: int = 0) -> str:
        """Write an expression where something at least as tight as `needed` is wanted."""
        ...

    def negated(self, node: Any) -> tuple[str, int]:
        """Write that a condition is false, and say how tightly that binds."""
        ...

    def operand(self, node: Any) -> str:
        """Write one side of a comparison."""
        ...

    def rows_query(self, node: Any, columns: int) -> str:
        """Write a sub-query that gives so many columns."""
        ...

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        """Say that canonical SQL has no form for something."""
        ...


class Operators:
    """The writers of operators; each returns the text and how tightly it binds."""

    def __init__(self, expressions: Expressions) -> None:
        self.write = expressions
        self.dialect = expressions.dialect

    def bits(self, node: Any) -> tuple[str, int]:
        """Write `a & b`; what stands beside it is a simple part, or in parentheses."""
        sign = BITS[type(node).__name__]
        if sign not in self.dialect.bits:
            raise self.write.refuse(f"the operator {sign}", node)
        return (
            f"{self.write.text(node.this, _FACTOR)} {sign} {self.write.text(node.expression, _FACTOR)}",
            _OPERAND,
        )

    def complement(self, node: Any) -> tuple[str, int]:
        if not self.dialect.bits:
            raise self.write.refuse("the operator ~", node)
        text = self.write.text(node.this)
        if self.dialect.strict and text.isdigit():  # of a number, its complement is a number as well
            return str(-int(text) - 1), _FACTOR
        return f"~({text})", _FACTOR

    def collate(self, node: Any) -> tuple[str, int]:
        kind = type(node.expression).__name__
        name = node.expression.name
        word = f'"{name}"' if kind == "Identifier" and node.expression.args.get("quoted") else name.upper()
        if word not in self.dialect.collations or type(node.this).__name__ in (
            "Add",
            "Sub",
            "Mul",
            "Div",
            "DPipe",
        ):
            raise self.write.refuse(f"COLLATE {name}", node)
        return f"({self.write.text(node.this, _FACTOR)} COLLATE {word})", _FACTOR

    def xor(self, node: Any) -> tuple[str, int]:
        """`a XOR b` is that one is true and the other is not, and NULL where one is."""
        left, right = (f"({self.write.negated(side)[0]})" for side in (node.this, node.expression))
        return f"{left} <> {right}", _PREDICATE

    def power(self, node: Any) -> tuple[str, int]:
        if "POWER" not in self.dialect.functions:
            raise self.write.refuse("the operator ^", node)
        return f"POWER({self.write.text(node.this)}, {self.write.text(node.expression)})", _FACTOR

    def at_time_zone(self, node: Any) -> tuple[str, int]:
        if "TIMEZONE" not in self.dialect.functions:
            raise self.write.refuse("AT TIME ZONE", node)
        return f"TIMEZONE({self.write.text(node.args['zone'])}, {self.write.text(node.this)})", _FACTOR

    def arrow(self, node: Any) -> str:
        """Write `(col -> 'key' ->> 0)`; MySQL's arrows are the functions that they stand for."""
        parts: list[str] = []
        current: Any = node
        while type(current).__name__ == "Anonymous" and str(current.this) in ("->", "->>", "#>", "#>>"):
            sign, path = str(current.this), current.expressions[1]
            if self.dialect.name == "mysql":
                return self.mysql_arrow(sign, current)
            if sign not in self.dialect.arrows or type(path).__name__ != "Literal":
                raise self.write.refuse(f"the operator {sign} here", node)
            parts.insert(0, f" {sign} {self.write.text(path)}")
            current = current.expressions[0]
            while type(current).__name__ == "Paren":
                current = current.this
        if type(current).__name__ not in ("Column", "Cast"):
            raise self.write.refuse("a JSON operator on something that is no column", node)
        return f"({self.write.text(current)}{''.join(parts)})"

    def mysql_arrow(self, sign: str, node: Any) -> str:
        column, path = (self.write.text(part) for part in node.expressions)
        text = f"JSON_EXTRACT({column}, {path})"
        return f"JSON_UNQUOTE({text})" if sign == "->>" else text

    # Rows

    def row_comparison(self, node: Any, sign: str) -> tuple[str, int]:
        """Write `(a, b) = (c, d)` as what it means, member by member."""
        left, right = cells(node.this), cells(node.expression)
        plain = left is not None and right is not None and 2 <= len(left) == len(right) <= _MAX_ROW
        if left is None or right is None or not plain or self.dialect.name not in _ROWS_BY_MEMBER:
            raise self.write.refuse("a comparison of rows that are no lists of equal length", node)
        pairs = [(self.write.operand(a), self.write.operand(b)) for a, b in zip(left, right, strict=True)]
        if sign in ("=", "<>"):
            word, level = (" AND ", 1) if sign == "=" else (" OR ", 0)
            return word.join(f"{a} {sign} {b}" for a, b in pairs), level
        strict = sign[0]
        branches: list[str] = []
        for index, (a, b) in enumerate(pairs):
            last = sign if index == len(pairs) - 1 else strict
            branches.append(" AND ".join([*(f"{x} = {y}" for x, y in pairs[:index]), f"{a} {last} {b}"]))
        return " OR ".join(branches), 0

    def row_in(self, node: Any, negate: bool) -> tuple[str, int]:
        """Write a row in a list as comparisons, and in a sub-query as it is, in WHERE and ON."""
        from sqlglot import exp

        row = cells(node.this) or []
        query = node.args.get("query")
        simple = all(type(cell).__name__ in ("Column", "Anonymous") for cell in row) and len(row) in (2, 3)
        written = [self.write.operand(cell) for cell in row]
        if query is not None:
            place = node.find_ancestor(exp.Where, exp.Join, exp.Select)
            if not self.dialect.row_values or not simple or isinstance(place, exp.Select):
                raise self.write.refuse("a row of more than columns and calls in a sub-query", node)
            inside = self.write.rows_query(query, len(row))
            return f"({', '.join(written)}) {'NOT IN' if negate else 'IN'} ({inside})", _PREDICATE
        branches: list[str] = []
        for item in node.expressions:
            other = cells(item)
            if other is None or len(other) != len(row) or self.dialect.name not in _ROWS_BY_MEMBER:
                raise self.write.refuse("a row in a list of something else", node)
            pairs = zip(written, (self.write.operand(cell) for cell in other), strict=True)
            branches.append(" AND ".join(f"{a} = {b}" for a, b in pairs))
        text = " OR ".join(branches)
        return (f"NOT ({text})", _NOT) if negate else (text, 0 if len(branches) > 1 else 1)

    def quantified(self, node: Any, sign: str) -> tuple[str, int]:
        """Write `> ALL (SELECT ...)`; `= ANY` and `<> ALL`, also of an array, are IN and NOT IN."""
        word = type(node.expression).__name__
        inner = node.expression.this
        while type(inner).__name__ == "Paren":
            inner = inner.this
        left = self.write.operand(node.this)
        plain = {("=", "Any"): "IN", ("<>", "All"): "NOT IN"}.get((sign, word))
        if type(inner).__name__ == "Array":
            items = ", ".join(self.write.text(item, _OPERAND) for item in inner.expressions)
            if plain is None or not items:
                raise self.write.refuse(f"{word.upper()} of an array", node)
            return f"{left} {plain} ({items})", _PREDICATE
        if type(inner).__name__ not in ("Select", "Union", "Except", "Intersect", "Subquery"):
            raise self.write.refuse(f"{word.upper()} of something that is no sub-query", node)
        inside = self.write.rows_query(inner, 1)
        if plain is not None:
            return f"{left} {plain} ({inside})", _PREDICATE
        if not self.dialect.quantifiers:
            raise self.write.refuse(word.upper(), node)
        return f"{left} {sign} {word.upper()} ({inside})", _PREDICATE


def cells(node: Any) -> list[Any] | None:
    """Return the members of a row, `(a, b)` or `ROW(a, b)`; None for anything else."""
    while type(node).__name__ == "Paren":
        node = node.this
    if type(node).__name__ == "Tuple" or (
        type(node).__name__ == "Anonymous" and str(node.this).upper() == "ROW"
    ):
        return list(node.expressions)
    return None
