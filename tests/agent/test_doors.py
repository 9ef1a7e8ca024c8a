"""The four doors are one loop: whatever the conversation, they give the same items, outcomes and events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jigwork import Agent, Event, JigworkError, Limits, RunState
from jigwork.agent.events import ArgumentsDelta, OutputDelta, ReasoningDelta, TextDelta
from jigwork.testing import ScriptedModel, capture_events


def echo(text: str) -> str:
    """Echo."""
    return text


async def later(text: str, fail: bool = False) -> str:
    """Echo, but later."""
    await asyncio.sleep(0)
    if fail:
        raise ValueError(text)
    return text


_arguments = st.one_of(
    st.fixed_dictionaries({"text": st.text(max_size=5)}),
    st.fixed_dictionaries({"text": st.text(max_size=5), "fail": st.booleans()}),
    st.sampled_from(["{", "[]", '{"text": 1}', "", '{"text": "a", "text": "b"}']),
)
_calls = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["echo", "later", "nothing"]), "arguments": _arguments}),
    min_size=1,
    max_size=4,
)
_reply: st.SearchStrategy[Any] = st.one_of(
    _calls,
    st.fixed_dictionaries({"calls": _calls, "text": st.text(max_size=8), "reasoning": st.text(max_size=8)}),
    st.fixed_dictionaries({"calls": _calls, "incomplete": st.just("max_output_tokens")}),
)
_last: st.SearchStrategy[Any] = st.one_of(
    st.text(min_size=1, max_size=20),
    st.fixed_dictionaries({"refusal": st.text(min_size=1, max_size=8)}),
    st.fixed_dictionaries({"text": st.text(max_size=8), "incomplete": st.just("content_filter")}),
)


def _with_end(replies: list[Any], last: Any) -> list[Any]:
    return [*replies, last]


_script = st.builds(_with_end, st.lists(_reply, max_size=3), _last)

Door = Callable[[Agent[None, str], RunState], Any]


def run(agent: Agent[None, str], state: RunState) -> Any:
    return asyncio.run(agent.run("go", state=state)).output


def run_sync(agent: Agent[None, str], state: RunState) -> Any:
    return agent.run_sync("go", state=state).output


def stream(agent: Agent[None, str], state: RunState) -> Any:
    async def consume() -> str:
        async with agent.stream("go", state=state) as run:
            async for _ in run:
                pass
        return run.result.output

    return asyncio.run(consume())


def stream_sync(agent: Agent[None, str], state: RunState) -> Any:
    with agent.stream_sync("go", state=state) as run:
        for _ in run:
            pass
    return run.result.output


DOORS: list[Door] = [run, run_sync, stream, stream_sync]


def play(door: Door, script: list[Any]) -> tuple[Any, Any, list[Event]]:
    """Run the script through one door: what came out, the state, the events."""
    agent = Agent(ScriptedModel(script), tools=[echo, later], limits=Limits(turns=3))
    state = RunState(run_id="run_1")
    with capture_events() as events:
        try:
            output = door(agent, state)
        except JigworkError as error:
            output = (type(error), str(error))
    data = state.to_dict()
    for key in ("saved_at", "seconds"):
        del data[key]
    for outcome in data["outcomes"].values():
        del outcome["seconds"]
    return output, data, events


def skeleton(events: list[Event]) -> list[str]:
    """The kinds of events, with runs of deltas as one, settling order aside."""
    kinds: list[str] = []
    for event in events:
        kind = type(event).__name__
        if isinstance(event, OutputDelta):
            continue
        if (
            isinstance(event, (TextDelta, ArgumentsDelta, ReasoningDelta))
            and kinds
            and kinds[-1] == f"{kind}{event.index}"
        ):
            continue
        kinds.append(
            f"{kind}{event.index}" if isinstance(event, (TextDelta, ArgumentsDelta, ReasoningDelta)) else kind
        )
    return kinds


@settings(max_examples=40)
@given(script=_script)
def test_the_four_doors_agree(script: list[Any]) -> None:
    """Same output or error, same state, same events whatever the door."""
    first_output, first_state, first_events = play(DOORS[0], script)
    for door in DOORS[1:]:
        output, state, events = play(door, script)
        assert output == first_output
        assert state == first_state
        assert sorted(skeleton(events)) == sorted(skeleton(first_events))


@settings(max_examples=40)
@given(script=_script)
def test_every_call_has_exactly_one_output_in_the_order_of_the_model(script: list[Any]) -> None:
    """No call is lost or answered twice, whatever fails."""
    _, state, _ = play(run_sync, script)
    items = state["items"]
    calls = [i["call_id"] for i in items if i["type"] == "function_call"]
    outputs = [i["call_id"] for i in items if i["type"] == "function_call_output"]
    assert outputs == calls[: len(outputs)]
    assert set(state["outcomes"]) == set(outputs)


@settings(max_examples=40)
@given(script=_script)
def test_a_state_survives_json_whatever_happened(script: list[Any]) -> None:
    """Written and read again, a state is the same state."""
    agent = Agent(ScriptedModel(script), tools=[echo, later])
    state = RunState()
    with contextlib.suppress(JigworkError):
        agent.run_sync("go", state=state)
    again = RunState.from_json(state.to_json())
    before, after = state.to_dict(), again.to_dict()
    del before["saved_at"], after["saved_at"]
    assert before == after
    assert again.usage == state.usage
