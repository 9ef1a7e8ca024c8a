"""The columns and tables that words of a free question name, seen from the rows that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from jigwork.grammars.inflection import Words
from jigwork.grammars.schema import Kind

from ..choices import Choices, Trouble
from ..columns import leaves
from ..engine import Leaf, Node
from ..joins import Joins, is_single
from ..query import Path, Ref
from .spans import Names, Spans

__all__ = ["DATES", "NUMERIC", "Columns", "is_reversed"]

NUMERIC: tuple[Kind, ...] = ("integer", "number")
DATES: tuple[Kind, ...] = ("date", "datetime")
_NAME_WORDS = (("name",), ("names",))
_REVERSED = ("birth", "born", "birthday", "dob")


class Columns:
    """Finds names for one run of the choices, and remembers in `notes` what words were taken for."""

    def __init__(self, names: Names, joins: Joins, spans: Spans, choices: Choices) -> None:
        self.names = names
        self.schema = names.lexicon.schema
        self.joins = joins
        self.spans = spans
        self.choices = choices
        self.notes: dict[tuple[int, int], str] = {}

    def table(self, leaf: Leaf) -> str:
        """Return the table that a word names."""
        name = self.choices.pick(self.names.tables(cast(Words, leaf.value)))
        self.note(leaf, f"the table {name}")
        return name

    def note(self, leaf: Leaf, meaning: str) -> None:
        """Remember what words were taken for."""
        self.notes[leaf.start, leaf.end] = meaning

    def way(self, source: str, target: str) -> Path:
        """Return the one way between two tables; more than one is a choice."""
        paths = self.joins.paths(source, target)
        if not paths:
            raise Trouble("these tables are not joined by any key", depth=1)
        return self.choices.pick([(len(path) - 1, path) for path in paths[:4]])

    def ref(self, node: Node, table: str) -> Ref:
        """Return the column that a `colref` or a key names, of the table or of the one row that it points at."""
        return self.column(leaves(node, "COL")[0], table, owner=next(iter(leaves(node, "TAB")), None))

    def column(self, leaf: Leaf, table: str, *, owner: Leaf | None = None) -> Ref:
        """Return a column by its words."""
        ref = self.choices.pick(self.refs(cast(Words, leaf.value), table, owner))
        if owner is not None:
            self.note(owner, f"the table {ref.table}")
        self.note(leaf, f"the column {ref.table}.{ref.column}")
        return ref

    def refs(self, words: Words, table: str, owner: Leaf | None = None) -> list[tuple[int, Ref]]:
        """Return the columns that words may name, of the table or of the one row that it points at, with costs."""
        owners = None if owner is None else {n: c for c, n in self.names.tables(cast(Words, owner.value))}
        found: list[tuple[int, Ref]] = []
        for cost, (where, name) in self.names.columns(words):
            if owners is not None and where not in owners:
                continue
            cost += owners[where] if owners else 0
            kind = self.schema.table(where).column(name).kind
            if where == table:
                found.append((cost, Ref(where, name, kind)))
                continue
            paths = [path for path in self.joins.paths(table, where) if is_single(path)]
            far = (
                0 if owners else 1 + (cost > 0)
            )  # a name that is only near, and not of these rows, is no name
            found.extend(
                (cost + far + len(path) - 1 + (len(paths) > 1), Ref(where, name, kind, path))
                for path in paths
            )
        label = self.names.label(table) if words in _NAME_WORDS and owners is None else None
        if label is not None and not any(ref.table == table for _, ref in found):
            kind = self.schema.table(table).column(label).kind
            found = [(0, Ref(table, label, kind)), *((cost + 1, ref) for cost, ref in found)]
        if owner is not None and self.names.is_column((*cast(Words, owner.value), *words)):
            found = [(cost + 3, ref) for cost, ref in found]  # the two together are a name of their own
        if not found:
            raise Trouble("there is no such column here", depth=1)
        low = min(cost for cost, _ in found)
        return [(cost, ref) for cost, ref in found if cost <= low + 1]

    def measured(self, concepts: Iterable[str], table: str, kinds: Sequence[Kind]) -> Ref:
        """Return the column that an adjective is about: `oldest` the age."""
        found: dict[Ref, int] = {}
        for concept in concepts:
            try:
                refs = self.refs(tuple(concept.split()), table)
            except Trouble:
                continue
            for cost, ref in refs:
                if ref.kind in kinds:
                    found.setdefault(ref, cost)
        return self.choices.pick([(cost, ref) for ref, cost in found.items()])

    def label(self, table: str) -> Ref:
        """Return the column that says which row it is; raises Trouble where none plainly does."""
        name = self.names.label(table)
        if name is None:
            raise Trouble("say which of its columns", depth=1)
        return Ref(table, name, self.schema.table(table).column(name).kind)


def is_reversed(ref: Ref) -> bool:
    """Tell whether most of it is what comes last: the oldest were born first."""
    return any(word in ref.column.lower() for word in _REVERSED)
