"""Text to a sqlglot tree that says what was written, and nothing that may not be there.

Functions stay as written (sqlglot would turn `STRFTIME('%Y', x)` into something of its own), so that names can be
checked against an allow-list and printed again unchanged. Every node type, and every part of a node, must be on
the list below: what is not known is refused, not skipped.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jigwork.errors import MissingExtraError, SQLRefused

from .dialects import dialect_of
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
    "CTE": frozenset({"this", "alias"}),
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
    "Distinct": _ITEMS,
    "Filter": _BINARY,
    "Window": frozenset({"this", "partition_by", "order", "spec", "over", "alias"}),
    "WindowSpec": frozenset({"kind", "start", "start_side", "end", "end_side"}),
    "Ordered": frozenset({"this", "desc", "nulls_first"}),
    "Join": frozenset({"this", "side", "kind", "on", "using", "method"}),
    "Interval": frozenset({"this", "unit"}),
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
    **dict.fromkeys(("Group", "Order", "Tuple"), _ITEMS),
    **dict.fromkeys(
        ("Any", "All", "From", "Where", "Having", "Not", "Neg", "Paren", "Exists", "Var", "IntervalSpan"),
        _THIS,
    ),
    **dict.fromkeys(("And", "Or", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Glob"), _BINARY),
    **dict.fromkeys(("Is", "Like", "ILike"), _BINARY | {"negate"}),
    **dict.fromkeys(("RegexpLike", "RegexpILike", "Escape", "NullSafeEQ", "NullSafeNEQ", "Collate"), _BINARY),
    **dict.fromkeys(("Add", "Sub", "Mul", "Mod", "IntDiv"), _BINARY),
}
"""What a tree may be made of: the name of each node type, and the parts of it that may be filled."""

_FIRST_WORD = re.compile(r"[\s(]*([^\W\d]\w*)?")

_WORDS = {
    "Insert": "INSERT", "Update": "UPDATE", "Delete": "DELETE", "Merge": "MERGE", "Drop": "DROP", "Create": "CREATE",
    "Alter": "ALTER", "Pragma": "PRAGMA", "Attach": "ATTACH", "Detach": "DETACH", "Into": "INTO", "Lock": "FOR UPDATE",
    "Values": "VALUES", "Lateral": "LATERAL", "Parameter": "a parameter", "Placeholder": "a parameter",
    "Command": "this command", "Grant": "GRANT", "Set": "SET", "Use": "USE", "Copy": "COPY", "Kill": "KILL",
    "TableSample": "TABLESAMPLE", "Hint": "a hint", "Pivot": "PIVOT", "Describe": "EXPLAIN", "Analyze": "ANALYZE",
    "Transaction": "BEGIN", "Commit": "COMMIT", "Rollback": "ROLLBACK", "TruncateTable": "TRUNCATE",
}  # fmt: skip


@cache
def _reader(dialect: str) -> Any:
    """Return sqlglot's dialect, changed so that function calls stay as they were written."""
    try:
        from sqlglot.dialects.dialect import Dialect as SqlglotDialect
    except ImportError as error:
        raise MissingExtraError("reading SQL", "sql") from error
    base: Any = SqlglotDialect.get_or_raise(dialect).__class__
    special = {
        name: base.Parser.FUNCTION_PARSERS[name]
        for name in ("CAST", "EXTRACT")
        if dialect_of(dialect).units or name == "CAST"
    }
    parser = type("Parser", (base.Parser,), {"FUNCTIONS": {}, "FUNCTION_PARSERS": special})
    return type(f"Jigwork{dialect.title()}", (base,), {"Parser": parser})


def parse_select(text: str, dialect: str = "sqlite") -> tuple[exp.Query, str]:
    """Parse exactly one SELECT (or set operation) and return its tree and the text without comments.

    Raises SQLRefused for anything else, with what and where.
    """
    text = prepare(text, dialect)
    first = _FIRST_WORD.match(text)
    word = (first.group(1) or "").upper() if first else ""
    if word not in ("SELECT", "WITH"):
        raise SQLRefused(f"{word or 'this'} is not allowed: only SELECT statements may be run")
    reader = _reader(dialect_of(dialect).name)
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, SqlglotError

    try:
        trees = reader().parser(error_level=ErrorLevel.IMMEDIATE).parse(reader().tokenize(text), text)
        statements = [tree for tree in trees if tree is not None]
        if len(statements) != 1:
            raise SQLRefused("only one statement may be sent; write one SELECT")
        tree = statements[0]
        while isinstance(tree, (exp.Subquery, exp.Paren)) and not set(_filled(tree)) - {"this"}:
            tree = tree.this
        _read_units(tree, dialect)
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


def _read_units(tree: exp.Expr, dialect: str) -> None:
    """Make the unit in `TIMESTAMPDIFF(DAY, a, b)` a word; it was read as the name of a column."""
    from sqlglot import exp

    names = dialect_of(dialect).unit_functions
    for call in tree.find_all(exp.Anonymous) if names else ():
        if call.name.upper() in names and call.expressions and isinstance(call.expressions[0], exp.Column):
            call.expressions[0].replace(exp.Var(this=call.expressions[0].name))


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
    line = first.get("line")
    where = f" at line {line}" if line else ""
    return f"cannot be read as SQL{where}{f', near {near!r}' if near else ''}: {what}"
