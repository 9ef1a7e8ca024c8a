"""What goes wrong at the edges: groups of exceptions, equal calls at once, repeated ids, a second cancellation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jigwork import (
    Abort,
    Agent,
    CallProgress,
    CallSettled,
    CallStarted,
    Limits,
    RunAborted,
    RunContext,
    RunState,
    ToolError,
    tool,
)
from jigwork.testing import Reply, ScriptedCall, ScriptedModel, capture_events


def run(calls: list[Any], tools: list[Any], **options: Any) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools, **options).run_sync("go")


def outcomes(result: Any) -> list[Any]:
    return [call.outcome for call in result.calls]


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([ValueError("the disk is full")], "the disk is full"),
        ([ToolError("Ask for less.")], "Ask for less."),
        ([ValueError("one"), ValueError("two")], "one; two"),
    ],
)
def test_a_group_of_exceptions_is_told_by_what_is_in_it(errors: list[Exception], said: str) -> None:
    """A TaskGroup inside a tool wraps what was raised; the model reads what it was."""

    @tool
    async def group() -> str:
        """Fail in a group."""
        raise ExceptionGroup("unhandled errors in a TaskGroup", errors)

    (outcome,) = outcomes(run([{"name": "group"}], [group]))
    assert outcome.status == "failed" and said in outcome.output and "TaskGroup" not in outcome.output


def test_abort_in_a_task_group_ends_the_run() -> None:
    """It is meant for the run, however it is wrapped on the way."""

    @tool
    async def group() -> str:
        """Abort in a task."""

        async def stop() -> None:
            raise Abort("enough")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stop())
            tasks.create_task(asyncio.sleep(30))
        return ""

    with pytest.raises(RunAborted, match="enough"):
        run([{"name": "group"}], [group])


def test_a_predicate_that_fails_lets_nothing_run() -> None:
    """Who cannot say whether a person has to be asked has not said that nobody has to; the developer sees why."""
    ran: list[int] = []

    @tool(approval=lambda arguments: bool(arguments["amount"] > 5))
    def pay(sum: int) -> str:
        """Pay."""
        ran.append(sum)
        return "paid"

    (outcome,) = outcomes(run([{"name": "pay", "arguments": {"sum": 3}}], [pay]))
    assert outcome.status == "failed" and ran == [] and "was not run" in outcome.output
    assert outcome.error is not None and outcome.error.startswith("KeyError")


def test_equal_calls_at_once_share_a_cached_result() -> None:
    """The second waits for the first; where that fails, it is made itself."""
    made: list[str] = []

    @tool(read_only=True, cache=True)
    async def look(city: str) -> str:
        """Look."""
        made.append(city)
        await asyncio.sleep(0.01)
        if city == "Ys" and made.count("Ys") == 1:
            raise OSError("reset")
        return city.upper()

    calls = [{"name": "look", "arguments": {"city": c}} for c in ("Oslo", "Oslo", "Oslo", "Ys", "Ys", "Ys")]
    found = outcomes(run(calls, [look]))
    assert [o.status for o in found] == ["ok", "ok", "ok", "failed", "ok", "ok"]
    assert [o.attempts for o in found] == [1, 0, 0, 1, 1, 0] and made.count("Oslo") == 1


def test_retries_end_with_the_deadline() -> None:
    """Fifty attempts do not outlive the turn that they are made in."""

    @tool(read_only=True, retries=50, timeout=0.02)
    async def slow() -> str:
        """Sleep."""
        await asyncio.sleep(30)
        return ""

    began = time.monotonic()
    (outcome,) = outcomes(run([{"name": "slow"}], [slow], limits=Limits(turn_seconds=0.3)))
    assert outcome.status == "timed_out" and outcome.attempts < 5 and time.monotonic() - began < 2


def test_a_tool_that_yields_can_be_stopped() -> None:
    """It runs on the event loop, and its outcome does not say otherwise."""

    @tool(timeout=0.05)
    async def drip() -> AsyncIterator[str]:
        """Yield once, then hang."""
        yield "drop"
        await asyncio.sleep(30)

    (outcome,) = outcomes(run([{"name": "drip"}], [drip]))
    assert outcome.status == "timed_out" and "could not be stopped" not in outcome.output


def test_every_piece_and_all_progress_is_told_before_the_call_has_settled() -> None:
    """However fast they come; nothing of a call comes after its end."""

    @tool
    async def many() -> AsyncIterator[str]:
        """Yield a lot."""
        for n in range(3000):
            yield f"{n} "

    @tool
    async def hasty(ctx: RunContext[None]) -> str:
        """Report and return at once."""
        ctx.progress(0.5, "half")
        ctx.progress(1.0, "all")
        return "ok"

    with Agent(
        ScriptedModel([[{"name": "many"}, {"name": "hasty"}], "Done"]), tools=[many, hasty]
    ).stream_sync("go") as stream:
        events = list(stream)
    for name, count in (("many", 3000), ("hasty", 2)):
        own = [
            e for e in events if isinstance(e, (CallStarted, CallProgress, CallSettled)) and e.name == name
        ]
        assert isinstance(own[0], CallStarted) and isinstance(own[-1], CallSettled)
        assert len(own) == count + 2


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("ids", [("a", "a", "a"), ("", "", ""), ("a", "", "a_2")])
def test_a_model_that_repeats_its_ids_loses_no_call(ids: tuple[str, ...], streams: bool) -> None:
    """Within a turn and from turn to turn: each call runs once and has its own output, under an id of its own."""
    ran: list[int] = []

    @tool(read_only=True)
    def take(n: int) -> int:
        """Take."""
        ran.append(n)
        return n

    def turn(first: int) -> Reply:
        calls = (
            ScriptedCall(name="take", arguments={"n": first + n}, call_id=id) for n, id in enumerate(ids)
        )
        return Reply(calls=tuple(calls))

    agent = Agent(ScriptedModel([turn(0), turn(10), "Done"]), tools=[take])
    if streams:
        with agent.stream_sync("go") as stream:
            result = stream.wait()
    else:
        result = agent.run_sync("go")
    assert sorted(ran) == [0, 1, 2, 10, 11, 12]
    assert [str(o.output) for o in outcomes(result)] == ["0", "1", "2", "10", "11", "12"]
    assert len({call.call_id for call in result.calls}) == 6 and "" not in {c.call_id for c in result.calls}


def test_outputs_stand_in_the_order_of_the_model_though_one_waited() -> None:
    """What settled behind a call that waits has its output item after that one's."""

    @tool(approval="always")
    def pay() -> str:
        """Pay."""
        return "paid"

    @tool
    def look() -> str:
        """Look."""
        return "seen"

    calls = [{"name": "look"}, {"name": "pay"}, {"name": "look"}, {"name": "pay"}]
    agent = Agent(ScriptedModel([calls, "Done"]), tools=[pay, look])
    state = agent.run_sync("go").state
    for id in ("call_4", "call_2"):
        assert [c.outcome is not None for c in agent.run_sync(state=state).calls][::2] == [True, True]
        state.approve(id)
    result = agent.run_sync(state=RunState.from_json(state.to_json()))
    outputs = [i["output"] for i in result.items if i["type"] == "function_call_output"]
    assert outputs == ["seen", "paid", "seen", "paid"]


def test_a_second_cancellation_leaves_no_task_behind() -> None:
    """Cancelled once more while its calls clean up, the run ends when they have."""
    cleaned: list[int] = []

    @tool
    async def tidy() -> str:
        """Clean up for a while when cancelled."""
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(1)
        return ""

    async def main() -> None:
        state = RunState()
        agent = Agent(ScriptedModel([[{"name": "tidy"}] * 3]), tools=[tidy, tidy.rename("other")])
        task = asyncio.ensure_future(agent.run("go", state=state))
        while len(state.open_calls) < 3 or not state.was_started("call_3"):
            await asyncio.sleep(0)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        await asyncio.wait({task})
        assert cleaned == [1, 1, 1] and asyncio.all_tasks() == {asyncio.current_task()}
        assert [o.status for o in state.outcomes.values()] == ["cancelled"] * 3

    asyncio.run(main())


def test_nobody_who_listens_hears_of_progress_after_the_end() -> None:
    """A thread that runs on reports to nobody."""
    import threading

    release = threading.Event()
    ended = threading.Event()

    @tool(timeout=0.02)
    def hang(ctx: RunContext[None]) -> str:
        """Hang, and report."""
        release.wait(10)
        ctx.progress(1.0, "late")
        ended.set()
        return ""

    with capture_events() as events:
        run([{"name": "hang"}], [hang])
        release.set()
        assert ended.wait(5)
        time.sleep(0.02)
    assert not [e for e in events if isinstance(e, CallProgress)]


def test_a_barrier_holds_while_somebody_waits_for_a_person() -> None:
    """An exclusive call that waits lets nothing behind it begin, nor begins one before which a call waits."""
    log: list[str] = []

    @tool
    def step(name: str) -> str:
        """Step."""
        log.append(name)
        return name

    @tool(approval="always")
    def pay() -> str:
        """Pay."""
        log.append("pay")
        return "paid"

    @tool(exclusive=True, approval="always")
    def wipe() -> str:
        """Wipe."""
        log.append("wipe")
        return "wiped"

    @tool(exclusive=True)
    def alone() -> str:
        """Work alone."""
        log.append("alone")
        return "ok"

    def steps(*names: str) -> list[dict[str, Any]]:
        known = ("pay", "wipe", "alone")
        return [{"name": n} if n in known else {"name": "step", "arguments": {"name": n}} for n in names]

    calls = steps("a", "pay", "b", "alone", "c", "wipe", "d")
    agent = Agent(ScriptedModel([calls, "Done"]), tools=[step, pay, wipe, alone])
    state = RunState.from_json(agent.run_sync("go").state.to_json())
    assert sorted(log) == ["a", "b"] and [a.name for a in state.waiting] == ["pay"]
    state.approve("call_2")
    state = RunState.from_json(agent.run_sync(state=state).state.to_json())
    assert log[2:] == ["pay", "alone", "c"] and [a.name for a in state.waiting] == ["wipe"]
    state.approve("call_6")
    assert agent.run_sync(state=state).output == "Done" and log[5:] == ["wipe", "d"]
