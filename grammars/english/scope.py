"""One SELECT as it is written: its table under a name, and the joins that its columns have asked for."""

from __future__ import annotations

from collections.abc import Mapping

from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.names import quote_name, table_aliases

from .choices import Trouble
from .joins import Joins
from .query import Operand, Path, Step

__all__ = ["Names", "Scope"]


class Names:
    """How the tables and columns of one schema are written."""

    def __init__(self, schema: Schema, joins: Joins) -> None:
        self.schema = schema
        self.joins = joins
        self._dialect = schema.dialect
        self._aliases = table_aliases(schema)

    def table(self, table: str) -> tuple[str, ...]:
        """Return the names that the table may be given, as written in SQL."""
        return quote_name(table, self._dialect), *self._aliases[table]

    def source(self, table: str, name: str) -> str:
        """Return the table as it stands in FROM."""
        quoted = quote_name(table, self._dialect)
        return quoted if name == quoted else f"{quoted} AS {name}"

    def dot(self, name: str, column: str) -> str:
        """Return a column of what is called `name`."""
        return f"{name}.{quote_name(column, self._dialect)}"

    def link(self, step: Step, left: str, right: str) -> str:
        """Return the join condition of one step."""
        pairs = zip(step.source_columns, step.target_columns, strict=True)
        return " AND ".join(f"{self.dot(right, b)} = {self.dot(left, a)}" for a, b in pairs)


class Scope:
    """One SELECT. `known` says under which columns of a sub-query in FROM operands are found already."""

    def __init__(self, names: Names, table: str, outer: Scope | None = None) -> None:
        self._names = names
        self._outer = outer
        self._taken: set[str] = set()
        self.table = table
        self.name = self.fresh(table)
        self.joins: list[str] = []
        self.known: Mapping[Operand, str] = {}
        self._joined: dict[Path, str] = {}

    def fresh(self, table: str) -> str:
        """Return a name for the table that neither this SELECT nor one around it uses."""
        taken: set[str] = set()
        scope: Scope | None = self
        while scope is not None:
            taken |= scope._taken
            scope = scope._outer
        name = next((name for name in self._names.table(table) if name not in taken), None)
        if name is None:
            raise Trouble(
                f"the table {table} is needed too often for one question: ask for less at a time", depth=9
            )
        self._taken.add(name)
        return name

    def source(self) -> str:
        """The FROM clause without its keyword."""
        return self._names.source(self.table, self.name) + "".join(self.joins)

    def at(self, path: Path) -> str:
        """Return the name of the table at the end of a path of single steps, joining it where needed."""
        if not path:
            return self.name
        if path not in self._joined:
            left = self.at(path[:-1])
            step = path[-1]
            right = self.fresh(step.target)
            on = self._names.link(step, left, right)
            self.joins.append(f" LEFT JOIN {self._names.source(step.target, right)} ON {on}")
            self._joined[path] = right
        return self._joined[path]
