"""What edits of a stream have in common: their form, and the one that both endpoints know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .answers import Answer

__all__ = ["Edit", "Json", "unknown_event"]

Json: TypeAlias = dict[str, Any]
Edit: TypeAlias = "Callable[[list[Any], Any, Answer], list[Any]]"
"""Takes the events, what the fault is set to, and the answer; returns the events to send."""


def unknown_event(events: list[Any], given: Any, answer: Answer) -> list[Any]:
    """Put an event of an unknown type, or what the script gives, into the middle."""
    if given is True:
        responses = answer.request.endpoint == "responses"
        given = (
            {"type": "response.weird.delta", "delta": {"x": 1}} if responses else {"object": "weird", "x": 1}
        )
    middle = len(events) // 2
    return [*events[:middle], given, *events[middle:]]
