"""The deadline: until when whatever runs here has to be done. Inherited by everything that is started inside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["GRACE_SECONDS", "TooLate", "deadline", "ended", "seconds_left", "seen", "sooner", "within"]

T = TypeVar("T")

GRACE_SECONDS = 5.0
"""How long a cancelled coroutine may clean up before it is given up."""

deadline: ContextVar[float | None] = ContextVar("jigwork_deadline", default=None)
"""On the clock of `time.monotonic`; None where there is none."""


def seconds_left() -> float | None:
    """Return the seconds until the deadline, 0 where it has passed, None where there is none."""
    until = deadline.get()
    return None if until is None else max(until - time.monotonic(), 0.0)


def sooner(*seconds: float | None) -> float | None:
    """Return the smallest of the given bounds that are not None, or None."""
    given = [s for s in seconds if s is not None]
    return min(given) if given else None


class TooLate(Exception):
    """Time is up. `stopped` is False where the coroutine went on although it was cancelled."""

    def __init__(self, stopped: bool) -> None:
        super().__init__("time is up")
        self.stopped = stopped


def seen(task: asyncio.Task[Any]) -> None:
    """Look at a task's exception, so that the loop need not complain that nobody did."""
    if not task.cancelled():
        task.exception()


async def ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait for cancelled tasks to clean up, but not for ever for one that will not be cancelled.

    Whoever waits here and is cancelled (once more) hears of it afterwards: what is half cleaned up is not left behind.
    """
    until = time.monotonic() + GRACE_SECONDS
    interrupted: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            await asyncio.wait(pending, timeout=left)
        except asyncio.CancelledError as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted


async def within(coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return what `coroutine` returns, or raise `TooLate` after `seconds`.

    Unlike `asyncio.timeout` it does not wait for ever for a coroutine that will not be cancelled.
    """
    leaving: list[BaseException] = []
    task = asyncio.ensure_future(_held_back(coroutine, leaving))
    task.add_done_callback(seen)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            task.cancel()
            await ended({task})
            raise TooLate(stopped=task.done())
    except asyncio.CancelledError:
        task.cancel()
        await ended({task})
        raise
    if leaving:
        raise leaving[0]
    return task.result()


async def _held_back(coroutine: Coroutine[Any, Any, T], leaving: list[BaseException]) -> T:
    """Return what `coroutine` returns. What would end the event loop, when it leaves a task of its own, is kept in
    `leaving` for whoever waits for that task."""
    try:
        return await coroutine
    except (KeyboardInterrupt, SystemExit) as error:
        leaving.append(error)
        raise asyncio.CancelledError from error
