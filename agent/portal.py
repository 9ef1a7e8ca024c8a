"""The portal: one background event loop per process, through which synchronous code reaches the asynchronous core.

It works inside notebooks and inside a running loop, keeps connections from one call to the next, carries context
variables over, and hands Ctrl-C on to the run, which then settles its calls before the exception goes up.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from jigwork.errors import ConfigurationError

__all__ = ["run_in_portal"]

T = TypeVar("T")


@dataclass(slots=True)
class _Portal:
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    pid: int


_lock = threading.Lock()
_portal: _Portal | None = None


def _get() -> _Portal:
    """Return the portal of this process; a forked child gets one of its own."""
    global _portal
    with _lock:
        if _portal is None or _portal.pid != os.getpid() or not _portal.thread.is_alive():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_run_loop, args=(loop,), name="jigwork-loop", daemon=True)
            _portal = _Portal(loop, thread, os.getpid())
            thread.start()
        return _portal


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    # Not `run_forever`: anyio ends its worker processes with the outermost task, and takes the first one that asks for
    # a process for it where the loop itself runs none.
    loop.run_until_complete(_for_ever())


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def run_in_portal(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for what it returns or raises.

    An interrupt (Ctrl-C) cancels the coroutine and waits until it has cleaned up; a second one does not wait.
    Raises ConfigurationError when called on the background loop itself, where waiting would never end.
    """
    portal = _get()
    if threading.current_thread() is portal.thread:
        coroutine.close()
        raise ConfigurationError(
            "a synchronous run inside an asynchronous one would wait for itself: await agent.run(...) instead"
        )
    done: Future[T] = Future()
    context = contextvars.copy_context()
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        task = portal.loop.create_task(_transfer(coroutine, done), context=context)
        task.add_done_callback(never_began)
        tasks.append(task)

    def never_began(_: asyncio.Task[None]) -> None:
        """A task that is cancelled before its first step runs nothing, not even its `except`."""
        if not done.done():
            coroutine.close()
            done.set_exception(asyncio.CancelledError())

    def cancel() -> None:
        if tasks:
            tasks[0].cancel()

    portal.loop.call_soon_threadsafe(start)
    try:
        return done.result()
    except BaseException:
        if not done.done():
            portal.loop.call_soon_threadsafe(cancel)
            _wait(done)
        raise


def _wait(done: Future[Any]) -> None:
    """Wait until the cancelled coroutine is through, whatever it ended with."""
    event = threading.Event()
    done.add_done_callback(lambda _: event.set())
    event.wait()


async def _transfer(coroutine: Coroutine[Any, Any, T], done: Future[T]) -> None:
    """Hand over the result or the exception, of any kind: none may reach the background loop and stop it."""
    try:
        value = await coroutine
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(value)
