"""What of a database exists for a model: which tables and columns, under which names, and which rows of them.

A table that is scoped, renamed or has hidden columns is read through a sub-query that leaves only what may be seen.
The sub-query is put in at the last moment, when a checked query is written for the database: the model sees
neither it nor the values in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jigwork.errors import ConfigurationError
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table
from jigwork.grammars.sql.names import names_equal, nearest_names, quote_name
from jigwork.grammars.sql.parameters import fill_parameters

from .engine import Access

__all__ = ["Policy", "View"]


_FENCES = {"postgres": "OFFSET 0", "mysql": "LIMIT 18446744073709551615", "sqlite": "LIMIT -1"}
"""What keeps a planner from trying a model's conditions on rows out of scope: an error would tell of their values."""


@dataclass(frozen=True, slots=True)
class View:
    """A table as a model sees it: the schema's table, and the sub-query that gives it (None: the table itself)."""

    table: Table
    query: str | None
    real_name: str
    real_columns: frozenset[str]
    scoped: bool = False

    def source(self, dialect: str) -> str:
        """Return what to write after FROM to read the table as a model sees it."""
        return f"({self.query}) AS jigwork_view" if self.query else quote_name(self.real_name, dialect)


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may see what. All names are the database's own.

    `tables` are the only ones that exist (None: all); `deny` takes away tables, and columns as `table.column`.
    `rename` maps a table or `table.column` to the name the model uses; `describe` to words for the prompt.
    `scope` maps a table to a condition that all its rows must meet, with parameters written `:name` whose values
    `parameters` holds.
    A view shows what it reads, whatever is done to the tables under it. So one over a scoped table needs a scope of
    its own, and one over what is denied has to be among `tables`; else it is hidden. So is one that may read anything
    (it calls functions made for the database, or shows a catalog), and a table that shows rows of another: one that
    inherits, or a full-text index.
    """

    tables: Sequence[str] | None = None
    deny: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    describe: Mapping[str, str] = field(default_factory=dict[str, str])
    scope: Mapping[str, str] = field(default_factory=dict[str, str])
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def apply(
        self, schema: Schema, reads: Mapping[str, frozenset[str]] | None = None
    ) -> tuple[Schema, list[View]]:
        """Return the schema a model sees, and how each of its tables is read. `reads` is that of an `Engine`.

        Raises ConfigurationError for a name that the database does not have, a parameter without a value, names
        that collide, or a view that was asked for and shows the rows that a scope hides.
        """
        self._check_names(schema)
        names = {table.name: self.rename.get(table.name, table.name) for table in schema.tables}
        leaking = self._leaking(schema, reads or {})
        kept = [table for table in schema.tables if self._allowed(table.name) and table.name not in leaking]
        views = [self._view(table, names, {other.name for other in kept}, schema.dialect) for table in kept]
        views = [view for view in views if view.table.columns]
        if not views:
            raise ConfigurationError("no table is left to ask: the database has none, or none is allowed")
        alike: dict[str, list[View]] = {}
        for view in views:
            alike.setdefault(view.table.name.casefold(), []).append(view)
        for group in alike.values():
            # Where the database itself has two names that differ in case alone, it tells them apart.
            if len(group) > 1 and any(view.table.name != view.real_name for view in group):
                raise ConfigurationError(
                    f"two tables would be called {group[0].table.name!r}; rename one of them"
                )
        return replace(schema, tables=tuple(view.table for view in views)), views

    def _leaking(self, schema: Schema, reads: Mapping[str, frozenset[str]]) -> set[str]:
        """Return the views through which one would see what is hidden."""
        leaking: set[str] = set()
        if not self.scope and not self.deny:
            return leaking
        unknown = {table.name: frozenset({"*"}) for table in schema.tables if table.is_view}
        for name, read in _closed({**unknown, **reads}).items():
            if name not in {table.name for table in schema.tables} or name in self.scope:
                continue
            asked = self.tables is not None and name in self.tables
            scoped = [table for table in self.scope if table in read or "*" in read]
            if scoped and asked:
                reads_it = "reads" if scoped[0] in read else "may read"
                raise ConfigurationError(
                    f"{name} {reads_it} {scoped[0]}, which has a scope: give it one too, as "
                    f"scope={{{name!r}: ...}} ('1 = 1' shows all its rows), or leave it out of tables"
                )
            if scoped or (not asked and self._denied(read)):
                leaking.add(name)
        return leaking

    def _denied(self, read: Collection[str]) -> bool:
        """Tell whether a table or column that was taken away is among what is read."""
        for name in self.deny:
            table, _, column = name.rpartition(".")
            if "*" in read or name in read or (table in read and f"*.{column}" in read):
                return True
        return False

    def rename_all(self, tables: Iterable[str]) -> list[str]:
        """Return the names that a model uses for tables, of those that it may see."""
        return [self.rename.get(table, table) for table in tables if self._allowed(table)]

    def hidden(self, schema: Schema, views: Iterable[View]) -> tuple[str, ...]:
        """Return what exists and is not shown: tables, and `table.column` under the names a model uses."""
        shown = {view.real_name for view in views}
        tables = [table.name for table in schema.tables if table.name not in shown]
        columns = [name for name in self.deny if "." in name and name not in tables]
        return (*tables, *(self._renamed_column(name) for name in columns))

    def access(self, schema: Schema, views: Iterable[View], functions: frozenset[str]) -> Access:
        """Return what the connection must be able to read, under the database's names: what is shown, and what scopes need."""
        columns = {view.real_name: view.real_columns for view in views}
        for condition in self.scope.values():
            for table in schema.tables:
                if _names(condition, table.name):
                    used = frozenset(c.name for c in table.columns if _names(condition, c.name))
                    columns[table.name] = columns.get(table.name, frozenset()) | used
            functions |= {name.upper() for name in re.findall(r"\b(\w+)\s*\(", condition)}
        return Access(columns, functions)

    def _renamed_column(self, name: str) -> str:
        table, _, column = name.rpartition(".")
        return f"{self.rename.get(table, table)}.{column}"

    def _allowed(self, table: str) -> bool:
        return (self.tables is None or table in self.tables) and table not in self.deny

    def _check_names(self, schema: Schema) -> None:
        tables = [table.name for table in schema.tables]
        columns = [f"{table.name}.{column.name}" for table in schema.tables for column in table.columns]
        for name in (*(self.tables or ()), *self.scope):
            _known(name, tables, "table")
        for name in (*self.deny, *self.rename, *self.describe):
            column = "." in name and name not in tables
            _known(name, columns if column else tables, "column" if column else "table")

    def _view(self, table: Table, names: Mapping[str, str], kept: set[str], dialect: str) -> View:
        visible = [column for column in table.columns if f"{table.name}.{column.name}" not in self.deny]
        columns = tuple(self._column(column, table) for column in visible)
        own = {column.name: shown.name for column, shown in zip(visible, columns, strict=True)}
        shown = replace(
            table,
            name=names[table.name],
            columns=columns,
            primary_key=_all_of(table.primary_key, own),
            unique=tuple(key for key in (_all_of(key, own) for key in table.unique) if key),
            foreign_keys=tuple(self._keys(table, own, names, kept)),
            comment=self.describe.get(table.name, table.comment),
        )
        real = frozenset(column.name for column in visible)
        condition = self.scope.get(table.name)
        if (
            condition is None
            and shown.name == table.name
            and len(visible) == len(table.columns)
            and own == {c: c for c in own}
        ):
            return View(shown, None, table.name, real)
        used = frozenset(c.name for c in table.columns if condition is not None and _names(condition, c.name))
        return View(
            shown, self._query(table, own, condition, dialect), table.name, real | used, condition is not None
        )

    def _column(self, column: Column, table: Table) -> Column:
        key = f"{table.name}.{column.name}"
        return replace(
            column, name=self.rename.get(key, column.name), comment=self.describe.get(key, column.comment)
        )

    def _keys(
        self, table: Table, own: Mapping[str, str], names: Mapping[str, str], kept: set[str]
    ) -> Iterable[ForeignKey]:
        """Yield the foreign keys whose two ends a model sees."""
        for key in table.foreign_keys:
            if key.table not in kept or any(
                f"{key.table}.{column}" in self.deny for column in key.references
            ):
                continue
            if columns := _all_of(key.columns, own):
                references = tuple(
                    self.rename.get(f"{key.table}.{column}", column) for column in key.references
                )
                yield ForeignKey(columns, names[key.table], references)

    def _query(self, table: Table, own: Mapping[str, str], condition: str | None, dialect: str) -> str:
        items = ", ".join(
            f"{quote_name(real, dialect)} AS {quote_name(shown, dialect)}" for real, shown in own.items()
        )
        text = f"SELECT {items} FROM {quote_name(table.name, dialect)}"
        if condition is None:
            return text
        return f"{text} WHERE ({fill_parameters(condition, self.parameters, dialect)}) {_FENCES[dialect]}"


def _names(condition: str, name: str) -> bool:
    """Tell whether a condition names something, as far as its words tell."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", condition, re.IGNORECASE) is not None


def _closed(reads: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    """Return what each view reads, through other views as well."""
    closed = {name: set(read) for name, read in reads.items()}
    for _ in closed:
        for read in closed.values():
            for through in [name for name in closed if name in read]:
                read |= closed[through]
    return closed


def _all_of(columns: Sequence[str], own: Mapping[str, str]) -> tuple[str, ...]:
    """Return the shown names of columns, or nothing where one of them is hidden."""
    return tuple(own[column] for column in columns) if all(column in own for column in columns) else ()


def _known(name: str, known: Sequence[str], kind: str) -> None:
    if name in known:
        return
    close = [other for other in known if names_equal(other, name)] or nearest_names(name, known)
    hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(known[:20])}"
    raise ConfigurationError(f"the database has no {kind} {name!r}{hint}")
