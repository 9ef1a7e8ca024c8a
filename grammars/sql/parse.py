"""Text to a sqlglot tree that says what was written, and nothing that may not be there.

Functions stay as written, so that names can be checked against an allow-list and printed again unchanged; VALUES
becomes the SELECTs that it stands for. Every node type, and every part of a node, must be on
the list below: what is not known is refused, not skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jigwork.errors import SQLRefused

from .dialects import dialect_of
from .reader import reader
from .reshape import reshape
from .scan import place, prepare

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["parse_select", "position"]

_BINARY = frozenset({"this", "expression"})
_ITEMS = frozenset({"expressions"})
_THIS = frozenset({"this"})
_NONE: frozenset[str] = frozenset()
_QUERY = frozenset({"with_", "order", "limit", "offset"})

_PARTS: dict[str, frozenset[str]] = {
    "Select": _QUERY | {"expressions", "from_", "joins", "where", "group", "having", "distinct", "windows"},
    "Union": _QUERY | _BINARY | {"distinct"},
    "Except": _QUERY | _BINARY | {"distinct"},
    "Intersect": _QUERY | _BINARY | {"distinct"},
    "With": _ITEMS | {"recursive"},
    "Subquery": _QUERY | {"this", "alias"},
    "Table": frozenset({"this", "alias", "db"}),
    "TableAlias": frozenset({"this", "columns"}),
    "Column": frozenset({"this", "table", "db"}),
    "Identifier": frozenset({"this", "quoted"}),
    "Alias": frozenset({"this", "alias"}),
    "Literal": frozenset({"this", "is_string"}),
    "Boolean": _THIS,
    "Case": frozenset({"this", "ifs", "default"}),
    "If": frozenset({"this", "true", "false"}),
    "In": frozenset({"this", "expressions", "query"}),
    "Between": frozenset({"this", "low", "high"}),
    "Cast": frozenset({"this", "to"}),
    "DataType": frozenset({"this", "expressions", "nested"}),
    "DataTypeParam": _THIS,
    "Anonymous": frozenset({"this", "expressions"}),
    "Distinct": _ITEMS | {"on"},
    "Filter": _BINARY,
    "Window": frozenset({"this", "partition_by", "order", "spec", "over", "alias"}),
    "WindowSpec": frozenset({"kind", "start", "start_side", "end", "end_side", "exclude"}),
    "Ordered": frozenset({"this", "desc", "nulls_first"}),
    "Join": frozenset({"this", "side", "kind", "on", "using", "method"}),
    "Interval": frozenset({"this", "unit", "fraction_in_string"}),
    "Lateral": frozenset({"this", "alias"}),
    "Array": _ITEMS,
    "Order": _ITEMS | _THIS,
    "Group": frozenset({"expressions", "rollup"}),
    "AtTimeZone": frozenset({"this", "zone"}),
    "CTE": frozenset({"this", "alias", "materialized"}),
    "DPipe": _BINARY | {"safe"},
    "Div": _BINARY | {"typed", "safe"},
    "WithinGroup": _BINARY,
    "Limit": frozenset({"expression"}),
    "LimitOptions": frozenset({"rows"}),
    "Fetch": frozenset({"direction", "count", "limit_options"}),
    "Offset": frozenset({"expression"}),
    "Extract": _BINARY,
    "Star": _NONE,
    "Null": _NONE,
    "CurrentDate": _NONE,
    "CurrentTime": _NONE,
    "CurrentTimestamp": _NONE,
    **dict.fromkeys(("Tuple", "Rollup", "Cube", "GroupingSets"), _ITEMS),
    **dict.fromkeys(
        (
            "Any",
            "All",
            "From",
            "Where",
            "Having",
            "Not",
            "Neg",
            "Paren",
            "Exists",
            "Var",
            "IntervalSpan",
            "BitwiseNot",
        ),
        _THIS,
    ),
    **dict.fromkeys(("And", "Or", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Glob"), _BINARY),
    **dict.fromkeys(("Is", "Like", "ILike"), _BINARY | {"negate"}),
    **dict.fromkeys(("RegexpLike", "RegexpILike", "Escape", "NullSafeEQ", "NullSafeNEQ", "Collate"), _BINARY),
    **dict.fromkeys(("Add", "Sub", "Mul", "Mod", "IntDiv", "SimilarTo", "Xor", "Pow"), _BINARY),
    **dict.fromkeys((f"Bitwise{kind}" for kind in ("And", "Or", "Xor", "LeftShift", "RightShift")), _BINARY),
}
"""What a tree may be made of: the name of each node type, and the parts of it that may be filled."""

_FIRST_WORD = re.compile(r"[\s(]*([^\W\d]\w*)?")

_WORDS = {
    "Insert": "INSERT", "Update": "UPDATE", "Delete": "DELETE", "Merge": "MERGE", "Drop": "DROP", "Create": "CREATE",
    "Alter": "ALTER", "Pragma": "PRAGMA", "Attach": "ATTACH", "Detach": "DETACH", "Into": "INTO", "Lock": "FOR UPDATE",
    "Parameter": "a parameter", "Placeholder": "a parameter",
    "Command": "this command", "Grant": "GRANT", "Set": "SET", "Use": "USE", "Copy": "COPY", "Kill": "KILL",
    "TableSample": "TABLESAMPLE", "Hint": "a hint", "Pivot": "PIVOT", "Describe": "EXPLAIN", "Analyze": "ANALYZE",
    "Transaction": "BEGIN", "Commit": "COMMIT", "Rollback": "ROLLBACK", "TruncateTable": "TRUNCATE",
}  # fmt: skip


def parse_select(text: str, dialect: str = "sqlite") -> tuple[exp.Query, str]:
    """Parse exactly one SELECT (or set operation) and return its tree and the text without comments.

    Raises SQLRefused for anything else, with what and where.
    """
    text = prepare(text, dialect)
    first = _FIRST_WORD.match(text)
    word = (first.group(1) or "").upper() if first else ""
    if word not in ("SELECT", "WITH", "VALUES"):
        raise SQLRefused(f"{word or 'this'} is not allowed: only SELECT statements may be run")
    read = reader(dialect_of(dialect).name)
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, SqlglotError

    try:
        trees = read().parser(error_level=ErrorLevel.IMMEDIATE).parse(read().tokenize(text), text)
        statements = [tree for tree in trees if tree is not None]
        if len(statements) != 1:
            raise SQLRefused("only one statement may be sent; write one SELECT")
        tree = statements[0]
        while isinstance(tree, (exp.Subquery, exp.Paren)) and not set(_filled(tree)) - {"this"}:
            tree = tree.this
        tree = reshape(tree, dialect)
        _check(tree, text)
    except RecursionError:
        raise SQLRefused("the query nests too deeply; write a simpler one") from None
    except SqlglotError as error:
        raise SQLRefused(_explain(error, text)) from None
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.Subquery):
        raise SQLRefused("only SELECT statements may be run")
    return tree, text


def position(node: exp.Expr, text: str) -> str:
    """Say where a node is in the text (`line 1, column 8`), or "" where that is not known."""
    for part in node.walk():
        start = part.meta.get("start")
        if start is not None:
            return place(text, int(start))
    return ""


def _filled(node: exp.Expr) -> list[str]:
    """Return the names of the parts of a node that hold something."""
    return [key for key, value in node.args.items() if value not in (None, False, [], "")]


def _check(tree: exp.Expr, text: str) -> None:
    from sqlglot import exp

    if type(tree).__name__ not in _PARTS or not isinstance(tree, exp.Query):
        what = _WORDS.get(type(tree).__name__, "this")
        raise SQLRefused(f"{what} is not allowed: only SELECT statements may be run")
    for node in tree.walk():
        kind = type(node).__name__
        parts = _PARTS.get(kind)
        if parts is None:
            raise SQLRefused(
                f"{_WORDS.get(kind, _readable(kind))} is not allowed{_at(node, text)}; write a plain SELECT"
            )
        if extra := [key for key in _filled(node) if key not in parts]:
            what = extra[0].rstrip("_").upper().replace("_", " ")
            raise SQLRefused(f"{what} is not allowed in {_readable(kind)}{_at(node, text)}")
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise SQLRefused(
                f"only tables of the schema may stand in FROM, found another thing{_at(node, text)}"
            )


def _at(node: exp.Expr, text: str) -> str:
    where = position(node, text)
    return f" at {where}" if where else ""


def _readable(kind: str) -> str:
    """Turn sqlglot's class name into words."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return words.upper() if len(words) < 8 else words


def _explain(error: Exception, text: str) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "this cannot be read as SQL; check quotes and parentheses"
    first = details[0]
    near = str(first.get("highlight") or "").strip()[:40]
    what = str(first.get("description") or "this cannot be read").split(" 0x")[0].rstrip(".")
    if "<class" in what:  # which of its classes wants what says nothing about SQL
        what = "something is missing or stands at the wrong place"
    line = first.get("line")
    where = f" at line {line}" if line else ""
    return f"cannot be read as SQL{where}{f', near {near!r}' if near else ''}: {what}"
