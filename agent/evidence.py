"""What the results of tools support: their values, what can be worked out from them, and what was asked."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from statistics import median
from typing import Any

from .figures import Date, Figure, Number, dates_in, plain_numbers
from .models.jsondata import is_array, is_object

__all__ = ["Evidence"]

_DATED = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?|\d{1,2}:\d{2}(?::\d{2})?"
)
_FEW = 12
"""Up to so many rows are compared one with another; in more, chance would make almost any figure derivable."""


class Evidence:
    """Collects texts and results, then tells whether a figure agrees with them.

    Derivable are: counts of rows, of some of a few rows, and of equal values, totals, averages and medians of a column,
    sums of its first rows and of neighbours, differences between values of a row or of a few rows, quotients in
    a row, and percentages and multiples of all these. A number may be rounded to the digits it is written with.
    """

    def __init__(self) -> None:
        self._numbers: set[float] = set()
        self._shares: set[float] = set()
        self._cells: set[float] = set()
        self._dates: set[tuple[int, int, int | None]] = set()
        self._texts: list[str] = []
        self._sorted: tuple[list[float], list[float]] | None = None

    def add_text(self, text: str) -> None:
        """Take what stands in a text: a question, a query, an error."""
        self._sorted = None
        self._texts.append(text)
        self._dates |= dates_in(text)
        self._numbers.update(plain_numbers(_DATED.sub(" ", text)))

    def add_output(self, text: str) -> None:
        """Take the output of a tool: a result with columns and rows, or any text."""
        try:
            data: Any = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not is_object(data) or not is_array(data.get("rows")):
            self.add_text(text)
            return
        rows = [list(row) for row in data["rows"] if is_array(row)]
        count = data.get("row_count")
        self._add_rows([[_number(value) for value in row] for row in rows], rows)
        titles, notes = data.get("columns"), data.get("notes")
        for group in (titles, notes, *rows):
            for cell in group if is_array(group) else ():
                if isinstance(cell, str):
                    self.add_text(cell)
        for known in (len(rows), count):
            if isinstance(known, int):
                self._numbers.add(float(known))

    def _add_rows(self, numbers: list[list[float | None]], rows: list[list[Any]]) -> None:
        width = min((len(row) for row in rows), default=0)
        for place in range(width):
            column = [row[place] for row in numbers if row[place] is not None]
            self._add_column([value for value in column if value is not None], len(rows))
            counts = Counter(json.dumps(row[place]) for row in rows)
            for count in {len(counts), *counts.values()}:
                self._numbers.add(float(count))
                self._share(count, len(rows))
        for row in numbers[:1000]:
            values = [value for value in row[:_FEW] if value is not None]
            self._add_pairs(values)
            if len(rows) <= _FEW:
                self._numbers.update(one / other for one in values for other in values if other)
        if len(rows) <= _FEW:
            self._numbers.update(float(some) for some in range(len(rows)))

    def _add_column(self, values: Sequence[float], rows: int) -> None:
        if not values:
            return
        self._cells.update(values)
        total = sum(values)
        sums = list(accumulate(values[:_FEW]))
        self._numbers.update((*values, total, total / len(values), total / rows, *sums))
        for value in (*values, *sums):
            self._share(value, total)
            self._share(total - value, total)
        self._numbers.add(median(values))
        if len(values) <= _FEW:
            self._add_pairs(values)
            self._numbers.update(one + other for one, other in pairwise(values))

    def _add_pairs(self, values: Sequence[float]) -> None:
        for one in values:
            for other in values:
                if one is not other:
                    self._numbers.add(one - other)
                    self._share(one, other)
                    self._share(one - other, other)

    def _share(self, part: float, whole: float) -> None:
        if whole:
            self._shares.add(100.0 * part / whole)

    # --- asking ---

    def supports(self, figure: Figure) -> bool:
        """Tell whether a figure agrees with something here."""
        if figure.date is not None:
            other = figure.other_date
            return self._has_date(figure.date) or (other is not None and self._has_date(other))
        if figure.time is not None:
            return any(figure.time in text for text in self._texts)
        if figure.year is not None and any(date[0] == figure.year for date in self._dates):
            return True
        numbers, shares = self._in_order()
        for reading in figure.numbers:
            if _has(numbers, reading):
                return True
            if figure.factor and _has(shares, _hundredfold(reading)):
                return True
            if figure.percent and (_has(shares, reading) or _has(numbers, _part_of_one(reading))):
                return True
        return False

    def nearest(self, figure: Figure) -> float | None:
        """Return the value that comes nearest to a number, where one is within a tenth of it."""
        if not figure.numbers or not self._numbers:
            return None
        value = figure.numbers[0].value
        best = min(
            self._in_order()[int(figure.percent)],
            key=lambda known: abs(abs(known) - abs(value)),
            default=None,
        )
        return best if best is not None and abs(abs(best) - abs(value)) <= 0.1 * abs(value) else None

    def _in_order(self) -> tuple[list[float], list[float]]:
        if self._sorted is None:
            self._sorted = (sorted(self._numbers), sorted(self._shares))
        return self._sorted

    def _has_date(self, date: Date) -> bool:
        for year, month, day in self._dates:
            if date.year in (None, year) and date.month == month and (date.day is None or date.day == day):
                return True
        parts = (date.year, date.month, date.day)  # a result may hold them in columns of their own
        return all(float(part) in self._cells for part in parts if part is not None)


def _part_of_one(reading: Number) -> Number:
    return Number(reading.value / 100, reading.low / 100, reading.high / 100)


def _hundredfold(reading: Number) -> Number:
    return Number(reading.value * 100, reading.low * 100, reading.high * 100)


def _has(known: Sequence[float], reading: Number) -> bool:
    """Tell whether a value is within the reading; how a change is put ("fell by 5") may have taken its sign."""
    slack = abs(reading.value) * 1e-9
    ranges = [(reading.low - slack, reading.high + slack)]
    if reading.value >= 0:
        ranges.append((-reading.high - slack, -reading.low + slack))
    for low, high in ranges:
        place = bisect_left(known, low)
        if place < len(known) and known[place] <= high:
            return True
    return False


def _number(value: Any) -> float | None:
    """Return a cell as a number; decimals and large whole numbers come as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and len(value) > 60:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e300 else None
