"""The rules of statements: queries, set operations, sub-queries, joins, and what stands around expressions.

SELECTs are told apart by the number of their columns, so that set operations join equal numbers and ORDER BY names
a position that there is. Whatever may hold a query exists twice: with an `x` below a WITH, where its queries may be
read, and without, so that no other query can name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from .dialects import Arity, Dialect
from .expressions import aggregate_rules, expression_rules
from .families import Family, Scope, alternatives

__all__ = ["statement_rules"]

_COUNTS = tuple(str(number) for number in range(1, 9))
"""Numbers of columns that are told apart; more are `n`, and that a set operation joins equally many is then checked
on the syntax tree only."""


def statement_rules(
    dialect: Dialect,
    functions: Mapping[str, Arity],
    *,
    ctes: Sequence[str],
    grounded: int,
    max_limit: int,
    recursive: bool,
) -> Iterator[str]:
    """Yield all rules but those of names and terminals; `ctes` are the names of WITH queries, in their order."""
    yield 'query: full limit | with " " fullx limit'
    yield from _definitions(ctes, recursive)
    same = {"val": "cond"} if not dialect.strict else {}
    same |= {"rhs": "side", "part": "factor"} if not grounded else {}
    for scope in (Scope("", same), Scope("x", same)):
        yield from _queries(dialect, scope)
        yield from _sources(dialect, scope)
        yield from _clauses(dialect, scope)
        for key in "saw":
            yield from expression_rules(Family(key, scope), dialect, functions, grounded)
        yield from aggregate_rules(scope, dialect)
    yield from _endings(dialect, max_limit)


def _definitions(ctes: Sequence[str], recursive: bool) -> Iterator[str]:
    """Yield WITH: its queries have their names in order, and each may read the others but the first, which reads none."""
    names = [f"with_{number}" for number in range(1, len(ctes) + 1)]
    yield f"with: {' | '.join(names)}"
    itself = f' | "WITH RECURSIVE {ctes[0]} AS (" subx ")"' if recursive else ""
    yield f'with_1: "WITH {ctes[0]} AS (" sub ")"{itself}'
    for (before, rule), name in zip(pairwise(names), ctes[1:], strict=True):
        yield f'{rule}: {before} ", {name} AS (" subx ")"'


def _queries(dialect: Dialect, scope: Scope) -> Iterator[str]:
    """Yield SELECTs by their number of columns, the queries made of them, and what stands in parentheses."""
    distinct = '(DISTINCT ("ON (" $key_w (", " $key_w)* ") ")?)?' if dialect.distinct_on else "DISTINCT?"
    yield scope.rule("items_1", '$val_w (" AS " OUT)?')
    for before, count in pairwise((*_COUNTS, "n")):
        again = ["items_n"] if count == "n" else []
        yield scope.rule(
            f"items_{count}", *(f'${items} ", " $items_1' for items in (f"items_{before}", *again))
        )
    yield scope.rule("select_all", f'"SELECT " {distinct} "*" $from')
    for n in (*_COUNTS, "n"):
        yield scope.rule(f"select_{n}", f'"SELECT " {distinct} $items_{n} $from?')
        yield scope.rule(
            f"union_{n}", f"$select_{n} (SETOP $select_{n})+", f"$select_{n} (CROSSING $select_{n})+"
        )
    maybe = "" if dialect.fetch else "?"
    plain = [f"$select_{n}" for n in _COUNTS]
    joined = [f"$union_{n}" for n in _COUNTS]
    wide = ["$select_n", "$select_all"]
    yield scope.rule("single", f"$select_1 $order{maybe}", f"$union_1 places_1{maybe}")
    yield scope.rule("wide", *(f"{select} $order{maybe}" for select in wide), f"$union_n places_n{maybe}")
    yield scope.rule(
        "full",
        "$single",
        *(f"{select} $order{maybe}" for select in plain[1:]),
        *(f"{union} places_{n}{maybe}" for union, n in zip(joined[1:], _COUNTS[1:], strict=True)),
        "$wide",
    )
    if dialect.fetch:  # what is limited is sorted
        yield scope.rule("scalar", "$single limit", "$select_1", "$union_1")
        yield scope.rule("sub", "$full limit", *plain, *joined, *wide, "$union_n")
    else:
        yield scope.rule("scalar", "$single limit?")
        yield scope.rule("sub", "$full limit?")


def _sources(dialect: Dialect, scope: Scope) -> Iterator[str]:
    shapes = ["table", '"(" $sub ")" " AS " SUB', *(['CTE (" AS " SUB)?'] if scope.below else [])]
    shapes += ['"LATERAL (" $sub ")" " AS " SUB'] if dialect.laterals else []
    yield scope.rule("source", *shapes)
    yield scope.rule("from", '" FROM " $source $join* (" WHERE " $cond_s)? $group?')
    yield scope.rule("join", 'JOIN $source " ON " $cond_s', '" CROSS JOIN " $source')


def _clauses(dialect: Dialect, scope: Scope) -> Iterator[str]:
    """Yield how rows are grouped and sorted."""
    ending = ' " WITH ROLLUP"?' if dialect.grouping == "with" else ""
    yield scope.rule("group", f'" GROUP BY " $groupkey (", " $groupkey)*{ending} (" HAVING " $cond_a)?')
    shapes = ["$key_s"]
    if dialect.grouping == "sets":
        several = '$live_s (", " $live_s)*'
        shapes += [f'"ROLLUP (" {several} ")"', f'"CUBE (" {several} ")"']
        shapes.append('"GROUPING SETS (" $groupset (", " $groupset)* ")"')
        yield scope.rule("groupset", '"()"', f'"(" {several} ")"')
    yield scope.rule("groupkey", *shapes)
    key = "$val_w" if dialect.fetch else "$key_w"  # where rows must be sorted, a position will do
    yield scope.rule("order", f'ORDER_BY {key} way (", " {key} way)*')


def _endings(dialect: Dialect, max_limit: int) -> Iterator[str]:
    yield "way: DIRECTION?" + (" NULLS?" if dialect.nulls_order else "")
    for n in (*_COUNTS, "n"):
        place = f"PLACE_{n.upper()} way"
        yield f'places_{n}: ORDER_BY {place} (", " {place})*'
        numbers = "[1-9][0-9]?" if n == "n" else f"[1-{n}]"
        yield f"PLACE_{n.upper()}: /{numbers}/" if n != "1" else 'PLACE_1: "1"'
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
