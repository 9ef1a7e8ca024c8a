"""The executor runs the calls of a run: together, each to exactly one outcome, whatever the others do.

Calls come in the model's order and start in it; they settle as they end. What happens is told to a `Ledger`, which
keeps it (and journals a start before the tool runs). A call that was started in an earlier life and never settled
comes with `started=True`, and is run again only if its tool is safe to repeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from jigwork.errors import Abort

from . import wording
from .context import RunContext
from .deadline import GRACE_SECONDS, deadline, seconds_left, seen, sooner
from .gates import Gate
from .outcome import Outcome

if TYPE_CHECKING:
    from .arguments import Decoded
    from .definition import Tool
    from .running import Running

__all__ = ["Call", "ContextMaker", "Executor", "Ledger"]

ContextMaker: TypeAlias = Callable[[str, str, Callable[[float | None, str], None]], RunContext[Any]]
"""Makes the context of a call: (call id, tool name, progress)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the model made it. `text` is unparsed: JSON arguments, or raw input where `custom`.

    `started`: it began in a process that is gone. `cut`: the response ended before the call did, so that even a
    text that parses may be half of what was meant. `approved`: what a person decided, None while nobody has.
    `edited`: the arguments that a person put in the place of the model's.
    """

    id: str
    name: str
    text: str
    custom: bool = False
    started: bool = False
    cut: bool = False
    approved: bool | None = None
    reason: str | None = None
    edited: Mapping[str, Any] | None = None


class Ledger(Protocol):
    """Where the executor reports. Each method is awaited before anything that depends on it happens."""

    async def started(self, call: Call) -> None:
        """The tool is about to run; it does not until this returns."""
        ...

    async def settled(self, call: Call, outcome: Outcome) -> None:
        """The call has its one outcome."""
        ...

    async def waiting(self, call: Call, arguments: Any) -> None:
        """The call waits for a person; `arguments` is what would be used."""
        ...

    def progress(self, call: Call, fraction: float | None, message: str) -> None:
        """The tool reports progress; called from any thread."""
        ...

    def late(self, call: Call, error: BaseException | None) -> None:
        """A tool that nobody could stop came to its end after its call had been settled."""
        ...


class _Waiting(Exception):
    """The call is not to be settled now: a person has to decide first."""

    def __init__(self, arguments: Any) -> None:
        self.arguments = arguments


class _Stopped(Exception):
    """Wakes the turn, which then raises what a tool meant to end it with."""


class Executor:
    """Runs the calls of one run, at most `concurrency` at once, each turn within `turn_seconds`."""

    def __init__(
        self,
        tools: Mapping[str, Tool[..., Any]],
        ledger: Ledger,
        *,
        context: ContextMaker,
        concurrency: int = 64,
        turn_seconds: float | None = None,
    ) -> None:
        self._tools = tools
        self._ledger = ledger
        self._context = context
        self._slots = Gate(concurrency)
        self._turn_seconds = turn_seconds
        self._fatal: BaseException | None = None
        self._reported: set[str] = set()
        self._running: dict[str, Running] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cache: dict[tuple[str, bytes], Outcome] = {}

    # --- the calls of a turn ---

    def offer(self, call: Call) -> None:
        """Start a call while the response that holds it is still being written, if its tool only reads.

        `execute` takes it up later; `discard` forgets it, where the response came to nothing.
        """
        tool = self._tools.get(call.name)
        if tool is None or call.cut or call.id in self._tasks:
            return
        options = tool.options
        if options.read_only and not options.exclusive and options.approval in (None, "never"):
            self._start(call)

    async def discard(self) -> list[str]:
        """Cancel and forget the calls that were offered and not taken up; return their ids."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await self._wait(tasks)
        forgotten = list(self._tasks)
        self._tasks.clear()
        return forgotten

    async def execute(self, calls: Sequence[Call]) -> None:
        """Bring every call to an outcome, or to waiting for a person.

        Raises `Abort` when a tool asked for it, the tool's own exception when it was no `Exception` (KeyboardInterrupt,
        SystemExit), and CancelledError when the run is cancelled: each only after all calls are settled.
        """
        left = sooner(self._turn_seconds, seconds_left())
        inherited = deadline.set(None if left is None else time.monotonic() + left)
        try:
            for stage in self._stages(calls):
                await self._together(stage)
        finally:
            deadline.reset(inherited)
            await self.discard()  # what was begun early, and stands behind a barrier that was never reached
            for call in calls:  # not begun yet, or its task was cancelled before its first step
                if call.id not in self._reported:
                    await self._report(call, self._cancelled(call))

    def _stages(self, calls: Sequence[Call]) -> list[list[Call]]:
        """An exclusive call is a barrier: what came before it ends first, what comes after it waits."""
        stages: list[list[Call]] = [[]]
        for call in calls:
            tool = self._tools.get(call.name)
            if tool is not None and tool.options.exclusive:
                stages += [[call], []]
            else:
                stages[-1].append(call)
        return [stage for stage in stages if stage]

    async def _together(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if call.id not in self._tasks:
                self._start(call)
        tasks = [self._tasks[call.id] for call in calls]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            if self._fatal is not None:
                raise self._fatal
            for task in tasks:
                if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
                    raise failure  # the ledger failed: a journal on a full disk
        finally:
            for task in tasks:
                task.cancel()
            await self._wait(tasks)
            for call in calls:
                self._tasks.pop(call.id, None)

    async def _wait(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for cancelled tasks, but not for ever for one that will not be cancelled."""
        pending = [task for task in tasks if not task.done()]
        if pending:
            await asyncio.wait(pending, timeout=GRACE_SECONDS)

    def _start(self, call: Call) -> None:
        task = asyncio.create_task(self._settle(call))
        task.add_done_callback(seen)
        self._tasks[call.id] = task
        self._reported.discard(call.id)  # it may have waited for a person before

    # --- one call ---

    async def _settle(self, call: Call) -> None:
        """Run one call to its outcome. Only a failing ledger raises from here, so that no sibling is ever lost."""
        try:
            outcome = await self._outcome(call)
        except _Waiting as waiting:
            self._reported.add(call.id)
            await self._ledger.waiting(call, waiting.arguments)
            return
        except asyncio.CancelledError as error:
            outcome = self._failed(call, error)
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # else the tool cancelled itself
                outcome = self._cancelled(call)
        except _Stopped:
            outcome = self._cancelled(call)
        except BaseException as error:
            outcome = self._failed(call, error)
            if isinstance(error, Abort) or not isinstance(error, Exception):
                self._fatal = self._fatal or error
        await self._report(call, outcome)
        if self._fatal is not None:
            raise _Stopped

    async def _report(self, call: Call, outcome: Outcome) -> None:
        if call.id in self._reported:  # it was given up, and ended after all
            self._ledger.late(call, None)
            return
        self._reported.add(call.id)
        await self._ledger.settled(call, outcome)

    def _failed(self, call: Call, error: BaseException) -> Outcome:
        return Outcome("failed", wording.failed(call.name, error), error=wording.developer_text(error))

    def _cancelled(self, call: Call) -> Outcome:
        running = self._running.get(call.id)
        began = running is not None and running.began
        if self._fatal is not None and not began:
            return Outcome("skipped", wording.SKIPPED)
        stoppable = running is None or running.stoppable
        return Outcome("cancelled", wording.cancelled(began=began, stoppable=stoppable))

    async def _outcome(self, call: Call) -> Outcome:
        tool = self._tools.get(call.name)
        if tool is None:
            return Outcome("unknown_tool", wording.unknown_tool(call.name, self._tools))
        if call.cut:
            return Outcome("invalid_arguments", wording.CUT)
        if call.started and not (tool.options.read_only or tool.options.idempotent):
            return Outcome("interrupted", wording.INTERRUPTED)
        enforcement = tool.enforcement(custom=call.custom)
        if call.edited is not None:
            decoded = tool.decode(call.edited)
        else:
            decoded = tool.decode(call.text, custom=call.custom)
        if not decoded.ok:
            return Outcome("invalid_arguments", decoded.error or "", enforcement=enforcement)
        if call.approved is False:
            return Outcome("denied", wording.denied(call.reason))
        if call.approved is None and _asks(tool, decoded):
            raise _Waiting(decoded.value)
        outcome = await self._run(tool, call, decoded)
        if decoded.repairs or enforcement:
            return replace(outcome, repairs=decoded.repairs, enforcement=enforcement)
        return outcome

    async def _run(self, tool: Tool[..., Any], call: Call, decoded: Decoded) -> Outcome:
        """Run the tool, unless this run has the result of the same call already and may use it."""
        key = _cache_key(tool, decoded) if tool.options.cache else None
        if key is not None and (known := self._cache.get(key)) is not None:
            return replace(known, attempts=0, seconds=0.0)
        from .running import Running

        context = self._context(call.id, call.name, lambda f, m: self._ledger.progress(call, f, m))
        running = Running(tool, decoded, context, lambda error: self._ledger.late(call, error))
        self._running[call.id] = running
        outcome = await running.run(self._slots, lambda: self._begin(call))
        if key is not None and outcome.ok:
            self._cache[key] = outcome
        return outcome

    async def _begin(self, call: Call) -> None:
        """Write the start down; where that fails (a journal on a full disk), nothing more may start at all."""
        try:
            await self._ledger.started(call)
        except Exception as error:
            self._fatal = self._fatal or error
            raise _Stopped from error


def _asks(tool: Tool[..., Any], decoded: Decoded) -> bool:
    """Tell whether a person has to allow this call. Unless told otherwise, only destructive tools ask."""
    approval = tool.options.approval
    if approval is None:
        return tool.options.destructive
    if callable(approval):
        return bool(approval(decoded.value or {}))
    return approval == "always"


def _cache_key(tool: Tool[..., Any], decoded: Decoded) -> tuple[str, bytes] | None:
    import orjson

    try:
        return tool.name, orjson.dumps(decoded.value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
