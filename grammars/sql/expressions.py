"""The expression rules of the SQL grammar, written once per level.

A level says which calls an expression may hold: `s` none that sees more than one row (WHERE, ON, GROUP BY,
arguments of aggregates), `a` aggregates too (HAVING), `w` windows too (what is selected, ORDER BY). So an
aggregate in WHERE cannot be written at all. Precedence is in the rules; what engines disagree about (`||`
beside `+`, chained comparisons) needs parentheses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from .dialects import Arity, Dialect

__all__ = ["alternatives", "expression_rules", "function_terminals", "quoted", "shared_rules"]


def quoted(text: str) -> str:
    """Write a Lark string."""
    return json.dumps(text, ensure_ascii=False)


def alternatives(texts: Iterable[str]) -> str:
    """Write Lark strings with `|` between them."""
    return " | ".join(quoted(text) for text in texts)


def expression_rules(
    level: str, dialect: Dialect, functions: Mapping[str, Arity], grounded: int
) -> Iterator[str]:
    """Yield the rules of one level; `grounded` columns (VCOL_0, VCOL_1...) take only stored values."""
    x = level
    columns = [f"VCOL_{number}" for number in range(grounded)]
    yield f'expr_{x}: and_{x} (" OR " and_{x})*'
    yield f'and_{x}: not_{x} (" AND " not_{x})*'
    yield f'not_{x}: "NOT " not_{x} | pred_{x}'
    preds = [
        f"operand_{x} tail_{x}?",
        "exists",
        *(f"{name} vtail_{x}_{i}?" for i, name in enumerate(columns)),
    ]
    yield f"pred_{x}: " + " | ".join(preds)
    rhs = f"rhs_{x}" if columns else f"operand_{x}"
    like = f"(LIKE {rhs} (ESCAPE ESCAPER)?)" if dialect.escape else f"LIKE {rhs}"
    matches = f" | MATCH {rhs}" if set(dialect.likes) - {"LIKE", "ILIKE"} else ""
    others = f'COMPARE {rhs} | ISNULL | {like}{matches} | BETWEEN {rhs} " AND " {rhs}'
    yield f'tail_{x}: EQUAL {rhs} | IN {rhs} (", " {rhs})* ")" | IN scalar ")" | {others}'
    for i in range(grounded):
        value = f"VALUE_{i}"
        yield f'vtail_{x}_{i}: EQUAL ({value} | vother_{x}) | IN {value} (", " {value})* ")" | IN scalar ")" | {others}'
    part = f"factor_{x}"
    if columns:
        yield f"rhs_{x}: operand_{x} | vcol"
        yield f'vother_{x}: col | vcol | "(" scalar ")"'
        if dialect.concat:
            yield f"part_{x}: factor_{x} | vcol"
        part = f"part_{x}"
    yield f"operand_{x}: concat_{x} | sum_{x}" if dialect.concat else f"operand_{x}: sum_{x}"
    if dialect.concat:
        yield f'concat_{x}: {part} (" || " {part})+'
    addend = f"term_{x}"
    if dialect.intervals == "unit":
        addend = f"(term_{x} | INTERVAL | interval_{x})"
        yield f'interval_{x}: "INTERVAL (" expr_{x} ")" INTERVAL_UNIT'
    yield f"sum_{x}: term_{x} (ADD {addend})*"
    yield f"term_{x}: factor_{x} (MULTIPLY factor_{x})*"
    yield f"factor_{x}: " + " | ".join(_factors(x, dialect))
    yield from _calls(x, functions)
    yield f'case_{x}: "CASE WHEN " expr_{x} " THEN " expr_{x} (" WHEN " expr_{x} " THEN " expr_{x})* (" ELSE " expr_{x})? " END"'


def _factors(x: str, dialect: Dialect) -> Iterator[str]:
    yield from ("NUMBER", "STRING", "CONSTANT", "col")
    yield f'"(" expr_{x} ")"'
    yield '"(" scalar ")"'
    yield f'"-(" expr_{x} ")"'
    yield f"call_{x}"
    yield f"case_{x}"
    yield f'"CAST(" expr_{x} " AS " TYPE ")"'
    if dialect.units:
        yield f'"EXTRACT(" UNIT " FROM " operand_{x} ")"'
    if dialect.unit_functions:
        yield f'UNIT_CALL UNIT ", " expr_{x} ", " expr_{x} ")"'
    if dialect.intervals == "quoted":
        yield "INTERVAL"
    if x == "a":
        yield "agg"
    if x == "w":
        yield "wagg over?"
        yield "wcall over"


def _calls(x: str, functions: Mapping[str, Arity]) -> Iterator[str]:
    """Yield one rule whose alternatives are the numbers of arguments that functions take."""
    shapes = [
        f'{_group(arity)} {_arguments(f"expr_{x}", arity)}")"'
        for arity in sorted(set(functions.values()), key=str)
    ]
    yield f"call_{x}: " + " | ".join(shapes)


def _group(arity: Arity) -> str:
    low, high = arity
    return f"CALL_{low}_{'N' if high is None else high}"


def _arguments(argument: str, arity: Arity) -> str:
    """Write `low` to `high` arguments with commas between them."""
    low, high = arity
    text = ' ", " '.join([argument] * low)
    if high is None:
        return f'{text} (", " {argument})* '
    optional = ""
    for position in range(high, low, -1):
        comma = '", " ' if position > 1 else ""
        optional = f"({comma}{argument}{' ' + optional if optional else ''})?"
    return f"{text} {optional} ".lstrip()


def function_terminals(prefix: str, functions: Mapping[str, Arity]) -> Iterator[str]:
    """Yield one terminal per number of arguments; the parenthesis belongs to it, so that no name can run into it."""
    groups: dict[Arity, list[str]] = {}
    for name, arity in functions.items():
        groups.setdefault(arity, []).append(name + "(")
    for arity, names in sorted(groups.items(), key=str):
        yield f"{_group(arity).replace('CALL', prefix)}: {alternatives(sorted(names))}"


def shared_rules(dialect: Dialect, functions: Mapping[str, Arity]) -> Iterator[str]:
    """Yield what the levels share: operators, literals, aggregates, windows."""
    yield 'exists: "EXISTS (" subquery ")"'
    yield 'EQUAL: " = " | " <> "'
    yield f"COMPARE: {alternatives([' < ', ' <= ', ' > ', ' >= ', f' {dialect.null_safe} '])}"
    yield 'ISNULL: " IS NULL" | " IS NOT NULL"'
    yield 'IN: " IN (" | " NOT IN ("'
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
    yield 'BETWEEN: " BETWEEN " | " NOT BETWEEN "'
    yield 'ADD: " + " | " - "'
    yield 'MULTIPLY: " * " | " / " | " % "'
    yield from _literals(dialect)
    yield from function_terminals("CALL", functions)
    yield from _aggregates(dialect)


def _literals(dialect: Dialect) -> Iterator[str]:
    yield r"NUMBER: /-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?/"
    # No control characters; '' is the only way to write a quote, and a backslash is plain or doubled.
    inner = r"[^'\\\x00-\x1f\x7f]|\\\\" if dialect.backslash_escapes else r"[^'\x00-\x1f\x7f]"
    inner += "|''" if dialect.doubled_quotes else r"|\\'"
    yield f"STRING: /'({inner}){{0,300}}'/"
    truths = ["TRUE", "FALSE"] if dialect.booleans else []
    yield f"CONSTANT: {alternatives(['NULL', *truths, *dialect.constants])}"
    sized = [rf"/{word}\([0-9]{{1,2}}, [0-9]{{1,2}}\)/" for word in dialect.sized_types]
    yield f"TYPE: {' | '.join([alternatives(dialect.types), *sized])}"
    if dialect.units:
        yield f"UNIT: {alternatives(dialect.units)}"
    if dialect.intervals == "quoted":
        yield "INTERVAL: /INTERVAL '[0-9]{1,6} (year|month|week|day|hour|minute|second)s?'/"
    elif dialect.intervals:
        yield "INTERVAL: /INTERVAL [0-9]{1,6} (YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)/"
        yield f"INTERVAL_UNIT: {alternatives(f' {unit}' for unit in dialect.units)}"
    if dialect.unit_functions:
        yield f"UNIT_CALL: {alternatives(name + '(' for name in dialect.unit_functions)}"


def _aggregates(dialect: Dialect) -> Iterator[str]:
    """`agg` takes a plain argument; `wagg`, which may have OVER, also an aggregate (`SUM(COUNT(*)) OVER ()`)."""
    counted = {"COUNT", *dialect.no_distinct}
    distinct = {name: arity for name, arity in dialect.aggregates.items() if name not in counted}
    plain = {name: arity for name, arity in dialect.aggregates.items() if name in dialect.no_distinct}
    filters = ' (" FILTER (WHERE " expr_s ")")?' if dialect.filters else ""
    for rule, inner in (("agg", "expr_s"), ("wagg", "expr_a")):
        shapes = [f'"COUNT(" ("*" | DISTINCT? {inner}) ")"']
        for prefix, word, table in (("AGG", "DISTINCT? ", distinct), ("AGP", "", plain)):
            for arity in sorted(set(table.values()), key=str):
                shapes.append(f'{_group(arity).replace("CALL", prefix)} {word}{_arguments(inner, arity)}")"')
        if dialect.ordered_aggregates:
            nulls = " NULLS?" if dialect.nulls_order else ""
            shapes.append(f'ORDERED_CALL NUMBER ")" " WITHIN GROUP (ORDER BY " expr_s DIRECTION?{nulls} ")"')
        yield f"{rule}: ({' | '.join(shapes)}){filters}"
    if dialect.ordered_aggregates:
        yield f"ORDERED_CALL: {alternatives(name + '(' for name in dialect.ordered_aggregates)}"
    yield from function_terminals("AGG", distinct)
    yield from function_terminals("AGP", plain)
    yield from _windows(dialect)


def _windows(dialect: Dialect) -> Iterator[str]:
    """Windows; a frame begins before it ends, and RANGE counts no rows."""
    shapes = [
        f'{_group(arity).replace("CALL", "WIN")} {_arguments("expr_a", arity)}")"'
        for arity in sorted(set(dialect.windows.values()), key=str)
    ]
    yield f"wcall: {' | '.join(shapes)}"
    yield from function_terminals("WIN", dialect.windows)
    yield 'over: " OVER (" ("PARTITION BY " expr_a (", " expr_a)* (ORDER_BY wkeys)? | "ORDER BY " wkeys)? ")"'
    yield 'wkeys: wkey (", " wkey)* frame?'
    yield "wkey: expr_a DIRECTION?" + (" NULLS?" if dialect.nulls_order else "")
    yield 'frame: " ROWS BETWEEN " rows | " RANGE BETWEEN " ranges'
    yield "rows: (START | COUNT PRECEDING) AND after | CURRENT AND later | COUNT FOLLOWING AND (COUNT FOLLOWING | END)"
    yield "after: COUNT (PRECEDING | FOLLOWING) | CURRENT | END"
    yield "later: COUNT FOLLOWING | CURRENT | END"
    yield "ranges: START AND (CURRENT | END) | CURRENT AND (CURRENT | END)"
    yield 'START: "UNBOUNDED PRECEDING"'
    yield 'END: "UNBOUNDED FOLLOWING"'
    yield 'CURRENT: "CURRENT ROW"'
    yield 'AND: " AND "'
    yield 'PRECEDING: " PRECEDING"'
    yield 'FOLLOWING: " FOLLOWING"'
    yield "COUNT: /0|[1-9][0-9]{0,3}/"
