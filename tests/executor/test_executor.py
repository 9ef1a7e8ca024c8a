"""The executor: whatever a tool does, every call of the turn settles, once, and its siblings are not lost."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest

from jigwork import Abort, Agent, CallProgress, RunAborted, RunContext, ToolError, tool
from jigwork.testing import ScriptedModel, capture_events

who = contextvars.ContextVar("who", default="nobody")


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


def run(calls: list[Any], tools: list[Any]) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools).run_sync("go")


@tool
def fine() -> str:
    """Work."""
    return "fine"


@tool
async def afine() -> str:
    """Work."""
    await asyncio.sleep(0.01)
    return "fine"


def test_calls_run_together() -> None:
    """Forty-eight calls, of coroutines and of threads, are all under way at the same time."""

    @tool
    def nap() -> str:
        """Sleep."""
        time.sleep(0.05)
        return "ok"

    @tool
    async def anap() -> str:
        """Sleep."""
        await asyncio.sleep(0.05)
        return "ok"

    everybody = threading.Barrier(16, timeout=10)

    @tool
    def meet() -> str:
        """Wait until all sixteen are here."""
        everybody.wait()
        return "ok"

    result = run([{"name": n} for n in ["nap", "anap", "meet"] * 16], [nap, anap, meet])
    assert statuses(result) == ["ok"] * 48


def test_the_limit_of_a_run_is_kept() -> None:
    """With two at once, never three."""
    from jigwork import Limits

    running, peak = [0], [0]

    @tool
    async def nap() -> str:
        """Sleep."""
        running[0] += 1
        peak[0] = max(peak[0], running[0])
        await asyncio.sleep(0.005)
        running[0] -= 1
        return "ok"

    model = ScriptedModel([[{"name": "nap"}] * 9, "Done"])
    Agent(model, tools=[nap], limits=Limits(concurrency=2)).run_sync("go")
    assert peak[0] == 2


def test_context_variables_reach_the_threads() -> None:
    """What was set where the run was started is seen in a synchronous tool."""

    @tool
    def ask() -> str:
        """Ask."""
        return who.get()

    token = who.set("Ada")
    try:
        result = run([{"name": "ask"}], [ask])
    finally:
        who.reset(token)
    assert result.calls[0].outcome.output == "Ada"


class Strange(Exception):
    """An exception without words."""


class NotJson:
    """Something that has no form for a model."""


FAILURES: list[tuple[Any, str]] = [
    (ValueError("bad value"), "bad value"),
    (KeyError("Paris"), "nothing is stored under 'Paris'"),
    (Strange(), "strange"),
    (ToolError("Ask for a city in Europe."), "Ask for a city in Europe."),
    (TimeoutError("upstream"), "upstream"),
    (asyncio.CancelledError(), "cancelled"),
    (StopIteration(), "StopIteration"),
    (RecursionError("too deep"), "too deep"),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("error", "said"), FAILURES)
def test_a_failing_tool_is_an_outcome(error: BaseException, said: str, asynchronous: bool) -> None:
    """The model reads what went wrong in words; the siblings have their results."""

    @tool(name="broken")
    def broken() -> str:
        """Break."""
        raise error

    @tool(name="broken")
    async def abroken() -> str:
        """Break."""
        raise error

    if asynchronous and isinstance(error, StopIteration):
        said = "raised StopIteration"  # Python itself turns it into a RuntimeError
    calls = [{"name": "fine"}, {"name": "broken"}, {"name": "afine"}]
    result = run(calls, [fine, afine, abroken if asynchronous else broken])
    assert statuses(result) == ["ok", "failed", "ok"]
    assert said in str(result.calls[1].outcome.output)
    assert "Traceback" not in str(result.calls[1].outcome.output)


def test_a_result_that_cannot_be_sent_is_an_outcome() -> None:
    """The tool ran, and the model is told so."""

    @tool
    def odd() -> Any:
        """Return something odd."""
        return NotJson()

    result = run([{"name": "odd"}, {"name": "fine"}], [odd, fine])
    assert statuses(result) == ["failed", "ok"]
    assert "The tool ran" in str(result.calls[0].outcome.output)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_abort_ends_the_run_with_everything_settled(asynchronous: bool) -> None:
    """A tool may end the run on purpose: its siblings are cancelled, and each call has its output."""

    @tool(name="stop")
    def stop() -> str:
        """Stop."""
        raise Abort("the stock is wrong")

    @tool(name="stop")
    async def astop() -> str:
        """Stop."""
        raise Abort("the stock is wrong")

    @tool
    async def forever() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return ""

    agent = Agent(
        ScriptedModel([[{"name": "fine"}, {"name": "stop"}, {"name": "forever"}]]),
        tools=[fine, astop if asynchronous else stop, forever],
    )
    with pytest.raises(RunAborted, match="the stock is wrong") as caught:
        agent.run_sync("go")
    state = caught.value.state
    assert state.open_calls == []
    assert state.outcomes["call_3"].status == "cancelled"


def test_what_had_not_begun_when_the_run_was_ended_is_skipped() -> None:
    """Behind a barrier that is never reached nothing was done, and the outcome says so."""

    @tool
    async def stop() -> str:
        """Stop."""
        raise Abort("enough")

    @tool(exclusive=True)
    async def alone() -> str:
        """Work alone."""
        return "done"

    with pytest.raises(RunAborted) as caught:
        run([{"name": "stop"}, {"name": "alone"}, {"name": "fine"}], [stop, alone, fine])
    outcomes = caught.value.state.outcomes
    assert [outcome.status for outcome in outcomes.values()] == ["failed", "skipped", "skipped"]
    assert "nothing was done" in str(outcomes["call_2"].output)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_exception_that_ends_the_process_settles_everything_first(
    error: BaseException, asynchronous: bool
) -> None:
    """SystemExit and KeyboardInterrupt go on up, after every call has its output."""
    from jigwork import RunState

    @tool(name="leave")
    def leave() -> str:
        """Leave."""
        raise error

    @tool(name="leave")
    async def aleave() -> str:
        """Leave."""
        raise error

    state = RunState()
    tools = [afine, aleave if asynchronous else leave]
    agent = Agent(ScriptedModel([[{"name": "afine"}, {"name": "leave"}]]), tools=tools)
    with pytest.raises(type(error)):
        agent.run_sync("go", state=state)
    assert state.open_calls == [] and len(state.outcomes) == 2
    assert Agent(ScriptedModel(["Still alive"])).run_sync("Hi").output == "Still alive"


def test_a_timeout_is_an_outcome_and_says_what_it_knows() -> None:
    """A coroutine is stopped; a thread cannot be, and the outcome says so."""

    @tool(timeout=0.05)
    async def slow() -> str:
        """Sleep."""
        await asyncio.sleep(30)
        return ""

    release = threading.Event()

    @tool(timeout=0.05)
    def stuck() -> str:
        """Hang."""
        release.wait(10)
        return ""

    began = time.monotonic()
    result = run([{"name": "slow"}, {"name": "stuck"}, {"name": "fine"}], [slow, stuck, fine])
    release.set()
    assert statuses(result) == ["timed_out", "timed_out", "ok"]
    assert "could not be stopped" in str(result.calls[1].outcome.output)
    assert "could not be stopped" not in str(result.calls[0].outcome.output)
    assert time.monotonic() - began < 5


def test_the_seconds_of_a_run_cancel_what_runs() -> None:
    """The clock stops a tool without a time-out of its own, and the state is whole."""
    from jigwork import LimitReached, Limits

    @tool
    async def forever() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return ""

    agent = Agent(ScriptedModel([[{"name": "forever"}]]), tools=[forever], limits=Limits(seconds=0.1))
    with pytest.raises(LimitReached, match=r"0\.1 seconds") as caught:
        agent.run_sync("go")
    assert caught.value.state.open_calls == []
    assert caught.value.state.outcomes["call_1"].status in ("cancelled", "timed_out")


def test_progress_reaches_the_events_from_a_thread() -> None:
    """A synchronous tool reports how far it is."""

    @tool
    def work(ctx: RunContext[None]) -> str:
        """Work."""
        ctx.progress(0.5, "half")
        time.sleep(0.02)
        return "ok"

    with capture_events() as events:
        run([{"name": "work"}], [work])
    assert [(e.fraction, e.message) for e in events if isinstance(e, CallProgress)] == [(0.5, "half")]


def test_a_synchronous_tool_may_run_an_agent() -> None:
    """An agent inside a tool inside an agent: no deadlock."""
    inner = Agent(ScriptedModel(["inner answer"]))

    @tool
    def ask_inner() -> str:
        """Ask."""
        return inner.run_sync("go").output

    assert run([{"name": "ask_inner"}], [ask_inner]).calls[0].outcome.output == "inner answer"


def test_run_sync_works_inside_a_running_loop() -> None:
    """As in a notebook."""

    async def main() -> str:
        return Agent(ScriptedModel(["Hello"])).run_sync("Hi").output

    assert asyncio.run(main()) == "Hello"


def test_more_calls_than_anybody_expects() -> None:
    """A turn of 792 calls is run with at most 64 at once."""
    running, peak = [0], [0]

    @tool
    async def nap(n: int) -> int:
        """Sleep."""
        running[0] += 1
        peak[0] = max(peak[0], running[0])
        await asyncio.sleep(0)
        running[0] -= 1
        return n

    result = run([{"name": "nap", "arguments": {"n": n}} for n in range(792)], [nap])
    assert [c.outcome.output for c in result.calls] == [str(n) for n in range(792)]
    assert 1 < peak[0] <= 64
