"""A result as a chart in the terminal, where its shape suits one: bars for groups, a line for a course of time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from rich.cells import cell_len, set_cell_size

from jigwork.tools.sql.result import QueryResult

from .tables import cell_text

__all__ = ["Chart", "chart_of", "draw"]

_MOST_BARS = 40
_HEIGHT = 12
_WIDEST_LABEL = 30
_WIDEST = 100
_TIME = re.compile(r"\d{4}(-\d{2}(-\d{2})?|-?Q[1-4])?([ T].*)?")
_KEY = re.compile(r"(?:^|[_ ])[iI][dD]$|[a-z]I[dD]$")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Chart:
    """Values with their labels. `course` says that the labels follow one another in time."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    course: bool


def chart_of(result: QueryResult) -> Chart | str:
    """Return the chart that suits a result, or why none does: it takes a column of labels, then one of numbers."""
    if len(result.rows) < 2:
        return "a chart needs two rows or more"
    width = len(result.columns)
    numeric = [_is_numeric([row[place] for row in result.rows]) for place in range(width)]
    times = [
        _is_time([row[place] for row in result.rows], column.name)
        for place, column in enumerate(result.columns)
    ]
    label = next((place for place in range(width) if times[place] or not numeric[place]), None)
    measures = [
        place for place in range(width) if numeric[place] and not _KEY.search(result.columns[place].name)
    ]
    value = next((place for place in reversed(measures) if place != label), None)
    if label is None or value is None:
        return "a chart needs a column of labels and one of numbers"
    if any(row[value] is None for row in result.rows):
        return f"a chart needs a number in every row, and {result.columns[value].name} has none in some"
    names = [cell_text(row[label]) for row in result.rows]
    if len(set(names)) < len(names):
        return f"a chart needs labels that differ, and {result.columns[label].name} has some twice"
    course = times[label] and names in (sorted(names), sorted(names, reverse=True)) and len(names) > 2
    if not course and len(names) > _MOST_BARS:
        return f"{len(names):,} bars are too many to read (at most {_MOST_BARS})"
    title = f"{result.columns[value].name} by {result.columns[label].name}"
    pairs = sorted(zip(names, result.rows, strict=True)) if course else zip(names, result.rows, strict=True)
    ordered = [(name, float(row[value])) for name, row in pairs]
    return Chart(title, tuple(name for name, _ in ordered), tuple(size for _, size in ordered), course)


def draw(chart: Chart, width: int) -> list[str]:
    """Return the lines of a chart that is at most `width` columns wide."""
    width = max(20, min(width, _WIDEST))
    return _line(chart, width) if chart.course else _bars(chart, width)


def _is_numeric(values: Sequence[object]) -> bool:
    """Tell whether all are numbers, which also have a place on an axis."""
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, (int, float, Decimal))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(float(value)) < 1e300
        for value in known
    )


def _is_time(values: Sequence[object], name: str) -> bool:
    """Tell whether all are dates, months, quarters, or years in a column that is called so."""
    years = "year" in name.casefold()
    return all(
        (years and isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 2999)
        or (not isinstance(value, (int, float, Decimal)) and _TIME.fullmatch(str(value)) is not None)
        for value in values
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.6g}"


def _bars(chart: Chart, width: int) -> list[str]:
    """Draw a bar for each value from zero, those below zero to the left of it."""
    numbers = [_shown(value) for value in chart.values]
    label = min(_WIDEST_LABEL, width // 3, max(cell_len(name) for name in chart.labels))
    room = max(4, width - label - max(len(number) for number in numbers) - 3)
    low, high = min(0.0, *chart.values), max(0.0, *chart.values)
    span = (high - low) or 1.0
    left = round(-low / span * room)
    lines: list[str] = []
    for name, value, number in zip(chart.labels, chart.values, numbers, strict=True):
        if value < 0:
            length = min(left, max(1, round(-value / span * room)))
            bar = " " * (left - length) + "█" * length
        else:
            eighths = round(value / span * room * 8)
            bar = " " * left + "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        lines.append(f"{_fit(name, label)} {bar} {number}")
    return lines


def _fit(name: str, width: int) -> str:
    return set_cell_size(name, width - 1) + "…" if cell_len(name) > width else set_cell_size(name, width)


def _line(chart: Chart, width: int) -> list[str]:
    """Draw the values as dots over time, each column of the screen the mean of those that fall into it."""
    low, high = min(chart.values), max(chart.values)
    marks = [_shown(high), _shown(low)]
    margin = max(len(mark) for mark in marks)
    values = _gathered(chart.values, width - margin - 2)
    step = max(1, (width - margin - 2) // len(values))
    span = (high - low) or 1.0
    heights = [round((value - low) / span * (_HEIGHT - 1)) for value in values]
    lines: list[str] = []
    for row in range(_HEIGHT - 1, -1, -1):
        mark = marks[0] if row == _HEIGHT - 1 else marks[1] if row == 0 else ""
        dots = "".join(("●" if height == row else " ").ljust(step) for height in heights)
        lines.append(f"{mark.rjust(margin)} ┤{dots}".rstrip())
    first, last = chart.labels[0], chart.labels[-1]
    gap = max(1, step * (len(values) - 1) + 1 - cell_len(first) - cell_len(last))
    lines.append(f"{' ' * margin}  {first}{' ' * gap}{last}")
    if len(values) < len(chart.values):
        lines.append(f"{' ' * margin}  each dot is the mean of {len(chart.values) / len(values):.2g} rows")
    return lines


def _gathered(values: Sequence[float], most: int) -> list[float]:
    count = min(len(values), max(2, most))
    edges = [round(place * len(values) / count) for place in range(count + 1)]
    return [sum(part) / len(part) for start, end in pairwise(edges) if (part := values[start:end])]
