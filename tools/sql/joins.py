"""How the sources of one SELECT hang together: which columns join them, and which joins repeat rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jigwork.errors import SQLLimitReached
from jigwork.grammars.schema import Table
from jigwork.grammars.sql.bindings import Bound, ColumnUse, Scope, Source

__all__ = ["JoinGraph", "check_products", "own_nodes"]

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


@dataclass(frozen=True, slots=True)
class Link:
    """Two columns that a condition holds equal."""

    left: ColumnUse
    right: ColumnUse


class JoinGraph:
    """The conditions `a.x = b.y` that must hold for every row of one SELECT."""

    def __init__(self, scope: Scope, bound: Bound) -> None:
        self.scope = scope
        self.links = list(_links(scope, bound))

    def unconnected(self) -> list[Source]:
        """Return the sources that no condition joins to the first one, directly or through others."""
        reached = self._reach(self.scope.sources[0], unique_only=False) if self.scope.sources else []
        return [source for source in self.scope.sources if source not in reached]

    def repeating(self, source: Source) -> list[Source]:
        """Return the sources whose join may repeat the rows of `source`: not joined on a key of theirs."""
        once = self._reach(source, unique_only=True)
        connected = self._reach(source, unique_only=False)
        return [other for other in connected if other not in once and other.table is not None]

    def determined(self, columns: set[tuple[int, str]]) -> set[int]:
        """Return the sources (by id) of which some columns (source id and name) determine one row at most."""
        known, settled = set(columns), set[int]()
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
                if id(source) not in settled and _is_key(source, own):
                    settled.add(id(source))
                    known |= {(id(source), column) for column in source.columns}
                    grown = True
        return settled

    def _reach(self, start: Source, *, unique_only: bool) -> list[Source]:
        reached = [start]
        grown = True
        while grown:
            grown = False
            for other in self.scope.sources:
                columns = {
                    mine.column
                    for link in self.links
                    for mine, theirs in ((link.left, link.right), (link.right, link.left))
                    if mine.source is other and theirs.source in reached
                }
                if other not in reached and columns and (not unique_only or _is_key(other, columns)):
                    reached.append(other)
                    grown = True
        return reached

    def off_key(self, tables: dict[str, Table]) -> Iterator[Link]:
        """Yield the links between tables that have a foreign key between them, which the link does not follow."""
        for link in self.links:
            left, right = link.left.source.table, link.right.source.table
            if left is None or right is None:
                continue
            pairs = {*_key_pairs(left, right), *((b, a) for a, b in _key_pairs(right, left))}
            joined = {
                (other.left.column, other.right.column)
                for other in self.links
                if other.left.source is link.left.source and other.right.source is link.right.source
            }
            if pairs and not pairs & joined:
                yield link


def _is_key(source: Source, columns: set[str]) -> bool:
    if source.table is None:
        return False
    keys = [key for key in (source.table.primary_key, *source.table.unique) if key]
    return any(set(key) <= columns for key in keys)


def _key_pairs(table: Table, other: Table) -> Iterator[tuple[str, str]]:
    for key in table.foreign_keys:
        if key.table == other.name:
            yield from zip(key.columns, key.references, strict=True)


def _links(scope: Scope, bound: Bound) -> Iterator[Link]:
    """Yield the equalities of ON, WHERE (where they are not inside OR or NOT) and USING."""
    from sqlglot import exp

    node = scope.node
    conditions: list[Any] = [join.args.get("on") for join in node.args.get("joins") or ()]
    conditions.append(node.args["where"].this if node.args.get("where") is not None else None)
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, (exp.And, exp.Paren)):
            conditions.extend((condition.this, condition.args.get("expression")))
        elif isinstance(condition, exp.EQ):
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


def own_nodes(root: Any, kind: Any) -> Iterator[Any]:
    """Yield the nodes of a kind below `root`, without going into sub-queries."""
    from sqlglot import exp

    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, kind):
            yield node
        stack.extend(child for child in node.iter_expressions() if not isinstance(child, exp.Query))
