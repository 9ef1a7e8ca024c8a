"""The columns and tables that words of a free question name, seen from the rows that it is about."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import cast

from jigwork.grammars.inflection import Words, split_name
from jigwork.grammars.linking.similar import stem
from jigwork.grammars.linking.synonyms import SHORT
from jigwork.grammars.schema import Kind

from ..choices import Choices, Trouble
from ..columns import leaves
from ..deeds import deeds_of
from ..engine import Leaf, Node
from ..joins import Joins, is_single
from ..query import Path, Ref
from .spans import Names, Spans

__all__ = ["DATES", "NUMERIC", "Columns", "is_reversed", "is_sideways"]

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

    def table_options(self, leaf: Leaf) -> list[tuple[int, str]]:
        """Return the tables that a word may name."""
        return self.names.tables(cast(Words, leaf.value))

    def note(self, leaf: Leaf, meaning: str) -> None:
        """Remember what words were taken for."""
        self.notes[leaf.start, leaf.end] = meaning

    def way(self, source: str, target: str, verbs: Sequence[Leaf] = ()) -> Path:
        """Return the one way between two tables; more than one is a choice."""
        paths = self.ways(source, target, verbs)
        if not paths:
            raise Trouble("these tables are not joined by any key", depth=1)
        return self.choices.pick(paths)

    def ways(self, source: str, target: str, verbs: Sequence[Leaf] = ()) -> list[tuple[int, Path]]:
        """Return the ways between two tables with what each costs.

        One through a table that says it before others: it is called like what is done (`teaches`), or like both ends
        (`film_actor`). That two rows have a third in common (the students and courses of a department) says little.
        """
        paths = self.joins.paths(source, target)[:6]
        words = {word for verb in verbs for word in cast(Words, verb.value)}
        done = {stem(word) for word in words}
        acts = [path for path in paths if any(self._does(step.target, words, done) for step in path)]
        said = acts or [path for path in paths if self._links(path)]
        found: list[tuple[int, Path]] = []
        for path in paths:
            cost = 0 if path in acts else len(path) - 1
            found.append((cost + 3 * is_sideways(path) + 2 * (bool(said) and path not in said), path))
        return found

    def _does(self, table: str, words: set[str], stems: set[str]) -> bool:
        """A table is called like what is done: `teaches`, or orders for `bought`."""
        own = {word for way in split_name(table) for word in way}
        return bool(stems & self._stems(table) or words & set(deeds_of(own)))

    @staticmethod
    def _stems(table: str) -> set[str]:
        words = {word for way in split_name(table) for word in way}
        return {stem(SHORT.get(word, word)) for word in words}

    def _links(self, path: Path) -> bool:
        """Where rows meet many on both sides, the table between is called like both."""
        between = [(one, two) for one, two in itertools.pairwise(path) if one.many and two.forward]
        return bool(between) and all(
            self._stems(one.target) & self._stems(end)
            for one, two in between
            for end in (one.source, two.target)
        )

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

    def of_many(self, words: Words, table: str) -> tuple[Path, Ref]:
        """Return a column of rows that each row has several of: the salaries of an employee."""
        found: list[tuple[int, tuple[Path, Ref]]] = []
        for cost, (where, name) in self.names.columns(words):
            kind = self.schema.table(where).column(name).kind
            steps = [step for step in self.joins.steps(table) if step.target == where and step.many]
            found.extend(
                (cost + len(steps), ((step,), Ref(where, name, kind))) for step in steps if kind in NUMERIC
            )
        return self.choices.pick(found)

    def labels(self, table: str) -> list[Ref]:
        """Return the columns that say which row it is; raises Trouble where none do."""
        names = self.names.labels(table)
        if not names:
            raise Trouble("say which of its columns", depth=1)
        return [Ref(table, name, self.schema.table(table).column(name).kind) for name in names]

    def names_of_person(self, node: Node, table: str) -> list[Ref]:
        """Return first and last name of people; raises Trouble where these rows have none."""
        owner = next(iter(leaves(node, "TAB")), None)
        if self.names.lexicon.persons[table] is None or (
            owner is not None and table not in {name for _, name in self.table_options(owner)}
        ):
            raise Trouble("these have no first and last name", depth=1)
        return self.labels(table)

    def full_name(self, node: Node, table: str) -> list[Ref]:
        """Return the two columns of a person's name where `name` is asked for and there is none; else nothing."""
        words, owner = leaves(node, "COL")[0].value, next(iter(leaves(node, "TAB")), None)
        person = self.names.lexicon.persons[table]
        if words not in _NAME_WORDS or person is None or self.names.label(table) is not None:
            return []
        if owner is not None and table not in {
            name for _, name in self.names.tables(cast(Words, owner.value))
        }:
            return []
        return self.labels(table)


def is_sideways(path: Path) -> bool:
    """Tell whether a path leads to a row that several have in common, and from there to others of its rows."""
    ups = [place for place, step in enumerate(path) if step.forward]
    return any(step.many for step in path[ups[0] :]) if ups else False


def is_reversed(ref: Ref) -> bool:
    """Tell whether most of it is what comes last: the oldest were born first."""
    return any(word in ref.column.lower() for word in _REVERSED)
