"""Places at gates, for calls inside calls: nobody waits for a place that is held by what it works for.

A call may start a run (an agent as a tool, a function that asks an agent) whose calls come to the same gate. They
would wait for the end of the call that waits for them; so they share its place instead, one of them at a time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar

from .gates import Gate

__all__ = ["place"]


class _Place:
    """A place that a call holds, and the gate inside it for what the call starts. `outer` is the place that this one
    is inside of. What outlives its call finds it no longer `held`."""

    __slots__ = ("held", "inside", "outer")

    def __init__(self, outer: _Place | None) -> None:
        self.held = True
        self.inside = Gate(1)
        self.outer = outer


_places: ContextVar[Mapping[Gate, _Place]] = ContextVar("jigwork_places", default={})  # noqa: B039  (never changed)


@asynccontextmanager
async def place(gate: Gate) -> AsyncGenerator[None]:
    """Wait for a place at `gate`, or inside the place that is held here already, and hold it for the block."""
    places = _places.get()
    outer = places.get(gate)
    while outer is not None and not outer.held:
        outer = outer.outer
    async with gate if outer is None else outer.inside:
        own = _Place(outer)
        token = _places.set({**places, gate: own})
        try:
            yield
        finally:
            own.held = False
            _places.reset(token)
