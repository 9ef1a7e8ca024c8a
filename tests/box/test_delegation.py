"""Agents as tools: the inner run is bounded, seen and paid for by the outer one."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from jigwork import (
    Abort,
    Agent,
    CallProgress,
    CallStarted,
    ConfigurationError,
    FileJournal,
    LimitReached,
    Limits,
    RunContext,
    RunFinished,
    RunStarted,
    RunState,
    ServerError,
    Usage,
    tool,
)
from jigwork.agent.delegation import MAX_DEPTH, agent_tool
from jigwork.testing import Reply, ScriptedCall, ScriptedModel, capture_events

ASK = [{"name": "helper", "arguments": {"task": "find it"}}]


def reply(text: str, tokens: int) -> Reply:
    return Reply(text=text, usage=Usage(requests=1, input_tokens=tokens, total_tokens=tokens))


def call(name: str, tokens: int) -> Reply:
    arguments = {"task": "find it"} if name == "helper" else {}
    usage = Usage(requests=1, input_tokens=tokens, total_tokens=tokens)
    return Reply(calls=(ScriptedCall(name=name, arguments=arguments),), usage=usage)


def helper(inner: Agent[Any, Any], **options: Any) -> Any:
    return agent_tool(inner, name="helper", description="Helps.", **options)


def run(inner: Agent[Any, Any], **options: Any) -> Any:
    return Agent(ScriptedModel([ASK, "Done"]), tools=[helper(inner)], **options).run_sync("go")


@tool
def look() -> str:
    """Look."""
    return "seen"


@tool(approval="always")
def pay() -> str:
    """Pay."""
    return "paid"


@dataclasses.dataclass
class Fact:
    """A fact."""

    text: str


def test_an_agent_does_a_task_for_another() -> None:
    """The task is its input, its typed output is the result."""
    model = ScriptedModel(['{"text": "It is blue"}'])
    result = run(Agent(model, output=Fact))
    assert result.calls[0].outcome.output == '{"text":"It is blue"}'
    assert result.calls[0].outcome.value == Fact("It is blue")
    assert "find it" in str(model.requests[0].items[0])


def test_its_usage_is_part_of_the_whole() -> None:
    """Also in the state, and in a state that was written and read again; the next run begins at nothing."""
    inner = Agent(ScriptedModel([call("look", 10), reply("found", 20)]), tools=[look])
    outer = Agent(
        ScriptedModel([call("helper", 3), reply("Done", 4), reply("Again", 5)]), tools=[helper(inner)]
    )
    result = outer.run_sync("go")
    assert (result.usage.requests, result.usage.input_tokens) == (4, 37)
    again = RunState.from_json(result.state.to_json())
    assert again.usage == result.usage and again.delegated[0]["call_id"] == "call_1"
    assert outer.run_sync("again", state=again).usage.input_tokens == 5


def test_its_usage_is_in_the_journal_and_seen_through_every_door(tmp_path: Path) -> None:
    """A run that streams, killed or not, knows what its helpers have cost."""
    inner = Agent(ScriptedModel([reply("found", 20)]))
    journal = FileJournal(tmp_path / "run.jsonl")
    model = ScriptedModel([call("helper", 3), reply("Done", 4)])
    with Agent(model, tools=[helper(inner)], journal=journal).stream_sync("go") as stream:
        list(stream)
    assert stream.result.usage.input_tokens == 27
    assert journal.load().usage == stream.result.usage


def test_a_failed_or_cancelled_inner_run_is_paid_for_too() -> None:
    """Tokens that were used are counted whatever came of them."""

    @tool
    async def wait() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return ""

    @tool
    def stop() -> str:
        """Stop."""
        raise Abort("enough")

    for one, limits in ((stop, None), (wait, Limits(turn_seconds=0.2))):
        inner = Agent(ScriptedModel([call(one.name, 10)]), tools=[one])
        outer = Agent(
            ScriptedModel([call("helper", 1), reply("Done", 1)]), tools=[helper(inner)], limits=limits
        )
        assert outer.run_sync("go").usage.input_tokens == 12


def test_the_tokens_of_the_outer_run_bound_the_inner_one() -> None:
    """What is left of them is what the inner run may use."""
    inner = Agent(ScriptedModel(lambda request: call("look", 30)), tools=[look])
    outer = Agent(
        ScriptedModel([call("helper", 10), reply("Done", 5)]),
        tools=[helper(inner)],
        limits=Limits(tokens=100),
    )
    state = RunState()
    with pytest.raises(LimitReached, match="limit of 100 tokens"):
        outer.run_sync("go", state=state)
    assert "helper reached its limit of tokens" in str(state.outcomes["call_1"].output)
    assert state.usage.input_tokens == 10 + 3 * 30


def test_the_deadline_of_the_outer_run_ends_the_inner_one() -> None:
    """The inner calls are settled, and the outer model is told."""
    inner_state: list[Any] = []

    @tool
    async def wait(ctx: RunContext[None]) -> str:
        """Wait."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            inner_state.append("stopped")
            raise
        return ""

    inner = Agent(ScriptedModel([[{"name": "wait"}]]), tools=[wait])
    result = run(inner, limits=Limits(turn_seconds=0.2))
    assert result.calls[0].outcome.status in ("timed_out", "failed") and inner_state == ["stopped"]
    assert result.output == "Done"


def test_its_events_are_seen() -> None:
    """Listeners see both runs, told apart by their ids; the outer run reports the inner calls as progress."""
    with capture_events() as events:
        run(Agent(ScriptedModel([[{"name": "look"}], "found"]), tools=[look], name="inner"))
    assert [e.agent for e in events if isinstance(e, RunStarted)] == [None, "inner"]
    assert [e.name for e in events if isinstance(e, CallStarted)] == ["helper", "look"]
    assert [e.output for e in events if isinstance(e, RunFinished)] == ["found", "Done"]
    assert [(e.name, e.message) for e in events if isinstance(e, CallProgress)] == [("helper", "look")]


def test_it_gets_the_dependencies() -> None:
    """Where it wants any; one that wants none is given none."""

    @tool
    def who(ctx: RunContext[str]) -> str:
        """Say who."""
        return ctx.deps

    model = ScriptedModel(lambda r: [{"name": "who"}] if len(r.items) == 1 else str(r.items[-1]["output"]))
    inner = Agent(model, tools=[who], deps_type=str)
    outer = Agent(ScriptedModel([ASK, "Done"]), tools=[helper(inner)], deps_type=str)
    outcome = outer.run_sync("go", deps="Ada").calls[0].outcome
    assert outcome and outcome.output == "Ada"


def scripted(*replies: Any, **options: Any) -> Agent[Any, Any]:
    return Agent(ScriptedModel(list(replies)), **options)


def failing(error: Exception) -> Agent[Any, Any]:
    def fail(request: Any) -> str:
        raise error

    return Agent(ScriptedModel(fail))


@tool
def leave() -> str:
    """Leave."""
    raise Abort("the stock is wrong")


FAILURES: list[tuple[Agent[Any, Any], str]] = [
    (
        scripted([{"name": "look"}], [{"name": "look"}], tools=[look], limits=Limits(turns=2)),
        "limit of turns",
    ),
    (scripted([{"name": "leave"}], tools=[leave]), "helper ended its work: the stock is wrong"),
    (scripted({"refusal": "I may not."}), "helper refused: I may not."),
    (scripted({"text": "cut", "incomplete": "max_output_tokens"}), "cut short"),
    (scripted("x", "y", "z", output=int), "no answer of the form"),
    (failing(ServerError("500 from http://10.0.0.1")), "its model does not answer"),
]


@pytest.mark.parametrize(("inner", "said"), FAILURES, ids=[said for _, said in FAILURES])
def test_why_there_is_no_answer_is_said_in_words(inner: Agent[Any, Any], said: str) -> None:
    """The outer run goes on, and its model reads nothing of Python or of machines."""
    result = run(inner)
    outcome = result.calls[0].outcome
    assert outcome.status == "failed" and said in str(outcome.output) and result.output == "Done"
    assert "agent.run" not in str(outcome.output) and "10.0.0.1" not in str(outcome.output)


@pytest.mark.parametrize(("allowed", "output"), [(True, "paid"), (False, "did not allow")])
def test_whoever_decides_for_the_outer_run_decides_for_the_inner_one(allowed: bool, output: str) -> None:
    """The inner call waits for the same person."""
    model = ScriptedModel(lambda r: [{"name": "pay"}] if len(r.items) == 1 else str(r.items[-1]["output"]))
    asked: list[str] = []

    def decide(approval: Any) -> bool:
        asked.append(approval.name)
        return allowed

    result = run(Agent(model, tools=[pay]), on_approval=decide)
    assert asked == ["pay"] and output in str(result.calls[0].outcome.output)


def test_an_agent_that_calls_itself_comes_to_an_end() -> None:
    """The innermost is told to do it itself."""
    runs: list[int] = []

    def answer(request: Any) -> Any:
        if len(request.items) > 1:
            return str(request.items[-1]["output"])
        runs.append(1)
        return ASK

    tools: list[Any] = []
    for _ in range(MAX_DEPTH + 5):
        tools = [helper(Agent(ScriptedModel(answer), tools=tools))]
    result = Agent(ScriptedModel(answer), tools=tools).run_sync("go")
    assert len(runs) == MAX_DEPTH and "Do it yourself" in result.output


def test_many_work_at_once() -> None:
    """Thirty tasks in one turn: each has its own run, its own answer, and is paid for once."""
    inner = Agent(ScriptedModel(lambda r: reply(str(r.items[0]["content"]), 10)))
    calls = [{"name": "helper", "arguments": {"task": f"task {n}."}} for n in range(30)]
    outer = Agent(ScriptedModel([calls, "Done"]), tools=[helper(inner)])
    result = outer.run_sync("go")
    assert all(f"task {n}." in str(c.outcome.output) for n, c in enumerate(result.calls) if c.outcome)
    assert result.usage.input_tokens == 300


def test_a_tool_without_a_name_or_a_description_is_an_error_at_once() -> None:
    """The model has to know what it is for."""
    with pytest.raises(ConfigurationError, match="description="):
        agent_tool(Agent(ScriptedModel(["x"])), name="helper")
    with pytest.raises(ConfigurationError, match="name="):
        agent_tool(Agent(ScriptedModel(["x"])), description="Helps.")
    assert agent_tool(Agent(ScriptedModel(["x"]), name="own"), description="Helps.").name == "own"
