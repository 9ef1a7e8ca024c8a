"""Rows as a table: NULL told from text, numbers to the right, columns cut to the width of the terminal."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len, set_cell_size

from .escape import one_line
from .screen import Screen

__all__ = ["cell_text", "show_rows"]

_GAP = "  "
_WIDEST_CELL = 60
_NARROWEST_CELL = 8
_NUMBERS = (int, float, Decimal)


def cell_text(value: Any) -> str:
    """Return one value as it is shown: on one line, floats without the noise of binary fractions."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        short = format(value, ".12g")
        return short if math.isclose(float(short), value, rel_tol=1e-13) else format(value, ".15g")
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    return one_line(str(value), 2000)


def show_rows(
    screen: Screen,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    indent: int = 0,
    right: Collection[int] = (),
) -> None:
    """Write a table. On a terminal it fits its width: wide cells are cut, columns that find no room are named.

    Columns of numbers stand to the right, and those whose places are in `right`.
    """
    cells = [[cell_text(value) for value in row] for row in rows]
    heads = [one_line(name, 200) for name in names]
    natural = [
        max([cell_len(head), *(cell_len(row[i]) for row in cells)], default=1) for i, head in enumerate(heads)
    ]
    widths = _fit(natural, screen.width - indent) if screen.terminal else natural
    shown = range(len(widths))
    aligned = [i in right or _is_numeric([row[i] for row in rows]) for i in shown]
    margin = " " * indent
    screen.line(margin + _GAP.join(_pad(heads[i], widths[i], aligned[i]) for i in shown).rstrip(), "bold")
    screen.line(margin + _GAP.join(("─" if screen.terminal else "-") * widths[i] for i in shown), "dim")
    for row, values in zip(cells, rows, strict=True):
        screen.write(margin)
        for i in shown:
            text = _pad(row[i], widths[i], aligned[i])
            last = i == len(widths) - 1
            screen.write(text.rstrip() if last else text + _GAP, "dim" if values[i] is None else "")
        screen.write("\n")
    if hidden := heads[len(widths) :]:
        screen.line(_cut(f"{margin}not shown, no room: {', '.join(hidden)}", screen.width), "dim")


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(v, _NUMBERS) and not isinstance(v, bool) for v in present)


def _pad(text: str, width: int, right: bool) -> str:
    size = cell_len(text)
    if size > width:
        return _cut(text, width)
    return " " * (width - size) + text if right else text + " " * (width - size)


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _fit(natural: Sequence[int], room: int) -> list[int]:
    """Return the widths of the columns that are shown: the widest give way first, then the last are left out."""
    widths = [min(width, _WIDEST_CELL) if len(natural) > 1 else min(width, room) for width in natural]
    least = [min(width, _NARROWEST_CELL) for width in widths]
    while len(least) > 1 and sum(least) + len(_GAP) * (len(least) - 1) > room:
        least.pop()
    widths = widths[: len(least)]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while excess > 0:
        widest = max(range(len(widths)), key=lambda i: (widths[i] - least[i], widths[i]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
        excess -= 1
    return widths
