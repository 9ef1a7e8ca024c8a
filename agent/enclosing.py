"""The run that encloses whatever is started inside it: an agent that works for a call of another finds it here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from .plan import Plan
from .recorder import Recorder

__all__ = ["Enclosing", "enclosed", "enclosing"]


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A run from the inside. `depth` counts the runs around it, itself included."""

    plan: Plan
    recorder: Recorder
    depth: int


_enclosing: ContextVar[Enclosing | None] = ContextVar("jigwork_enclosing", default=None)


def enclosing() -> Enclosing | None:
    """Return the run in which this is called (by a tool, say), or None."""
    return _enclosing.get()


@contextmanager
def enclosed(plan: Plan, recorder: Recorder) -> Generator[None]:
    """Make a run the one that encloses what is started inside."""
    around = _enclosing.get()
    token = _enclosing.set(Enclosing(plan, recorder, 1 if around is None else around.depth + 1))
    try:
        yield
    finally:
        _enclosing.reset(token)
