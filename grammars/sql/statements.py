"""The rules of statements: queries, set operations, sub-queries, joins, and what stands around expressions.

SELECTs are told apart by the number of their columns, so that set operations join equal numbers and ORDER BY names
a position that there is. What stands in FROM exists twice: with an `x` where WITH queries may be read, and without;
sub-queries in expressions may always read them, so that expressions need not exist twice as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from .dialects import Arity, Dialect
from .expressions import aggregate_rules, expression_rules, has_keys
from .families import Family, alternatives

__all__ = ["statement_rules"]

_COUNTS = (*(str(number) for number in range(1, 6)), "n")
"""Numbers of columns: one to five, and more. What `*` gives is told apart; set operations do not take it."""


def statement_rules(
    dialect: Dialect,
    functions: Mapping[str, Arity],
    *,
    tables: str,
    grounded: int,
    max_limit: int,
    recursive: bool,
) -> Iterator[str]:
    """Yield all rules but those of names and terminals; `tables` are the alternatives of a table in FROM."""
    optional = "" if dialect.fetch else "?"
    yield "query: " + " | ".join(
        f"{'with ' if seen else ''}{body}" for seen in ("", "x") for body in [f"statement{seen} limit"]
    )
    yield 'with: "WITH " FIRST " AS (" subquery ")" nexts? " "' + (
        ' | "WITH RECURSIVE " FIRST " AS (" subqueryx ")" nexts? " "' if recursive else ""
    )
    yield 'nexts: ", " NEXT " AS (" subqueryx ")" | nexts ", " NEXT " AS (" subqueryx ")"'
    for seen in ("", "x"):
        bodies = [f"select_{n}{seen} order{optional}" for n in (*_COUNTS, "all")]
        bodies += [f"compound_{n}{seen} places_{n}{optional}" for n in _COUNTS]
        yield f"statement{seen}: " + " | ".join(bodies)
        yield from _queries(dialect, seen)
        yield from _sources(dialect, seen, tables)
    yield from _clauses(dialect)
    for key in "saw":
        yield from expression_rules(Family(key), dialect, functions, grounded)
    yield from aggregate_rules(dialect)
    yield from _endings(dialect, max_limit)


def _queries(dialect: Dialect, seen: str) -> Iterator[str]:
    if dialect.fetch:
        bodies = [f"select_{n}{seen} | select_{n}{seen} order limit" for n in (*_COUNTS, "all")]
        bodies += [f"compound_{n}{seen} | compound_{n}{seen} places_{n} limit" for n in _COUNTS]
    else:
        bodies = [f"select_{n}{seen} order? limit?" for n in (*_COUNTS, "all")]
        bodies += [f"compound_{n}{seen} places_{n}? limit?" for n in _COUNTS]
    yield f"subquery{seen}: " + " | ".join(bodies)
    distinct = '(DISTINCT ("ON (" key_w (", " key_w)* ") ")?)?'
    distinct = distinct if dialect.distinct_on else "DISTINCT?"
    yield f'select_all{seen}: "SELECT " {distinct} "*" from{seen}'
    for n in _COUNTS:
        where = f'(from{seen} | " WHERE " cond_s)?'
        yield f'select_{n}{seen}: "SELECT " {distinct} items_{n} {where}'
        one = f"select_{n}{seen}"
        yield f"compound_{n}{seen}: {one} (SETOP {one})+ | {one} (CROSSING {one})+"


def _sources(dialect: Dialect, seen: str, tables: str) -> Iterator[str]:
    known = ' | CTE (" AS " SUB)?' if seen else ""
    lateral = f' | "LATERAL (" subquery{seen} ")" " AS " SUB' if dialect.laterals else ""
    yield f"source{seen}: {tables} | virtual{seen}"
    yield f'virtual{seen}: "(" subquery{seen} ")" " AS " SUB{known}{lateral}'
    where = '(" WHERE " cond_s)?'
    yield f'from{seen}: " FROM " source{seen} join{seen}* {where} (group | having)?'
    yield f'join{seen}: JOIN source{seen} " ON " cond_s | " CROSS JOIN " source{seen}'


def _clauses(dialect: Dialect) -> Iterator[str]:
    """Yield what is selected, grouped and sorted, and the sub-queries of expressions."""
    yield 'item: val_w (" AS " OUT)?'
    yield "items_1: item"
    for before, count in pairwise(_COUNTS):
        yield f'items_{count}: items_{before} ", " item' + (' | items_n ", " item' if count == "n" else "")
    sorting = "(order limit)?" if dialect.fetch else "order? limit?"
    yield f"scalar: one {sorting} | ones"
    yield "ones: one SETOP one | ones SETOP one"
    yield 'one: "SELECT " DISTINCT? val_w (fromx | " WHERE " cond_s)?'
    ending = ' " WITH ROLLUP"?' if dialect.grouping == "with" else ""
    yield f'group: " GROUP BY " groupkey (", " groupkey)*{ending} having?'
    keys = has_keys(dialect)
    shapes = ["key_s" if keys else "val_s"]
    if dialect.grouping == "sets":
        part = "live_s" if keys else "val_s"
        several = f'{part} (", " {part})*'
        shapes += [f'"ROLLUP (" {several} ")"', f'"CUBE (" {several} ")"']
        shapes.append('"GROUPING SETS (" groupset (", " groupset)* ")"')
        yield f'groupset: "()" | "(" {several} ")"'
    yield f"groupkey: {' | '.join(shapes)}"
    yield 'having: " HAVING " cond_a'
    key = "key_w" if keys else "val_w"
    yield f'order: ORDER_BY {key} way (", " {key} way)*'


def _endings(dialect: Dialect, max_limit: int) -> Iterator[str]:
    yield "way: DIRECTION?" + (" NULLS?" if dialect.nulls_order else "")
    for n in _COUNTS:
        place = f"PLACE_{n.upper()} way"
        yield f'places_{n}: ORDER_BY {place} (", " {place})*'
        yield f"PLACE_{n.upper()}: /{'[1-9][0-9]?' if n == 'n' else f'[1-{n}]' if n != '1' else '1'}/"
    alls = dialect.set_alls
    yield f"SETOP: {alternatives(f' {word} ' for word in (*dialect.set_operations, *(['EXCEPT ALL'] if alls else [])))}"
    crossing = [dialect.intersect, *(["INTERSECT ALL"] if alls else [])]
    yield f"CROSSING: {alternatives(f' {word} ' for word in crossing)}"
    yield 'DISTINCT: "DISTINCT "'
    yield f"JOIN: {alternatives(f' {kind} ' for kind in dialect.joins)}"
    yield 'ORDER_BY: " ORDER BY "'
    yield 'DIRECTION: " ASC" | " DESC"'
    if dialect.nulls_order:
        yield 'NULLS: " NULLS FIRST" | " NULLS LAST"'
    if dialect.fetch:
        yield 'limit: " OFFSET " OFFSET " ROWS FETCH NEXT " LIMIT " ROWS ONLY"'
    else:
        yield 'limit: " LIMIT " LIMIT (" OFFSET " OFFSET)?'
    yield f"LIMIT: /{_up_to(max_limit)}/"
    yield "OFFSET: /0|[1-9][0-9]{0,8}/"


def _up_to(maximum: int) -> str:
    """Return a regex for the numbers 1 to `maximum`, without leading zeros; longer alternatives first."""
    digits = str(maximum)
    exact: list[str] = []
    for index, digit in enumerate(digits):
        low = 1 if index == 0 else 0
        rest = len(digits) - index - 1
        if int(digit) > low:
            tail = f"[0-9]{{{rest}}}" if rest else ""
            exact.append(f"{digits[:index]}[{low}-{int(digit) - 1}]{tail}")
    exact.insert(0, digits)
    if len(digits) > 1:
        shorter = f"[1-9][0-9]{{0,{len(digits) - 2}}}" if len(digits) > 2 else "[1-9]"
        exact.append(shorter)
    return "|".join(exact)
