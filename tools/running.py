"""Running one call: its place in the queue, its clock, its retries, and what kind of code it is."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import Abort

from .context import RunContext
from .deadline import TooLate, deadline, seconds_left, sooner, within
from .gates import Gate, receiver_gate, resource_gate, tool_gates
from .outcome import Outcome
from .places import place
from .processes import run_in_process
from .render import ResultError
from .threads import Late, run_in_thread
from .toolset_around import call_around
from .wording import developer_text, failed, in_words, timed_out, unwrapped

if TYPE_CHECKING:
    from .arguments import Decoded
    from .definition import Tool

__all__ = ["Running"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Running:
    """One call on its way. `began` and `stoppable` tell whoever has to describe its end from outside."""

    def __init__(self, tool: Tool[..., Any], decoded: Decoded, context: RunContext[Any], late: Late) -> None:
        self.tool = tool
        self.decoded = decoded
        self.context = context
        self.late = late
        self.began = False
        self.stoppable = tool.is_async or tool.options.isolation == "process"

    async def run(self, slots: Gate, start: Callable[[], Any]) -> Outcome:
        """Wait for a place, call `start`, and call the tool until it succeeds or its retries are used up."""
        attempts = 0
        while True:
            attempts += 1
            outcome = await self._attempt(slots, start)
            again = outcome.status in ("failed", "timed_out") and attempts <= self.tool.options.retries
            if not again:
                return replace(outcome, attempts=attempts) if attempts > 1 else outcome
            pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)
            if (left := seconds_left()) is not None and left <= pause:  # no time for another attempt
                return replace(outcome, attempts=attempts)
            await asyncio.sleep(pause)

    async def _attempt(self, slots: Gate, start: Callable[[], Any]) -> Outcome:
        """One attempt: a place within the deadline of whatever runs this, then the tool within its own time-out."""
        left = seconds_left()
        options = self.tool.options
        gated = options.max_concurrency or options.resource or options.rate or self.tool.receiver is not None
        if left is None and not gated:
            async with slots:
                return await self._started(start)
        waiting = asyncio.timeout(left)
        async with AsyncExitStack() as places:
            try:
                async with waiting:
                    await self._enter(places, slots)
            except TimeoutError:
                if not waiting.expired():
                    raise
                return self._timed_out(left or 0.0, 0.0)
            return await self._started(start)

    async def _started(self, start: Callable[[], Any]) -> Outcome:
        if not self.began:  # a second attempt is the same call
            await start()
            self.began = True
        return await self._timed(sooner(self.tool.options.timeout, seconds_left()))

    async def _timed(self, seconds: float | None) -> Outcome:
        """Call the tool, for at most so many seconds. What is started inside inherits the deadline."""
        began_at = time.perf_counter()
        try:
            value = await (self._invoke() if seconds is None else self._invoke_within(seconds))
        except TooLate as late:
            self.stoppable = self.stoppable and late.stopped
            return self._timed_out(seconds or 0.0, time.perf_counter() - began_at)
        except Abort:
            raise
        except (Exception, BaseExceptionGroup) as raised:
            error = unwrapped(raised)
            if isinstance(error, Abort) or not isinstance(error, Exception):
                raise error from raised
            text = failed(self.tool.name, error)
            elapsed = time.perf_counter() - began_at
            return Outcome("failed", text, error=developer_text(error), seconds=elapsed)
        return self._rendered(value, began_at)

    async def _invoke_within(self, seconds: float) -> Any:
        inherited = deadline.set(time.monotonic() + seconds)
        try:
            return await within(self._invoke(), seconds)
        finally:
            deadline.reset(inherited)

    async def _enter(self, places: AsyncExitStack, slots: Gate) -> None:
        """Wait at the tool's own gate first, so that nobody holds a place of the run only to wait for another."""
        options = self.tool.options
        own = options.max_concurrency if options.resource is None else None
        gate, pace = tool_gates(self.tool, own, options.rate)
        if gate is not None:
            await places.enter_async_context(place(gate))
        if options.resource is not None:
            shared = resource_gate(options.resource, options.max_concurrency)
            await places.enter_async_context(place(shared))
        elif (receiver := self.tool.receiver) is not None:
            await places.enter_async_context(place(receiver_gate(receiver)))
        if pace is not None:
            await pace.wait()
        await places.enter_async_context(slots)

    async def _invoke(self) -> Any:
        """Call the tool through whatever stands around it."""
        around = self.tool.around
        if not around:
            return await self._call()
        return await call_around(around, self.context, self.decoded.arguments, self._call)

    async def _call(self) -> Any:
        """Call the user's code in the way its kind asks for."""
        tool, context, decoded = self.tool, self.context, self.decoded
        if tool.options.isolation == "process":
            function = tool.function
            arguments = tool.body.signature.call(_as_given, context, decoded.arguments)
            return await run_in_process(function.__module__, function.__qualname__, arguments)
        if tool.is_async:
            value: Any = await tool.call(context, decoded)
        else:
            value = await run_in_thread(lambda: tool.call(context, decoded), late=self.late)
            self.stoppable = True  # the thread is through: what it left to do is done here
            if inspect.isawaitable(value):
                value = await value
        if inspect.isasyncgen(value):
            return await self._collect(cast("AsyncGenerator[Any, None]", value))
        return value

    async def _collect(self, pieces: AsyncGenerator[Any, None]) -> Any:
        """A tool that yields: each piece is shown as it comes, all of them together are the result."""
        collected: list[Any] = []
        async with aclosing(pieces):
            async for piece in pieces:
                collected.append(piece)
                self.context.progress(None, str(piece))
                await asyncio.sleep(0)  # it is told before the next one comes
        if all(isinstance(piece, str) for piece in collected):
            return "".join(collected)
        return collected

    def _rendered(self, value: Any, began_at: float) -> Outcome:
        elapsed = time.perf_counter() - began_at
        try:
            output = self.tool.render(value)
        except ResultError as error:
            text = str(error)
            return Outcome(
                "failed", f"{text[:1].upper()}{text[1:]}", error=developer_text(error), seconds=elapsed
            )
        except Exception as error:  # of a `for_model`, or of a conversion of the user's own
            text = f"The tool ran, but its result could not be used: {in_words(error)}"
            return Outcome("failed", text, error=developer_text(error), seconds=elapsed)
        return Outcome("ok", output, value=value, seconds=elapsed)

    def _timed_out(self, seconds: float, elapsed: float) -> Outcome:
        text = timed_out(seconds, began=self.began, stoppable=self.stoppable)
        return Outcome("timed_out", text, seconds=elapsed)


def _as_given(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs
