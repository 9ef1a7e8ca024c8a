"""Listening to runs from outside: tracing, tests, logs. A listener sees every event and can change nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from .events import Event

__all__ = ["Listener", "listeners", "observe"]

Listener: TypeAlias = Callable[[Event], None]

_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("jigwork_listeners", default=())


def listeners() -> tuple[Listener, ...]:
    """Return who listens to runs that are started here."""
    return _listeners.get()


@contextmanager
def observe(listener: Listener) -> Generator[None]:
    """Hand every event of every run that is started inside to `listener`, on the run's own thread.

    It must return quickly; what it raises ends the run.
    """
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)
