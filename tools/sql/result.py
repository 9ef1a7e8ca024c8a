"""What a query gave: columns with types, rows, whether it was cut, and what a reader should know before trusting it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from jigwork.tools.options import DEFAULT_MAX_OUTPUT

__all__ = ["QueryResult", "ResultColumn", "json_value"]

_MOST_DIGITS = 100
"""A decimal with more digits before or after its point is written with an exponent."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result; `type` is a `jigwork.grammars.schema.Kind`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of one query, as Python values.

    `sql` is the statement as it was run. `row_count` counts the rows that the query has, which may be more than
    `rows` holds when `truncated`; where counting them all would have taken too long, a note says so.
    `trusted` names the checked query that was called, and its author. `seconds` is wall-clock time. `notes` are sentences
    for the model and for people.
    """

    sql: str
    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    truncated: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    trusted: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data: dates as ISO text, binary as a description, numbers that JSON lacks as text."""
        return {
            "sql": self.sql,
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": [[json_value(value) for value in row] for row in self.rows],
            "row_count": self.row_count,
            "truncated": self.truncated,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 4),
            **({"trusted": self.trusted} if self.trusted else {}),
        }

    def for_model(self, max_characters: int = DEFAULT_MAX_OUTPUT) -> str:
        """Return what a model is sent: compact JSON with `columns`, `rows`, `row_count`, `truncated`, `notes`.

        Rows that find no room are left out from the end, and `rows_shown` then says how many there are. What is left
        is whole. A single row that is too long is for the tool's own limit to cut.
        """
        rows = [[json_value(value) for value in row] for row in self.rows]
        data = {
            "columns": [column.name for column in self.columns],
            "rows": rows,
            "row_count": self.row_count,
            "truncated": self.truncated,
            "notes": list(self.notes),
            **({"trusted": self.trusted} if self.trusted else {}),
        }
        text = _compact(data)
        if len(text) <= max_characters:
            return text
        room = max_characters - len(_compact({**data, "rows": [], "rows_shown": len(rows)}))
        shown = 0
        for row in rows:
            room -= len(_compact(row)) + 1
            if room < 0:
                break
            shown += 1
        return _compact({**data, "rows": rows[:shown], "rows_shown": shown}) if shown else text


def _span(value: timedelta) -> str:
    """Write a span of time as servers do: hours may be more than 24."""
    seconds, fraction = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{'-' if value < timedelta() else ''}{text}{f'.{fraction:06}' if fraction else ''}"


def _compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def json_value(value: Any) -> Any:
    """Turn what a database driver returns into a JSON value."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray)):
        return f"<binary, {len(value)} bytes>"
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, dict):
        return {str(key): json_value(value[key]) for key in cast("Sequence[Any]", value)}
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS else str(value)
    if isinstance(value, timedelta):
        return _span(value)
    if hasattr(value, "isoformat"):
        return (
            str(value.isoformat(sep=" "))
            if hasattr(value, "hour") and hasattr(value, "year")
            else value.isoformat()
        )
    return str(value)
