"""A tool of the user's own."""

from __future__ import annotations


def add_hours(hour: int, hours: int) -> int:
    """Add hours to an hour of the day."""
    return (hour + hours) % 24
