"""What a database holds, as a pure value: tables, columns, keys. Grammars are built from it.

`jigwork.tools.sql` reflects a live database into a `Schema`; `jigwork.grammars.sql` and
`jigwork.grammars.english` write grammars from it. Nothing here opens a database.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

__all__ = ["Column", "ForeignKey", "Kind", "Schema", "Table"]

Kind = Literal["integer", "number", "text", "boolean", "date", "datetime", "time", "binary", "json", "other"]
"""What a column's values are, whatever the database calls the type."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `type` is the database's own word for it, `kind` ours.

    `values` are the stored values of a low-cardinality text column where they were asked for, else None.
    """

    name: str
    type: str = ""
    kind: Kind = "text"
    nullable: bool = True
    comment: str | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of this table point at `references` (same length, same order) of `table`."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table or view. `unique` lists the column sets that are unique besides the primary key."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    comment: str | None = None
    is_view: bool = False
    rows: int | None = None

    def column(self, name: str) -> Column:
        """Return the column of exactly that name; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one database, in a stable order. `dialect` is sqlglot's name: sqlite, postgres, mysql..."""

    tables: tuple[Table, ...]
    dialect: str = "sqlite"
    name: str | None = None
    _by_name: dict[str, Table] = field(
        init=False, repr=False, compare=False, default_factory=dict[str, Table]
    )

    def __post_init__(self) -> None:
        self._by_name.update({table.name: table for table in self.tables})

    def table(self, name: str) -> Table:
        """Return the table of exactly that name; raises KeyError."""
        return self._by_name[name]

    def only(self, names: Collection[str]) -> Schema:
        """Return the tables of these names, in the order they have here, with the foreign keys between them."""
        return replace(
            self,
            tables=tuple(
                replace(table, foreign_keys=tuple(key for key in table.foreign_keys if key.table in names))
                for table in self.tables
                if table.name in names
            ),
        )
