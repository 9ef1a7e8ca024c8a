"""One call is cancelled, whatever it is doing: it settles, its siblings and the run go on, the model is told."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork import (
    Agent,
    CallLate,
    CallProgress,
    CallSettled,
    CallStarted,
    RunContext,
    RunState,
    StateError,
    agent_tool,
    ask_human,
    tool,
)
from jigwork.testing import ScriptedModel, capture_events
from jigwork.tools.threads import stuck_threads


@tool
async def wait() -> str:
    """Wait for ever."""
    await asyncio.Event().wait()
    return ""


@tool(max_concurrency=1)
async def narrow() -> str:
    """Wait for ever, one at a time."""
    await asyncio.Event().wait()
    return ""


@tool(exclusive=True)
async def alone() -> str:
    """Work alone."""
    return "alone"


@tool
async def brief() -> str:
    """Take a moment."""
    await asyncio.sleep(0.05)
    return "fine"


@tool(approval="always")
async def pay() -> str:
    """Pay."""
    return "paid"


@tool
async def drip() -> AsyncIterator[str]:
    """Give a piece, and never another one."""
    yield "drop"
    await asyncio.Event().wait()


@tool(read_only=True, retries=5)
async def unsteady() -> str:
    """Fail, and be tried again."""
    raise OSError("reset")


def busy(path: str) -> str:
    """Say which process this is, and compute for a minute."""
    Path(path).write_text(str(os.getpid()))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pass
    return ""


def agent(*names: str, tools: list[Any] | None = None, **options: Any) -> Agent[Any, Any]:
    given = [wait, narrow, alone, brief, pay, drip, unsteady, *(tools or [])]
    calls = [{"name": name} for name in names]
    return Agent(ScriptedModel([calls, "Done"]), tools=given, **options)


def cancelling(run: Agent[Any, Any], id: str, when: Callable[[Any], bool]) -> Any:
    """Run, and cancel the call as soon as an event says that it is time; return the run."""
    with run.stream_sync("go") as stream:
        for event in stream:
            if when(event):
                assert stream.cancel_call(id)
    return stream


def started(id: str) -> Callable[[Any], bool]:
    return lambda event: isinstance(event, CallStarted) and event.call_id == id


def statuses(result: Any) -> list[str | None]:
    return [c.outcome.status if c.outcome else None for c in result.calls]


def said(result: Any, n: int) -> str:
    return str(result.calls[n].outcome.output)


def test_a_coroutine_is_stopped() -> None:
    """Its sibling has its result; the model reads both, in its order."""
    stream = cancelling(agent("wait", "brief"), "call_1", started("call_1"))
    assert statuses(stream.result) == ["cancelled", "ok"] and stream.result.output == "Done"
    outputs = [i["call_id"] for i in stream.state.items if i["type"] == "function_call_output"]
    assert outputs == ["call_1", "call_2"] and "Cancelled while it ran" in said(stream.result, 0)


@pytest.mark.parametrize("name", ["drip", "unsteady"])
def test_a_stream_of_pieces_and_a_call_between_two_attempts_are_stopped(name: str) -> None:
    """Nothing of them goes on."""
    stream = cancelling(agent(name, "brief"), "call_1", started("call_2"))
    assert statuses(stream.result) == ["cancelled", "ok"]


def test_a_call_that_waits_for_its_place_has_done_nothing() -> None:
    """Behind the gate of its tool; the one inside is cancelled next."""
    run = agent("narrow", "narrow", "brief")
    with run.stream_sync("go") as stream:
        for event in stream:
            if started("call_1")(event):
                assert stream.cancel_call("call_2")
            if isinstance(event, CallSettled) and event.call_id == "call_2":
                stream.cancel_call("call_1")
    assert statuses(stream.result) == ["cancelled", "cancelled", "ok"]
    assert "nothing was done" in said(stream.result, 1) and "nothing was done" not in said(stream.result, 0)


def test_a_call_behind_a_barrier_need_not_wait_to_be_told() -> None:
    """It settles before what it stands behind; the barrier itself still runs."""
    with agent("brief", "alone", "wait").stream_sync("go") as stream:
        events: list[Any] = []
        for event in stream:
            events.append(event)
            if started("call_1")(event):
                stream.cancel_call("call_3")
    settled = [e.call_id for e in events if isinstance(e, CallSettled)]
    assert settled == ["call_3", "call_1", "call_2"]
    assert statuses(stream.result) == ["ok", "ok", "cancelled"]


def test_a_call_that_waits_for_a_person_is_not_asked_about_any_more() -> None:
    """While the run goes on, and while somebody is being asked; a late yes changes nothing."""
    stream = cancelling(agent("pay", "brief"), "call_1", started("call_2"))
    assert statuses(stream.result) == ["cancelled", "ok"] and stream.result.status == "finished"

    state = RunState()

    async def decide(approval: Any) -> bool:
        state.cancel_call(approval.call_id)
        await asyncio.sleep(0.01)
        return True

    result = agent("pay", "brief", on_approval=decide).run_sync("go", state=state)
    assert statuses(result) == ["cancelled", "ok"] and result.output == "Done"


def test_a_paused_state_can_lose_a_call() -> None:
    """Days later, in another process; the others are decided as ever."""
    model = ScriptedModel(
        [[{"name": "pay"}, {"name": "ask_human", "arguments": {"question": "?"}}, {"name": "pay"}], "Done"]
    )
    run = Agent(model, tools=[pay, ask_human()])
    state = RunState.from_json(run.run_sync("go").state.to_json())
    assert state.cancel_call("call_1") and state.cancel_call("call_2") and not state.cancel_call("call_1")
    state.approve("call_3")
    with pytest.raises(StateError, match="waits for a person"):
        state.approve("call_1")
    result = run.run_sync(state=RunState.from_json(state.to_json()))
    assert statuses(result) == ["cancelled", "cancelled", "ok"] and result.output == "Done"


def test_a_thread_is_left_behind_and_its_result_is_late() -> None:
    """The outcome says that it may still act; when it ends that is an event, and noted in the state."""
    release = threading.Event()

    @tool
    def hang(ctx: RunContext[None]) -> str:
        """Hang."""
        release.wait(10)
        ctx.progress(1.0, "too late")
        return "unwanted"

    @tool
    async def later() -> str:
        """Wait until the other one has ended."""
        release.set()
        while stuck_threads():
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        return "fine"

    model = ScriptedModel([[{"name": "hang"}], [{"name": "later"}], "Done"])
    run = Agent(model, tools=[hang, later])
    with capture_events() as events:
        stream = cancelling(run, "call_1", started("call_1"))
    assert statuses(stream.result) == ["cancelled", "ok"] and "may still take effect" in said(
        stream.result, 0
    )
    assert [e for e in events if isinstance(e, CallLate)] == [CallLate("call_1", "hang")]
    assert [c.late for c in stream.result.calls] == ["ok", None]
    assert not [e for e in events if isinstance(e, CallProgress)] and "unwanted" not in stream.state.to_json()


def test_what_ends_after_the_run_is_noted_in_the_state_alone() -> None:
    """No event comes after the last one."""
    release = threading.Event()

    @tool
    def hang() -> str:
        """Hang, then fail."""
        release.wait(10)
        raise RuntimeError("too late")

    with capture_events() as events:
        stream = cancelling(
            Agent(ScriptedModel([[{"name": "hang"}], "Done"]), tools=[hang]), "call_1", started("call_1")
        )
    count = len(events)
    release.set()
    until = time.monotonic() + 5
    while not stream.state.late and time.monotonic() < until:
        time.sleep(0.005)
    assert [c.late for c in stream.result.calls] == ["failed"] and len(events) == count


def test_a_process_is_killed(tmp_path: Path) -> None:
    """For real, in the middle of its work."""
    path = tmp_path / "pid"

    @tool
    async def until_it_works() -> str:
        """Wait for the process."""
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.02)
        return "at work"

    calls: list[Any] = [{"name": "busy", "arguments": {"path": str(path)}}, {"name": "until_it_works"}]
    run = Agent(ScriptedModel([calls, "Done"]), tools=[tool(isolation="process")(busy), until_it_works])
    with run.stream_sync("go") as stream:
        for event in stream:
            if isinstance(event, CallSettled) and event.call_id == "call_2":
                stream.cancel_call("call_1")
    assert statuses(stream.result) == ["cancelled", "ok"] and "while it ran" in said(stream.result, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(path.read_text()), 0)


def test_a_coroutine_that_will_not_be_cancelled_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on without it, and what it comes to is late."""
    monkeypatch.setattr("jigwork.tools.executor.GRACE_SECONDS", 0.05)
    release = [False]

    @tool
    async def stubborn() -> str:
        """Ignore being cancelled."""
        while not release[0]:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        return "unwanted"

    @tool
    async def free() -> str:
        """Let the other one end."""
        release[0] = True
        await asyncio.sleep(0.05)
        return "fine"

    model = ScriptedModel([[{"name": "stubborn"}, {"name": "brief"}], [{"name": "free"}], "Done"])
    stream = cancelling(Agent(model, tools=[stubborn, brief, free]), "call_1", started("call_1"))
    assert statuses(stream.result) == ["cancelled", "ok", "ok"]
    assert "may still take effect" in said(stream.result, 0)
    assert [c.late for c in stream.result.calls] == ["ok", None, None]


def test_a_tool_that_ends_in_peace_when_it_is_cancelled_is_cancelled_all_the_same() -> None:
    """What it returned is not wanted."""

    @tool
    async def polite() -> str:
        """Return when cancelled."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "half of it"
        return ""

    stream = cancelling(agent("polite", "brief", tools=[polite]), "call_1", started("call_1"))
    assert statuses(stream.result) == ["cancelled", "ok"] and "half" not in said(stream.result, 0)


def test_an_agent_at_work_is_stopped_with_its_calls() -> None:
    """And one call of it alone, by its way."""
    inner = Agent(
        ScriptedModel(lambda r: "inner done" if len(r.items) > 1 else [{"name": "wait"}]), tools=[wait]
    )
    helper = agent_tool(inner, name="helper", description="Helps.")
    call = {"name": "helper", "arguments": {"task": "t"}}

    def run_cancelling(id: str) -> Any:
        run = Agent(ScriptedModel([[call, {"name": "brief"}], "Done"]), tools=[helper, brief])
        return cancelling(run, id, lambda e: isinstance(e, CallProgress) and e.message == "wait")

    whole = run_cancelling("call_1").result
    assert statuses(whole) == ["cancelled", "ok"] and whole.usage.requests == 3
    part = run_cancelling("call_1/call_1").result
    assert statuses(part) == ["ok", "ok"] and said(part, 0) == "inner done"


def test_any_thread_and_any_task_may_cancel() -> None:
    """Through the state, whichever door the run was started by."""
    for door in ("thread", "task"):
        state = RunState()
        run = agent("wait", "brief")

        async def stop(held: RunState = state) -> None:
            while not held.was_started("call_1"):
                await asyncio.sleep(0.001)
            held.cancel_call("call_1")

        async def main(
            run: Agent[Any, Any] = run, held: RunState = state, stop: Any = stop, door: str = door
        ) -> Any:
            if door == "task":
                stopping = asyncio.ensure_future(stop())
                result: Any = await run.run("go", state=held)
                await stopping
                return result
            threading.Thread(target=lambda: asyncio.run(stop())).start()
            return await run.run("go", state=held)

        assert statuses(asyncio.run(main())) == ["cancelled", "ok"]


def test_a_call_that_nobody_made_is_an_error_and_one_that_has_ended_is_none() -> None:
    """The error lists what is open."""
    with agent("wait", "brief").stream_sync("go") as stream:
        for event in stream:
            if isinstance(event, CallSettled) and event.call_id == "call_2":
                assert not stream.cancel_call("call_2")
                with pytest.raises(StateError, match="open: call_1, call_2"):
                    stream.cancel_call("call_7")
                stream.cancel_call("call_1")
                stream.cancel_call("call_1")
    assert statuses(stream.result) == ["cancelled", "ok"]


def test_cancelling_at_every_moment_settles_once() -> None:
    """From before its first step to after its end."""

    async def main() -> None:
        for steps in range(25):
            state = RunState()
            task = asyncio.ensure_future(agent("brief", "wait", "brief").run("go", state=state))
            for _ in range(steps):
                await asyncio.sleep(0)
            while not state.open_calls and not task.done():
                await asyncio.sleep(0)
            state.cancel_call("call_2")
            state.cancel_call("call_1")
            result = await task
            assert statuses(result)[1:] == ["cancelled", "ok"] and statuses(result)[0] in ("ok", "cancelled")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
