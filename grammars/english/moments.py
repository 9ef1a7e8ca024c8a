"""Dates that depend on the day: `today`, `this year`, `last month`, `the last 30 days`, `3 weeks ago`.

`last month` is the whole month before this one. `the last 30 days` end with today; `the last 3 months` begin on the
day after this day three months ago and end with today. `3 months ago` is that day.
"""

from __future__ import annotations

from datetime import date, timedelta

from .choices import Trouble
from .columns import leaves, sub
from .engine import Node
from .query import RECURRING

__all__ = ["relative_span", "years_before"]

_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"week": 7, "day": 1}


def relative_span(node: Node, today: date) -> tuple[str, str]:
    """Return the first day of the period, and the first day after it, as ISO dates."""
    try:
        start, end = _span(node, today)
    except (ValueError, OverflowError):
        raise Trouble("there is no such date", node, depth=4) from None
    return start.isoformat(), end.isoformat()


def _span(node: Node, today: date) -> tuple[date, date]:
    day = timedelta(days=1)
    if sub(node, "today") or sub(node, "yesterday"):
        start = today if sub(node, "today") else today - day
        return start, start + day
    named = sub(node, "unit")
    assert named is not None
    unit = named.children[0].name
    if unit in RECURRING:
        raise Trouble("say a day, a week, a month, a quarter or a year", node, depth=3)
    if sub(node, "this") or sub(node, "previous"):
        start = _begin(unit, today)
        return (start, _shift(unit, start, 1)) if sub(node, "this") else (_shift(unit, start, -1), start)
    count = int(leaves(node, "COUNT")[0].value)
    if count < 1:
        raise Trouble("this is no time at all", node, depth=4)
    then = _shift(unit, today, -count)
    return (then, then + day) if sub(node, "ago") else (then + day, today + day)


def _begin(unit: str, day: date) -> date:
    match unit:
        case "year":
            return day.replace(month=1, day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "month":
            return day.replace(day=1)
        case "week":
            return day - timedelta(days=day.weekday())
        case _:
            return day


def years_before(day: date, years: int) -> date:
    """Return the same day so many years before; the last day of February where there is none."""
    return _shift("year", day, -years)


def _shift(unit: str, day: date, count: int) -> date:
    """Move by so many units; of a month that is too short, its last day."""
    if unit in _DAYS:
        return day + timedelta(days=_DAYS[unit] * count)
    months = day.year * 12 + day.month - 1 + _MONTHS[unit] * count
    year, month = divmod(months, 12)
    first = date(year, month + 1, 1)
    after = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), after - timedelta(days=1))
