"""The loop, through the public doors: what the model asks for happens, and all of it is in the state."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from jigwork import (
    Agent,
    ConfigurationError,
    IncompleteError,
    LimitReached,
    Limits,
    OutputError,
    RefusalError,
    RunContext,
    RunError,
    RunState,
    Settings,
    ToolDefinitionError,
    tool,
)
from jigwork.testing import Reply, ScriptedModel, capture_events


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_answers_a_question() -> None:
    """A plain answer is the output."""
    result = Agent(ScriptedModel(["Hello"])).run_sync("Hi")
    assert result.output == "Hello"
    assert [item["role"] for item in result.items] == ["user", "assistant"]


def test_calls_a_tool_and_feeds_the_result_back() -> None:
    """The tool's result is in the next request, paired by the call id."""
    model = ScriptedModel([[{"name": "add", "arguments": {"a": 2, "b": 3}}], "It is 5."])
    result = Agent(model, tools=[add]).run_sync("2 + 3?")
    assert result.output == "It is 5."
    call, output = model.requests[1].items[1:]
    assert output == {"type": "function_call_output", "call_id": call["call_id"], "output": "5"}
    assert [c.outcome.value for c in result.calls if c.outcome] == [5]


def test_outputs_keep_the_order_of_the_model() -> None:
    """A slow first call still answers first, and a failing one loses no sibling."""
    import time

    def slow() -> str:
        """Be slow."""
        time.sleep(0.05)
        return "slow"

    def broken() -> str:
        """Break."""
        raise ValueError("no such city")

    model = ScriptedModel(
        [[{"name": "slow"}, {"name": "broken"}, {"name": "add", "arguments": {"a": 1, "b": 1}}], "Done"]
    )
    result = Agent(model, tools=[slow, broken, add]).run_sync("go")
    outputs = [i["output"] for i in result.items if i["type"] == "function_call_output"]
    assert outputs == ["slow", "broken failed: no such city", "2"]
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "failed", "ok"]


def test_an_unknown_tool_is_an_outcome_with_the_nearest_name() -> None:
    """The model is told what it may have meant, and the run goes on."""
    model = ScriptedModel([[{"name": "ad", "arguments": {"a": 1, "b": 1}}], "Sorry"])
    result = Agent(model, tools=[add]).run_sync("go")
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.status == "unknown_tool"
    assert "'add'" in str(outcome.output)


def test_malformed_arguments_are_explained_and_never_reach_the_tool() -> None:
    """A call that does not fit is told what is wrong; the repaired one runs."""
    seen: list[tuple[int, int]] = []

    def record(a: int, b: int) -> str:
        """Record."""
        seen.append((a, b))
        return "ok"

    script: list[Any] = [
        [{"name": "record", "arguments": '{"a": 1, "b": "two"}'}],
        [{"name": "record", "arguments": '{"a": 1'}],
        [{"name": "record", "arguments": {"a": 1, "b": 2}}],
        "Done",
    ]
    result = Agent(ScriptedModel(script), tools=[record]).run_sync("go")
    statuses = [c.outcome.status for c in result.calls if c.outcome]
    assert statuses == ["invalid_arguments", "invalid_arguments", "ok"]
    assert seen == [(1, 2)]
    first = result.calls[0].outcome
    assert first is not None and "b" in str(first.output) and "Traceback" not in str(first.output)


def test_dependencies_reach_tools_and_instructions() -> None:
    """`RunContext` carries what the run was given, and the model sees nothing of it."""

    def who(ctx: RunContext[str]) -> str:
        """Say who."""
        return f"{ctx.deps} {ctx.tool} {ctx.call_id}"

    def instructions(ctx: RunContext[str]) -> str:
        return f"You serve {ctx.deps}."

    model = ScriptedModel([[{"name": "who"}], "Done"])
    agent = Agent(model, tools=[who], instructions=instructions, deps_type=str)
    result = agent.run_sync("go", deps="Ada")
    assert model.requests[0].instructions == "You serve Ada."
    assert model.requests[0].tools[0]["parameters"]["properties"] == {}
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.output == "Ada who call_1"


def test_missing_dependencies_are_an_error_at_once() -> None:
    """A run without the dependencies that its tools need fails before anything is sent."""
    model = ScriptedModel(["never"])
    with pytest.raises(ConfigurationError, match="deps=int"):
        Agent(model, deps_type=int).run_sync("go")
    assert model.requests == []


def test_a_conversation_continues() -> None:
    """The second question sees the first, and has its own usage and calls."""
    model = ScriptedModel(["Paris", "Berlin"])
    agent = Agent(model)
    first = agent.run_sync("Capital of France?")
    second = agent.run_sync("And of Germany?", state=first.state)
    assert second.output == "Berlin"
    assert [len(r.items) for r in model.requests] == [1, 3]
    assert second.usage.requests == 1 and len(second.requests) == 1


def test_an_injected_message_is_answered() -> None:
    """A message that comes while tools run is in the next request."""
    state = RunState()

    def interrupt() -> str:
        """Interrupt."""
        state.inject("And hurry")
        return "ok"

    model = ScriptedModel([[{"name": "interrupt"}], "Done"])
    Agent(model, tools=[interrupt]).run_sync("go", state=state)
    assert [i.get("content") for i in model.requests[1].items] == ["go", None, None, "And hurry"]


def test_the_turn_limit_stops_and_the_state_goes_on() -> None:
    """A limit raises with the state; with a higher one the run goes on where it stopped."""
    script: list[Any] = [[{"name": "add", "arguments": {"a": i, "b": 1}}] for i in range(5)]
    model = ScriptedModel([*script, "Done"])
    agent = Agent(model, tools=[add], limits=Limits(turns=3))
    with pytest.raises(LimitReached, match="3 turns") as caught:
        agent.run_sync("go")
    assert caught.value.limit == "turns" and caught.value.used == 3
    result = agent.run_sync(state=caught.value.state, limits=Limits(turns=10))
    assert result.output == "Done" and len(result.calls) == 5


def test_fifty_turns_are_the_default() -> None:
    """A model that never answers is stopped."""
    model = ScriptedModel(lambda request: [{"name": "add", "arguments": {"a": 1, "b": 1}}])
    with pytest.raises(LimitReached):
        Agent(model, tools=[add]).run_sync("go")
    assert len(model.requests) == 50


def test_a_forced_tool_choice_holds_once() -> None:
    """Forcing a tool at every turn would never end."""
    model = ScriptedModel([[{"name": "add", "arguments": {"a": 1, "b": 1}}], "2"])
    Agent(model, tools=[add], settings=Settings(tool_choice="add")).run_sync("go")
    assert [r.settings.tool_choice for r in model.requests] == ["add", None]


def test_refusal_and_incomplete_are_typed() -> None:
    """What is no answer raises, with the reason and the state."""
    with pytest.raises(RefusalError) as refused:
        Agent(ScriptedModel([{"refusal": "I can't."}])).run_sync("go")
    assert refused.value.refusal == "I can't." and len(refused.value.state.items) == 2
    with pytest.raises(IncompleteError) as cut:
        Agent(ScriptedModel([{"text": "It was a dark and", "incomplete": "max_output_tokens"}])).run_sync(
            "go"
        )
    assert cut.value.reason == "max_output_tokens"


def test_a_call_that_was_cut_does_not_run() -> None:
    """A call at the end of a cut response may be half of what was meant, even if it parses."""
    script: list[Any] = [
        {
            "calls": [
                {"name": "add", "arguments": {"a": 1, "b": 1}},
                {"name": "add", "arguments": {"a": 1, "b": 10}},
            ],
            "incomplete": "max_output_tokens",
        },
        "Done",
    ]
    result = Agent(ScriptedModel(script), tools=[add]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "invalid_arguments"]


class City(BaseModel):
    """A city."""

    name: str
    population: int


def test_an_invalid_answer_is_explained_and_asked_again() -> None:
    """The feedback names the field; the corrected answer is the output; both are in the history."""
    model = ScriptedModel(
        ['{"name": "Paris", "population": "many"}', '{"name": "Paris", "population": 2100000}']
    )
    result = Agent(model, output=City).run_sync("go")
    assert result.output == City(name="Paris", population=2_100_000)
    feedback = model.requests[1].items[-1]["content"]
    assert "population" in feedback and "pydantic" not in feedback
    assert result.state.feedback == [2]


def test_output_retries_end_with_the_last_reason() -> None:
    """The budget is kept, and the error says what was wrong last."""
    model = ScriptedModel(lambda request: '{"name": "Paris"}')
    with pytest.raises(OutputError, match="population") as caught:
        Agent(model, output=City, output_retries=1).run_sync("go")
    assert len(model.requests) == 2
    assert isinstance(caught.value.state, RunState)


def test_an_empty_answer_is_not_an_answer() -> None:
    """A response with reasoning alone is asked again."""
    model = ScriptedModel([{"reasoning": "Hmm"}, "42"])
    assert Agent(model).run_sync("go").output == "42"


def test_events_tell_the_whole_story() -> None:
    """The events of a run with one call, in order."""
    model = ScriptedModel([[{"name": "add", "arguments": {"a": 1, "b": 1}}], "2"])
    with capture_events() as events:
        Agent(model, tools=[add]).run_sync("go")
    assert [type(e).__name__ for e in events] == [
        "RunStarted", "ItemAdded", "TurnStarted", "ArgumentsDelta", "ItemAdded", "UsageUpdated", "TurnFinished",
        "CallStarted", "CallSettled", "ItemAdded",
        "TurnStarted", "TextDelta", "ItemAdded", "UsageUpdated", "TurnFinished", "RunFinished",
    ]  # fmt: skip


def test_nothing_to_answer_is_an_error() -> None:
    """An empty run says what to give."""
    with pytest.raises(ConfigurationError, match="nothing to answer"):
        Agent(ScriptedModel([])).run_sync()


def test_two_tools_of_one_name_are_an_error() -> None:
    """Which of the two would run could not be told."""
    with pytest.raises(ToolDefinitionError, match="two tools are called 'add'"):
        Agent(ScriptedModel([]), tools=[add, add])


def test_a_script_that_runs_out_says_so() -> None:
    """A test with a reply too few reads what happened."""
    with pytest.raises(ConfigurationError, match="1 replies and the agent asked for one more"):
        Agent(ScriptedModel([[{"name": "add", "arguments": {"a": 1, "b": 1}}]]), tools=[add]).run_sync("go")


def test_a_failing_model_carries_the_state() -> None:
    """Whatever the model raises, what happened before is not lost."""

    def script(request: Any) -> Any:
        if len(request.items) == 1:
            return [{"name": "add", "arguments": {"a": 1, "b": 1}}]
        raise OSError("disk on fire")

    with pytest.raises(RunError, match="disk on fire") as caught:
        Agent(ScriptedModel(script), tools=[add]).run_sync("go")
    assert len(caught.value.state.items) == 3


def test_a_history_with_open_calls_resumes_by_running_them() -> None:
    """A hand-written state whose calls have no outputs runs them first."""
    state = RunState([
        {"type": "message", "role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1, "b": 2}'},
    ])  # fmt: skip
    model = ScriptedModel(["3"])
    result = Agent(model, tools=[add]).run_sync(state=state)
    assert result.output == "3" and model.requests[0].items[-1]["output"] == "3"


def test_a_new_message_waits_for_open_calls() -> None:
    """A question put to a state with open calls comes after their outputs, or the server would refuse it."""
    state = RunState([
        {"type": "message", "role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1, "b": 2}'},
    ])  # fmt: skip
    model = ScriptedModel(["3"])
    Agent(model, tools=[add]).run_sync("And now?", state=state)
    assert [i["type"] for i in model.requests[0].items] == [
        "message",
        "function_call",
        "function_call_output",
        "message",
    ]


def test_a_finished_state_gives_its_answer_again() -> None:
    """Resuming what is finished asks nobody."""
    model = ScriptedModel(["Hello"])
    agent = Agent(model)
    state = agent.run_sync("Hi").state
    assert agent.run_sync(state=state).output == "Hello"
    assert len(model.requests) == 1


@tool(approval="always")
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


def test_a_call_waits_for_a_person_while_its_siblings_run() -> None:
    """The run pauses with the arguments that would be used; the decision may come in another process."""
    script: list[Any] = [
        [{"name": "pay", "arguments": {"amount": 5}}, {"name": "add", "arguments": {"a": 1, "b": 1}}],
        "Done",
    ]
    agent = Agent(ScriptedModel(script), tools=[pay, add])
    paused = agent.run_sync("go")
    assert paused.status == "paused"
    assert [(a.name, a.arguments) for a in paused.approvals] == [("pay", {"amount": 5})]
    state = RunState.from_json(paused.state.to_json())
    state.approve(paused.approvals[0].call_id)
    result = agent.run_sync(state=state)
    assert result.output == "Done"
    assert [i["output"] for i in result.items if i["type"] == "function_call_output"] == ["paid 5", "2"]


def test_a_denied_call_tells_the_model_why() -> None:
    """The reason reaches the model, and the tool never runs."""
    agent = Agent(ScriptedModel([[{"name": "pay", "arguments": {"amount": 5}}], "Then not."]), tools=[pay])
    paused = agent.run_sync("go")
    paused.state.deny(paused.approvals[0].call_id, "too much")
    result = agent.run_sync(state=paused.state)
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.status == "denied" and "too much" in str(outcome.output)


def test_reading_the_output_of_a_paused_run_says_what_to_do() -> None:
    """A paused run has no output, and says how to get one."""
    from jigwork import StateError

    agent = Agent(ScriptedModel([[{"name": "pay", "arguments": {"amount": 5}}]]), tools=[pay])
    with pytest.raises(StateError, match="pay wait for approval"):
        _ = agent.run_sync("go").output


def test_a_long_answer_reply_is_one_value() -> None:
    """A reply object works as well as its short forms."""
    assert Agent(ScriptedModel([Reply(text="x" * 1000)])).run_sync("go").output == "x" * 1000


def test_instructions_see_the_question() -> None:
    """Instructions that are a function are asked once a run, with the new question at the end of the history."""
    seen: list[list[str]] = []

    def instructions(context: RunContext[None]) -> str:
        seen.append([str(item.get("content")) for item in context.items if item.get("role") == "user"])
        return "Answer."

    agent = Agent(ScriptedModel(["one", "two"]), instructions=instructions)
    first = agent.run_sync("first?")
    agent.run_sync("second?", state=first.state)
    assert seen == [["first?"], ["first?", "second?"]]
