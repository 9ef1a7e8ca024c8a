"""A schema in the few words a model needs: one line per table, with types, keys, comments and stored values."""

from __future__ import annotations

from collections.abc import Iterator

from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql.names import quote_name, string_literal

__all__ = ["describe"]

_MOST_VALUES = 12


def describe(schema: Schema, max_characters: int = 24_000) -> str:
    """Describe all tables; past `max_characters` the columns of the remaining tables are left out, and it says so."""
    lines: list[str] = []
    size = 0
    for index, table in enumerate(schema.tables):
        text = "\n".join(_table(table, schema))
        size += len(text)
        if size > max_characters:
            names = ", ".join(quote_name(left.name, schema.dialect) for left in schema.tables[index:])
            lines.append(f"and {len(schema.tables) - index} more tables, not described here: {names}"[:4_000])
            break
        lines.append(text)
    return "\n".join(lines)


def _table(table: Table, schema: Schema) -> Iterator[str]:
    kind = "view, " if table.is_view else ""
    size = f"{table.rows} rows" if table.rows is not None else "size unknown"
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
