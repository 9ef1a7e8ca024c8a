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
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from jigwork.errors import Abort

from . import wording
from .asking import Answer, Asked, Paused
from .context import RunContext
from .deadline import GRACE_SECONDS, deadline, ended, seconds_left, sooner
from .gates import Gate
from .outcome import Outcome

if TYPE_CHECKING:
    from .arguments import Decoded
    from .definition import Enforcement, Tool
    from .running import Running

__all__ = ["Call", "ContextMaker", "Executor", "Ledger"]

ContextMaker: TypeAlias = Callable[[str, str, Callable[[float | None, str], None]], RunContext[Any]]
"""Makes the context of a call: (call id, tool name, progress)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the model made it. `text` is unparsed: JSON arguments, or raw input where `custom`.

    `started`: it began in a process that is gone. `cut`: the response ended before the call did, so that even a
    text that parses may be half of what was meant. `approved`: what a person decided, None while nobody has.
    `edited`: the arguments that a person put in the place of the model's. `tool` is the name of the tool that runs it,
    where that is another one (all tools of a hosted MCP server are answered by one); "" for `name`. `asked`: the call
    has asked a question; `answer` is what a person said to it, `kept` what the call had put aside.
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
    tool: str = ""
    asked: bool = False
    answer: Answer | None = None
    kept: Any = None


class Ledger(Protocol):
    """Where the executor reports. Each method is awaited before anything that depends on it happens."""

    async def started(self, call: Call) -> None:
        """The tool is about to run; it does not until this returns."""
        ...

    async def settled(self, call: Call, outcome: Outcome) -> None:
        """The call has its one outcome."""
        ...

    async def waiting(self, call: Call, arguments: Any, asked: Asked | None = None) -> None:
        """The call waits for a person to allow it, or to answer `asked`; `arguments` is what would be used."""
        ...

    async def paused(self, call: Call) -> None:
        """What works for the call waits for a person, and keeps its own state."""
        ...

    def progress(self, call: Call, fraction: float | None, message: str) -> None:
        """The tool reports progress; called from any thread."""
        ...

    def late(self, call: Call, error: BaseException | None) -> None:
        """A tool that nobody could stop came to its end after its call had been settled."""
        ...


class _Waiting(Exception):
    """The call is not to be settled now: a person has to allow it first."""

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
        held: Callable[[Call], Enforcement | None] = lambda call: None,
    ) -> None:
        """`held` says who held the text of a grammar tool's call to its grammar, where its form does not tell."""
        self._tools = tools
        self._ledger = ledger
        self._context = context
        self._slots = Gate(concurrency)
        self._turn_seconds = turn_seconds
        self._held = held
        self._fatal: BaseException | None = None
        self._reported: set[str] = set()
        self._running: dict[str, Running] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cache: dict[tuple[str, bytes], Outcome] = {}
        self._asking: dict[tuple[str, bytes], asyncio.Lock] = {}
        self._calls: dict[str, Call] = {}  # of the turn, those that have not begun included
        self._unwanted: set[str] = set()
        self._waiting: set[str] = set()
        self._left: set[str] = set()  # of the stage
        self._over: asyncio.Future[None] | None = None

    # --- the calls of a turn ---

    def offer(self, call: Call) -> None:
        """Start a call while the response that holds it is still being written, if its tool only reads.

        `execute` takes it up later; `discard` forgets it, where the response came to nothing.
        """
        tool = self._tools.get(call.tool or call.name)
        if tool is None or call.cut or call.id in self._tasks:
            return
        options = tool.options
        if options.read_only and not options.exclusive and options.approval in (None, "never"):
            self._start(call)

    def cancel(self, id: str) -> bool:
        """Cancel one call, wherever it is: waiting for its place, or running. It settles as cancelled, its siblings
        go on. Return False where there is nothing to stop: it has settled, it waits for a person, or is not known.
        """
        call, task = self._calls.get(id), self._tasks.get(id)
        if id in self._reported or (call is None and task is None):
            return False
        if id in self._unwanted:
            return True
        self._unwanted.add(id)
        if task is not None:
            task.cancel()
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._give_up, id, task)
        elif call is not None:  # behind a barrier: it need not wait to be told
            self._start(call)
        return True

    def _give_up(self, id: str, task: asyncio.Task[None]) -> None:
        """Settle a call whose tool will not be cancelled; what it comes to is late."""
        call = self._calls.get(id)
        if call is None or task.done() or id in self._reported:
            return
        if (running := self._running.get(id)) is not None:
            running.stoppable = False
        self._watch(id, asyncio.create_task(self._report(call, self._cancelled(call))))

    async def discard(self) -> list[str]:
        """Cancel and forget the calls that were offered and not taken up; return their ids."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await ended(tasks)
        forgotten = list(self._tasks)
        self._tasks.clear()
        return forgotten

    async def execute(self, calls: Sequence[Call]) -> None:
        """Bring every call to an outcome, or to waiting for a person; what stands behind a barrier that waits is left.

        Raises `Abort` when a tool asked for it, the tool's own exception when it was no `Exception` (KeyboardInterrupt,
        SystemExit), and CancelledError when the run is cancelled: each only after all calls are settled.
        """
        left = sooner(self._turn_seconds, seconds_left())
        inherited = deadline.set(None if left is None else time.monotonic() + left)
        self._calls = {call.id: call for call in calls}
        held: set[str] = set()
        try:
            held = await self._in_stages(calls)
        finally:
            deadline.reset(inherited)
            await self.discard()  # what was begun early, and stands behind a barrier that was never reached
            for call in calls:  # not begun yet, or its task was cancelled before its first step
                if call.id not in self._reported and call.id not in held:
                    await self._report(call, self._cancelled(call))
            self._calls = {}

    async def _in_stages(self, calls: Sequence[Call]) -> set[str]:
        """Run the stages one after the other; return the calls behind a barrier that could not be reached or passed,
        because a call waits for a person: they are not begun, and wait too."""
        stages = self._stages(calls)
        for number, stage in enumerate(stages):
            await self._together(stage)
            if any(call.id in self._waiting for call in stage):
                rest = [call for later in stages[number + 1 :] for call in later]
                await self._together([call for call in rest if call.id in self._tasks])  # begun early
                return {call.id for call in rest if call.id not in self._reported}
        return set()

    def _stages(self, calls: Sequence[Call]) -> list[list[Call]]:
        """An exclusive call is a barrier: what came before it ends first, what comes after it waits."""
        stages: list[list[Call]] = [[]]
        for call in calls:
            tool = self._tools.get(call.tool or call.name)
            if tool is not None and tool.options.exclusive:
                stages += [[call], []]
            else:
                stages[-1].append(call)
        return [stage for stage in stages if stage]

    async def _together(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if call.id not in self._tasks:
                self._start(call)
        self._left = {call.id for call in calls if not self._tasks[call.id].done()}
        self._over = asyncio.get_running_loop().create_future()
        try:
            if self._left and not any(_failure(self._tasks[call.id]) for call in calls):
                await self._over
            if self._fatal is not None:
                raise self._fatal
            for call in calls:
                if (failure := _failure(self._tasks[call.id])) is not None:
                    raise failure  # the ledger failed: a journal on a full disk
        finally:
            self._over = None
            tasks = [self._tasks[call.id] for call in calls]
            for task in tasks:
                task.cancel()
            await ended(tasks)
            for call in calls:
                self._tasks.pop(call.id, None)

    def _start(self, call: Call) -> None:
        self._reported.discard(call.id)  # it may have waited for a person before
        self._waiting.discard(call.id)
        self._watch(call.id, asyncio.create_task(self._settle(call)))

    def _watch(self, id: str, task: asyncio.Task[None]) -> None:
        self._tasks[id] = task
        task.add_done_callback(partial(self._ended, id))

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        failure = _failure(task)
        if task is not self._tasks.get(id):  # given up before
            return
        call = self._calls.get(id)
        if task.cancelled() and id in self._unwanted and id not in self._reported and call is not None:
            self._start(call)  # it was cancelled before its first step, and has told nobody
            return
        self._left.discard(id)
        if self._over is not None and not self._over.done() and (failure is not None or not self._left):
            self._over.set_result(None)

    # --- one call ---

    async def _settle(self, call: Call) -> None:
        """Run one call to its outcome. Only a failing ledger raises from here, so that no sibling is ever lost."""
        try:
            outcome = await self._outcome(call)
            if call.id in self._unwanted:  # what it came to when it was cancelled is not wanted
                outcome = self._cancelled(call)
        except (_Waiting, Paused) as waiting:
            if call.id not in self._unwanted:
                await self._waits(call, waiting)
                return
            outcome = self._cancelled(call)
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

    async def _waits(self, call: Call, waiting: _Waiting | Paused) -> None:
        """Tell that a call waits: to be allowed, for an answer, or for somebody inside."""
        self._reported.add(call.id)
        self._waiting.add(call.id)
        running = self._running.pop(call.id, None)
        if isinstance(waiting, _Waiting):
            await self._ledger.waiting(call, waiting.arguments)
        elif isinstance(waiting, Asked):
            await self._ledger.waiting(call, running.decoded.value if running else None, waiting)
        else:
            await self._ledger.paused(call)

    async def _report(self, call: Call, outcome: Outcome) -> None:
        if call.id in self._reported:  # it was given up, and ended after all
            self._ledger.late(call, None)
            return
        self._reported.add(call.id)
        self._running.pop(call.id, None)
        tool = self._tools.get(call.tool or call.name)
        if tool is not None and tool.text is not None:
            enforcement = self._held(call) or tool.enforcement(custom=call.custom)
            outcome = replace(outcome, enforcement=enforcement)
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
        tool = self._tools.get(call.tool or call.name)
        if tool is None:
            return Outcome("unknown_tool", wording.unknown_tool(call.name, self._tools))
        if call.id in self._unwanted:
            return self._cancelled(call)
        if call.cut:
            return Outcome("invalid_arguments", wording.CUT)
        if call.started and not (tool.options.read_only or tool.options.idempotent):
            return Outcome("interrupted", wording.INTERRUPTED)
        if call.edited is not None:
            decoded = tool.decode(call.edited)
        else:
            decoded = tool.decode(call.text, custom=call.custom)
        if not decoded.ok:
            return Outcome("invalid_arguments", decoded.error or "")
        if call.approved is False:
            said = wording.unanswered if call.asked else wording.denied
            return Outcome("denied", said(call.reason))
        if call.approved is None:
            try:
                asks = _asks(tool, decoded)
            except Exception as error:  # whoever cannot say whether it may run has not said that it may
                return Outcome("failed", wording.UNDECIDED, error=wording.developer_text(error))
            if asks:
                raise _Waiting(decoded.value)
        outcome = await self._run(tool, call, decoded)
        return replace(outcome, repairs=decoded.repairs) if decoded.repairs else outcome

    async def _run(self, tool: Tool[..., Any], call: Call, decoded: Decoded) -> Outcome:
        """Run the tool, unless this run has the result of the same call already and may use it."""
        key = _cache_key(tool, decoded) if tool.options.cache else None
        if key is None:
            return await self._run_anew(tool, call, decoded)
        async with self._asking.setdefault(key, asyncio.Lock()):  # the same call at once waits for the first
            if (known := self._cache.get(key)) is not None:
                return replace(known, attempts=0, seconds=0.0)
            outcome = await self._run_anew(tool, call, decoded)
            if outcome.ok:
                self._cache[key] = outcome
            return outcome

    async def _run_anew(self, tool: Tool[..., Any], call: Call, decoded: Decoded) -> Outcome:
        from .running import Running

        context = self._context(call.id, call.name, lambda f, m: self._ledger.progress(call, f, m))
        if call.answer is not None:
            context = replace(context, answer=call.answer, kept=call.kept)
        running = Running(tool, decoded, context, lambda error: self._ledger.late(call, error))
        self._running[call.id] = running
        return await running.run(self._slots, lambda: self._begin(call))

    async def _begin(self, call: Call) -> None:
        """Write the start down; where that fails (a journal on a full disk), nothing more may start at all."""
        try:
            await self._ledger.started(call)
        except Exception as error:
            self._fatal = self._fatal or error
            raise _Stopped from error


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    """Return what a task raised; None where it has not ended, or was cancelled."""
    return task.exception() if task.done() and not task.cancelled() else None


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
