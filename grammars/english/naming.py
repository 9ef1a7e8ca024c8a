"""One row by what people call it: `artist "AC/DC"`, `order 10248`, `genre Rock`, `customer "Ada Lovelace"`."""

from __future__ import annotations

from typing import cast

from .choices import Trouble
from .columns import FAR, Finder, Spot
from .engine import Leaf, Node
from .joins import is_single
from .logic import all_of, any_of
from .query import Compare, Cond, Const, Path, Related
from .values import decimal

__all__ = ["Namings"]


class Namings:
    """Resolves the names of rows of one run."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def at(self, path: Path, table: str, namings: list[Node]) -> Cond:
        """Return that the row (or one of the rows) at the end of a path is one of those named."""
        if is_single(path):
            return any_of([self._called(each, table, path) for each in namings])
        return Related(path, ">=", 1, any_of([self._called(each, table, ()) for each in namings]))

    def _called(self, naming: Node, table: str, path: Path) -> Cond:
        leaf = cast(Leaf, naming.children[0])
        said = str(leaf.value)
        match leaf.name:
            case "NUMBER":
                return self._key(leaf, table, path)
            case "STORED":
                found = [each for each in self._finder.lexicon.stored(said) if each.table == table]
                if found:
                    label = self._finder.lexicon.labels[table]
                    options = [(int(each.column != label), (each.column, each.value)) for each in found]
                    column, value = self._finder.choices.pick(options)
                    return self._is(table, column, value, path)
                raise Trouble(f"{said} is no stored value here: write a name in quotes", leaf, depth=2)
            case _:
                return self._label(leaf, table, path)

    def _is(self, table: str, column: str, value: str, path: Path) -> Cond:
        ref = self._finder.ref(self._finder.normal(Spot(path, table, column)))
        return Compare(ref, "=", Const(decimal(value) if ref.kind in ("integer", "number") else value))

    def _key(self, leaf: Leaf, table: str, path: Path) -> Cond:
        key = self._finder.schema.table(table).primary_key
        kinds = [self._finder.schema.table(table).column(name).kind for name in key]
        if kinds not in (["integer"], ["text"]):
            many = self._finder.lexicon.shown_table[table][1]
            raise Trouble(f"{many} are not known by a number: say `where COLUMN is ...`", leaf, depth=2)
        return self._is(table, key[0], str(leaf.value), path)

    def _label(self, leaf: Leaf, table: str, path: Path) -> Cond:
        said, lexicon = str(leaf.value), self._finder.lexicon
        label, person = lexicon.labels[table], lexicon.persons[table]
        if label is not None:
            return self._is(table, label, said, path)
        if person is not None:
            return self._person(said, table, person, path)
        options = lexicon.namelike(table)
        holding = [
            name for name in options if said in (self._finder.schema.table(table).column(name).values or ())
        ]
        if options:
            return self._is(
                table, self._finder.choices.pick([(0, each) for each in holding or options]), said, path
            )
        one, many = lexicon.shown_table[table]
        shown = [lexicon.shown_column[table, c.name] for c in self._finder.schema.table(table).columns if c.kind == "text"]  # fmt: skip
        reason = f"a {one} has no name here: say `{many} where COLUMN is ...`"
        raise Trouble(reason, leaf, suggestions=shown[:4], depth=2)

    def _person(self, said: str, table: str, columns: tuple[str, str], path: Path) -> Cond:
        """First and last name, parted at any of the spaces; of one word, both are asked about."""
        words = said.split()
        first, last = columns
        if len(words) < 2:
            return self._finder.choices.pick(
                [(0, self._is(table, name, said, path)) for name in (last, first)]
            )
        cuts = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
        pairs = [
            all_of([self._is(table, first, one, path), self._is(table, last, two, path)]) for one, two in cuts
        ]
        return any_of(pairs)

    def stored(self, leaf: Leaf, table: str) -> Cond | None:
        """Return that a column of the row, else of a row that it has one of, holds a stored value; several are asked."""
        finder, options = self._finder, list[tuple[int, Cond]]()
        for stored in finder.lexicon.stored(str(leaf.value)):
            paths: list[Path] = [()] if stored.table == table else finder.joins.paths(table, stored.table)
            for path in paths:
                if is_single(path):
                    cost = 1 if not path else FAR // 2
                    options.append((cost, self._is(stored.table, stored.column, stored.value, path)))
        return finder.choices.pick(options) if options else None
