"""The terminals of the SQL grammar that hold no names: operators, literals, functions, and the frames of windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .dialects import Arity, Dialect
from .expressions import aggregate_groups, argument_groups, group_name, json_types
from .families import alternatives

__all__ = ["shared_rules"]

_TRUTH_TYPES = ("INTEGER", "INT64", "TEXT", "VARCHAR", "STRING", "BOOLEAN", "BOOL")
"""What a condition may be cast to where booleans are strict."""


def shared_rules(dialect: Dialect, functions: Mapping[str, Arity]) -> Iterator[str]:
    """Yield what all families share."""
    yield 'EQUAL: " = " | " <> "'
    yield 'COMPARE: " < " | " <= " | " > " | " >= "'
    yield f"NULLSAFE: {alternatives([f' {dialect.null_safe} '])}"
    truths = [f" IS {negated}{word}" for word in ("TRUE", "FALSE") for negated in ("", "NOT ")]
    yield f"ISNULL: {alternatives([' IS NULL', ' IS NOT NULL', *(truths if dialect.truth_tests else [])])}"
    yield 'IN: " IN (" | " NOT IN ("'
    if dialect.quantifiers:
        yield 'QUANT: "ANY (" | "ALL ("'
    yield from _patterns(dialect)
    yield 'BETWEEN: " BETWEEN " | " NOT BETWEEN "'
    yield 'ADD: " + " | " - "'
    yield f"MULTIPLY: {alternatives([' * ', ' / ', ' % ', *([' DIV '] if dialect.name == 'mysql' else [])])}"
    if dialect.bits:
        yield f"BITS: {alternatives(f' {sign} ' for sign in dialect.bits)}"
    if dialect.arrows:
        yield f"ARROW: {alternatives(f' {sign} ' for sign in dialect.arrows)}"
        yield "JPATH: STRING | /0|-?[1-9][0-9]{0,3}/"
    if dialect.collations:
        yield f"COLLATE: {alternatives(f' COLLATE {name}' for name in dialect.collations)}"
    yield from _literals(dialect)
    for prefix, _, table in argument_groups(functions, dialect):
        yield from _functions(prefix, table)
    yield from _aggregates(dialect)
    yield from _frames(dialect)


def _patterns(dialect: Dialect) -> Iterator[str]:
    likes = [word for word in dialect.likes if word in ("LIKE", "ILIKE")]
    yield f"LIKE: {alternatives(f' {word} ' for like in likes for word in (like, f'NOT {like}'))}"
    if others := [word for word in dialect.likes if word not in likes]:
        negated = {"~": "!~", "~*": "!~*"}
        words = [word for like in others for word in (like, negated.get(like, f"NOT {like}"))]
        yield f"MATCH: {alternatives(f' {word} ' for word in words)}"
    if dialect.escape:
        yield 'ESCAPE: " ESCAPE "'
        mark = r"'([^'\\\x00-\x1f\x7f]|\\\\)'" if dialect.backslash_escapes else r"'[^'\x00-\x1f\x7f]'"
        yield f"ESCAPER: /{mark}/"


def _literals(dialect: Dialect) -> Iterator[str]:
    yield r"NUMBER: /-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?(e-?(0|[1-9][0-9]?))?/"
    # No control characters; '' is the only way to write a quote, and a backslash is plain or doubled.
    inner = r"[^'\\\x00-\x1f\x7f]|\\\\" if dialect.backslash_escapes else r"[^'\x00-\x1f\x7f]"
    inner += "|''" if dialect.doubled_quotes else r"|\\'"
    yield f"STRING: /'({inner}){{0,300}}'/"
    yield f"CONSTANT: {alternatives(['NULL', *dialect.constants])}"
    if dialect.booleans:
        yield 'TRUTH: "TRUE" | "FALSE"'
    sized = [rf"/{word}\([0-9]{{1,2}}, [0-9]{{1,2}}\)/" for word in dialect.sized_types]
    documents = json_types(dialect)
    plain = [word for word in dialect.types if word not in documents]
    yield f"TYPE: {' | '.join([alternatives(plain), *sized])}"
    if documents:
        yield f"JSON_TYPE: {alternatives(documents)}"
    if dialect.strict and dialect.booleans:
        yield f"TRUTH_TYPE: {alternatives(word for word in dialect.types if word in _TRUTH_TYPES)}"
    if dialect.units:
        yield f"UNIT: {alternatives(dialect.units)}"
    if dialect.intervals == "quoted":
        amount = r"-?[0-9]{1,6}(\.[0-9]{1,6})? (year|month|week|day|hour|minute|second|decade)s?"
        yield f"INTERVAL: /INTERVAL '{amount}'/"
    elif dialect.intervals:
        yield "INTERVAL: /INTERVAL [0-9]{1,6} (YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)/"
        yield f"INTERVAL_UNIT: {alternatives(f' {unit}' for unit in dialect.units)}"
    if dialect.unit_functions:
        yield f"UNIT_CALL: {alternatives(name + '(' for name in dialect.unit_functions)}"


def _functions(prefix: str, functions: Mapping[str, Arity]) -> Iterator[str]:
    """Yield one terminal per number of arguments; the parenthesis belongs to it, so that no name can run into it."""
    groups: dict[Arity, list[str]] = {}
    for name, arity in functions.items():
        groups.setdefault(arity, []).append(name + "(")
    for arity, names in sorted(groups.items(), key=str):
        yield f"{group_name(prefix, arity)}: {alternatives(sorted(names))}"


def _aggregates(dialect: Dialect) -> Iterator[str]:
    if dialect.name == "sqlite":
        yield 'MINMAX: "MIN(" | "MAX("'  # with one argument an aggregate, with more a function
    table = dialect.aggregates
    for prefix, group in aggregate_groups(dialect).items():
        yield from _functions(prefix, group)
    yield from _functions("SORTED", {name: table[name] for name in dialect.sorted_aggregates})
    if dialect.ordered_aggregates:
        yield f"ORDERED_CALL: {alternatives(name + '(' for name in dialect.ordered_aggregates if name != 'MODE')}"
    yield from _functions("WIN", dialect.windows)


def _frames(dialect: Dialect) -> Iterator[str]:
    counted = ["ROWS", *dialect.frames]
    plain = '" RANGE BETWEEN " ranges' if "RANGE" not in dialect.frames else None
    words = alternatives(f" {kind} BETWEEN " for kind in counted)
    ending = " EXCLUDE?" if dialect.excludes else ""
    yield f"frame: FRAME rows{ending}" + (f" | {plain}{ending}" if plain else "")
    yield f"FRAME: {words}"
    if dialect.excludes:
        yield 'EXCLUDE: " EXCLUDE CURRENT ROW" | " EXCLUDE GROUP" | " EXCLUDE TIES"'
    yield "rows: (START | COUNT PRECEDING) AND after | CURRENT AND later | COUNT FOLLOWING AND (COUNT FOLLOWING | END)"
    yield "after: COUNT (PRECEDING | FOLLOWING) | CURRENT | END"
    yield "later: COUNT FOLLOWING | CURRENT | END"
    if plain:
        yield "ranges: START AND (CURRENT | END) | CURRENT AND (CURRENT | END)"
    yield 'START: "UNBOUNDED PRECEDING"'
    yield 'END: "UNBOUNDED FOLLOWING"'
    yield 'CURRENT: "CURRENT ROW"'
    yield 'AND: " AND "'
    yield 'PRECEDING: " PRECEDING"'
    yield 'FOLLOWING: " FOLLOWING"'
    yield "COUNT: /0|[1-9][0-9]{0,3}/"
