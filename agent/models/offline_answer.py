"""From the JSON of a query tool to the answer in words: the read-back, then exactly what the rows say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .jsondata import is_array, is_object

if TYPE_CHECKING:
    from jigwork.grammars.english import Reading

__all__ = ["answer"]

_ROWS_SHOWN = 30
_WIDTH = 40


def answer(reading: Reading, output: str) -> str:
    """Return the answer text. Output that is no table is the tool's own message, and is passed on as that."""
    if reading.tool is not None:
        return f"{reading.readback}\n{output}"
    table = _table(output)
    if table is None:
        return f"{reading.readback}\nThe query gave no result. The tool said: {output.strip()}"
    columns, rows, data = table
    single = reading.kind == "number" or (reading.trusted is not None and len(rows) == len(columns) == 1)
    said = _number(columns, rows, data) if single else _listed(reading, columns, rows, data)
    notes: Any = data.get("notes")
    extra = [f"Note: {note}" for note in notes] if is_array(notes) else []
    return "\n".join([reading.readback, said, *extra])


def _table(output: str) -> tuple[list[str], list[list[Any]], Mapping[str, Any]] | None:
    try:
        data: Any = json.loads(output)
    except ValueError:
        return None
    if not is_object(data):
        return None
    columns, rows = data.get("columns"), data.get("rows")
    if not is_array(columns) or not is_array(rows):
        return None
    names = [_name(column) for column in columns]
    listed = [row for row in rows if is_array(row)]
    if len(listed) != len(rows) or any(len(row) != len(names) for row in listed):
        return None
    return names, listed, data


def _name(column: Any) -> str:
    if isinstance(column, Mapping):
        return str(cast("Mapping[str, Any]", column).get("name", ""))
    return str(column)


def _number(columns: list[str], rows: list[list[Any]], data: Mapping[str, Any]) -> str:
    if len(rows) != 1:
        return _count_line(len(rows), data)
    if len(columns) == 1:
        value = rows[0][0]
        return "There is no value to take it of." if value is None else f"Answer: {_cell(value, None)}"
    said = [
        f"{name}: {'no value' if v is None else _cell(v, None)}"
        for name, v in zip(columns, rows[0], strict=True)
    ]
    return "Answer: " + "; ".join(said)


def _listed(reading: Reading, columns: list[str], rows: list[list[Any]], data: Mapping[str, Any]) -> str:
    if not rows:
        return "No rows." if not data.get("truncated") else "The result was cut before its first row."
    shown = rows[:_ROWS_SHOWN]
    total = data.get("row_count")
    count = total if isinstance(total, int) and total >= len(rows) else len(rows)
    cut = bool(data.get("truncated"))
    if reading.capped and count >= reading.limit:
        head = f"The first {len(shown)} rows of at least {count}; there may be more than the limit of {reading.limit}:"
    elif len(shown) < count or cut:
        more = f"{count}" if count > len(rows) or not cut else f"at least {count}"
        head = f"The first {len(shown)} of {more} rows{' (the result was cut)' if cut else ''}:"
    else:
        head = f"{count} row{'s' if count != 1 else ''}:"
    return "\n".join([head, *_lines(columns, shown)])


def _count_line(count: int, data: Mapping[str, Any]) -> str:
    return f"The query gave {count} rows where one was expected{' (cut)' if data.get('truncated') else ''}."


def _lines(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    cells = [[_cell(value, _WIDTH) for value in row] for row in rows]
    titles = [_cell(name, _WIDTH) for name in columns]
    widths = [max(len(line[i]) for line in [titles, *cells]) for i in range(len(titles))]
    numeric = [_is_numeric([row[i] for row in rows]) for i in range(len(titles))]

    def line(values: Sequence[str]) -> str:
        parts = [
            v.rjust(w) if right else v.ljust(w) for v, w, right in zip(values, widths, numeric, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return [line(titles), line(["-" * width for width in widths]), *(line(row) for row in cells)]


def _is_numeric(values: Sequence[Any]) -> bool:
    filled = [value for value in values if value is not None]
    return bool(filled) and all(isinstance(value, (int, float)) for value in filled)


def _cell(value: Any, width: int | None) -> str:
    """One value as text on one line; an empty one is a dash, a long one is cut visibly.

    Fractions are shown to 12 digits: sums of binary fractions have noise behind them.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = f"{value:.12g}"
        return repr(value) if "e" in short else short
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split()) if "\n" in text or "\t" in text or "\r" in text else text
    return text if width is None or len(text) <= width else text[: width - 3] + "..."
