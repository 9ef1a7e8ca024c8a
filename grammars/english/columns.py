"""From the words of a column or a table to the column itself and the way there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from jigwork.grammars.schema import Column, Schema

from .choices import Choices, Trouble
from .engine import Leaf, Node
from .joins import Joins, is_single
from .names import TAIL, Lexicon
from .query import Path, Ref
from .words import Words, is_plural, join_and, nearest

FAR = 10
"""Cost of a column of another table that the question does not name: such a reading is offered, never taken."""

__all__ = ["FAR", "Finder", "Spot", "colrefs", "hops_of", "leaves", "sub", "subs"]


def sub(node: Node, name: str) -> Node | None:
    """Return the first child of that name."""
    return next((child for child in node.children if child.name == name and isinstance(child, Node)), None)


def subs(node: Node, name: str) -> list[Node]:
    """Return the children of that name."""
    return [child for child in node.children if child.name == name and isinstance(child, Node)]


def leaves(node: Node, name: str) -> list[Leaf]:
    """Return the child leaves of that terminal."""
    return [child for child in node.children if child.name == name and isinstance(child, Leaf)]


def colrefs(node: Node) -> list[Node]:
    """Return the columns that are named within a node."""
    if node.name == "colref":
        return [node]
    return [each for child in node.children if isinstance(child, Node) for each in colrefs(child)]


@dataclass(frozen=True, slots=True)
class Spot:
    """A column, and the way from the noun to its table."""

    path: Path
    table: str
    column: str

    @property
    def single(self) -> bool:
        """Whether each row has at most one value there."""
        return is_single(self.path)


class Finder:
    """Looks names up for one run of the resolver."""

    def __init__(self, lexicon: Lexicon, joins: Joins, choices: Choices, today: date) -> None:
        self.lexicon = lexicon
        self.joins = joins
        self.choices = choices
        self.today = today

    @property
    def schema(self) -> Schema:
        """The schema behind the names."""
        return self.lexicon.schema

    def column(self, spot: Spot) -> Column:
        """Return the column at a spot."""
        return self.schema.table(spot.table).column(spot.column)

    def ref(self, spot: Spot) -> Ref:
        """Return the spot as a reference (its path must be single)."""
        return Ref(spot.table, spot.column, self.column(spot).kind, spot.path)

    def own_ref(self, spot: Spot) -> Ref:
        """Return the column relative to the rows at the end of the path."""
        return Ref(spot.table, spot.column, self.column(spot).kind)

    # --- columns --------------------------------------------------------------------------------------------

    def spot(self, colref: Node, table: str) -> Spot:
        """Resolve a colref relative to rows of `table`."""
        child = colref.children[0]
        if isinstance(child, Leaf):
            return self._bare(child, table)
        leaf = next(each for each in child.children if isinstance(each, Leaf) and each.name == "COLUMN")
        path, end = self.walk(_hops(child), table)
        return self._at(leaf, path, end)

    def _bare(self, leaf: Leaf, table: str) -> Spot:
        form: Words = leaf.value
        own = self.lexicon.own_columns(table, form)
        if own and min(rank for _, rank in own) >= TAIL:
            return self.choices.pick(
                [*((TAIL, Spot((), table, name)) for name, _ in own), *self._nearby(form, table)]
            )
        if own:
            return Spot((), table, self.choices.pick([(rank, name) for name, rank in own]))
        options: list[tuple[int, Spot]] = []
        for other in self.joins.reachable(table):
            for name, rank in self.lexicon.own_columns(other, form):
                for path in self.joins.paths(table, other):
                    options.append((FAR + rank, self.normal(Spot(path, other, name))))
        single = [(cost, spot) for cost, spot in options if spot.single]
        if not options:
            raise self._no_column(leaf, table)
        return self.choices.pick(single or options)

    def _nearby(self, form: Words, table: str) -> list[tuple[int, Spot]]:
        """Columns of that whole name of rows that each row has one of: beside `ship country` the customer's `country`."""
        found: list[tuple[int, Spot]] = []
        for other in self.joins.reachable(table):
            names = [name for name, rank in self.lexicon.own_columns(other, form) if rank < TAIL]
            ways = [path for path in self.joins.paths(table, other) if is_single(path)] if names else []
            found.extend((TAIL, self.normal(Spot(path, other, name))) for name in names for path in ways)
        return found

    def _at(self, leaf: Leaf, path: Path, table: str) -> Spot:
        own = self.lexicon.own_columns(table, leaf.value)
        if not own:
            raise self._no_column(leaf, table)
        name = self.choices.pick([(rank, name) for name, rank in own])
        return self.normal(Spot(path, table, name))

    def normal(self, spot: Spot) -> Spot:
        """The key that a row holds itself needs no join: `id of customer` of orders is their `customer_id`."""
        if spot.path:
            step = spot.path[-1]
            if step.forward and not step.many and spot.column in step.target_columns:
                column = step.source_columns[step.target_columns.index(spot.column)]
                return self.normal(Spot(spot.path[:-1], step.source, column))
        return spot

    def _no_column(self, leaf: Leaf, table: str) -> Trouble:
        said = " ".join(leaf.value)
        many = self.lexicon.shown_table[table][1]
        owners = sorted({owner for owner, _ in self.lexicon.columns.entries.get(leaf.value, {})})
        shown = [self.lexicon.shown_column[table, column.name] for column in self.schema.table(table).columns]
        reason = f"{many} have no {said}"
        if owners:
            reason += f" ({said} is a column of {join_and(self.lexicon.shown_table[o][1] for o in owners)})"
        return Trouble(reason, leaf, suggestions=nearest(said, shown), depth=2)

    # --- tables on the way ----------------------------------------------------------------------------------

    def walk(
        self, hops: list[tuple[Leaf, Leaf | None]], table: str, *, many: bool = False
    ) -> tuple[Path, str]:
        """Follow nouns outward from `table`; the first may be the table itself. `many`: a plural is of several rows."""
        path: Path = ()
        for i, (noun, via) in enumerate(hops):
            options = self._hop(table, noun, via, first=i == 0)
            if not options:
                raise self._no_way(table, noun, via)
            if many and via is None:
                options = self._both(table, noun, options)
            met = {step.source for step in path}
            options = [way for way in options if len(way) == 1 or not met & {step.target for step in way}]
            if not options:
                raise Trouble(
                    "this leads back to where it came from: name each table on the way", noun, depth=3
                )
            step = self.choices.pick([(0, option) for option in options])
            path += step
            table = step[-1].target if step else table
        return path, table

    def _hop(self, table: str, noun: Leaf, via: Leaf | None, *, first: bool) -> list[Path]:
        targets = self.lexicon.tables.best(noun.value)
        if via is not None:
            steps = self.lexicon.via_steps(via.value)
            found = [s for s in self.joins.steps(table) if s in steps and s.target in targets]
            return [(s,) for s in found if not (s.forward and s.target == table)]
        options: list[Path] = [(step,) for step in self.lexicon.role_steps(table, noun.value)]
        for target in targets:
            if target == table and first:
                options.append(())
            else:
                options.extend(self.joins.paths(table, target))
        return options

    def _both(self, table: str, noun: Leaf, options: list[Path]) -> list[Path]:
        """Where keys lead both ways (a country has cities, and one as its capital), the number of the noun decides."""
        named = self.lexicon.role_steps(table, noun.value)
        targets = set(self.lexicon.tables.best(noun.value)) - {table}
        direct: list[Path] = [(s,) for s in self.joins.steps(table) if s.target in targets and s not in named]
        several = [path for path in direct if not is_single(path)]
        if not several or len(several) == len(direct):
            return options
        if is_plural(noun.value[-1]):
            return [*((step,) for step in named), *several]
        return list(dict.fromkeys([*options, *several]))

    def _no_way(self, table: str, noun: Leaf, via: Leaf | None) -> Trouble:
        said = " ".join(noun.value)
        many = self.lexicon.shown_table[table][1]
        if via is not None:
            return Trouble(f"no key {' '.join(via.value)} leads from {many} to {said}", via, depth=2)
        ways = [self.lexicon.shown_table[other][1] for other in self.joins.reachable(table)]
        reason = f"no foreign key leads from {many} to {said}"
        return Trouble(reason, noun, suggestions=nearest(said, ways) or ways[:4], depth=2)

    def related(self, nouns: Node, table: str, *, many: bool = False) -> tuple[Path, str]:
        """Resolve `order lines of orders` relative to rows of `table`, which may itself be met again by a key."""
        return self.walk(hops_of(nouns), table, many=many)

    def roots(self, colref: Node) -> list[str]:
        """Return the tables that a colref or arithmetic without a noun may be about."""
        if colref.name != "colref":
            return self._roots_of_all(colref)
        child = colref.children[0]
        if isinstance(child, Leaf):
            owners: dict[str, int] = {}
            for (owner, _), rank in self.lexicon.columns.entries.get(child.value, {}).items():
                owners[owner] = min(rank, owners.get(owner, rank))
            low = min(owners.values(), default=0)
            return [owner for owner, rank in owners.items() if rank == low]
        noun = _hops(child)[0][0].value
        tables = self.lexicon.tables.best(noun)
        if (
            child.name != "pre"
            or (*noun, *leaves(child, "COLUMN")[0].value) not in self.lexicon.columns.entries
        ):
            return tables
        return [table for table in tables if not self._shortened(child, table)]

    def _roots_of_all(self, node: Node) -> list[str]:
        """What columns without a table have in common; where all have one, what those have."""
        found = [(isinstance(each.children[0], Leaf), set(self.roots(each))) for each in colrefs(node)]
        chosen = [tables for bare, tables in found if bare] or [tables for _, tables in found]
        common = chosen[0] if chosen else set[str]()
        for tables in chosen[1:]:
            common = common & tables
        return sorted(common)

    def _shortened(self, pre: Node, table: str) -> bool:
        """`type code` of templates is their `template type code`: together that is a column's name, not two words."""
        found = self.lexicon.own_columns(table, leaves(pre, "COLUMN")[0].value)
        return all(rank > 1 for _, rank in found)


def _hops(node: Node) -> list[tuple[Leaf, Leaf | None]]:
    """The nouns of `customer country` or `country of customer`, the one nearest to the subject first."""
    if node.name == "pre":
        return [(leaf, None) for leaf in leaves(node, "NOUN")]
    nouns = sub(node, "nouns")
    return hops_of(nouns) if nouns else []


def hops_of(nouns: Node) -> list[tuple[Leaf, Leaf | None]]:
    """Return the nouns of a way with their keys, the one nearest to the subject first."""
    if nouns.name == "chain":
        return [(leaf, None) for leaf in leaves(nouns, "NOUN")]
    hops: list[tuple[Leaf, Leaf | None]] = []
    for child in nouns.children:
        if isinstance(child, Leaf):
            hops.append((child, None))
        elif hops:
            hops[-1] = (hops[-1][0], leaves(child, "VIA")[0])
    return hops[::-1]
