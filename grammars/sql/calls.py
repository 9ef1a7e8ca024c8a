"""Write calls as canonical SQL: functions, aggregates, windows, CASE, CAST and what has a syntax of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SQLRefused

from .bindings import Bound
from .dialects import Arity, Dialect
from .names import names_equal

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["CALLS", "Calls"]

CALLS = {
    "Anonymous": "anonymous", "Interval": "interval", "Extract": "extract", "Cast": "cast", "Case": "case",
    "If": "if_", "Filter": "filter", "Window": "window", "WithinGroup": "ordered",
}  # fmt: skip
"""Which method of `Calls` writes which of sqlglot's nodes."""

_OPERAND = 4

# What sqlglot makes of the types that people write in CAST, and what canonical SQL calls them.
_TYPES = {
    "sqlite": {
        "INT": "INTEGER", "BIGINT": "INTEGER", "SMALLINT": "INTEGER", "TINYINT": "INTEGER", "REAL": "REAL",
        "FLOAT": "REAL", "DOUBLE": "REAL", "DECIMAL": "NUMERIC", "TEXT": "TEXT", "VARCHAR": "TEXT", "CHAR": "TEXT",
        "NVARCHAR": "TEXT", "NCHAR": "TEXT", "DATE": "NUMERIC", "BOOLEAN": "NUMERIC", "UDECIMAL": "NUMERIC",
    },
    "postgres": {
        "INT": "INTEGER", "BIGINT": "BIGINT", "SMALLINT": "SMALLINT", "DECIMAL": "NUMERIC", "FLOAT": "REAL",
        "REAL": "REAL", "DOUBLE": "DOUBLE PRECISION", "TEXT": "TEXT", "VARCHAR": "TEXT", "BOOLEAN": "BOOLEAN",
        "DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMPTZ", "TIME": "TIME", "INTERVAL": "INTERVAL",
    },
    "mysql": {
        "BIGINT": "SIGNED", "INT": "SIGNED", "UBIGINT": "UNSIGNED", "DECIMAL": "DECIMAL", "DOUBLE": "DOUBLE",
        "FLOAT": "FLOAT", "CHAR": "CHAR", "TEXT": "CHAR", "DATE": "DATE", "DATETIME": "DATETIME", "TIME": "TIME",
        "TIMESTAMP": "DATETIME", "VARCHAR": "CHAR",
    },
    "duckdb": {
        "INT": "INTEGER", "BIGINT": "BIGINT", "DOUBLE": "DOUBLE", "FLOAT": "DOUBLE", "TEXT": "VARCHAR",
        "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "TIME": "TIME",
        "DECIMAL": "DECIMAL",
    },
    "snowflake": {
        "INT": "INTEGER", "BIGINT": "INTEGER", "DECIMAL": "NUMBER", "DOUBLE": "FLOAT", "FLOAT": "FLOAT",
        "TEXT": "VARCHAR", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP",
        "TIMESTAMPNTZ": "TIMESTAMP", "TIME": "TIME",
    },
    "bigquery": {
        "BIGINT": "INT64", "INT": "INT64", "DOUBLE": "FLOAT64", "DECIMAL": "NUMERIC", "TEXT": "STRING",
        "BOOLEAN": "BOOL", "DATE": "DATE", "TIMESTAMP": "DATETIME", "DATETIME": "DATETIME", "TIMESTAMPTZ": "TIMESTAMP",
        "TIME": "TIME",
    },
    "tsql": {
        "INT": "INT", "BIGINT": "BIGINT", "FLOAT": "FLOAT", "DOUBLE": "FLOAT", "DATE": "DATE", "TIME": "TIME",
        "DATETIME2": "DATETIME2", "DATETIME": "DATETIME2", "BIT": "BIT", "BOOLEAN": "BIT",
    },
}  # fmt: skip
_INTERVAL_WORDS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})


class Expressions(Protocol):
    """What calls need of the renderer of expressions."""

    bound: Bound
    dialect: Dialect

    def text(self, node: Any, needed: int = 0) -> str:
        """Write an expression."""
        ...

    def sort_key(self, ordered: Any) -> str:
        """Write one key of ORDER BY."""
        ...

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        """Say that canonical SQL has no form for something."""
        ...


class Calls:
    """The writers of calls."""

    def __init__(self, expressions: Expressions) -> None:
        self.write = expressions
        self.dialect = expressions.dialect

    def anonymous(self, node: Any) -> str:
        """Write a call by name: of a function, an aggregate or a window function."""
        name = str(node.this).upper()
        name = self.dialect.synonyms.get(name, name)
        arguments = list(node.expressions)
        if name == "COUNT":
            return self.count(node)
        if name in self.dialect.unit_functions:
            return self.unit_call(name, node)
        for table in (self.dialect.functions, self.dialect.aggregates, self.dialect.windows):
            if name in table:
                return self.call(name, arguments, table[name], node)
        raise self.write.refuse(f"the function {node.this}", node)

    def call(self, name: str, arguments: list[Any], arity: Arity, node: Any) -> str:
        distinct = ""
        if len(arguments) == 1 and type(arguments[0]).__name__ == "Distinct":
            if name not in self.dialect.aggregates or name in self.dialect.no_distinct:
                raise self.write.refuse(f"DISTINCT in {name}", node)
            arguments, distinct = list(arguments[0].expressions), "DISTINCT "
        low, high = arity
        if len(arguments) < low or (high is not None and len(arguments) > high):
            raise self.write.refuse(f"{name} with {len(arguments)} arguments", node)
        return f"{name}({distinct}{', '.join(self.write.text(argument) for argument in arguments)})"

    def count(self, node: Any) -> str:
        """COUNT takes a star, or one argument that may be DISTINCT."""
        if len(node.expressions) == 1 and type(node.expressions[0]).__name__ == "Star":
            return "COUNT(*)"
        return self.call("COUNT", list(node.expressions), (1, 1), node)

    def unit_call(self, name: str, node: Any) -> str:
        """Write a call whose first argument is a unit of time."""
        unit, *arguments = node.expressions
        if type(unit).__name__ != "Var" or unit.name.upper() not in self.dialect.units or len(arguments) != 2:
            raise self.write.refuse(name, node)
        return (
            f"{name}({unit.name.upper()}, {', '.join(self.write.text(argument) for argument in arguments)})"
        )

    def shifted(self, node: Any) -> str | None:
        """Write MySQL's DATE_ADD and DATE_SUB as a sum with an interval; None for any other call."""
        name = str(node.this).upper()
        if self.dialect.intervals != "unit" or name not in ("DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE"):
            return None
        if len(node.expressions) != 2 or type(node.expressions[1]).__name__ != "Interval":
            raise self.write.refuse(name, node)
        sign = "-" if "SUB" in name else "+"
        return f"{self.write.text(node.expressions[0], _OPERAND)} {sign} {self.interval(node.expressions[1])}"

    def interval(self, node: Any) -> str:
        """Write an interval; MySQL takes one only beside + and -, which its grammar sees to."""
        amount, unit = node.this, node.args.get("unit")
        word = (unit.name if unit is not None else "").upper()
        singular = word.removesuffix("S")
        number = amount.name if amount is not None and type(amount).__name__ == "Literal" else ""
        if singular not in _INTERVAL_WORDS or not self.dialect.intervals:
            raise self.write.refuse("this INTERVAL", node)
        if self.dialect.intervals == "unit":
            short = number.isdigit() and len(number) <= 6
            return f"INTERVAL {number if short else f'({self.write.text(amount)})'} {singular}"
        if not number.isdigit() or len(number) > 6:
            raise self.write.refuse("this INTERVAL", node)
        if singular == "QUARTER":
            number, word = str(int(number) * 3), "MONTHS"
        return f"INTERVAL '{number} {word.lower()}'"

    def ordered(self, node: Any) -> str:
        """Write `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)`."""
        call, order = node.this, node.expression
        name = str(call.this).upper() if type(call).__name__ == "Anonymous" else ""
        if name not in self.dialect.ordered_aggregates or len(order.expressions) != 1:
            raise self.write.refuse("WITHIN GROUP here", node)
        arguments = ", ".join(self.write.text(argument) for argument in call.expressions)
        return f"{name}({arguments}) WITHIN GROUP (ORDER BY {self.write.sort_key(order.expressions[0])})"

    def extract(self, node: Any) -> str:
        unit = node.this.name.upper()
        if unit not in self.dialect.units:
            raise self.write.refuse(f"EXTRACT({unit} ...)", node)
        return f"EXTRACT({unit} FROM {self.write.text(node.expression, _OPERAND)})"

    def cast(self, node: Any) -> str:
        kind = node.args["to"]
        name = kind.this.name if hasattr(kind.this, "name") else str(kind.this)
        word = _TYPES.get(self.dialect.name, {}).get(name)
        sizes = [size.name for size in kind.expressions]
        if word in self.dialect.sized_types and sizes:
            word = f"{word}({sizes[0]}, {sizes[1] if len(sizes) > 1 else 0})"
        elif sizes and self.dialect.name != "sqlite":
            raise self.write.refuse(f"CAST to {name} with a size", node)
        elif word not in self.dialect.types:
            raise self.write.refuse(f"CAST to {name}", node)
        return f"CAST({self.write.text(node.this)} AS {word})"

    def case(self, node: Any) -> str:
        """Write CASE; the short form `CASE x WHEN 1` becomes the long one, with `x = 1`."""
        subject = node.args.get("this")
        parts: list[str] = []
        for branch in node.args["ifs"]:
            test = self.write.text(branch.this)
            if subject is not None:
                test = f"{self.write.text(subject, _OPERAND)} = {self.write.text(branch.this, _OPERAND)}"
            parts.append(f" WHEN {test} THEN {self.write.text(branch.args['true'])}")
        otherwise = node.args.get("default")
        ending = f" ELSE {self.write.text(otherwise)}" if otherwise is not None else ""
        return f"CASE{''.join(parts)}{ending} END"

    def if_(self, node: Any) -> str:
        """Write IF(a, b, c), which only some dialects have under that name."""
        name = "IIF" if self.dialect.name == "sqlite" else "IF"
        arguments = [node.this, node.args["true"], node.args.get("false")]
        if name not in self.dialect.functions or arguments[2] is None:
            raise self.write.refuse("IF", node)
        return self.call(name, arguments, (3, 3), node)

    def filter(self, node: Any) -> str:
        if not self.dialect.filters:
            raise self.write.refuse("FILTER", node)
        return f"{self.write.text(node.this)} FILTER (WHERE {self.write.text(node.expression.this)})"

    def window(self, node: Any) -> str:
        """Write a call with OVER; a named window is written out."""
        named = node.args.get("alias")
        parts = node if named is None else self.named_window(node, named)
        inside: list[str] = []
        if partition := parts.args.get("partition_by"):
            inside.append("PARTITION BY " + ", ".join(self.write.text(item) for item in partition))
        order = parts.args.get("order")
        if order is not None:
            inside.append("ORDER BY " + ", ".join(self.write.sort_key(key) for key in order.expressions))
        spec = parts.args.get("spec")
        if spec is not None:
            if order is None:
                raise self.write.refuse("a window frame without ORDER BY", node)
            inside.append(self.frame(spec))
        return f"{self.write.text(node.this)} OVER ({' '.join(inside)})"

    def named_window(self, node: Any, name: Any) -> Any:
        select = node.parent_select
        for window in (select.args.get("windows") or ()) if select is not None else ():
            if names_equal(window.name, name.name):
                return window
        raise self.write.refuse(f"the window {name.name}", node)

    def frame(self, spec: Any) -> str:
        kind = str(spec.args.get("kind") or "ROWS").upper()
        start = self.bound_of(spec, "start")
        end = self.bound_of(spec, "end") if spec.args.get("end") else "CURRENT ROW"
        return f"{kind} BETWEEN {start} AND {end}"

    def bound_of(self, spec: Any, which: str) -> str:
        """Write one end of a frame."""
        value, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "").upper()
        if isinstance(value, str):
            return value if value == "CURRENT ROW" else f"{value} {side}"
        if value is None or not value.name.isdigit() or len(value.name) > 4:
            raise self.write.refuse("this window frame", spec)
        return f"{int(value.name)} {side}"
