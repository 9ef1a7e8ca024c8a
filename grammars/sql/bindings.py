"""What the names of a query turned out to mean: sources, scopes, outputs, and the use of each name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from jigwork.grammars.schema import Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["AliasUse", "Bound", "ColumnUse", "Output", "Scope", "Source", "TextUse", "Use"]


@dataclass(eq=False, slots=True)
class Source:
    """Something in FROM. `table` is None for a CTE or derived table; `query` is then its query node.

    `side` is that of its join (LEFT, RIGHT, FULL); `lateral`: it sees the sources before it; `grouped`: it stands
    after a comma, so that its join begins there.
    """

    name: str
    columns: tuple[str, ...]
    node: exp.Expr
    table: Table | None = None
    query: exp.Expr | None = None
    side: str = ""
    lateral: bool = False
    grouped: bool = False


@dataclass(eq=False, slots=True)
class Output:
    """One result column: its name where it has one, and the expression (None where a star made it).

    `implied` is the name that PostgreSQL gives to one without a name of its own: `CAST(total AS TEXT)` is total.
    """

    name: str | None
    node: exp.Expr | None
    use: ColumnUse | None = None
    implied: str | None = None


@dataclass(eq=False, slots=True)
class Scope:
    """One SELECT: what it reads from, what it gives, and the scope around it (None at the top or in FROM).

    `group` is the source after the last comma in FROM: where the joins that are bound now begin.
    """

    node: exp.Select
    parent: Scope | None
    sources: list[Source] = field(default_factory=list["Source"])
    outputs: list[Output] = field(default_factory=list["Output"])
    shared: dict[str, list[ColumnUse]] = field(default_factory=dict[str, "list[ColumnUse]"])
    group: int = 0


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A name that means a column of a source; `merged` are all sides where USING or NATURAL made them one.

    `index` is its place among the columns of the source, where a star stands for it: names may repeat.
    """

    source: Source
    column: str
    merged: tuple[ColumnUse, ...] = ()
    index: int | None = None


@dataclass(frozen=True, slots=True)
class AliasUse:
    """A name (or a position) that means an output of the select it stands in."""

    output: Output
    index: int


@dataclass(frozen=True, slots=True)
class TextUse:
    """A double-quoted name that SQLite reads as a text, since no column has it."""

    text: str


Use: TypeAlias = ColumnUse | AliasUse | TextUse


@dataclass(eq=False, slots=True)
class Bound:
    """What `resolve` found. Keys of the mappings are `id(node)`; `tree` keeps the nodes alive."""

    tree: exp.Query
    text: str
    schema: Schema
    uses: dict[int, Use] = field(default_factory=dict[int, Use])
    scopes: dict[int, Scope] = field(default_factory=dict[int, Scope])
    outputs: dict[int, list[Output]] = field(default_factory=dict[int, "list[Output]"])

    def tables(self) -> list[str]:
        """Return the names of the tables that are read, each once, in order."""
        names = [
            source.table.name for scope in self.scopes.values() for source in scope.sources if source.table
        ]
        return list(dict.fromkeys(names))
