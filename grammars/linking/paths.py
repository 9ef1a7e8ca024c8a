"""Ways from table to table along foreign keys, whatever the direction: what has to come along to join the tables."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from jigwork.grammars.schema import ForeignKey, Schema

__all__ = ["Joint", "Keys", "join_paths"]


@dataclass(frozen=True, slots=True)
class Joint:
    """One foreign key: `table` holds it."""

    table: str
    key: ForeignKey


class Keys:
    """The foreign keys of a schema as an undirected graph."""

    def __init__(self, schema: Schema) -> None:
        names = {table.name for table in schema.tables}
        self._links: dict[str, dict[str, Joint]] = {name: {} for name in names}
        for table in schema.tables:
            for key in table.foreign_keys:
                if key.table in names and key.table != table.name:
                    joint = Joint(table.name, key)
                    self._links[table.name].setdefault(key.table, joint)
                    self._links[key.table].setdefault(table.name, joint)

    @property
    def links(self) -> Mapping[str, Mapping[str, Joint]]:
        """For each table: its neighbours, and the key that leads there."""
        return self._links

    def way(self, start: str, goals: Collection[str]) -> list[str] | None:
        """Return the tables of a shortest way from `start` to the nearest of `goals`, both included; None if there is none."""
        if start in goals:
            return [start]
        before: dict[str, str] = {start: start}
        queue = deque([start])
        while queue:
            name = queue.popleft()
            for other in sorted(self._links.get(name, ())):
                if other in before:
                    continue
                before[other] = name
                if other in goals:
                    path = [other]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return path[::-1]
                queue.append(other)
        return None


def join_paths(schema: Schema, tables: Sequence[str]) -> list[Joint]:
    """Return the foreign keys that join the tables, with those of tables in between; what cannot be joined is left out."""
    keys = Keys(schema)
    joined: list[str] = []
    found: dict[Joint, None] = {}
    for table in tables:
        way = keys.way(table, joined) if joined else [table]
        for left, right in zip(way or (), (way or ())[1:], strict=False):
            found[keys.links[left][right]] = None
        joined.extend(name for name in (way or [table]) if name not in joined)
    return list(found)
