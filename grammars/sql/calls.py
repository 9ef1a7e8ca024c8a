"""Write calls as canonical SQL: functions, aggregates, windows, CASE, CAST and what has a syntax of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SQLRefused

from .bindings import Bound
from .dialects import Arity, Dialect
from .names import names_equal
from .operators import Operators

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["CALLS", "Calls"]

CALLS = {
    "Anonymous": "anonymous", "Interval": "interval", "Extract": "extract", "Cast": "cast", "Case": "case",
    "If": "if_", "Filter": "filter", "Window": "window", "WithinGroup": "ordered",
}  # fmt: skip
"""Which method of `Calls` writes which of sqlglot's nodes."""

_PREDICATE, _OPERAND, _FACTOR = 3, 4, 6

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
        "JSON": "JSON", "JSONB": "JSONB", "UUID": "UUID",
    },
    "mysql": {
        "BIGINT": "SIGNED", "INT": "SIGNED", "UBIGINT": "UNSIGNED", "DECIMAL": "DECIMAL", "DOUBLE": "DOUBLE",
        "FLOAT": "FLOAT", "CHAR": "CHAR", "TEXT": "CHAR", "DATE": "DATE", "DATETIME": "DATETIME", "TIME": "TIME",
        "TIMESTAMP": "DATETIME", "TIMESTAMPTZ": "DATETIME", "VARCHAR": "CHAR",
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
_UNITS = {
    **{
        unit: unit
        for unit in ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "decade")
    },
    "mon": "month",
    "y": "year",
    "yr": "year",
    "w": "week",
    "d": "day",
    "h": "hour",
    "hr": "hour",
    "min": "minute",
    "sec": "second",
}
"""How a unit of an interval may be written, without its plural: what canonical SQL calls it."""
_AMOUNT = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?")
_NUMERIC = frozenset({"Add", "Sub", "Mul", "Div", "Mod"})
_INTERVAL_WORDS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})


class Expressions(Protocol):
    """What calls need of the renderer of expressions."""

    bound: Bound
    dialect: Dialect
    operators: Operators

    def text(self, node: Any, needed: int = 0) -> str:
        """Write an expression."""
        ...

    def value(self, node: Any) -> str:
        """Write an expression whose value is wanted."""
        ...

    def condition(self, node: Any) -> str:
        """Write an expression whose truth is wanted."""
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
        if name in self.dialect.sorted_aggregates:
            return self.sorted(name, node)
        if name == "GROUPING" and self.dialect.grouping == "sets" and len(arguments) == 1:
            return f"GROUPING({self.write.text(arguments[0])})"
        if name in ("MIN", "MAX") and len(arguments) > 1 and self.dialect.name == "sqlite":
            rest = [self.write.value(argument) for argument in arguments[1:]]
            first = self.rolling(arguments[0], node) if self.aggregates(arguments[0]) else None
            return f"{name}({', '.join([first or self.write.value(arguments[0]), *rest])})"
        if name == "SUBSTR" and len(arguments) == 2 and getattr(arguments[1], "is_string", False):
            raise self.write.refuse("SUBSTRING with a pattern", node)
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
        return f"{name}({distinct}{', '.join(self.write.value(argument) for argument in arguments)})"

    def count(self, node: Any) -> str:
        """COUNT takes a star, or one argument that may be DISTINCT."""
        if len(node.expressions) == 1 and type(node.expressions[0]).__name__ == "Star":
            return "COUNT(*)"
        first: Any = node.expressions[0] if node.expressions else None
        if not node.expressions and self.dialect.name == "sqlite":
            return "COUNT(*)"
        if type(first).__name__ == "Distinct" and len(first.expressions) > 1 and self.dialect.name == "mysql":
            return f"COUNT(DISTINCT {', '.join(self.write.text(item) for item in first.expressions)})"
        return self.call("COUNT", list(node.expressions), (1, 1), node)

    def unit_call(self, name: str, node: Any) -> str:
        """Write a call whose first argument is a unit of time."""
        unit, *arguments = node.expressions
        if type(unit).__name__ != "Var" or unit.name.upper() not in self.dialect.units or len(arguments) != 2:
            raise self.write.refuse(name, node)
        return (
            f"{name}({unit.name.upper()}, {', '.join(self.write.value(argument) for argument in arguments)})"
        )

    def special(self, node: Any) -> tuple[str, int] | None:
        """Write what is spelled as a call and is none: arrows, constants with `()`, shifted dates, ISNULL(x)."""
        name, arguments = str(node.this).upper(), node.expressions
        if name in ("->", "->>", "#>", "#>>"):
            return self.write.operators.arrow(node), _FACTOR
        if name in self.dialect.constants and not arguments:
            return name, _FACTOR
        if name == "ISNULL" and len(arguments) == 1 and self.dialect.name == "mysql":
            return f"{self.write.text(arguments[0], _OPERAND)} IS NULL", _PREDICATE
        return self.shifted(node)

    def shifted(self, node: Any) -> tuple[str, int] | None:
        """Write MySQL's DATE_ADD and DATE_SUB as a sum with an interval; None for any other call."""
        name = str(node.this).upper()
        if self.dialect.intervals != "unit" or name not in ("DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE"):
            return None
        if len(node.expressions) != 2:
            raise self.write.refuse(name, node)
        sign = "-" if "SUB" in name else "+"
        date, amount = node.expressions
        if type(amount).__name__ == "Interval":
            written = self.interval(amount)
        elif name in ("ADDDATE", "SUBDATE"):
            written = f"INTERVAL ({self.write.text(amount)}) DAY"
        else:
            raise self.write.refuse(name, node)
        return f"{self.write.text(date, _OPERAND)} {sign} {written}", _OPERAND

    def interval(self, node: Any) -> str:
        """Write an interval; MySQL takes one only beside + and -, which its grammar sees to."""
        amount, unit = node.this, node.args.get("unit")
        word = (unit.name if unit is not None else "").upper()
        singular = word.removesuffix("S")
        number = amount.name if amount is not None and type(amount).__name__ == "Literal" else ""
        if not self.dialect.intervals or (
            singular not in _INTERVAL_WORDS and self.dialect.intervals == "unit"
        ):
            raise self.write.refuse("this INTERVAL", node)
        if self.dialect.intervals == "unit":
            short = number.isdigit() and len(number) <= 6
            return f"INTERVAL {number if short else f'({self.write.text(amount)})'} {singular}"
        return " + ".join(f"INTERVAL '{part}'" for part in self.duration(f"{number} {word}".rstrip(), node))

    def duration(self, text: str, node: Any) -> list[str]:
        """Write an interval's parts with their units in full: `1 year`, `2 months`."""
        parts = text.lower().replace(",", " ").split()
        if len(parts) % 2 or len(parts) > 12 or not parts:
            raise self.write.refuse("this INTERVAL", node)
        written: list[str] = []
        for number, unit in zip(parts[::2], parts[1::2], strict=True):
            word = _UNITS.get(unit.removesuffix("s"))
            if word is None or not _AMOUNT.fullmatch(number):
                raise self.write.refuse("this INTERVAL", node)
            if word == "quarter":
                if not number.lstrip("-").isdigit():
                    raise self.write.refuse("this INTERVAL", node)
                number, word, unit = str(int(number) * 3), "month", "months"
            written.append(f"{number} {word}{'s' if unit.endswith('s') else ''}")
        return written

    def ordered(self, node: Any) -> str:
        """Write `PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)`."""
        call, order = node.this, node.expression
        name = str(call.this).upper() if type(call).__name__ == "Anonymous" else ""
        plain = name == "MODE" or (
            len(call.expressions) == 1 and type(call.expressions[0]).__name__ == "Literal"
        )
        if name not in self.dialect.ordered_aggregates or len(order.expressions) != 1 or not plain:
            raise self.write.refuse("WITHIN GROUP here", node)
        arguments = ", ".join(self.write.text(argument) for argument in call.expressions)
        return f"{name}({arguments}) WITHIN GROUP (ORDER BY {self.write.sort_key(order.expressions[0])})"

    def sorted(self, name: str, node: Any) -> str:
        """Write an aggregate with an ORDER BY of its own: `STRING_AGG(x, ',' ORDER BY y)`."""
        arguments = list(node.expressions)
        last = arguments[-1] if arguments else None
        order: Any = None
        if type(last).__name__ == "Order":
            order = arguments.pop()
            if order.this is not None:
                arguments.append(order.this)
        separator = arguments.pop() if arguments and type(arguments[-1]).__name__ == "Tuple" else None
        distinct = ""
        if arguments and type(arguments[0]).__name__ == "Distinct":
            arguments, distinct = [*arguments[0].expressions, *arguments[1:]], "DISTINCT "
            if type(arguments[-1]).__name__ == "Order":
                order = arguments.pop()
                arguments.append(order.this)
        written = [self.write.value(argument) for argument in arguments]
        if name == "GROUP_CONCAT" and len(written) > 1:
            written = [f"CONCAT({', '.join(written)})"]
        low, high = self.dialect.aggregates[name]
        if not low <= len(written) <= (high or low):
            raise self.write.refuse(f"{name} with {len(written)} arguments", node)
        keys = [self.write.sort_key(key) for key in order.expressions] if order is not None else []
        text = f"{distinct}{', '.join(written)}" + (f" ORDER BY {', '.join(keys)}" if keys else "")
        if separator is not None:
            text += f" SEPARATOR {self.write.text(separator.expressions[0])}"
        return f"{name}({text})"

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
        elif sizes and name in ("VARCHAR", "CHAR", "NCHAR", "NVARCHAR") and self.cut(name, word):
            return f"LEFT(CAST({self.write.text(node.this)} AS {word}), {sizes[0]})"
        elif sizes and self.dialect.name != "sqlite":
            raise self.write.refuse(f"CAST to {name} with a size", node)
        elif word not in self.dialect.types:
            raise self.write.refuse(f"CAST to {name}", node)
        return f"CAST({self.write.value(node.this)} AS {word})"

    def cut(self, name: str, word: str | None) -> bool:
        """Tell whether a text cast to a length is its beginning; PostgreSQL's CHAR is filled up with blanks."""
        padded = name in ("CHAR", "NCHAR") and self.dialect.name != "mysql"
        return word in self.dialect.types and "LEFT" in self.dialect.functions and not padded

    def case(self, node: Any) -> str:
        """Write CASE; the short form `CASE x WHEN 1` becomes the long one, with `x = 1`."""
        subject = node.args.get("this")
        parts: list[str] = []
        for branch in node.args["ifs"]:
            test = self.write.condition(branch.this) if subject is None else ""
            if subject is not None:
                test = f"{self.write.text(subject, _OPERAND)} = {self.write.text(branch.this, _OPERAND)}"
            parts.append(f" WHEN {test} THEN {self.write.value(branch.args['true'])}")
        otherwise = node.args.get("default")
        ending = f" ELSE {self.write.value(otherwise)}" if otherwise is not None else ""
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
        return f"{self.write.text(node.this)} FILTER (WHERE {self.write.condition(node.expression.this)})"

    def window(self, node: Any) -> str:
        """Write a call with OVER; a named window is written out."""
        parts = self.window_parts(node, node.parent_select)
        inside: list[str] = []
        if parts["partition_by"]:
            inside.append(
                "PARTITION BY " + ", ".join(self.write.value(item) for item in parts["partition_by"])
            )
        order, spec = parts["order"], parts["spec"]
        if order is not None:
            inside.append("ORDER BY " + ", ".join(self.write.sort_key(key) for key in order.expressions))
        if spec is not None:
            if order is None:
                raise self.write.refuse("a window frame without ORDER BY", node)
            inside.append(self.frame(spec))
        return f"{self.rolled(node)} OVER ({' '.join(inside)})"

    def rolled(self, node: Any) -> str:
        """Write the call before OVER; an aggregate in an aggregate stands alone there, or as a number after a plus."""
        call = node.this.this if type(node.this).__name__ == "Filter" else node.this
        name = self.dialect.synonyms.get(str(call.this).upper(), str(call.this).upper())
        inner: Any = call.expressions[0] if call.expressions else None
        if name not in self.dialect.aggregates or not self.aggregates(inner):
            return self.write.text(node.this)
        if len(call.expressions) > 1 or name in self.dialect.sorted_aggregates:
            raise self.write.refuse(f"an aggregate in {name} with OVER", node)
        kept = node.this.expression.this if call is not node.this else None
        ending = f" FILTER (WHERE {self.write.condition(kept)})" if kept is not None else ""
        return f"{name}({self.rolling(inner, node)}){ending}"

    def rolling(self, inner: Any, node: Any) -> str:
        """Write what a call takes where only an aggregate may stand, or a plus and anything."""
        while type(inner).__name__ == "Paren":
            inner = inner.this
        text = self.write.text(inner)
        if self.is_aggregate(inner):
            return text
        if self.dialect.strict and type(inner).__name__ not in _NUMERIC:
            raise self.write.refuse("an aggregate in this value of a window", node)
        return f"+({text})"

    def aggregates(self, part: Any) -> bool:
        """Tell whether an expression aggregates the rows of its own query."""
        from sqlglot import exp

        if part is None or isinstance(part, exp.Query):
            return False
        return self.is_aggregate(part) or any(self.aggregates(child) for child in part.iter_expressions())

    def is_aggregate(self, node: Any) -> bool:
        """Tell whether a node is the call of an aggregate, with its FILTER or WITHIN GROUP."""
        call = node.this if type(node).__name__ in ("Filter", "WithinGroup") else node
        name = str(call.this).upper() if type(call).__name__ == "Anonymous" else ""
        name = self.dialect.synonyms.get(name, name)
        if name in ("MIN", "MAX") and len(call.expressions) > 1:
            return False  # SQLite's functions of the same name
        return name in self.dialect.aggregates or name in self.dialect.ordered_aggregates

    def window_parts(self, node: Any, select: Any) -> dict[str, Any]:
        """Return the parts of a window; one that is built on a named window has that one's, where it has none."""
        own = {part: node.args.get(part) for part in ("partition_by", "order", "spec")}
        name = node.args.get("alias")
        if name is None:
            return own
        for window in (select.args.get("windows") or ()) if select is not None else ():
            if window is not node and names_equal(window.name, name.name):
                base = self.window_parts(window, select)
                return {part: own[part] or base[part] for part in own}
        raise self.write.refuse(f"the window {name.name}", node)

    def frame(self, spec: Any) -> str:
        kind = str(spec.args.get("kind") or "ROWS").upper()
        start = self.bound_of(spec, "start")
        end = self.bound_of(spec, "end") if spec.args.get("end") else "CURRENT ROW"
        if kind != "ROWS" and kind not in self.dialect.frames and kind != "RANGE":
            raise self.write.refuse(f"{kind} in a window frame", spec)
        excluded = spec.args.get("exclude")
        ending = ""
        if excluded is not None and excluded.name.upper() != "NO OTHERS":
            if not self.dialect.excludes:
                raise self.write.refuse("EXCLUDE in a window frame", spec)
            ending = f" EXCLUDE {excluded.name.upper()}"
        return f"{kind} BETWEEN {start} AND {end}{ending}"

    def bound_of(self, spec: Any, which: str) -> str:
        """Write one end of a frame."""
        value, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "").upper()
        if isinstance(value, str):
            return value if value == "CURRENT ROW" else f"{value} {side}"
        if type(value).__name__ != "Literal" or not value.name.isdigit() or len(value.name) > 4:
            raise self.write.refuse("this window frame", spec)
        return f"{int(value.name)} {side}"
