"""How the sources of one SELECT hang together: which columns join them, and which joins repeat rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from jigwork.errors import SQLLimitReached
from jigwork.grammars.schema import Table
from jigwork.grammars.sql.bindings import Bound, ColumnUse, Scope, Source
from jigwork.grammars.sql.names import names_equal

__all__ = ["JoinGraph", "check_products", "conjuncts", "own_nodes"]

MOST_COMBINATIONS = 5_000_000
"""How many combinations of rows a join without a condition may make."""


def check_products(bound: Bound) -> None:
    """Refuse a join of large tables that no equality holds together; raises SQLLimitReached, which names them."""
    for scope in bound.scopes.values():
        graph = JoinGraph(scope, bound)
        apart = [source for source in (*scope.sources[:1], *graph.unconnected()) if source.table is not None]
        combinations = math.prod(
            max(source.table.rows or 1, 1) for source in apart if source.table is not None
        )
        if len(apart) > 1 and combinations > MOST_COMBINATIONS:
            names = ", ".join(source.name for source in apart)
            text = f"{names} are joined by no equality of columns, which makes {combinations} combinations of rows"
            raise SQLLimitReached(f"{text}; join them along a key")


Place: TypeAlias = tuple[int, str]
"""A column: the id of its source, and its name."""
IsUnique: TypeAlias = Callable[[Source, Collection[str]], bool]


@dataclass(frozen=True, slots=True)
class Link:
    """Two columns that a condition holds equal."""

    left: ColumnUse
    right: ColumnUse

    def joins(self, sources: Collection[Source]) -> bool:
        """Tell whether one of them is a column of `sources`."""
        return self.left.source in sources or self.right.source in sources


class JoinGraph:
    """The conditions `a.x = b.y` that must hold for every row of one SELECT."""

    def __init__(self, scope: Scope, bound: Bound) -> None:
        self.scope = scope
        self.links = list(_links(scope, bound))
        self.fixed = set(_fixed(scope, bound))

    def unconnected(self) -> list[Source]:
        """Return the sources that no condition joins to the first one, directly or through others."""
        reached = self._reach(self.scope.sources[0]) if self.scope.sources else []
        return [source for source in self.scope.sources if source not in reached]

    def repeating(
        self, sources: Collection[Source], grouped: Collection[Place], is_unique: IsUnique | None = None
    ) -> list[Source]:
        """Return the sources whose join may repeat, within a group, the rows that `sources` together give.

        Those of which a row of `sources` leaves one row at most cannot. Those joined to `sources` directly come first.
        `is_unique` says whether columns tell the rows of a source apart though no key does.
        """
        known = {(id(source), column) for source in sources for column in source.columns} | set(grouped)
        settled = self.determined(known, is_unique)
        connected = {id(other): other for source in sources for other in self._reach(source)}
        left = [other for key, other in connected.items() if key not in settled and other not in sources]
        beside = {
            id(use.source) for link in self.links if link.joins(sources) for use in (link.left, link.right)
        }
        return sorted((o for o in left if o.table is not None), key=lambda other: id(other) not in beside)

    def determined(self, columns: Collection[Place], is_unique: IsUnique | None = None) -> set[int]:
        """Return the sources (by id) of which some columns, and what is compared with constants, leave one row at most."""
        known, settled = {*columns, *self.fixed}, set[int]()
        grown = True
        while grown:
            grown = False
            for link in self.links:
                pair = {(id(use.source), use.column) for use in (link.left, link.right)}
                if len(pair & known) == 1:
                    known |= pair
                    grown = True
            for source in self.scope.sources:
                own = {column for owner, column in known if owner == id(source)}
                if id(source) in settled or not own:
                    continue
                if _is_key(source, own) or (is_unique is not None and is_unique(source, own)):
                    settled.add(id(source))
                    known |= {(id(source), column) for column in source.columns}
                    grown = True
        return settled

    def _reach(self, start: Source) -> list[Source]:
        """Return the sources that conditions join to one, directly or through others."""
        reached = [start]
        for source in reached:
            for link in self.links:
                for mine, theirs in ((link.left, link.right), (link.right, link.left)):
                    if mine.source is source and theirs.source not in reached:
                        reached.append(theirs.source)
        return [source for source in self.scope.sources if source in reached]

    def off_key(self, tables: Mapping[str, Table]) -> Iterator[Link]:
        """Yield the links that go along no foreign key, where there is one to go along, or both sides are keys for
        something else."""
        for link in self.links:
            left, right = link.left.source.table, link.right.source.table
            if left is None or right is None:
                continue
            pairs = {*_key_pairs(left, right), *((b, a) for a, b in _key_pairs(right, left))}
            beside = [
                (other.left.column, other.right.column)
                for other in self.links
                if other.left.source is link.left.source and other.right.source is link.right.source
            ]
            if pairs:
                if not pairs & set(beside):
                    yield link
            elif all(_are_for_different(left, right, pair, tables) for pair in beside):
                yield link


def _are_for_different(left: Table, right: Table, pair: tuple[str, str], tables: Mapping[str, Table]) -> bool:
    """Tell whether two columns are keys, and of different things: no value of one means what it means in the other."""
    if names_equal(*pair) and not names_equal(pair[0], "id"):
        return False  # keys that nobody declared mostly have one name on both sides
    if not (_is_pointer(left, pair[0]) and _is_pointer(right, pair[1])):
        return False
    return _meant(left, pair[0], tables) != _meant(right, pair[1], tables)


def _is_pointer(table: Table, column: str) -> bool:
    """Tell whether a column is what the rows of a table, or of another one, are told apart by."""
    return tuple(table.primary_key) == (column,) or any(column in key.columns for key in table.foreign_keys)


def _meant(table: Table, column: str, tables: Mapping[str, Table]) -> tuple[str, str]:
    """Follow foreign keys to the table whose rows a column stands for."""
    seen: set[tuple[str, str]] = set()
    while (table.name, column) not in seen:
        seen.add((table.name, column))
        for key in table.foreign_keys:
            if column in key.columns and key.table in tables:
                column, table = key.references[key.columns.index(column)], tables[key.table]
                break
    return table.name, column


def _is_key(source: Source, columns: set[str]) -> bool:
    if source.table is None:
        return False
    keys = [key for key in (source.table.primary_key, *source.table.unique) if key]
    return any(set(key) <= columns for key in keys)


def _key_pairs(table: Table, other: Table) -> Iterator[tuple[str, str]]:
    for key in table.foreign_keys:
        if key.table == other.name:
            yield from zip(key.columns, key.references, strict=True)


def conjuncts(scope: Scope, *, outer: bool = False) -> Iterator[Any]:
    """Yield the conditions of WHERE and ON that every row of a SELECT meets; with `outer`, those of outer joins too."""
    from sqlglot import exp

    node = scope.node
    joins: list[Any] = [j for j in node.args.get("joins") or () if outer or not j.args.get("side")]
    conditions: list[Any] = [join.args.get("on") for join in joins]
    conditions.append(node.args["where"].this if node.args.get("where") is not None else None)
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, (exp.And, exp.Paren)):
            conditions.extend((condition.this, condition.args.get("expression")))
        elif condition is not None:
            yield condition


def _links(scope: Scope, bound: Bound) -> Iterator[Link]:
    """Yield the equalities of ON, WHERE (where they are not inside OR or NOT) and USING."""
    from sqlglot import exp

    for condition in conjuncts(scope, outer=True):
        if isinstance(condition, exp.EQ):
            left, right = bound.uses.get(id(condition.this)), bound.uses.get(id(condition.expression))
            if (
                isinstance(left, ColumnUse)
                and isinstance(right, ColumnUse)
                and left.source is not right.source
            ):
                yield Link(left, right)
    for uses in scope.shared.values():
        for use in uses[1:]:
            yield Link(uses[0], use)


def _fixed(scope: Scope, bound: Bound) -> Iterator[Place]:
    """Yield the columns that are held equal to a constant."""
    from sqlglot import exp

    for condition in conjuncts(scope, outer=True):
        if isinstance(condition, exp.EQ):
            for mine, other in (
                (condition.this, condition.expression),
                (condition.expression, condition.this),
            ):
                use = bound.uses.get(id(mine))
                if isinstance(use, ColumnUse) and isinstance(other, exp.Literal):
                    yield id(use.source), use.column


def own_nodes(root: Any, kind: Any) -> Iterator[Any]:
    """Yield the nodes of a kind below `root`, without going into sub-queries."""
    from sqlglot import exp

    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, kind):
            yield node
        stack.extend(child for child in node.iter_expressions() if not isinstance(child, exp.Query))
