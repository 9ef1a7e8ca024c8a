"""Two tools for finding one's way in a database before a query: what tables hold, and where a value is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from jigwork.errors import ToolError
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql.dialects import dialect_of
from jigwork.grammars.sql.names import names_equal, nearest_names, quote_name, string_literal

from .describe import ONLY_A_PART, describe

__all__ = ["Explorer"]

_SEARCH_SECONDS = 3.0
_MOST_PLACES = 20
_PER_COLUMN = 5


class Explorer:
    """Answers questions about a schema and its stored values; `sources` says what tables are read from."""

    def __init__(
        self,
        schema: Schema,
        sources: Mapping[str, str],
        look: Callable[[str, float], list[tuple[Any, ...]]],
        *,
        hidden: Sequence[str] = (),
        partial: Collection[str] = (),
    ) -> None:
        self._hidden = hidden
        self._partial = partial
        self._schema = schema
        self._sources = sources
        self._look = look

    def describe_tables(self, names: list[str]) -> str:
        """Describe tables: their columns with kinds, keys, comments, and the values of columns that have few.

        Args:
            names: The tables to describe. Leave the list empty to get the names of all tables.
        """
        if not names:
            return "\n".join(self._line(table) for table in self._schema.tables)
        chosen = Schema(tuple(self._table(name) for name in names), dialect=self._schema.dialect)
        return describe(chosen, partial=self._partial)

    def find_values(self, text: str, table: str | None = None) -> str:
        """Find where a text is stored: the columns that hold it, or a text that contains it, as they spell it.

        Args:
            text: What to look for; case does not matter.
            table: Look in this table only.
        """
        if not text.strip():
            raise ToolError("give a text to look for")
        tables = [self._table(table)] if table else list(self._schema.tables)
        ends = time.monotonic() + _SEARCH_SECONDS
        found: list[str] = []
        for where, column in (
            (each, column) for each in tables for column in each.columns if column.kind == "text"
        ):
            if time.monotonic() > ends or len(found) >= _MOST_PLACES:
                found.append("(there may be more: name a table to look in)")
                break
            found.extend(self._search(where, column, text, ends))
        if found:
            return "\n".join(found)
        partial = ", ".join(where.name for where in tables if where.name in self._partial)
        part = f" (only a part of the rows of {partial} is available here)" if partial else ""
        return f"no text column holds {text!r}{part}"

    def _search(self, table: Table, column: Column, text: str, ends: float) -> Iterator[str]:
        dialect = self._schema.dialect
        where = f"{quote_name(table.name, dialect)}.{quote_name(column.name, dialect)}"
        if column.values is not None:
            matches = [value for value in column.values if text.casefold() in value.casefold()]
            matches = matches or nearest_names(text, column.values, _PER_COLUMN)
        else:
            rows = self._look(self._query(table, column, text), min(1.0, ends - time.monotonic()))
            matches = [str(row[0]) for row in rows]
        for match in matches[:_PER_COLUMN]:
            yield f"{where} = {match!r}"

    def _query(self, table: Table, column: Column, text: str) -> str:
        dialect = self._schema.dialect
        name = quote_name(column.name, dialect)
        escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_").lower()
        try:
            pattern = string_literal(f"%{escaped}%", dialect)
        except ValueError as error:
            raise ToolError(f"this text cannot be looked for: {error}") from error
        word = "ILIKE" if "ILIKE" in dialect_of(dialect).likes else "LIKE"
        return (
            f"SELECT DISTINCT {name} FROM {self._sources[table.name]} "
            f"WHERE {name if word == 'ILIKE' else f'LOWER({name})'} {word} {pattern} ESCAPE '!' LIMIT {_PER_COLUMN}"
        )

    def _line(self, table: Table) -> str:
        size = f" ({table.rows} rows)" if table.rows is not None else ""
        size = f" ({ONLY_A_PART})" if table.name in self._partial else size
        comment = f" -- {table.comment}" if table.comment else ""
        return f"{quote_name(table.name, self._schema.dialect)}{size}{comment}"

    def _table(self, name: str) -> Table:
        for table in self._schema.tables:
            if names_equal(table.name, name.strip('"`')):
                return table
        if any(names_equal(other, name.strip('"`')) for other in self._hidden):
            raise ToolError(f"{name} is not available here")
        near = nearest_names(name, [table.name for table in self._schema.tables])
        raise ToolError(f"there is no table {name} here" + (f"; nearest: {', '.join(near)}" if near else ""))
