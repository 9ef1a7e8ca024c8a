"""Threads for synchronous tools: as many as run at once, reused, and never in the way of the interpreter's exit.

The standard pool has cpu+4 threads (6 on two cores: 32 calls that wait 50 ms take 300), and joins them at exit, so
that one hung tool would keep the process alive. These are daemons, started when none is idle.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

__all__ = ["run_in_thread", "stuck_threads"]

R = TypeVar("R")
Late: TypeAlias = Callable[[BaseException | None], None]
_Job: TypeAlias = Callable[[], None]

_IDLE_SECONDS = 30.0


class _Pool:
    """Idle threads wait for work on one queue; a job that finds none idle starts another."""

    def __init__(self) -> None:
        self.stuck = 0
        self.lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._idle = 0
        self._numbers = itertools.count(1)

    def submit(self, job: _Job) -> None:
        with self.lock:
            spawn = self._idle == 0
            if not spawn:
                self._idle -= 1
        self._jobs.put(job)
        if spawn:
            threading.Thread(
                target=self._work, name=f"jigwork-tool-{next(self._numbers)}", daemon=True
            ).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self.lock:
                    if self._idle == 0:  # a job was just promised to a waiting thread
                        continue
                    self._idle -= 1
                return
            job()
            with self.lock:
                self._idle += 1


_pool = _Pool()


def stuck_threads() -> int:
    """Return how many tools run on in threads although nobody waits for them any more."""
    return _pool.stuck


async def run_in_thread(function: Callable[[], R], *, late: Late | None = None) -> R:
    """Run `function` in a thread that sees this task's context variables, and return what it returns.

    Cancelling stops the waiting, not the thread: nothing can. `late` is called on this event loop when such a
    thread comes to its end after all, with the exception that it ended with; what it returns is dropped.
    """
    job = _Threaded(asyncio.get_running_loop(), function, late)
    _pool.submit(job.run)
    value: R = await job.wait()
    return value


class _Threaded:
    """One function in a thread, and the future that waits for it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any], late: Late | None
    ) -> None:
        self._loop = loop
        self._function = function
        self._late = late
        self._context = contextvars.copy_context()
        self._future: asyncio.Future[Any] = loop.create_future()
        self._abandoned = False
        self._done = False

    async def wait(self) -> Any:
        try:
            return await self._future
        except asyncio.CancelledError:
            with _pool.lock:
                if not self._done:
                    self._abandoned = True
                    _pool.stuck += 1
            raise

    def run(self) -> None:
        value: Any = None
        failure: BaseException | None = None
        try:
            value = self._context.run(self._function)
        except StopIteration as error:  # a future refuses to hold it
            failure = RuntimeError("the tool raised StopIteration")
            failure.__cause__ = error
        except BaseException as error:
            failure = error
        with _pool.lock:
            self._done = True
            if self._abandoned:
                _pool.stuck -= 1
        try:
            self._loop.call_soon_threadsafe(self._settle, value, failure)
        except RuntimeError:
            return  # the loop is closed: whoever asked is gone, and nobody is left to be told

    def _settle(self, value: Any, failure: BaseException | None) -> None:
        if self._future.done():
            if self._late is not None:
                self._late(failure)
        elif failure is None:
            self._future.set_result(value)
        else:
            self._future.set_exception(failure)
