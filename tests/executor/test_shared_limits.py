"""Limits over a run and all agents that work for it: they hold however many of them work at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jigwork import (
    Agent,
    LimitReached,
    Limits,
    RunState,
    Settings,
    ToolDefinitionError,
    Usage,
    agent_tool,
    tool,
)
from jigwork.testing import Reply, ScriptedCall, ScriptedModel

COST = 100
ran: list[int] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


@tool
async def look() -> str:
    """Look."""
    ran.append(1)
    await asyncio.sleep(0)
    return "seen"


def reply(*calls: tuple[str, dict[str, Any]], text: str | None = None) -> Reply:
    usage = Usage(requests=1, input_tokens=COST - 10, output_tokens=10, total_tokens=COST)
    made = tuple(ScriptedCall(name=name, arguments=arguments) for name, arguments in calls)
    return Reply(calls=made, text=text, usage=usage, delay=0.001)


def team(
    size: int, limits: Limits, *, turns: int = 3, depth: int = 1
) -> tuple[Agent[Any, Any], Agent[Any, Any]]:
    """Return an agent that sets `size` others to work at once, each for `turns` requests, and one of the others."""

    def work(request: Any) -> Reply:
        asked = sum(item["type"] == "function_call_output" for item in request.items)
        return reply(text="done") if asked >= turns - 1 else reply(("look", {}))

    settings = Settings(max_output_tokens=10)
    worker: Agent[Any, Any] = Agent(ScriptedModel(work), tools=[look], settings=settings)
    inner = worker
    for _ in range(depth - 1):
        passing = ScriptedModel(
            lambda r: reply(text="passed on") if len(r.items) > 1 else reply(("helper", {"task": "t"}))
        )
        inner = Agent(
            passing, tools=[agent_tool(inner, name="helper", description="Helps.")], settings=settings
        )
    calls = [("helper", {"task": f"task {n}"}) for n in range(size)]
    script = ScriptedModel(lambda r: reply(text="Done") if len(r.items) > 1 else reply(*calls))
    helper = agent_tool(inner, name="helper", description="Helps.")
    return Agent(script, tools=[helper], limits=limits, settings=settings), worker


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("size", [1, 8, 30])
def test_agents_at_once_do_not_pass_the_tokens_together(size: int, depth: int) -> None:
    """One request may go beyond the bound, as in a run of its own; thirty at once do no worse."""
    state = RunState()
    outer, _ = team(size, Limits(tokens=650), depth=depth)
    try:
        outer.run_sync("go", state=state)
    except LimitReached as error:
        assert error.limit == "tokens"
    assert state.usage.spent_tokens <= 650 + COST
    if size > 1:
        assert state.usage.spent_tokens >= 650 - COST  # and what there is, is used


def test_requests_are_counted_together_and_exactly() -> None:
    """Never one more than the bound, whoever makes it."""
    for most in (1, 5, 12):
        state = RunState()
        outer, _ = team(10, Limits(requests=most))
        with pytest.raises(LimitReached, match="requests"):
            outer.run_sync("go", state=state)
        assert state.usage.requests == most


def test_calls_are_counted_together() -> None:
    """What is beyond the bound does not run, in whichever agent it is asked for."""
    state = RunState()
    outer, _ = team(6, Limits(tool_calls=9))
    with pytest.raises(LimitReached, match="tool calls"):
        outer.run_sync("go", state=state)
    assert len(ran) <= 3 and "limit of tool calls" in str([o.output for o in state.outcomes.values()])


def test_a_bound_that_is_not_reached_holds_nobody_up() -> None:
    """The agents work at once, and all of them finish."""
    outer, _ = team(10, Limits(tokens=100_000, requests=100, tool_calls=100))
    result = outer.run_sync("go")
    assert result.output == "Done" and result.usage.requests == 32 and len(ran) == 20


def test_near_the_bound_they_take_turns() -> None:
    """What all need together fits, one after the other; nobody is turned away for what others only may use."""
    outer, _ = team(4, Limits(tokens=1500))
    assert outer.run_sync("go").usage.spent_tokens == 14 * COST


def test_a_run_that_was_stopped_goes_on_with_a_higher_limit() -> None:
    """What the agents have cost stays on the bill."""
    outer, _ = team(3, Limits(tokens=450))
    with pytest.raises(LimitReached) as caught:
        outer.run_sync("go")
    spent = caught.value.state.usage.spent_tokens
    result = outer.run_sync(state=caught.value.state, limits=Limits(tokens=10_000))
    assert result.output == "Done" and result.usage.spent_tokens > spent


def test_a_cancelled_wait_leaves_no_place_taken() -> None:
    """An agent that is stopped while it waits for its turn does not hold up the others."""
    outer, _ = team(4, Limits(tokens=1500))

    async def main() -> Any:
        state = RunState()
        task = asyncio.ensure_future(outer.run("go", state=state))
        while len(state.inner) < 4:
            await asyncio.sleep(0)
        state.cancel_call("call_3")
        return await task

    result = asyncio.run(main())
    assert [c.outcome.status for c in result.calls] == ["ok", "ok", "cancelled", "ok"]


# --- invalid calls ---


@tool(invalid_calls=2)
def strict(path: str) -> str:
    """Take a path."""
    return path


@tool
def loose(path: str) -> str:
    """Take a path."""
    return path


WRONG: dict[str, Any] = {"pth": "x"}


def test_a_tool_has_a_budget_of_invalid_calls_of_its_own() -> None:
    """One more ends the run, with the tool and the last reason; those of other tools do not count."""
    calls = [{"name": "strict", "arguments": WRONG}, {"name": "loose", "arguments": WRONG}]
    agent = Agent(ScriptedModel(lambda request: calls), tools=[strict, loose])
    with pytest.raises(LimitReached, match=r"(?s)strict cannot take 3 times.*pth") as caught:
        agent.run_sync("go")
    assert caught.value.limit == "invalid_calls" and caught.value.used == 3
    assert caught.value.state.turns == 3 and caught.value.state.open_calls == []


def test_the_budget_does_not_begin_anew_after_a_good_call_or_in_another_process() -> None:
    """It is counted over the whole run, resumed or not; a new input begins a new one."""
    wrong: list[dict[str, Any]] = [{"name": "strict", "arguments": WRONG}]
    right: list[dict[str, Any]] = [{"name": "strict", "arguments": {"path": "x"}}]
    script: list[Any] = [wrong, right, wrong, right, wrong, wrong, "Fine", wrong, "Fine"]
    agent = Agent(ScriptedModel(script), tools=[strict])
    with pytest.raises(LimitReached):
        agent.run_sync("go")
    agent = Agent(ScriptedModel([wrong, right, wrong, "Fine"]), tools=[strict], limits=Limits(turns=2))
    with pytest.raises(LimitReached, match="turns") as caught:
        agent.run_sync("go")
    state = RunState.from_json(caught.value.state.to_json())
    assert agent.run_sync(state=state, limits=Limits(turns=9)).output == "Fine"
    agent = Agent(ScriptedModel([wrong, wrong, wrong]), tools=[strict])
    with pytest.raises(LimitReached, match="strict cannot take"):
        agent.run_sync(state=caught.value.state)


def test_no_invalid_call_at_all_may_be_allowed() -> None:
    """And a budget below none is an error."""
    once = strict.with_options(invalid_calls=0)
    agent = Agent(ScriptedModel([[{"name": "strict", "arguments": WRONG}]]), tools=[once])
    with pytest.raises(LimitReached, match="1 times, and its limit is 0"):
        agent.run_sync("go")
    with pytest.raises(ToolDefinitionError, match="invalid_calls"):
        strict.with_options(invalid_calls=-1)
