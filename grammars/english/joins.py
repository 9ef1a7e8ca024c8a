"""Ways from table to table along foreign keys.

Two rules decide what counts as a way: a direct key is preferred to any way round between the same two tables, and
ways on which a row meets at most one other row come before all others. What is left is never chosen between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from jigwork.grammars.schema import ForeignKey, Schema, Table

from .query import Path, Step

__all__ = ["Joins", "is_single", "reverse"]

_LONGEST = 7
_MOST_PATHS = 60
_MOST_STEPS = 20_000


def is_single(path: Path) -> bool:
    """Tell whether a row meets at most one row along this path."""
    return not any(step.many for step in path)


class Joins:
    """The foreign keys of a schema as steps in both directions."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._steps: dict[str, list[Step]] = defaultdict(list)
        self._backward: dict[Step, Step] = {}
        self._paths: dict[tuple[str, str], list[Path]] = {}
        self._reached: dict[str, list[str]] = {}
        for table in schema.tables:
            for key in table.foreign_keys:
                self._add(table, key)

    def _add(self, table: Table, key: ForeignKey) -> None:
        try:
            parent = self._schema.table(key.table)
        except KeyError:
            return
        references = key.references or parent.primary_key
        if len(references) != len(key.columns) or not key.columns:
            return
        if not _has(table, key.columns) or not _has(parent, references):
            return
        optional = any(table.column(name).nullable for name in key.columns)
        up = Step(
            table.name, key.columns, parent.name, references, True, not _unique(parent, references), optional
        )
        down = Step(parent.name, references, table.name, key.columns, False, not _unique(table, key.columns))
        if up in self._backward:
            return
        self._backward[up], self._backward[down] = down, up
        self._steps[table.name].append(up)
        self._steps[parent.name].append(down)

    def reverse(self, step: Step) -> Step:
        """Return the same key walked the other way."""
        return self._backward[step]

    def steps(self, table: str) -> Sequence[Step]:
        """Return the steps that leave a table, forward and backward."""
        return self._steps[table]

    def paths(self, source: str, target: str) -> list[Path]:
        """Return the ways from source to target that count; self references give their direct steps."""
        found = self._paths.get((source, target))
        if found is None:
            found = self._paths[source, target] = self._find(source, target)
        return found

    def _find(self, source: str, target: str) -> list[Path]:
        if source == target:
            return [(step,) for step in self._steps[source] if step.target == target]
        single = self._search(source, target, single=True)
        return single or self._search(source, target, single=False)

    def _search(self, source: str, target: str, *, single: bool) -> list[Path]:
        edges = {
            table: [s for s in steps if s.target != table and not (single and s.many)]
            for table, steps in list(self._steps.items())
        }
        near = {table: {s.target for s in steps} for table, steps in edges.items()}
        found: list[Path] = []
        stack: list[tuple[str, Path, tuple[str, ...]]] = [(source, (), (source,))]
        budget = _MOST_STEPS
        while stack and budget and len(found) < _MOST_PATHS:
            table, path, seen = stack.pop()
            budget -= 1
            for step in reversed(edges.get(table, [])):
                if step.target in seen or any(step.target in near.get(earlier, ()) for earlier in seen[:-1]):
                    continue
                if step.target == target:
                    found.append((*path, step))
                elif len(path) + 1 < _LONGEST and target not in near.get(table, ()):
                    stack.append((step.target, (*path, step), (*seen, step.target)))
        return sorted(found, key=len)

    def reachable(self, source: str) -> list[str]:
        """Return the other tables that some way leads to, nearest first."""
        known = self._reached.get(source)
        if known is None:
            order, seen = [source], {source}
            for table in order:
                for step in self._steps[table]:
                    if step.target not in seen:
                        seen.add(step.target)
                        order.append(step.target)
            known = self._reached[source] = order[1:]
        return known


def reverse(path: Path, joins: Joins) -> Path:
    """Return the way back."""
    return tuple(joins.reverse(step) for step in reversed(path))


def _has(table: Table, columns: Iterable[str]) -> bool:
    return set(columns) <= {column.name for column in table.columns}


def _unique(table: Table, columns: Iterable[str]) -> bool:
    given = set(columns)
    keys = [table.primary_key, *table.unique]
    return any(key and set(key) <= given for key in keys)
