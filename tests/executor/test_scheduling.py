"""Scheduling: who waits for whom, for how long, and how often a call is tried."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jigwork import (
    Agent,
    CallProgress,
    CallStarted,
    FileJournal,
    LimitReached,
    Limits,
    RunState,
    ToolDefinitionError,
    TurnFinished,
    tool,
)
from jigwork.testing import Reply, ScriptedModel, capture_events
from jigwork.tools.threads import stuck_threads


def run(calls: list[Any], tools: list[Any], **options: Any) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools, **options).run_sync("go")


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


class Meter:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.inside = self.peak = 0
        self.order: list[Any] = []

    async def visit(self, who: Any = None, seconds: float = 0.005) -> str:
        self.inside += 1
        self.peak = max(self.peak, self.inside)
        self.order.append(who)
        await asyncio.sleep(seconds)
        self.inside -= 1
        return "ok"


def test_a_tool_has_a_limit_of_its_own_over_all_runs() -> None:
    """Two runs at once share it: it protects what is behind the tool."""
    meter = Meter()

    @tool(max_concurrency=2)
    async def fetch(n: int) -> str:
        """Fetch."""
        return await meter.visit(n)

    async def main() -> None:
        calls = [{"name": "fetch", "arguments": {"n": n}} for n in range(5)]
        agents = [Agent(ScriptedModel([calls, "Done"]), tools=[fetch]) for _ in range(3)]
        await asyncio.gather(*(agent.run("go") for agent in agents))

    asyncio.run(main())
    assert meter.peak == 2 and len(meter.order) == 15


def test_tools_share_the_limit_of_their_resource() -> None:
    """Two tools of one database are one at a time; a third is not held up."""
    meter = Meter()

    @tool(resource="test-db")
    async def read() -> str:
        """Read."""
        return await meter.visit()

    @tool(resource="test-db")
    async def write() -> str:
        """Write."""
        return await meter.visit()

    run([{"name": name} for name in ["read", "write"] * 3], [read, write])
    assert meter.peak == 1


def test_calls_start_in_the_order_of_the_model() -> None:
    """Whoever waits gets the next place first."""
    meter = Meter()

    @tool(max_concurrency=1)
    async def step(n: int) -> str:
        """Step."""
        return await meter.visit(n, 0)

    run([{"name": "step", "arguments": {"n": n}} for n in range(20)], [step])
    assert meter.order == list(range(20))


def test_an_exclusive_call_is_a_barrier() -> None:
    """What came before it has ended, what comes after it has not begun."""
    log: list[str] = []

    @tool
    async def part(name: str) -> str:
        """Work."""
        log.append(f"+{name}")
        await asyncio.sleep(0.01)
        log.append(f"-{name}")
        return "ok"

    @tool(exclusive=True)
    async def alone() -> str:
        """Work alone."""
        log.append("+alone")
        await asyncio.sleep(0.01)
        log.append("-alone")
        return "ok"

    calls = [{"name": "part", "arguments": {"name": n}} for n in "ab"]
    calls = [*calls, {"name": "alone"}, *({"name": "part", "arguments": {"name": n}} for n in "cd")]
    assert statuses(run(calls, [part, alone])) == ["ok"] * 5
    middle = log.index("+alone")
    assert sorted(log[:middle]) == ["+a", "+b", "-a", "-b"] and log[middle + 1] == "-alone"


def test_a_rate_is_kept() -> None:
    """Five calls at 50 a second need at least 80 ms."""

    @tool(rate=50)
    async def ping() -> str:
        """Ping."""
        return "pong"

    began = time.monotonic()
    run([{"name": "ping"}] * 5, [ping])
    assert time.monotonic() - began >= 0.08


def test_a_safe_tool_is_tried_again() -> None:
    """The third attempt succeeds; the outcome says that there were three, the model sees one result."""
    tries: list[int] = []

    @tool(read_only=True, retries=3)
    def flaky() -> str:
        """Fail twice."""
        tries.append(1)
        if len(tries) < 3:
            raise OSError("connection reset")
        return "fine"

    with capture_events() as events:
        result = run([{"name": "flaky"}], [flaky])
    assert result.calls[0].outcome.attempts == 3 and result.calls[0].outcome.output == "fine"
    assert sum(isinstance(e, CallStarted) for e in events) == 1


def test_retries_of_a_tool_that_acts_are_an_error_at_construction() -> None:
    """Repeating a call that may have acted is nobody's default."""
    with pytest.raises(ToolDefinitionError, match="read_only"):

        @tool(retries=2)
        def act() -> str:
            """Act."""
            return ""


def busy(seconds: float) -> str:
    """Compute for ever, as far as Python goes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return f"done in {os.getpid()}"


def test_a_process_is_killed_for_real(tmp_path: Any) -> None:
    """A busy loop that no thread could be stopped in ends with its time-out, and another call works."""
    stopped = tool(isolation="process", timeout=3)(busy)
    began = time.monotonic()
    result = run([{"name": "busy", "arguments": {"seconds": 60}}], [stopped])
    assert statuses(result) == ["timed_out"] and time.monotonic() - began < 20
    assert "was stopped" in str(result.calls[0].outcome.output)
    result = run([{"name": "busy", "arguments": {"seconds": 0}}], [stopped.with_options(timeout=60)])
    assert statuses(result) == ["ok"] and str(os.getpid()) not in str(result.calls[0].outcome.output)


def test_a_thread_that_cannot_be_stopped_is_counted_and_recorded_when_it_ends() -> None:
    """Its late result is noted in the state, and never used."""
    release = threading.Event()

    @tool(timeout=0.05)
    def stuck() -> str:
        """Hang."""
        release.wait(10)
        return "too late"

    @tool
    async def wait_for_it() -> str:
        """Wait until the other one has ended."""
        release.set()
        await asyncio.sleep(0.1)
        return "ok"

    before = stuck_threads()
    seen: list[int] = []

    def count() -> str:
        """Count."""
        seen.append(stuck_threads() - before)
        return "ok"

    script: list[Any] = [[{"name": "stuck"}], [{"name": "count"}], [{"name": "wait_for_it"}], "Done"]
    result = Agent(ScriptedModel(script), tools=[stuck, count, wait_for_it]).run_sync("go")
    assert seen == [1] and stuck_threads() == before
    assert result.state.late == [{"call_id": "call_1", "failed": False}]
    assert "too late" not in result.state.to_json()


def test_a_coroutine_that_will_not_be_cancelled_does_not_hold_the_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is given up after a while, and the outcome says that it may still act."""
    monkeypatch.setattr("jigwork.tools.deadline.GRACE_SECONDS", 0.05)
    release = [False]

    @tool(timeout=0.05)
    async def stubborn() -> str:
        """Ignore being cancelled."""
        while not release[0]:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        return ""

    result = run([{"name": "stubborn"}], [stubborn])
    release[0] = True
    assert statuses(result) == ["timed_out"]
    assert "could not be stopped" in str(result.calls[0].outcome.output)


def test_the_calls_of_a_turn_share_a_deadline() -> None:
    """What has no result by then is timed out, and the run goes on."""

    @tool
    async def slow() -> str:
        """Sleep."""
        await asyncio.sleep(30)
        return ""

    @tool(max_concurrency=1)
    async def queued() -> str:
        """Sleep, one at a time."""
        await asyncio.sleep(30)
        return ""

    @tool
    async def quick() -> str:
        """Return."""
        return "ok"

    calls = [{"name": n} for n in ["slow", "quick", "queued", "queued"]]
    result = run(calls, [slow, quick, queued], limits=Limits(turn_seconds=0.1))
    assert statuses(result) == ["timed_out", "ok", "timed_out", "timed_out"]
    assert "did not get its turn" in str(result.calls[3].outcome.output)
    assert result.output == "Done"


def test_an_agent_inside_a_tool_inherits_the_deadline() -> None:
    """The inner run ends when the outer call has to."""
    reached: list[str] = []

    @tool
    async def forever() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return ""

    inner = Agent(ScriptedModel(lambda request: [{"name": "forever"}]), tools=[forever])

    @tool(timeout=0.1)
    async def delegate() -> str:
        """Ask another agent."""
        try:
            return (await inner.run("go")).output
        except LimitReached as error:
            reached.append(error.limit)
            raise

    began = time.monotonic()
    result = run([{"name": "delegate"}], [delegate])
    assert statuses(result)[0] in ("timed_out", "failed") and time.monotonic() - began < 5


def test_a_cached_result_is_used_again_within_a_run() -> None:
    """The same call of a reading tool is made once, if it may be; the outcome says so."""
    calls: list[str] = []

    @tool(read_only=True, cache=True)
    def look(city: str) -> str:
        """Look."""
        calls.append(city)
        return city.upper()

    turn = [{"name": "look", "arguments": {"city": "paris"}}]
    agent = Agent(ScriptedModel([turn, turn, "Done", turn, "Done"]), tools=[look])
    result = agent.run_sync("go")
    assert [c.outcome.attempts for c in result.calls if c.outcome] == [1, 0] and calls == ["paris"]
    agent.run_sync("again", state=result.state)
    assert calls == ["paris", "paris"]


def test_identical_calls_are_never_taken_for_one() -> None:
    """Without a cache, two equal calls are two calls."""
    calls: list[str] = []

    @tool
    def order(item: str) -> str:
        """Order."""
        calls.append(item)
        return f"order {len(calls)}"

    assert statuses(run([{"name": "order", "arguments": {"item": "jig"}}] * 2, [order])) == ["ok", "ok"]
    assert calls == ["jig", "jig"]


def test_a_tool_may_yield_its_result_piece_by_piece() -> None:
    """The pieces are shown as they come; together they are the result."""

    @tool
    async def tell() -> AsyncIterator[str]:
        """Tell."""
        for word in ("one ", "two ", "three"):
            yield word

    with capture_events() as events:
        result = run([{"name": "tell"}], [tell])
    assert result.calls[0].outcome.output == "one two three"
    assert [e.message for e in events if isinstance(e, CallProgress)] == ["one ", "two ", "three"]


def test_a_reading_tool_starts_while_the_response_is_written() -> None:
    """It begins before the turn is over, runs once, and a tool that acts waits."""

    @tool(read_only=True)
    def look() -> str:
        """Look."""
        return "seen"

    @tool
    def act() -> str:
        """Act."""
        return "done"

    reply = Reply.of(
        {"calls": [{"name": "look"}, {"name": "act"}], "text": "Let me see", "delay": 0.02, "chunk": 1}
    )
    agent = Agent(ScriptedModel([reply, "Done"]), tools=[look, act])
    with agent.stream_sync("go") as stream:
        events = list(stream)
    kinds = [f"{type(e).__name__} {getattr(e, 'name', '')}".strip() for e in events]
    finished = next(i for i, e in enumerate(events) if isinstance(e, TurnFinished))
    assert kinds.index("CallStarted look") < finished < kinds.index("CallStarted act")
    assert kinds.count("CallStarted look") == 1 and statuses(stream.result) == ["ok", "ok"]


def test_a_response_that_fails_takes_its_early_calls_with_it() -> None:
    """What was begun for a response that never came is no part of the state."""
    seen: list[str] = []

    @tool(read_only=True)
    async def look() -> str:
        """Look."""
        seen.append("looked")
        return "seen"

    class Broken(ScriptedModel):
        """Fails in the middle of its first response."""

        async def stream(self, request: Any) -> AsyncIterator[Any]:
            async for event in super().stream(request):
                yield event
                if type(event).__name__ == "ItemAdded":
                    await asyncio.sleep(0.02)
                    raise OSError("connection lost")

    state = RunState()

    async def main() -> None:
        async with Agent(Broken([[{"name": "look"}]]), tools=[look]).stream("go", state=state) as stream:
            await stream.wait()

    with pytest.raises(Exception, match="connection lost"):
        asyncio.run(main())
    assert seen == ["looked"] and state.outcomes == {} and len(state.items) == 1
    assert Agent(ScriptedModel(["Fine"])).run_sync(state=state).output == "Fine"


def test_invalid_calls_have_a_budget() -> None:
    """A model that never gets it right is stopped, with its last mistake."""

    @tool
    def delete(path: str) -> str:
        """Delete."""
        return path

    model = ScriptedModel(lambda request: [{"name": "delete", "arguments": {"pth": "x"}}])
    with pytest.raises(LimitReached, match="pth") as caught:
        Agent(model, tools=[delete], limits=Limits(invalid_calls=3)).run_sync("go")
    assert caught.value.limit == "invalid_calls"


def test_a_journal_that_fails_ends_the_run_and_loses_nothing(tmp_path: Any) -> None:
    """A full disk is an error of the run, never a call that ran unseen."""
    ran: list[int] = []

    @tool
    async def act(n: int) -> str:
        """Act."""
        ran.append(n)
        await asyncio.sleep(0.01)
        return "ok"

    class Full(FileJournal):
        """A journal on a disk that fills up."""

        async def record(self, run_id: str, entry: dict[str, Any]) -> None:
            if entry["kind"] == "started" and entry["call_id"] == "call_2":
                raise OSError("no space left on device")
            await super().record(run_id, entry)

    state = RunState()
    calls = [{"name": "act", "arguments": {"n": n}} for n in (1, 2, 3)]
    agent = Agent(ScriptedModel([calls]), tools=[act], journal=Full(tmp_path / "j"))
    with pytest.raises(Exception, match="no space left"):
        agent.run_sync("go", state=state)
    assert 2 not in ran and state.open_calls == [] and len(state.outcomes) == 3
