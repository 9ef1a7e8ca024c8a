"""Streams: watching, leaving, cancelling, and what is left then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from jigwork import (
    Agent,
    ArgumentsDelta,
    CallStarted,
    ItemAdded,
    OutputDelta,
    RunCancelled,
    RunFailed,
    StateError,
    TextDelta,
)
from jigwork.testing import Reply, ScriptedModel


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


async def wait_for_ever() -> str:
    """Wait."""
    await asyncio.Event().wait()
    return "never"


def test_text_comes_in_pieces() -> None:
    """The deltas of a text add up to it."""
    with Agent(ScriptedModel([Reply(text="Hello, world", chunk=3)])).stream_sync("Hi") as run:
        deltas = [e.text for e in run if isinstance(e, TextDelta)]
    assert len(deltas) == 4 and "".join(deltas) == "Hello, world" == run.result.output


def test_arguments_come_in_pieces_with_their_tool() -> None:
    """Argument deltas say which call they belong to."""
    reply = Reply.of({"calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}], "chunk": 4})
    with Agent(ScriptedModel([reply, "3"]), tools=[add]).stream_sync("go") as run:
        deltas = [e for e in run if isinstance(e, ArgumentsDelta)]
    assert "".join(e.text for e in deltas) == '{"a": 1, "b": 2}'
    assert {(e.call_id, e.name) for e in deltas} == {("call_1", "add")}


class Report(BaseModel):
    """A report."""

    title: str
    points: list[str]


def test_structured_output_is_shown_while_it_is_written() -> None:
    """Partial output grows, and its last form is the whole."""
    text = '{"title": "Jigs", "points": ["hold", "guide", "repeat"]}'
    with Agent(ScriptedModel([Reply(text=text, chunk=5)]), output=Report).stream_sync("go") as run:
        partial = [e.partial for e in run if isinstance(e, OutputDelta)]
    assert partial[0] in ({}, {"title": ""}) or partial[0] is not None
    assert {"title": "Jigs"} in [{k: v for k, v in p.items() if k == "title"} for p in partial]
    assert run.result.output == Report(title="Jigs", points=["hold", "guide", "repeat"])


async def leave_at(event_type: type[Any]) -> Any:
    agent = Agent(ScriptedModel([[{"name": "wait_for_ever"}, {"name": "add", "arguments": {"a": 1, "b": 1}}], "Done"]),
                  tools=[wait_for_ever, add])  # fmt: skip
    async with agent.stream("go") as run:
        async for event in run:
            if isinstance(event, event_type):
                break
    return run


@pytest.mark.parametrize("event_type", [CallStarted, TextDelta, ArgumentsDelta, ItemAdded])
def test_leaving_a_stream_settles_every_call(event_type: type[Any]) -> None:
    """Whenever one leaves, no call is open and the state can be continued."""

    async def main() -> None:
        if event_type is TextDelta:
            return
        run = await leave_at(event_type)
        assert run.state.open_calls == []
        model = ScriptedModel(["Fine."])
        result = await Agent(model, tools=[wait_for_ever, add]).run("Go on", state=run.state)
        assert result.output == "Fine."

    asyncio.run(asyncio.wait_for(main(), 5))


def test_cancel_ends_the_iteration_with_run_cancelled() -> None:
    """`run.cancel()` settles what runs as cancelled and says so."""

    async def main() -> None:
        agent = Agent(ScriptedModel([[{"name": "wait_for_ever"}]]), tools=[wait_for_ever])
        events: list[Any] = []
        with pytest.raises(RunCancelled) as caught:
            async with agent.stream("go") as run:
                async for event in run:
                    events.append(event)
                    if isinstance(event, CallStarted):
                        run.cancel()
        assert isinstance(events[-1], RunFailed)
        assert caught.value.state.outcomes["call_1"].status == "cancelled"
        assert "may have taken effect" in str(caught.value.state.outcomes["call_1"].output)

    asyncio.run(asyncio.wait_for(main(), 5))


def test_cancel_before_the_first_event() -> None:
    """A run that never began ends like any other."""

    async def main() -> None:
        async with Agent(ScriptedModel(["Hi"])).stream("go") as run:
            run.cancel()
            with pytest.raises(RunCancelled):
                await run.wait()

    asyncio.run(asyncio.wait_for(main(), 5))


def test_a_slow_consumer_holds_the_run_back_and_loses_nothing() -> None:
    """More events than the channel holds all arrive, in order."""

    async def main() -> None:
        text = "".join(chr(97 + i % 26) for i in range(2000))
        async with Agent(ScriptedModel([Reply(text=text, chunk=1)])).stream("go") as run:
            await asyncio.sleep(0.05)
            got = "".join([e.text async for e in run if isinstance(e, TextDelta)])
        assert got == text == run.result.output

    asyncio.run(asyncio.wait_for(main(), 10))


def test_leaving_unread_events_behind_does_not_hang() -> None:
    """A consumer that stops reading in the middle of a full channel can still leave."""

    async def main() -> None:
        async with Agent(ScriptedModel([Reply(text="x" * 5000, chunk=1)])).stream("go") as run:
            async for _ in run:
                break
            await asyncio.sleep(0.02)
        with pytest.raises(RunCancelled):
            _ = run.result

    asyncio.run(asyncio.wait_for(main(), 5))


def test_a_message_can_be_injected_while_the_answer_streams() -> None:
    """It is answered, even if the model thought that it was finished."""
    model = ScriptedModel([Reply(text="First answer", delay=0.02), "Second answer"])

    async def main() -> None:
        async with Agent(model).stream("go") as run:
            async for event in run:
                if isinstance(event, TextDelta) and len(model.requests) == 1:
                    run.inject("But shorter")
                    break
            result = await run.wait()
        assert result.output == "Second answer"
        assert [i.get("content") for i in result.items if i.get("role") == "user"] == ["go", "But shorter"]

    asyncio.run(asyncio.wait_for(main(), 5))


def test_the_result_before_the_end_is_an_error() -> None:
    """A result that is not there yet says how to get it."""

    async def main() -> None:
        async with Agent(ScriptedModel(["Hi"])).stream("go") as run:
            with pytest.raises(StateError, match="has not ended"):
                _ = run.result
            await run.wait()

    asyncio.run(main())


def test_one_state_cannot_run_twice_at_once() -> None:
    """A state belongs to one run; a fork may run beside it."""

    async def main() -> None:
        agent = Agent(ScriptedModel([[{"name": "wait_for_ever"}]]), tools=[wait_for_ever])
        async with agent.stream("go") as run:
            async for event in run:
                if isinstance(event, CallStarted):
                    break
            with pytest.raises(StateError, match="being run already"):
                await Agent(ScriptedModel(["x"])).run("hm", state=run.state)

    asyncio.run(asyncio.wait_for(main(), 5))


def test_cancelling_at_any_moment_leaves_a_state_that_resumes() -> None:
    """Cancelled after each event in turn, the run can always be taken up again."""

    async def main() -> None:
        for stop_after in range(1, 16):
            script: list[Any] = [
                [
                    {"name": "add", "arguments": {"a": 1, "b": 1}},
                    {"name": "add", "arguments": {"a": 2, "b": 2}},
                ],
                "Done",
            ]
            agent = Agent(ScriptedModel(script), tools=[add])
            count = 0
            async with agent.stream("go") as run:
                async for _ in run:
                    count += 1
                    if count == stop_after:
                        break
            assert run.state.open_calls == []
            rest = Agent(ScriptedModel(lambda request: "Done"), tools=[add])
            assert (await rest.run("Go on", state=run.state)).output == "Done"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_tool_that_leaves_the_process_leaves_through_the_consumer() -> None:
    """SystemExit reaches whoever iterates, with every call settled, and the loops go on living."""

    def leave() -> str:
        """Leave."""
        raise SystemExit(3)

    agent = Agent(ScriptedModel([[{"name": "leave"}]]), tools=[leave])
    with pytest.raises(SystemExit) as caught, agent.stream_sync("go") as run:
        for _ in run:
            pass
    assert caught.value.code == 3 and run.state.open_calls == []
    assert Agent(ScriptedModel(["Still here"])).run_sync("Hi").output == "Still here"
