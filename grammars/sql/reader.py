"""sqlglot's parser for each dialect, changed so that a tree says what was written and nothing else.

Functions stay as written (sqlglot would turn `STRFTIME('%Y', x)` into something of its own), JSON arrows become calls
of a function named like the arrow, and the forms with words inside (`SUBSTRING(x FROM 2)`) become plain calls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from jigwork.errors import MissingExtraError

from .dialects import Dialect, dialect_of

__all__ = ["reader"]

_ARROWS = {"ARROW": "->", "DARROW": "->>", "HASH_ARROW": "#>", "DHASH_ARROW": "#>>"}
"""sqlglot's tokens, and the operators they stand for."""
_TRIMS = {"BOTH": "TRIM", "LEADING": "LTRIM", "TRAILING": "RTRIM"}


@cache
def reader(name: str) -> Any:
    """Return sqlglot's dialect with our parser; raises MissingExtraError without sqlglot."""
    try:
        from sqlglot.dialects.dialect import Dialect as SqlglotDialect
    except ImportError as error:
        raise MissingExtraError("reading SQL", "sql") from error
    rules = dialect_of(name)
    base: Any = SqlglotDialect.get_or_raise(rules.name).__class__
    changes = {
        "FUNCTIONS": {},
        "FUNCTION_PARSERS": _calls(base.Parser, rules),
        "LAMBDAS": {},
        **_arrows(base.Parser, rules),
    }
    parser = type("Parser", (base.Parser,), changes)
    return type(f"Jigwork{rules.name.title()}", (base,), {"Parser": parser})


def _kept(table: Any, *names: str) -> dict[str, Any]:
    return {name: table[name] for name in names if name in table}


def _calls(parser: Any, rules: Dialect) -> dict[str, Any]:
    """Return the parsers of calls that have words between their arguments."""
    kept = ["CAST", *(["EXTRACT"] if rules.units else []), *(["CONVERT"] if rules.name == "mysql" else [])]
    words: dict[str, Callable[[Any], Any]] = {
        "SUBSTRING": partial(_substring, "SUBSTRING"),
        "SUBSTR": partial(_substring, "SUBSTR"),
        "POSITION": partial(_position, "LOCATE" if rules.name == "mysql" else "STRPOS"),
        "TRIM": _trim,
    }
    if rules.name == "mysql":
        words["GROUP_CONCAT"] = _group_concat
    return {**_kept(parser.FUNCTION_PARSERS, *kept), **words}


def _arrows(parser: Any, rules: Dialect) -> dict[str, dict[Any, Any]]:
    from sqlglot import TokenType

    changed: dict[str, dict[Any, Any]] = {}
    for table in ("COLUMN_OPERATORS", "JSON_OPERATORS", "CONCAT_OPERATORS"):
        old: dict[Any, Any] = getattr(parser, table, {})
        names = {getattr(TokenType, token): sign for token, sign in _ARROWS.items()}
        new = {token: partial(_arrow, names[token]) for token in old if token in names}
        changed[table] = {token: build for token, build in old.items() if token not in names} | new
    return changed


def _arrow(sign: str, _parser: Any, this: Any, path: Any) -> Any:
    from sqlglot import exp

    return exp.Anonymous(this=sign, expressions=[this, path])


def _call(name: str, *arguments: Any) -> Any:
    from sqlglot import exp

    return exp.Anonymous(this=name, expressions=[argument for argument in arguments if argument is not None])


def _substring(name: str, parser: Any) -> Any:
    """Read `SUBSTRING(x, 2, 3)` and `SUBSTRING(x FROM 2 FOR 3)`."""
    from sqlglot import TokenType, exp

    arguments = parser._parse_csv(parser._parse_lambda)
    if parser._match(TokenType.FROM):
        arguments.append(parser._parse_bitwise())
    if parser._match(TokenType.FOR):
        if len(arguments) == 1:
            arguments.append(exp.Literal.number(1))
        arguments.append(parser._parse_bitwise())
    return _call(name, *arguments)


def _position(name: str, parser: Any) -> Any:
    """Read `POSITION(needle IN text)` as the function that does the same."""
    from sqlglot import TokenType

    needle = parser._parse_bitwise()
    if not parser._match(TokenType.IN):
        parser.raise_error("Expecting IN")
    text = parser._parse_bitwise()
    return _call(name, needle, text) if name == "LOCATE" else _call(name, text, needle)


def _trim(parser: Any) -> Any:
    """Read `TRIM(x)`, `TRIM(x, 'y')` and `TRIM(BOTH 'y' FROM x)`; with a side, the name is that of the side."""
    from sqlglot import TokenType

    side = next((word for word in _TRIMS if parser._match_text_seq(word)), None)
    first = None if side and parser._match(TokenType.FROM) else parser._parse_assignment()
    if first is None:
        return _call(_TRIMS[side or "BOTH"], parser._parse_assignment())
    if parser._match(TokenType.FROM):
        return _call(_TRIMS[side or "BOTH"], parser._parse_assignment(), first)
    rest: list[Any] = parser._parse_csv(parser._parse_assignment) if parser._match(TokenType.COMMA) else []
    return _call(_TRIMS[side or "BOTH"], first, *rest)


def _group_concat(parser: Any) -> Any:
    """Read MySQL's `GROUP_CONCAT([DISTINCT] x, y ORDER BY z SEPARATOR ';')`; the separator becomes an argument."""
    from sqlglot import TokenType, exp

    distinct = parser._match(TokenType.DISTINCT)
    values = parser._parse_csv(parser._parse_assignment)
    order = parser._parse_order(None)
    arguments: list[Any] = [exp.Distinct(expressions=values)] if distinct else values
    if parser._match_text_seq("SEPARATOR"):
        arguments.append(exp.Tuple(expressions=[parser._parse_string()]))
    if order is not None:
        arguments.append(order)
    return _call("GROUP_CONCAT", *arguments)
