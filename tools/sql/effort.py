"""How much one call may have to search: no database looks whether it should stop while it compares two texts.

A long text that is searched for another long text keeps a server busy for hours, past every time limit. Both are long
only where a query makes them so: it puts the texts of many rows together, or replaces short parts by long ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jigwork.errors import SQLRefused
from jigwork.grammars.sql.bindings import AliasUse, Bound, ColumnUse, Output, Source
from jigwork.grammars.sql.parse import position

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["check_effort"]

_MOST = 3e9
"""Comparisons of single characters: some seconds."""
_MOST_SOURCES = 500
_MOST_PARTS = 50_000
_MOST_POWERS = 40
_MOST_SETS = 256
_POWERS = frozenset({"POWER", "POW", "EXP", "SQRT", "CBRT", "LN", "LOG", "LOG10"})
_STORED = 200.0
"""What a stored text is taken for. It may be longer, but a query does not choose how."""
_GATHERED = 1e7
_GATHER = frozenset(
    {
        "GROUP_CONCAT",
        "STRING_AGG",
        "LISTAGG",
        "ARRAY_AGG",
        "JSON_AGG",
        "JSONB_AGG",
        "JSON_GROUP_ARRAY",
        "JSON_ARRAYAGG",
    }
)
_REPLACE = frozenset({"REPLACE", "REGEXP_REPLACE"})
_CUT = frozenset({"SUBSTR", "SUBSTRING", "MID", "LEFT", "RIGHT"})
_SEARCH = frozenset(
    {
        "INSTR",
        "LOCATE",
        "STRPOS",
        "POSITION",
        "CHARINDEX",
        "REPLACE",
        "SPLIT_PART",
        "SUBSTRING_INDEX",
        "FIND_IN_SET",
    }
    | {"TRIM", "LTRIM", "RTRIM", "BTRIM", "TRANSLATE", "CONTAINS"}
)
_NUMBERS = frozenset(
    {"COUNT", "SUM", "AVG", "LENGTH", "CHAR_LENGTH", "OCTET_LENGTH", "INSTR", "STRPOS", "LOCATE"}
)


def check_effort(bound: Bound) -> None:
    """Refuse what no time limit would stop: searches of long texts for long ones, and what doubles over and over.

    Raises SQLRefused with what and where.
    """
    from sqlglot import exp

    _check_sources(bound)
    _check_repeats(bound)
    _check_powers(bound)
    for group in bound.tree.find_all(exp.Group):
        if math.prod(_sets(item) for item in group.expressions) > _MOST_SETS:
            raise SQLRefused(
                f"CUBE and GROUPING SETS make more than {_MOST_SETS} groupings; group by fewer columns"
            )
    lengths = _Lengths(bound)
    for node in bound.tree.find_all(exp.Anonymous, exp.Like, exp.ILike, exp.Glob):
        if isinstance(node, exp.Anonymous):
            parts = node.expressions[:2] if node.name.upper() in _SEARCH else []
        else:
            parts = [node.this, node.expression]
        if len(parts) == 2 and math.prod(lengths.of(part) for part in parts) > _MOST:
            where = position(node, bound.text)
            raise SQLRefused(
                f"a text that grows with the rows is searched for a long one{f' at {where}' if where else ''}; search "
                "each row, or for less"
            )


def _check_sources(bound: Bound) -> None:
    """A WITH query that reads another twice, which reads a third twice, is planned as one with that many tables."""
    known: dict[int, int] = {}

    def count(query: exp.Expr) -> int:
        if id(query) not in known:
            known[id(query)] = 1  # for one that reads itself
            scopes = [scope for node in query.walk() if (scope := bound.scopes.get(id(node))) is not None]
            inner = [source for scope in scopes for source in scope.sources]
            # A sub-query in FROM is walked through; a WITH query is where it is read, not where it is written.
            known[id(query)] = sum(1 if s.query is None else count(s.query) for s in inner if _is_read(s))
        return min(known[id(query)], _MOST_SOURCES + 1)

    if count(bound.tree) > _MOST_SOURCES:
        raise SQLRefused(
            f"the query reads tables more than {_MOST_SOURCES} times, counting what its WITH queries read wherever they are "
            "read; write a simpler one"
        )


def _check_repeats(bound: Bound) -> None:
    """A planner puts expressions where their names stand: `x * x` of an `x` that is one of an `x`, and so on, doubles."""
    from sqlglot import exp

    sizes = _Sizes(bound)
    if (
        sum(sizes.used(bound.uses.get(id(column))) for column in bound.tree.find_all(exp.Column))
        > _MOST_PARTS
    ):
        raise SQLRefused(
            "the columns of sub-queries and WITH queries stand for expressions that repeat each other too often; use "
            "each of them once or twice"
        )


def _check_powers(bound: Bound) -> None:
    """PostgreSQL's exact numbers have up to 100000 digits, and it does not look up before an expression is done."""
    from sqlglot import exp

    if bound.schema.dialect != "postgres":
        return
    calls = [call for call in bound.tree.find_all(exp.Anonymous) if call.name.upper() in _POWERS]
    if len(calls) + sum(1 for _ in bound.tree.find_all(exp.Pow)) > _MOST_POWERS:
        raise SQLRefused(
            f"more than {_MOST_POWERS} powers, roots and logarithms stand in one query; write fewer"
        )


def _sets(item: exp.Expr) -> int:
    """Count the groupings that one thing in GROUP BY makes."""
    kind, inner = type(item).__name__, item.expressions
    if kind == "Cube":
        return int(2 ** len(inner))
    if kind == "Rollup":
        return len(inner) + 1
    return sum(_sets(part) for part in inner) if kind == "GroupingSets" else 1


def _is_read(source: Source) -> bool:
    """Tell whether a source stands for tables that are written elsewhere: a table, or a WITH query by its name."""
    return type(source.node).__name__ == "Table"


class _Sizes:
    """Counts of how many parts an expression is once the names of sub-queries are replaced by what they stand for."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.known: dict[tuple[int, int], int] = {}

    def used(self, use: object) -> int:
        if isinstance(use, AliasUse):
            return 1 if use.output.node is None else self.of(use.output.node)
        if not isinstance(use, ColumnUse) or use.source.query is None:
            return 1
        return self.column(use.source.query, index_of(use))

    def of(self, node: exp.Expr) -> int:
        from sqlglot import exp

        parts = [part for part in node.walk() if not isinstance(part, exp.Identifier)]
        return sum(
            self.used(self.bound.uses.get(id(part))) if isinstance(part, exp.Column) else 1 for part in parts
        )

    def column(self, query: exp.Expr, index: int) -> int:
        """Count one column of a query; what groups, sorts out or cuts rows is not taken apart by a planner."""
        from sqlglot import exp

        if isinstance(query, exp.Subquery):
            return self.column(query.this, index)
        if isinstance(query, exp.SetOperation):
            return max(self.column(query.this, index), self.column(query.expression, index))
        outputs = self.bound.outputs.get(id(query), [])
        if index >= len(outputs) or any(query.args.get(part) for part in ("group", "distinct", "limit")):
            return 1
        key = (id(query), index)
        if key not in self.known:
            self.known[key] = 1  # for a WITH query that reads itself
            output = outputs[index]
            size = self.used(output.use) if output.node is None else self.of(output.node)
            self.known[key] = min(size, 10**9)
        return self.known[key]


def index_of(use: ColumnUse) -> int:
    """Return which column of its source is used."""
    names = [name.casefold() for name in use.source.columns]
    return use.index if use.index is not None else names.index(use.column.casefold())


class _Lengths:
    """Estimates how long a text can become."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.known: dict[tuple[int, int], float] = {}

    def of(self, node: Any) -> float:
        """Return the most characters that a value may have, as far as the query itself makes them."""
        return self.once((id(node), -1), lambda: self.estimate(node))

    def once(self, key: tuple[int, int], work: Callable[[], float]) -> float:
        if key not in self.known:
            self.known[key] = _GATHERED  # for what is made of itself, in WITH RECURSIVE
            self.known[key] = min(work(), 1e12)
        return self.known[key]

    def estimate(self, node: exp.Expr) -> float:
        from sqlglot import exp

        if isinstance(node, exp.Literal):
            return float(len(node.name))
        if isinstance(node, exp.Column):
            use = self.bound.uses.get(id(node))
            return self.given(use.output) if isinstance(use, AliasUse) else self.used(use)
        if isinstance(node, exp.Query):
            return self.column(node, 0)
        if isinstance(node, exp.Anonymous):
            return self.called(node)
        if isinstance(node, (exp.Predicate, exp.Not)):
            return 5.0
        return max(1.0, sum(self.of(child) for child in node.iter_expressions()))

    def called(self, node: exp.Anonymous) -> float:
        name, parts = node.name.upper(), node.expressions
        if name in _GATHER:
            return _GATHERED
        if name in _NUMBERS:
            return 20.0
        if name in _REPLACE and len(parts) >= 3:
            old = len(parts[1].name) if type(parts[1]).__name__ == "Literal" and name == "REPLACE" else 1
            return self.of(parts[0]) * max(1.0, self.of(parts[2]) / max(1, old))
        if name in _CUT and len(parts) >= (2 if name in ("LEFT", "RIGHT") else 3):
            last = parts[-1]
            most = float(last.name) if type(last).__name__ == "Literal" and last.name.isdigit() else math.inf
            return min(self.of(parts[0]), most)
        return max(1.0, sum(self.of(part) for part in parts))

    def used(self, use: object) -> float:
        """Return what a column of a source may have."""
        if not isinstance(use, ColumnUse) or use.source.query is None:
            return _STORED
        return self.column(use.source.query, index_of(use))

    def column(self, query: exp.Expr, index: int) -> float:
        """Return what one column of a query may have."""
        from sqlglot import exp

        if isinstance(query, exp.Subquery):
            return self.column(query.this, index)
        if isinstance(query, exp.SetOperation):
            sides = (query.this, query.expression)
            return self.once((id(query), index), lambda: max(self.column(side, index) for side in sides))
        outputs = self.bound.outputs.get(id(query), [])
        if index >= len(outputs):
            return _STORED
        return self.once((id(query), index), lambda: self.given(outputs[index]))

    def given(self, output: Output) -> float:
        return self.used(output.use) if output.node is None else self.of(output.node)
