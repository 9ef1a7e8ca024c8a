"""A schema in the few words a model needs: one line per table, with types, keys, comments and stored values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql.names import quote_name, string_literal

__all__ = ["ONLY_A_PART", "describe"]

ONLY_A_PART = "only a part of its rows is available here"

_MOST_VALUES = 12
_LEAST_NAMES = 200
"""Characters for the names of tables that find no room otherwise."""


def describe(schema: Schema, max_characters: int = 24_000, *, partial: Collection[str] = ()) -> str:
    """Describe all tables; past `max_characters` the columns of the remaining tables are left out, and it says so.

    Of the tables in `partial` it says that only a part of their rows is there.
    """
    lines: list[str] = []
    size = 0
    for index, table in enumerate(schema.tables):
        text = "\n".join(_table(table, schema, partial))
        size += len(text) + 1
        if size > max_characters:
            room = max_characters - size + len(text) + 1
            lines.append(_undescribed(schema.tables[index:], schema.dialect, room))
            break
        lines.append(text)
    return "\n".join(lines)


def _undescribed(tables: Sequence[Table], dialect: str, room: int) -> str:
    """Return the names of tables that find no room, as many as find some."""
    text = f"and {len(tables)} more tables, not described here: "
    room = max(room - len(text), _LEAST_NAMES)
    names: list[str] = []
    for table in tables:
        name = quote_name(table.name, dialect)
        room -= len(name) + 2
        if room < 0:
            names.append("...")
            break
        names.append(name)
    return text + ", ".join(names)


def _table(table: Table, schema: Schema, partial: Collection[str]) -> Iterator[str]:
    kind = "view, " if table.is_view else ""
    size = f"{table.rows} rows" if table.rows is not None else "size unknown"
    size = ONLY_A_PART if table.name in partial else size
    comment = f" -- {_one_line(table.comment)}" if table.comment else ""
    yield f"{quote_name(table.name, schema.dialect)} ({kind}{size}){comment}"
    yield "  " + ", ".join(_column(column, table, schema) for column in table.columns)
    for key in table.foreign_keys:
        own = ", ".join(quote_name(name, schema.dialect) for name in key.columns)
        other = ", ".join(quote_name(name, schema.dialect) for name in key.references)
        yield f"  {own} -> {quote_name(key.table, schema.dialect)}.{other}"


def _column(column: Column, table: Table, schema: Schema) -> str:
    words = [quote_name(column.name, schema.dialect), column.kind]
    if column.name in table.primary_key:
        words.append("key")
    if column.values:
        shown = [_literal(value, schema.dialect) for value in column.values[:_MOST_VALUES]]
        more = f" and {len(column.values) - _MOST_VALUES} more" if len(column.values) > _MOST_VALUES else ""
        words.append(f"({' | '.join(shown)}{more})")
    if column.comment:
        words.append(f"[{_one_line(column.comment)}]")
    return " ".join(words)


def _literal(value: str, dialect: str) -> str:
    try:
        return string_literal(value, dialect)
    except ValueError:
        return "'...'"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
