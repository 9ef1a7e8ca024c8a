"""From the words after `per` to what groups are told apart by."""

from __future__ import annotations

from typing import cast

from .choices import Trouble
from .columns import FAR, Finder, Spot, hops_of
from .engine import Node
from .joins import is_single, reverse
from .names import TAIL
from .operands import Operands, nodes_of
from .query import Key, Part, Path, Ref, Unit
from .values import DATES

__all__ = ["Keys"]


class Keys:
    """Resolves the groups of one run."""

    def __init__(self, finder: Finder, operands: Operands) -> None:
        self._finder = finder
        self._lexicon = finder.lexicon
        self._operands = operands

    def key(self, node: Node, table: str) -> Key:
        """Resolve one group key."""
        child = cast(Node, node.children[0])
        if child.name == "rows":
            return self._rows(nodes_of(child)[0], table)
        if child.name in ("nouns", "chain"):
            self._check_column(child, table)
            return self._rows(child, table)
        if child.name == "unit":
            return Key((self.unit(child, table),))
        if child.name == "dated":
            return Key((self._dated(child, table),))
        operand, many = self._operands.operand(child, table)
        if many or not isinstance(operand, (Ref, Part)):
            one = self._lexicon.shown_table[table][0]
            raise Trouble(f"a {one} may have many of these, so they are no groups", node, depth=3)
        return Key((operand,))

    def _check_column(self, nouns: Node, table: str) -> None:
        """What may be a column is the column; rows can be put in parentheses."""
        if any(isinstance(child, Node) for child in nouns.children):
            return
        *way, last = hops_of(nouns)
        _, target = self._finder.walk(way, table) if way else ((), table)
        if self._lexicon.own_columns(target, last[0].value):
            raise Trouble("this is a column", nouns, depth=0)

    def same(self, node: Node, table: str) -> tuple[Ref | Part, ...]:
        """Resolve `of the same category`: what rows of one group have in common."""
        key = self.key(node, table)
        if key.entity is None:
            return key.refs
        if not is_single(key.entity):
            raise Trouble("a row may be in several of these groups", node, depth=3)
        return tuple(self._identity(key.entity))

    def _identity(self, path: Path) -> list[Ref]:
        names = self._finder.schema.table(path[-1].target).primary_key or path[-1].target_columns
        spots = [self._finder.normal(Spot(path, path[-1].target, name)) for name in names]
        return [self._finder.ref(spot) for spot in spots]

    def _rows(self, nouns: Node, table: str) -> Key:
        """Rows of another table as groups: those that each row has one of, or of which it may be in several."""
        path, target = self._finder.related(nouns, table)
        identity = self._finder.schema.table(target).primary_key
        names = self._lexicon.names_of(target)
        if path and is_single(path):
            spots = [self._finder.normal(Spot(path, target, name)) for name in names]
            refs = [*self._identity(path), *(self._finder.ref(spot) for spot in spots)]
            return Key(tuple(dict.fromkeys(refs)), path)
        if path and len(identity) > 1 and not is_single(path) and self._says_column(nouns, target):
            many = self._lexicon.shown_table[target][1]
            reason = (
                f"{many} have a column of that name too: ask of each of the {many} (`list ... for {many}`)"
            )
            raise Trouble(reason, nouns, depth=3)
        if path and identity and not is_single(reverse(path, self._finder.joins)):
            spots = [Spot((), target, name) for name in dict.fromkeys((*identity, *names))]
            return Key(tuple(self._finder.ref(spot) for spot in spots), path)
        rows, many = self._lexicon.shown_table[table][1], self._lexicon.shown_table[target][1]
        reason = f"one of the {rows} may have many {many}, so they are no groups"
        listed = ", ".join(self._lexicon.shown_column[target, name] for name in names or identity)
        proposals = (f"list {listed}, number of {rows} for {many}",) if path and listed else ()
        raise Trouble(reason, nouns, proposals=proposals, depth=3)

    def _says_column(self, nouns: Node, target: str) -> bool:
        """`salaries by title`, where titles have a `title`: the rows of that table, or its values?"""
        leaf = hops_of(nouns)[-1][0]
        return any(rank < TAIL for _, rank in self._lexicon.own_columns(target, leaf.value))

    def unit(self, node: Node, table: str) -> Part:
        """Resolve `per year` by the one date of the rows; dates of other rows are only offered."""
        unit = cast(Unit, nodes_of(node)[0].name)
        options = [each for each in self.when(table) if _has(each[1], unit)]
        if not options:
            for other in self._finder.joins.reachable(table):
                for path in self._finder.joins.paths(table, other):
                    if is_single(path):
                        options += [
                            (FAR, Ref(other, ref.column, ref.kind, path))
                            for ref in self.dates(other)
                            if _has(ref, unit)
                        ]
        if not options:
            many = self._lexicon.shown_table[table][1]
            what = "time" if unit == "hour" else "date"
            reason = f"{many} have no {what} of their own: say of which, `per {unit} of COLUMN`"
            raise Trouble(reason, node, depth=2)
        return Part(self._finder.choices.pick(options), unit)

    def _dated(self, node: Node, table: str) -> Part:
        """Resolve `per month of orders` by the one date of those rows."""
        unit, nouns = nodes_of(node)
        path, target = self._finder.related(nouns, table)
        if not is_single(path):
            raise Trouble("a row may have many of these, so they are no groups", node, depth=2)
        named = cast(Unit, nodes_of(unit)[0].name)
        refs = [Ref(target, ref.column, ref.kind, path) for ref in self.dates(target) if _has(ref, named)]
        if not refs:
            many = self._lexicon.shown_table[target][1]
            raise Trouble(f"{many} have no date of their own", node, depth=2)
        costs = {ref.column: cost for cost, ref in self.when(target)}
        return Part(
            self._finder.choices.pick([(costs[ref.column], ref) for ref in refs]),
            named,
        )

    def when(self, table: str) -> list[tuple[int, Ref]]:
        """Return the dates of the rows themselves; one that is called like them (`order date`) comes before others."""
        named = set(self._lexicon.shown_table[table][0].split())
        shown = self._lexicon.shown_column
        return [(1 if named & set(shown[table, ref.column].split()) else 2, ref) for ref in self.dates(table)]

    def dates(self, table: str) -> list[Ref]:
        """Return the columns of a table that hold dates."""
        columns = self._finder.schema.table(table).columns
        return [Ref(table, c.name, c.kind) for c in columns if c.kind in DATES]


def _has(ref: Ref, unit: Unit) -> bool:
    """Tell whether a date has such a part: only one with a time has hours."""
    return unit != "hour" or ref.kind == "datetime"
