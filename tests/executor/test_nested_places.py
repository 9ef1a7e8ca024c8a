"""Calls inside calls, and what would leave a task: limits are shared, nothing waits for itself, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from jigwork import Agent, ConfigurationError, Limits, RunState, agent_tool, tool
from jigwork.testing import ScriptedModel
from jigwork.tools import Toolset
from jigwork.tools.gates import Gate
from jigwork.tools.places import place


def run(calls: list[Any], tools: list[Any], **options: Any) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools, **options).run_sync("go")


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


class Box:
    """Asks an agent that works on the very same object, and sees whether two are inside at once."""

    def __init__(self) -> None:
        self.total = self.inside = self.peak = 0

    def add(self, number: int) -> str:
        """Add a number."""
        self.inside += 1
        self.peak = max(self.peak, self.inside)
        before = self.total
        time.sleep(0.003)
        self.total = before + number
        self.inside -= 1
        return str(self.total)

    def ask(self) -> str:
        """Let an agent add."""
        calls = [{"name": "add", "arguments": {"number": 1}}] * 6
        return Agent(ScriptedModel([calls, "added"]), tools=[self.add]).run_sync("go").output


def test_calls_of_a_run_inside_a_method_take_turns_on_its_object() -> None:
    """They need not wait for the method that waits for them, and still never meet."""
    box = Box()
    calls = [{"name": "ask"}, {"name": "add", "arguments": {"number": 10}}, {"name": "ask"}]
    result = run(calls, [Toolset.from_object(box)], limits=Limits(seconds=20))
    assert statuses(result) == ["ok"] * 3 and (box.total, box.peak) == (22, 1)


@pytest.mark.parametrize("options", [{"resource": "archive"}, {"max_concurrency": 1}])
def test_an_agent_behind_a_limit_may_use_what_is_behind_the_same_limit(options: Any) -> None:
    """Its calls share the place that it holds, one at a time, instead of waiting for its end."""
    inside: list[int] = []
    peak: list[int] = []
    deeper = [0]

    @tool(resource="archive")
    async def look() -> str:
        """Look."""
        inside.append(1)
        peak.append(len(inside))
        await asyncio.sleep(0.002)
        inside.pop()
        return "seen"

    def reply(request: Any) -> Any:
        if len(request.items) > 1:
            return "found"
        deeper[0] += 1
        again = [{"name": "clerk", "arguments": {"task": "look"}}] if deeper[0] < 3 else []
        return [*again, {"name": "look"}, {"name": "look"}]

    tools: list[Any] = [look]
    inner = Agent(ScriptedModel(reply), tools=[Toolset.dynamic(lambda context: tools)])
    clerk = agent_tool(inner, name="clerk", description="Looks.", **options)
    tools.append(clerk)
    calls = [{"name": "clerk", "arguments": {"task": "look"}}, {"name": "look"}]
    result = run(calls, [clerk, look], limits=Limits(seconds=20))
    assert statuses(result) == ["ok", "ok"] and deeper == [3] and max(peak) == 1


def test_what_outlives_its_call_waits_like_anybody_else() -> None:
    """A task that a call left behind has no part in the place that the call once held."""

    async def main() -> list[str]:
        gate, log = Gate(1), list[str]()

        async def left_behind() -> None:
            await asyncio.sleep(0.005)
            async with place(gate):
                log.append("later")

        async with place(gate):
            task = asyncio.create_task(left_behind())
        async with place(gate):
            await asyncio.sleep(0.02)
            log.append("other")
        await task
        return log

    assert asyncio.run(main()) == ["other", "later"]


def test_calls_that_gave_up_waiting_for_their_rate_cost_those_behind_nothing() -> None:
    """Sixty calls run out of time at a gate of ten a second; the next run need not wait six seconds for them."""

    @tool(rate=10)
    async def count() -> str:
        """Count."""
        return "one"

    hurried = run([{"name": "count"}] * 60, [count], limits=Limits(turn_seconds=0.15))
    assert 1 <= statuses(hurried).count("ok") <= 3
    began = time.monotonic()
    assert statuses(run([{"name": "count"}], [count])) == ["ok"]
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("limits", [Limits(seconds=20), Limits(turn_seconds=20), Limits()])
@pytest.mark.parametrize("kind", ["async", "thread", "nested"])
def test_what_ends_a_process_leaves_a_run_with_a_time_limit_as_well(
    error: BaseException, limits: Limits, kind: str
) -> None:
    """It comes out of `run_sync` and of `asyncio.run`, the event loop lives on, and each call has its output."""

    @tool
    async def leave() -> str:
        """Leave."""
        raise error

    @tool(name="leave")
    def leave_in_a_thread() -> str:
        """Leave."""
        raise error

    async def never() -> str:
        """Wait."""
        await asyncio.sleep(30)
        return ""

    tools: list[Any] = [leave_in_a_thread if kind == "thread" else leave, never]
    if kind == "nested":
        inner = Agent(ScriptedModel(lambda request: [{"name": "leave"}]), tools=tools)
        tools = [agent_tool(inner, name="leave", description="Leaves.").with_options(timeout=20), never]
    arguments = {"task": "go"} if kind == "nested" else {}
    calls = [{"name": "never"}, {"name": "leave", "arguments": arguments}, {"name": "never"}]

    def agent() -> Agent[None, str]:
        return Agent(ScriptedModel([calls, "Done"]), tools=tools, limits=limits)

    for synchronous in (True, False):
        state = RunState()
        with pytest.raises(type(error)):
            if synchronous:
                agent().run_sync("go", state=state)
            else:
                asyncio.run(agent().run("go", state=state))
        ended = [state.outcomes[f"call_{n}"].status for n in (1, 2, 3)]
        assert ended == ["cancelled", "failed", "cancelled"] and state.open_calls == []
    assert Agent(ScriptedModel(["Alive"])).run_sync("go").output == "Alive"


def test_a_callback_that_decides_nothing_is_told_what_it_may_return() -> None:
    """The call still waits: the state can be decided by hand, and nothing has run."""

    @tool(approval="always")
    def pay() -> str:
        """Pay."""
        return "paid"

    state = RunState()

    def careless(approval: Any) -> Any:
        return "yes"

    with pytest.raises(ConfigurationError, match="'yes' for pay: return True"):
        Agent(ScriptedModel([[{"name": "pay"}]]), tools=[pay], on_approval=careless).run_sync(
            "go", state=state
        )
    state.approve("call_1")
    again = Agent(ScriptedModel(["Done"]), tools=[pay]).run_sync(state=state)
    assert statuses(again) == ["ok"]
