"""One run from its input to its result: the frame around the loop, the same for all four doors."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from jigwork.errors import Abort, JigworkError, LimitReached, RunAborted, RunError, StateError
from jigwork.tools.deadline import deadline, seconds_left, sooner

from .decide import Finish, HandOver, Pause
from .enclosing import enclosed
from .events import Event, HandedOver, RunFailed, RunFinished, RunPaused, RunStarted
from .loop import drive
from .observe import listeners
from .plan import Plan
from .recorder import Emit, Recorder
from .result import RunResult
from .state import RunState

__all__ = ["execute", "silent"]


async def silent(event: Event) -> None:
    """Drop the event: nobody iterates over this run."""


async def execute(
    plan: Plan, state: RunState, emit: Emit = silent, *, stream: bool = False
) -> RunResult[Any]:
    """Run `plan` on `state`, which advances and is whole at every await.

    Raises what the run raises: `RunError` and `ModelError` with `.state` set, a tool's own BaseException, and
    CancelledError, after which no call is left without an outcome but those that wait for a person.
    """
    state.acquire()
    try:
        recorder = Recorder(state, plan.journal, _with_listeners(emit))
        await recorder.emit(RunStarted(state.run_id, plan.name, plan.model.name))
        await recorder.open_journal()
        try:
            ending, agent = await _drive_in_time(plan, state, recorder, stream)
        except BaseException as error:
            failure = _as_run_error(error, state)
            await recorder.finish()
            await recorder.cancel_open_calls() if isinstance(error, asyncio.CancelledError) else None
            await recorder.emit(RunFailed(failure))
            if failure is error:
                raise
            raise failure from error
        await recorder.finish()
        return await _result(ending, state, recorder, agent)
    finally:
        state.release()


async def _result(
    ending: Finish | Pause, state: RunState, recorder: Recorder, agent: str | None
) -> RunResult[Any]:
    if isinstance(ending, Pause):
        await recorder.emit(RunPaused(ending.call_ids))
        return RunResult("paused", state, agent=agent)
    await recorder.emit(RunFinished(ending.output))
    return RunResult("finished", state, ending.output, agent=agent)


async def _drive_team(
    plan: Plan, state: RunState, recorder: Recorder, stream: bool
) -> tuple[Finish | Pause, str | None]:
    """Drive, and go on with another agent wherever the conversation is handed over; return who came to the end."""
    while True:
        with enclosed(plan, recorder):
            async with plan.opened():
                ending = await drive(plan, state, recorder, stream=stream)
        if not isinstance(ending, HandOver):
            return ending, plan.name
        giver, agent = plan.name, ending.agent
        if plan.successor is None:
            raise StateError(f"the conversation was handed over to {agent!r}, and this agent has no handoffs")
        await recorder.append({"kind": "handoff", "giver": giver, "agent": agent, "done": True})
        plan = await plan.successor(agent)
        await recorder.emit(HandedOver(agent, giver))


async def _drive_in_time(
    plan: Plan, state: RunState, recorder: Recorder, stream: bool
) -> tuple[Finish | Pause, str | None]:
    """Drive within the limit of seconds, which counts over all lives of a run."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    limit = plan.limits.seconds
    left = sooner(None if limit is None else max(limit - state.seconds, 0.0), seconds_left())
    inherited = deadline.set(None if left is None else time.monotonic() + left)
    scope = asyncio.timeout(left)
    try:
        async with scope:
            return await _drive_team(plan, state, recorder, stream)
    except TimeoutError as error:
        if not scope.expired():
            raise
        await recorder.cancel_open_calls()
        message = (
            f"the run reached its limit of {left:g} seconds without an answer; "
            "go on with agent.run(state=error.state, limits=Limits(seconds=...))"
        )
        raise LimitReached(message, limit="seconds", used=left or 0.0) from error
    finally:
        deadline.reset(inherited)
        await recorder.append({"kind": "seconds", "seconds": loop.time() - began})


def _as_run_error(error: BaseException, state: RunState) -> BaseException:
    """Give the error the state; wrap what is neither ours nor meant to end the process."""
    if isinstance(error, Abort):
        error = RunAborted(str(error))
    elif isinstance(error, Exception) and not isinstance(error, JigworkError):
        error = RunError(f"the run failed: {type(error).__name__}: {error}")
    if isinstance(error, JigworkError):
        error.state = state
    return error


def _with_listeners(emit: Emit) -> Emit:
    heard = listeners()
    if not heard:
        return emit

    async def emit_to_all(event: Event) -> None:
        for listener in heard:
            listener(event)
        await emit(event)

    return emit_to_all
