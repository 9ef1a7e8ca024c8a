"""Streams: a run as one watches it. A task drives the run and feeds a bounded channel, owned by its `with`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, cast

from jigwork.errors import RunCancelled, RunError, StateError

from .events import Event
from .plan import Plan
from .portal import run_in_portal
from .result import OutputT, RunResult
from .run import execute
from .state import RunState

__all__ = ["RunStream", "SyncRunStream"]

_CAPACITY = 256
_END = object()


class RunStream(Generic[OutputT]):
    """`async with agent.stream(x) as run: async for event in run: ...`, then `run.result`.

    A consumer that is slow holds the run back. Leaving the block cancels a run that is not finished: every call
    is settled, and `run.state` can be resumed.
    """

    def __init__(
        self, prepare: Callable[[], Coroutine[Any, Any, tuple[Plan, RunState]]], state: RunState
    ) -> None:
        self.state = state
        self._prepare = prepare
        self._channel: asyncio.Queue[Any] = asyncio.Queue(_CAPACITY)
        self._closed = False
        self._leaving: BaseException | None = None
        self._task: asyncio.Task[RunResult[OutputT]] | None = None

    async def __aenter__(self) -> RunStream[OutputT]:
        if self._task is not None:
            raise StateError("a stream runs once; call agent.stream(...) again")
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._end)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._running()
        self._close()
        if not task.done():
            task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: the loop need not complain of an exception that nobody fetched

    def __aiter__(self) -> RunStream[OutputT]:
        return self

    async def __anext__(self) -> Event:
        task = self._running()
        event: Any = _END if task.done() and self._channel.empty() else await self._channel.get()
        if event is not _END:
            return cast("Event", event)
        await asyncio.wait({task})
        self._raise_failure(task)
        raise StopAsyncIteration

    @property
    def result(self) -> RunResult[OutputT]:
        """The result; raises StateError before the run has ended, and what the run raised if it failed."""
        task = self._running()
        if not task.done():
            raise StateError("the run has not ended yet: iterate to its end, or await run.wait()")
        self._raise_failure(task)
        return task.result()

    @property
    def started(self) -> bool:
        """Tell whether the run has begun."""
        return self._task is not None

    async def wait(self) -> RunResult[OutputT]:
        """Run to the end without looking at the remaining events, and return the result."""
        async for _ in self:
            pass
        return self.result

    def cancel(self) -> None:
        """Stop the run: its calls settle as cancelled, the iteration ends with `RunCancelled`."""
        self._running().cancel()

    def cancel_call(self, call_id: str) -> bool:
        """Stop one call, from any thread: it settles as `cancelled`, the others and the run go on. Return False where
        it has ended already; raises StateError where no call has that id. See `RunState.cancel_call`."""
        return self.state.cancel_call(call_id)

    def inject(self, x: str | Sequence[Mapping[str, Any]]) -> None:
        """Add a message before the next request; if none was to follow, one follows."""
        self.state.inject(x)

    def _running(self) -> asyncio.Task[RunResult[OutputT]]:
        if self._task is None:
            raise StateError("the stream has not started: use `async with agent.stream(...) as run`")
        return self._task

    async def _run(self) -> RunResult[OutputT]:
        try:
            plan, state = await self._prepare()
            return await execute(plan, state, self._emit, stream=True)
        except (KeyboardInterrupt, SystemExit) as error:
            # In a task of its own it would end the whole event loop; it belongs to whoever iterates.
            self._leaving = error
            raise RunError(f"a tool raised {type(error).__name__}") from error

    async def _emit(self, event: Event) -> None:
        if not self._closed:
            await self._channel.put(event)

    def _end(self, task: asyncio.Task[Any]) -> None:
        """Wake a reader; one that finds the channel full sees that the task is done when it has emptied it."""
        if not self._channel.full():
            self._channel.put_nowait(_END)

    def _close(self) -> None:
        """Take nothing more in, and wake whoever waits to put something."""
        self._closed = True
        while not self._channel.empty():
            self._channel.get_nowait()

    def _raise_failure(self, task: asyncio.Task[RunResult[OutputT]]) -> None:
        if self._leaving is not None:
            raise self._leaving
        if task.cancelled():
            cancelled = RunCancelled("the run was cancelled; go on with agent.run(state=error.state)")
            cancelled.state = self.state
            raise cancelled
        if (error := task.exception()) is not None:
            raise error


class SyncRunStream(Generic[OutputT]):
    """The same for synchronous code: `with agent.stream_sync(x) as run: for event in run: ...`."""

    def __init__(self, stream: RunStream[OutputT]) -> None:
        self._stream = stream

    @property
    def state(self) -> RunState:
        """The state, as it advances."""
        return self._stream.state

    @property
    def result(self) -> RunResult[OutputT]:
        """The result, once the run has ended."""
        return self._stream.result

    def __enter__(self) -> SyncRunStream[OutputT]:
        try:
            run_in_portal(self._stream.__aenter__())
        except BaseException as error:  # Ctrl-C just after the start: nothing may run on that nobody owns
            if self._stream.started:
                run_in_portal(self._stream.__aexit__(type(error), error, error.__traceback__))
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run_in_portal(self._stream.__aexit__(kind, error, trace))

    def __iter__(self) -> Iterator[Event]:
        while (event := run_in_portal(self._next())) is not _END:
            yield event

    async def _next(self) -> Any:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            return _END

    def wait(self) -> RunResult[OutputT]:
        """Run to the end without looking at the remaining events, and return the result."""
        return run_in_portal(self._stream.wait())

    def cancel(self) -> None:
        """Stop the run."""
        run_in_portal(self._call(self._stream.cancel))

    def cancel_call(self, call_id: str) -> bool:
        """Stop one call; see `RunStream.cancel_call`."""
        return self._stream.cancel_call(call_id)

    def inject(self, x: str | Sequence[Mapping[str, Any]]) -> None:
        """Add a message before the next request."""
        run_in_portal(self._call(lambda: self._stream.inject(x)))

    async def _call(self, function: Callable[[], None]) -> None:
        function()
