"""What is stored, beside what is declared: row counts, the values of low-cardinality columns, dates kept as text.

All of it is bounded by time, and what takes too long stays unknown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jigwork.grammars.schema import Column, Kind, Schema, Table
from jigwork.grammars.sql.names import quote_name

from .engine import Engine, Look

__all__ = ["with_samples"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?")
_LONGEST_VALUE = 60
_SAMPLE = 100
_COUNT_BELOW = 200_000
"""Tables that the database estimates to be larger are not counted."""


def with_samples(
    schema: Schema, engine: Engine, *, sources: Mapping[str, str | None], values: int, seconds: float
) -> Schema:
    """Return `schema` with row counts, and stored values of text columns that have at most `values` of them.

    `sources` says what to read each table from; a table that is None there is not looked into. `seconds` bounds all
    reading together; `values=0` reads row counts and kinds only.
    """
    estimates = engine.estimates()
    with engine.looking() as look:
        sampler = _Sampler(look, schema.dialect, values, time.monotonic() + seconds)
        return replace(schema, tables=tuple(_sampled(schema.tables, sampler, sources, estimates)))


def _sampled(
    tables: Sequence[Table],
    sampler: _Sampler,
    sources: Mapping[str, str | None],
    estimates: Mapping[str, int],
) -> Iterator[Table]:
    for table in tables:
        source = sources[table.name]
        if source is None:
            yield replace(table, rows=None)
            continue
        rows = estimates.get(table.name)
        if not table.is_view and (rows is None or rows < _COUNT_BELOW):
            counted = sampler.rows(f"SELECT COUNT(*) FROM {source}")
            rows = int(counted[0][0]) if counted else rows
        columns = tuple(sampler.column(column, source) for column in table.columns)
        yield replace(table, columns=columns, rows=rows)


class _Sampler:
    """Looks into columns until the time is up."""

    def __init__(self, look: Look, dialect: str, values: int, ends: float) -> None:
        self.look = look
        self.dialect = dialect
        self.values = values
        self.ends = ends

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one look; no rows when the time is up."""
        left = self.ends - time.monotonic()
        return self.look(sql, min(left, 1.0)) if left > 0 else []

    def column(self, column: Column, source: str) -> Column:
        """Return a column with what was found stored in it."""
        name = quote_name(column.name, self.dialect)
        if self.dialect == "sqlite" and column.kind in ("text", "other"):
            stored = self.rows(f"SELECT {name} FROM {source} WHERE {name} IS NOT NULL LIMIT {_SAMPLE}")
            column = replace(column, kind=_stored_kind([row[0] for row in stored], column.kind))
        if column.kind != "text" or not self.values:
            return column
        distinct = f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL LIMIT {self.values + 1}"
        found = [row[0] for row in self.rows(distinct)]
        texts = [text for text in found if isinstance(text, str) and 0 < len(text) <= _LONGEST_VALUE]
        if not found or len(found) > self.values or len(texts) < len(found):
            return column
        return replace(column, values=tuple(sorted(texts)))


def _stored_kind(stored: Sequence[Any], declared: Kind) -> Kind:
    """Say what a SQLite column without a telling type holds, by a sample of it."""
    if not stored:
        return "text" if declared == "other" else declared
    if all(isinstance(value, str) for value in stored):
        for pattern, kind in ((_DATE, "date"), (_DATETIME, "datetime"), (_TIME, "time")):
            if all(pattern.fullmatch(value) for value in stored):
                return kind  # type: ignore[return-value]
        return "text"
    if declared == "text":
        return declared
    if all(isinstance(value, int) for value in stored):
        return "integer"
    if all(isinstance(value, (int, float)) for value in stored):
        return "number"
    return "binary" if all(isinstance(value, bytes) for value in stored) else "text"
