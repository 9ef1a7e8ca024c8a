"""A run as a state machine: whatever is done to it in whatever order, every call settles once and nothing is left."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jigwork import (
    Abort,
    Agent,
    JigworkError,
    Limits,
    RunContext,
    RunState,
    RunStream,
    Tool,
    agent_tool,
    ask_human,
    tool,
)
from jigwork.testing import Reply, ScriptedCall, ScriptedModel
from jigwork.tools.outcome import OutcomeStatus
from jigwork.tools.threads import stuck_threads

KINDS = (
    "hold thread fail odd pieces slow gives_up pay ask_human helper alone narrow look invalid unknown abort leave"
).split()


def turns(*more: str) -> st.SearchStrategy[tuple[list[str], list[str]]]:
    """Return what a model calls in its first two turns."""
    kinds = st.sampled_from([*KINDS, *more])
    return st.tuples(st.lists(kinds, max_size=12), st.lists(kinds, max_size=4))


class World:
    """What is outside of a run: what its tools wait for, and how often each call was begun."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.release = threading.Event()
        self.begun: dict[str, int] = {}
        self.agent = self._agent()

    def begin(self, context: RunContext[Any]) -> None:
        """Count a call; one that acts is begun once, in however many lives of its run."""
        key = context.call_id if context.call_id[0] == "t" else f"{context.run_id} {context.call_id}"
        self.begun[key] = self.begun.get(key, 0) + 1

    def _agent(self) -> Agent[Any, Any]:
        tools = _tools(self)
        inner: Agent[Any, Any] = Agent(
            ScriptedModel(_inner), tools=[t for t in tools if t.name in ("pay", "hold")]
        )
        helper = agent_tool(inner, name="helper", description="Helps.")
        model = ScriptedModel(lambda request: self.script(request))
        return Agent(model, tools=[*tools, helper], limits=Limits(concurrency=6, turns=9))

    turns: tuple[list[str], ...] = ()

    def script(self, request: Any) -> Reply:
        """The next turn that is not in the history yet; then the answer."""
        ids = {str(item.get("call_id")) for item in request.items}
        for number, kinds in enumerate(self.turns):
            if kinds and f"t{number}_0" not in ids:
                calls = tuple(_call(kind, f"t{number}_{n}") for n, kind in enumerate(kinds))
                return Reply(calls=calls)
        return Reply(text="Done")


def _call(kind: str, id: str) -> ScriptedCall:
    name = {"invalid": "hold", "unknown": "hodl"}.get(kind, kind)
    arguments: dict[str, Any] = {"helper": {"task": "t"}, "ask_human": {"question": "?"}}.get(kind, {})
    return ScriptedCall(name=name, arguments={"x": 1} if kind == "invalid" else arguments, call_id=id)


def _inner(request: Any) -> Reply:
    if any(item["type"] == "function_call_output" for item in request.items):
        return Reply(text="inner done")
    return Reply(calls=(ScriptedCall(name="pay", call_id="p"), ScriptedCall(name="hold", call_id="h")))


class Odd:
    """Has no form for a model."""


def _tools(world: World) -> list[Tool[..., Any]]:
    async def hold(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        await world.open.wait()
        return "held"

    def thread(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        world.release.wait(20)
        return "held"

    def fail(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        raise RuntimeError("broken")

    def odd(ctx: RunContext[Any]) -> Any:
        world.begin(ctx)
        return Odd()

    async def pieces(ctx: RunContext[Any]) -> AsyncIterator[str]:
        world.begin(ctx)
        yield "one "
        await world.open.wait()
        yield "two"

    async def slow(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        await asyncio.sleep(20)
        return ""

    async def gives_up(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        raise asyncio.CancelledError

    async def pay(ctx: RunContext[Any], amount: int = 1) -> str:
        world.begin(ctx)
        return f"paid {amount}"

    async def look() -> str:
        return "seen"

    async def abort(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        raise Abort("enough")

    async def leave(ctx: RunContext[Any]) -> str:
        world.begin(ctx)
        raise SystemExit(1)

    return [
        *(tool(function) for function in (hold, thread, fail, odd, pieces, gives_up, abort, leave)),
        tool(timeout=0.01)(slow),
        tool(approval="always")(pay),
        tool(exclusive=True, name="alone")(hold),
        tool(max_concurrency=1, name="narrow")(hold),
        tool(isolation="process", timeout=20, name="busy")(wait_a_moment),
        tool(read_only=True, cache=True)(look),
        ask_human(output=int),
    ]


def wait_a_moment() -> str:
    """Work in a process of its own."""
    time.sleep(0.01)
    return "ok"


class Run(RuleBasedStateMachine):
    """One run and everything that can be done to it, from one thread, at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.loop = self.runner.get_loop()
        self.world = self.loop.run_until_complete(self._world())
        self.state = RunState()
        self.stream: RunStream[Any] | None = None
        self.reader: asyncio.Task[None] | None = None
        self.settled: list[str] = []
        self.cancelled_at_rest = False
        self.lives = 0

    async def _world(self) -> World:
        return World()

    def step(self, seconds: float = 0.0) -> None:
        """Let the run go on a little."""
        self.loop.run_until_complete(asyncio.sleep(seconds))

    # --- beginning and ending a life ---

    @initialize(called=turns())
    def begin(self, called: tuple[list[str], list[str]]) -> None:
        self.world.turns = called
        self._start("go")

    def _start(self, x: str | None) -> None:
        self.lives += 1
        self.settled = []
        self.cancelled_at_rest = False

        async def start() -> None:
            stream = self.world.agent.stream(x, state=self.state)
            self.stream = await stream.__aenter__()
            self.reader = asyncio.ensure_future(self._read(stream))

        self.loop.run_until_complete(start())

    async def _read(self, stream: RunStream[Any]) -> None:
        with suppress(JigworkError, SystemExit):
            async for event in stream:
                if type(event).__name__ == "CallSettled":
                    self.settled.append(getattr(event, "call_id", ""))

    def _stop(self) -> None:
        """Leave the block of the run: it is cancelled unless it has ended."""

        async def stop() -> None:
            if self.reader is not None:
                self.reader.cancel()
                await asyncio.wait({self.reader})
            if self.stream is not None:
                await self.stream.__aexit__(None, None, None)
            self.stream = self.reader = None

        self.loop.run_until_complete(stop())

    def rests(self) -> bool:
        return self.reader is None or self.reader.done()

    # --- what may happen ---

    @rule(ticks=st.integers(1, 30))
    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.step()

    @rule()
    def wait_for_threads(self) -> None:
        self.step(0.005)

    @rule()
    def open_what_is_held(self) -> None:
        self.world.open.set()
        self.step()

    @rule()
    def release_the_threads(self) -> None:
        self.world.release.set()
        self.step(0.005)

    @rule(data=st.data())
    def cancel_one(self, data: st.DataObject) -> None:
        ids = [str(item["call_id"]) for item in self.state.open_calls]
        ids += [f"{outer}/{own}" for outer in self.state.inner for own in ("p", "h")]
        chosen = data.draw(st.integers(0, 60))  # what is open depends on time, so what is drawn may not
        if ids:
            id = ids[chosen % len(ids)]
            self.cancelled_at_rest |= self.rests()
            with suppress(JigworkError):  # an inner call that has not been made yet
                self.state.cancel_call(id)
            self.step()

    @rule()
    def cancel_all(self) -> None:
        if self.stream is not None:
            self.stream.cancel()
            self.step()

    @rule()
    def stop_reading(self) -> None:
        """The consumer goes away in the middle; the run is ended with it."""
        self._stop()

    @rule()
    def go_on(self) -> None:
        """Another life with the same state."""
        if self.rests() and (self.state.items or self.state.inbox):
            self._stop()
            self._start(None)

    @rule()
    def die(self) -> None:
        """The process is gone; another one has what was written down at that moment."""
        text, begun, released = self.state.to_json(), dict(self.world.begun), self.world.release.is_set()
        self._stop()
        self.world.release.set()
        self._wait_for_threads()
        self.world.begun = begun  # what began after that moment did so in a process that was dead
        if not released:
            self.world.release.clear()
        self.state = RunState.from_json(text)

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        """A person decides about something that waits, at rest or while the run goes on."""
        chosen = data.draw(st.integers(0, 60))
        how = data.draw(st.sampled_from(["yes", "no", "edit", "always", "cancel"]))
        if not self.rests() or not (waiting := self.state.waiting):
            return
        approval = waiting[chosen % len(waiting)]
        if how == "cancel":
            assert self.state.cancel_call(approval.call_id)
        elif how == "no":
            self.state.deny(approval.call_id, "no")
        elif approval.question is not None:
            self.state.answer(approval.call_id, 7)
        else:
            arguments = {"amount": 3} if how == "edit" else None
            self.state.approve(approval.call_id, arguments=arguments, always=how == "always")

    # --- what always holds ---

    @invariant()
    def outputs_are_in_order(self) -> None:
        items = self.state.items
        calls = [i["call_id"] for i in items if i["type"] == "function_call"]
        outputs = [i["call_id"] for i in items if i["type"] == "function_call_output"]
        assert outputs == calls[: len(outputs)]

    @invariant()
    def outcomes_are_of_the_closed_set(self) -> None:
        assert {o.status for o in self.state.outcomes.values()} <= set(get_args(OutcomeStatus))
        assert all(isinstance(o.output, str) and o.output for o in self.state.outcomes.values())

    @invariant()
    def nothing_acts_twice_and_nothing_settles_twice(self) -> None:
        assert len(self.settled) == len(set(self.settled))

    @invariant()
    def what_rests_has_nothing_under_way(self) -> None:
        if self.lives and self.rests():
            waiting = {a.call_id.partition("/")[0] for a in self.state.waiting}
            for call in self.state.open_calls:
                id = str(call["call_id"])
                assert (
                    id in self.state.outcomes
                    or id in waiting
                    or self.state.approvals
                    or self.state.inner
                    or self.cancelled_at_rest  # what waited behind the cancelled call goes on in the next life
                    or (self.stream is None)
                )

    @precondition(lambda self: self.lives > 0)
    @invariant()
    def the_state_can_be_written_and_read(self) -> None:
        again = RunState.from_json(self.state.to_json())
        assert again.to_dict() | {"saved_at": ""} == self.state.to_dict() | {"saved_at": ""}

    # --- the end ---

    def teardown(self) -> None:
        """Let everything end, decide everything, and see that each call has its output and nothing is left behind."""
        try:
            self.world.open.set()
            self.world.release.set()
            self._stop()
            self._finish()
            left = {task.get_name() for task in asyncio.all_tasks(self.loop)}
            assert left <= {"AnyIO process pool shutdown task"}  # it ends with the loop
        finally:
            self.runner.close()
        self._wait_for_threads()
        for key, count in self.world.begun.items():
            assert count == 1, key

    def _wait_for_threads(self) -> None:
        until = time.monotonic() + 5
        while stuck_threads() and time.monotonic() < until:
            time.sleep(0.002)
        assert stuck_threads() == 0

    def _finish(self) -> None:
        for _ in range(30):
            for approval in self.state.waiting:
                self.state.deny(approval.call_id)
            if not (self.state.items or self.state.inbox):
                return
            self._start(None)
            reader = self.reader
            assert reader is not None
            self.loop.run_until_complete(asyncio.wait_for(asyncio.shield(reader), 20))
            ended = self.state.open_calls == [] and not self.state.waiting
            stream = self.stream
            finished = ended and stream is not None and stream.state.items[-1].get("role") == "assistant"
            self._stop()
            if finished:
                break
        calls = [i["call_id"] for i in self.state.items if i["type"] == "function_call"]
        outputs = [i["call_id"] for i in self.state.items if i["type"] == "function_call_output"]
        assert calls == outputs and set(calls) == set(self.state.outcomes)
        assert self.state.inner == {} and self.state.waiting == []


class RunWithProcesses(Run):
    """The same, with tools that run in processes of their own."""

    @initialize(called=turns("busy"))
    def begin(self, called: tuple[list[str], list[str]]) -> None:
        super().begin(called)


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def test_random_lives_of_a_run() -> None:
    """A few dozen lives, whatever happens in them."""
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
        Run,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=QUIET
        ),
    )


@pytest.mark.slow
def test_many_random_lives_of_a_run() -> None:
    """The same for long."""
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
        RunWithProcesses,
        settings=settings(
            max_examples=400, stateful_step_count=30, deadline=None, suppress_health_check=QUIET
        ),
    )
