"""Handoffs: the conversation passes to another agent, on the same state, limits and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from jigwork import Agent, Limits, RunResult, RunState, ScriptedModel
from jigwork.agent.events import CallSettled, Event, HandedOver, RunStarted
from jigwork.agent.handoffs import Handoff, messages_only
from jigwork.agent.items import Item
from jigwork.agent.journal import FileJournal
from jigwork.agent.testing import Reply, ScriptedCall, capture_events
from jigwork.errors import ConfigurationError, LimitReached, ToolDefinitionError
from jigwork.tools import RunContext, Toolset, tool


def calls(*names: str, **arguments: Any) -> Reply:
    return Reply(calls=tuple(ScriptedCall(name=name, arguments=arguments) for name in names))


@tool
def refund(amount: int = 1) -> str:
    """Give money back."""
    return f"refunded {amount}"


@tool
async def look_up() -> str:
    """Look something up, slowly."""
    await asyncio.sleep(0.05)
    return "found"


def make(
    script: Any, *, billing: dict[str, Any] | None = None, **triage: Any
) -> tuple[Agent[None, Any], ScriptedModel]:
    model = ScriptedModel(script)
    kind: Any = Agent
    bill = kind(name="billing", instructions="Do the bills.", tools=[refund], **(billing or {}))
    support = Agent(name="support", instructions="Help.")
    given: dict[str, Any] = {"handoffs": [bill, support], **triage}
    return kind(model, name="triage", instructions="Sort.", tools=[look_up], **given), model


def through(
    door: str, agent: Agent[None, Any], x: Any, state: RunState | None = None
) -> tuple[RunResult[Any], list[Event]]:
    """Run through a door and return what every listener has heard."""
    with capture_events() as events:
        if door == "run":
            result = asyncio.run(agent.run(x, state=state))
        elif door == "run_sync":
            result = agent.run_sync(x, state=state)
        elif door == "stream_sync":
            with agent.stream_sync(x, state=state) as run:
                list(run)
            result = run.result
        else:

            async def go() -> RunResult[Any]:
                async with agent.stream(x, state=state) as run:
                    async for _ in run:
                        pass
                return run.result

            result = asyncio.run(go())
    return result, list(events)


@pytest.mark.parametrize("door", ["run", "run_sync", "stream", "stream_sync"])
def test_the_other_agent_goes_on(door: str) -> None:
    """Its instructions, tools and model requests follow; the other calls of the turn have settled before."""
    agent, model = make([calls("transfer_to_billing", "look_up"), calls("refund"), "it is done"])
    result, events = through(door, agent, "money back")
    assert (result.output, result.agent) == ("it is done", "billing")
    assert [r.instructions for r in model.requests] == ["Sort.", "Do the bills.", "Do the bills."]
    names = [[d["name"] for d in r.tools] for r in model.requests]
    assert names == [["look_up", "transfer_to_billing", "transfer_to_support"], ["refund"], ["refund"]]
    changes = [type(e) for e in events if isinstance(e, (CallSettled, HandedOver))]
    assert changes == [CallSettled, CallSettled, HandedOver, CallSettled]
    assert [e for e in events if isinstance(e, HandedOver)] == [HandedOver("billing", "triage")]
    assert [i["output"] for i in result.items if i["type"] == "function_call_output"] == [
        "The conversation is handed over to billing.", "found", "refunded 1",
    ]  # fmt: skip
    assert model.requests[1].items[: len(model.requests[0].items)] == model.requests[0].items


def test_the_tools_say_when_to_hand_over() -> None:
    """The description is the beginning of the agent's instructions, or what the Handoff says."""
    other = Handoff(Agent(name="the boss", instructions=lambda ctx: "x"), description="When all else fails.")
    agent, model = make(["hello"], handoffs=[Agent(name="billing", instructions="Do the bills."), other])
    agent.run_sync("hi")
    told = {d["name"]: d["description"] for d in model.requests[0].tools}
    assert (
        "Do the bills." in told["transfer_to_billing"]
        and told["transfer_to_the_boss"] == "When all else fails."
    )


def test_two_handoffs_in_one_turn() -> None:
    """The first of the model's counts, whatever its siblings take; the other is told."""
    agent, model = make([calls("look_up", "transfer_to_support", "transfer_to_billing"), "hello"])
    result = agent.run_sync("x")
    assert result.agent == "support" and len(model.requests) == 2
    statuses = [c.outcome.status for c in result.calls if c.outcome]
    assert statuses == ["ok", "ok", "failed"]
    assert "goes to support: only one handoff in a turn" in str(result.items[-2]["output"])


def test_a_conversation_goes_on_where_it_is() -> None:
    """The next input, and a run that is taken up in another process, are with the agent that has the conversation."""
    agent, model = make([calls("transfer_to_billing"), "yes?", "still here", "and here"])
    first = agent.run_sync("x")
    state = RunState.from_json(first.state.to_json())
    assert agent.run_sync("and now", state=state).agent == "billing"
    assert model.requests[2].instructions == "Do the bills."


@pytest.mark.parametrize("journal", [False, True])
def test_resumed_in_another_process(journal: bool, tmp_path: Any) -> None:
    """A run that waits for a person after a handoff goes on with the right agent and its tools, from the JSON alone."""
    script = [calls("transfer_to_billing"), calls("pay")]

    @tool(approval="always")
    def pay() -> str:
        """Pay."""
        return "paid"

    def fresh(rest: Sequence[Any]) -> Agent[None, Any]:
        bill = Agent(name="billing", tools=[pay])
        kept = FileJournal(tmp_path / "run.jsonl") if journal else None
        return Agent(ScriptedModel(rest), name="triage", handoffs=[bill], journal=kept)

    paused = fresh(script).run_sync("x")
    assert (paused.status, paused.agent) == ("paused", "billing")
    state = (
        FileJournal(tmp_path / "run.jsonl").load() if journal else RunState.from_json(paused.state.to_json())
    )
    assert state.relay.agent == "billing"
    state.approve(state.waiting[0].call_id)
    result = fresh(["thanks"]).run_sync(state=state)
    assert (result.output, result.agent) == ("thanks", "billing")
    assert result.items[-2]["output"] == "paid"


def test_a_kill_between_the_call_and_the_change() -> None:
    """A handoff that was asked for and not yet made is made when the run is taken up again."""
    agent, model = make([calls("transfer_to_billing"), "yes"])

    class Stop(BaseException):
        pass

    state = RunState()

    def stop(event: Event) -> None:
        if isinstance(event, HandedOver):
            raise Stop

    from jigwork.agent.observe import observe

    with observe(stop), pytest.raises(Stop):
        agent.run_sync("x", state=state)
    text = state.to_json()
    assert RunState.from_json(text).relay.agent == "billing"
    assert agent.run_sync(state=RunState.from_json(text)).agent == "billing"
    asked = RunState.from_json(text)
    asked.relay = type(asked.relay)(None, {"agent": "support", "call_id": "call_1"})
    assert make(["fine"])[0].run_sync(state=RunState.from_json(asked.to_json())).agent == "support"
    assert len(model.requests) == 2


def _refuse(approval: Any) -> bool:
    return False


def test_one_that_was_denied_is_none() -> None:
    """A handoff may ask a person; where they refuse, or it fails, the first agent goes on."""
    bill = Agent(name="billing")
    agent, model = make(
        [calls("transfer_to_billing"), "then not"],
        handoffs=[Handoff(bill, approval="always")],
        on_approval=_refuse,
    )
    result = agent.run_sync("x")
    assert (result.agent, result.output) == ("triage", "then not")
    assert model.requests[1].instructions == "Sort."


def test_other_calls_that_wait_keep_it_back() -> None:
    """While a call of the same turn waits for a person the run pauses, still with the first agent's tools."""

    @tool(approval="always")
    def ask() -> str:
        """Ask."""
        return "asked"

    model = ScriptedModel([calls("transfer_to_billing", "ask"), "hello"])
    agent: Agent[None, Any] = Agent(model, name="triage", tools=[ask], handoffs=[Agent(name="billing")])
    paused = agent.run_sync("x")
    assert (paused.status, paused.agent) == ("paused", "triage")
    state = RunState.from_json(paused.state.to_json())
    state.approve(paused.approvals[0].call_id)
    result = agent.run_sync(state=state)
    assert result.agent == "billing" and "asked" in [i.get("output") for i in result.items]


def test_limits_and_usage_are_the_runs() -> None:
    """The first agent's limits hold over all of them, and count everything."""
    agent, _ = make(
        [calls("transfer_to_billing"), *[calls("refund")] * 5, "x"],
        billing={"limits": Limits(turns=50)},
        limits=Limits(turns=3),
    )
    with pytest.raises(LimitReached, match="3 turns") as caught:
        agent.run_sync("x")
    assert caught.value.state is not None and caught.value.state.turns == 3
    slow = Agent(name="slow", tools=[_sleep])
    agent, _ = make(
        [calls("transfer_to_slow"), calls("_sleep"), "x"], handoffs=[slow], limits=Limits(seconds=0.3)
    )
    with pytest.raises(LimitReached, match="seconds"):
        agent.run_sync("x")


@tool
async def _sleep() -> None:
    """Sleep."""
    await asyncio.sleep(30)


def test_back_and_forth() -> None:
    """Agents may hand over to one another in a circle, by a function that names them later."""
    script: list[Any] = [
        calls("transfer_to_billing"),
        calls("transfer_to_triage"),
        calls("transfer_to_billing"),
        "done",
    ]
    model = ScriptedModel(script)
    bill: Agent[None, Any] = Agent(name="billing", handoffs=lambda: [triage])
    triage: Agent[None, Any] = Agent(model, name="triage", handoffs=[bill])
    with capture_events() as events:
        result = triage.run_sync("x")
    assert [(e.giver, e.agent) for e in events if isinstance(e, HandedOver)] == [
        ("triage", "billing"), ("billing", "triage"), ("triage", "billing"),
    ]  # fmt: skip
    assert result.agent == "billing"
    assert sum(isinstance(e, RunStarted) for e in events) == 1


def test_history_filter() -> None:
    """The other agent sees what the filter leaves, at once and after being taken up again; the state keeps all."""
    bill = Handoff(
        Agent(name="billing", tools=[refund.with_options(approval="always")]), history=messages_only
    )
    script = [calls("look_up"), calls("transfer_to_billing"), calls("refund")]
    agent, model = make(script, handoffs=[bill])
    paused = agent.run_sync("money")
    assert [i["type"] for i in model.requests[2].items] == ["message"]
    assert len(paused.items) == 6
    state = RunState.from_json(paused.state.to_json())
    state.approve(paused.approvals[0].call_id)
    again, model = make(["ok"], handoffs=[bill])
    again.run_sync(state=state)
    assert [i["type"] for i in model.requests[0].items] == [
        "message",
        "function_call",
        "function_call_output",
    ]


def _torn(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item["type"] != "function_call"]


def test_a_filter_that_tears() -> None:
    """A filter that leaves an output without its call is an error before anything is sent."""
    agent, model = make(
        [calls("look_up"), calls("transfer_to_billing"), "x"],
        handoffs=[Handoff(Agent(name="billing"), history=_torn)],
    )
    with pytest.raises(
        ConfigurationError, match=r"handoff to billing keeps a call or an output without the other"
    ):
        agent.run_sync("x")
    assert len(model.requests) == 2


def test_outputs_of_each_agent() -> None:
    """The output is of the type of whoever answers; the checker knows the union."""
    number = Agent(name="number", output=int)
    agent = Agent(
        ScriptedModel([calls("transfer_to_number"), '{"value": 3}', "words"]), name="a", handoffs=[number]
    )
    result = agent.run_sync("x")
    either: int | str = result.output
    assert either == 3
    assert agent.run_sync("y").output == "words"


def test_dependencies_are_shared() -> None:
    """All agents find the same dependencies; where one wants some, the run has to be given them."""

    @tool
    def who(context: RunContext[str]) -> str:
        """Tell who."""
        return context.deps

    inner: Agent[str, str] = Agent(name="inner", tools=[who], deps_type=str)
    outer = Agent(
        ScriptedModel([calls("transfer_to_inner"), calls("who"), "done"]), handoffs=[inner], deps_type=str
    )
    result = outer.run_sync("x", deps="me")
    assert "me" in [i.get("output") for i in result.items]
    with pytest.raises(ConfigurationError, match=r"deps=str"):
        outer.run_sync("x")


def test_toolsets_are_opened_for_their_agent() -> None:
    """A toolset is open while its agent has the conversation, and closed when that passes on."""
    log: list[str] = []

    class Logged(Toolset):
        async def __aenter__(self) -> Any:
            log.append(f"open {self.name}")
            return self

        async def __aexit__(self, *_: object) -> None:
            log.append(f"close {self.name}")

    bill = Agent(name="billing", tools=[Logged([refund], name="b")])
    agent = Agent(
        ScriptedModel([calls("transfer_to_billing"), calls("refund"), "x"]),
        tools=[Logged([look_up], name="t")],
        handoffs=[bill],
    )
    agent.run_sync("x")
    assert log == ["open t", "close t", "open b", "close b"]


def test_an_own_model() -> None:
    """An agent with a model of its own is asked there, one without asks the first one's."""
    own = ScriptedModel(["from mine"])
    agent, model = make([calls("transfer_to_billing")], handoffs=[Agent(own, name="billing")])
    assert agent.run_sync("x").output == "from mine"
    assert len(model.requests) == len(own.requests) == 1


class Deps:
    """Dependencies."""


FAULTS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: Agent(ScriptedModel([]), handoffs=[Agent()]), ConfigurationError, "needs a name"),
    (lambda: Agent(ScriptedModel([]), handoffs=["billing"]), ConfigurationError, "takes agents and Handoffs, not str"),  # type: ignore[arg-type] # pyright: ignore
    (lambda: Agent(ScriptedModel([]), handoffs=[Agent(name="a"), Agent(name="a")]).run_sync("x"), ConfigurationError, "two agents are called 'a'"),
    (
        lambda: Agent(ScriptedModel([]), deps_type=str, handoffs=[Agent(name="a", deps_type=Deps)]).run_sync("x", deps="x"),
        ConfigurationError,
        "these want str and Deps",
    ),
    (
        lambda: Agent(ScriptedModel([]), tools=[refund.rename("transfer_to_a")], handoffs=[Agent(name="a")]).run_sync("x"),
        ToolDefinitionError,
        "in the way of a handoff",
    ),
    (lambda: Agent(ScriptedModel([])).run_sync(state=_handed("z")), ConfigurationError, "in the hands of the agent 'z'"),
]  # fmt: skip


def _handed(name: str) -> RunState:
    state = RunState([{"type": "message", "role": "user", "content": "x"}])
    state.append({"kind": "handoff", "agent": name, "done": True})
    return state


@pytest.mark.parametrize(("make_it", "error", "message"), FAULTS)
def test_mistakes_are_errors_at_once(
    make_it: Callable[[], object], error: type[Exception], message: str
) -> None:
    """What could never hand over, or to nobody in particular, is said with the fix."""
    with pytest.raises(error, match=message):
        make_it()


def test_a_new_question_to_another_agent() -> None:
    """A state that was handed over may be given to any agent with a new input: it is that one's then."""
    result = Agent(ScriptedModel(["a summary"]), name="writer").run_sync("sum up", state=_handed("billing"))
    assert result.agent == "writer"
