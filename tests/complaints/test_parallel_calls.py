"""What users of other frameworks report about many calls at once: each complaint is a test, named after it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from jigwork import Abort, Agent, Limits, OpenAIModel, RunAborted, RunCancelled, RunState, tool
from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.testing import ScriptedModel
from jigwork.tools.threads import stuck_threads


def run(calls: list[Any], tools: list[Any], **options: Any) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools, **options).run_sync("go")


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


def said(result: Any, n: int) -> str:
    return str(result.calls[n].outcome.output)


class Meter:
    """Counts how many are inside at once, from whichever thread."""

    def __init__(self) -> None:
        self.inside = self.peak = 0
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            self.peak = max(self.peak, self.inside)

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.inside -= 1


@tool
def fine() -> str:
    """Work."""
    return "fine"


@tool
def broken() -> str:
    """Break."""
    raise RuntimeError("the disk is on fire")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Hold threads that nobody can stop, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_one_turn_of_792_calls_has_a_ceiling() -> None:
    """Coroutines and threads together, never more than 64 are inside, and each of the 792 has its own output."""
    meter = Meter()

    @tool
    async def visit(n: int) -> int:
        """Visit."""
        with meter:
            await asyncio.sleep(0.001)
        return n

    @tool
    def call(n: int) -> int:
        """Call."""
        with meter:
            time.sleep(0.001)
        return n

    calls = [{"name": "call" if n % 2 else "visit", "arguments": {"n": n}} for n in range(792)]
    result = run(calls, [visit, call])
    assert [c.outcome.output for c in result.calls] == [str(n) for n in range(792)]
    assert 2 < meter.peak <= 64


def test_parallel_calls_have_a_maximum_and_not_only_a_switch() -> None:
    """Three of a run at once, and of one tool only two, whatever the model asks for."""
    everything, scarce_only = Meter(), Meter()

    @tool
    async def plenty() -> str:
        """Plenty."""
        with everything:
            await asyncio.sleep(0.002)
        return "ok"

    @tool(max_concurrency=2)
    async def scarce() -> str:
        """Scarce."""
        with everything, scarce_only:
            await asyncio.sleep(0.002)
        return "ok"

    calls = [{"name": name} for name in ["scarce"] * 10 + ["plenty"] * 10]
    run(calls, [plenty, scarce], limits=Limits(concurrency=3))
    assert everything.peak == 3 and scarce_only.peak == 2


@pytest.mark.parametrize("error", [RuntimeError("boom"), Abort("stop")])
def test_sibling_tasks_are_not_orphaned_when_one_raises(error: Exception) -> None:
    """When the run is over, however it ended, none of its tasks is alive, and each call has an outcome."""
    state = RunState()

    @tool
    async def bad() -> str:
        """Raise."""
        raise error

    @tool
    async def slow() -> str:
        """Sleep."""
        await asyncio.sleep(0.02)
        return "slept"

    async def main() -> set[str]:
        model = ScriptedModel([[{"name": "slow"}, {"name": "bad"}, {"name": "slow"}], "Done"])
        try:
            await Agent(model, tools=[bad, slow]).run("go", state=state)
        except RunAborted:
            assert isinstance(error, Abort)
        return {task.get_name() for task in asyncio.all_tasks()}

    alive = asyncio.run(main())
    assert not [name for name in alive if name.startswith("jigwork-")]
    wanted = ["cancelled", "failed", "cancelled"] if isinstance(error, Abort) else ["ok", "failed", "ok"]
    assert [state.outcomes[f"call_{n}"].status for n in (1, 2, 3)] == wanted


def test_deferred_calls_and_output_retries_are_not_dropped_when_a_sibling_raises() -> None:
    """The call that waits still waits, the wrong answer is explained, and the failure is one more output."""
    from jigwork.agent.models.profiles import Profile

    @tool(approval="always")
    def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    replies: list[Any] = [
        [
            {"name": "pay", "arguments": {"amount": 5}},
            {"name": "broken"},
            {"name": "final_answer", "arguments": {"value": "not a number"}},
        ],
        [{"name": "final_answer", "arguments": {"value": 7}}],
    ]
    model = ScriptedModel(replies, profile=Profile(json_schema=False))
    agent = Agent(model, tools=[pay, broken], output=int)
    paused = agent.run_sync("go")
    assert paused.status == "paused" and [a.arguments for a in paused.approvals] == [{"amount": 5}]
    ended = [c.outcome.status if c.outcome else None for c in paused.calls]
    assert ended == [None, "failed", "invalid_arguments"]
    state = RunState.from_json(paused.state.to_json())
    state.approve("call_1")
    result = agent.run_sync(state=state)
    assert result.output == 7 and said(result, 0) == "paid 5"


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_a_plain_exception_in_a_tool_does_not_end_the_run(
    endpoint: Any, jigwork_server: ServerFactory
) -> None:
    """Nobody wraps a tool by hand: the model reads on the wire what went wrong, and answers."""
    server = jigwork_server([{"calls": [{"name": "broken"}]}, "Sorry"])
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint=endpoint)
    result = Agent(model, tools=[broken]).run_sync("go")
    assert result.output == "Sorry" and statuses(result) == ["failed"]
    sent = server.bodies[1]["input" if endpoint == "responses" else "messages"][-1]
    assert "the disk is on fire" in str(sent) and "Traceback" not in str(sent)


def test_tools_do_not_keep_running_after_the_run_is_cancelled(release: threading.Event) -> None:
    """A coroutine is stopped; a thread, which nothing can stop, is counted, and the outcome says so."""
    steps: list[int] = []
    state = RunState()

    @tool
    async def step() -> str:
        """Step for ever."""
        while True:
            steps.append(1)
            await asyncio.sleep(0.001)

    @tool
    def hang() -> str:
        """Hang."""
        release.wait(10)
        return "late"

    async def main() -> int:
        agent = Agent(ScriptedModel([[{"name": "step"}, {"name": "hang"}]]), tools=[step, hang])
        task = asyncio.create_task(agent.run("go", state=state))
        while len(steps) < 3:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        counted, stuck = len(steps), stuck_threads()
        await asyncio.sleep(0.02)
        assert len(steps) == counted
        return stuck

    assert asyncio.run(main()) >= 1
    assert state.open_calls == []
    assert [o.status for o in state.outcomes.values()] == ["cancelled", "cancelled"]
    assert "could not be stopped" in str(state.outcomes["call_2"].output)


def test_one_failing_parallel_tool_does_not_discard_the_outputs_of_its_siblings(
    jigwork_server: ServerFactory,
) -> None:
    """The next request carries every output, in the model's order, and the run has its answer."""
    calls = [{"name": n, "call_id": f"c{i}"} for i, n in enumerate(["fine", "broken", "nothing", "fine"])]
    server = jigwork_server([calls, "All told"])
    model = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint="responses")
    result = Agent(model, tools=[fine, broken]).run_sync("go")
    outputs = [item for item in server.bodies[1]["input"] if item.get("type") == "function_call_output"]
    assert [item["call_id"] for item in outputs] == ["c0", "c1", "c2", "c3"]
    assert [item["output"] for item in outputs][::3] == ["fine", "fine"]
    assert statuses(result) == ["ok", "failed", "unknown_tool", "ok"] and result.output == "All told"


def test_sync_tools_do_not_block_the_loop_and_run_at_the_same_time() -> None:
    """Twenty synchronous calls meet at a barrier while a coroutine goes on ticking."""
    together = threading.Barrier(20, timeout=10)
    ticks: list[int] = []

    @tool
    def meet() -> str:
        """Meet."""
        together.wait()
        time.sleep(0.03)
        return "met"

    @tool
    async def tick() -> str:
        """Tick."""
        for _ in range(5):
            await asyncio.sleep(0.002)
            ticks.append(1)
        return "ticked"

    result = run([{"name": "tick"}, *[{"name": "meet"}] * 20], [meet, tick])
    assert statuses(result) == ["ok"] * 21 and len(ticks) == 5


ERRORS: list[Exception] = [
    ValueError("bad"),
    KeyError("missing"),
    ConnectionError("refused"),
    NotImplementedError(),
    AssertionError("no"),
    ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_tool_errors_are_caught_by_default(error: Exception) -> None:
    """No option has to be set, whatever the class of the exception."""

    @tool
    async def raises() -> str:
        """Raise."""
        raise error

    result = run([{"name": "raises"}, {"name": "fine"}], [raises, fine])
    assert statuses(result) == ["failed", "ok"] and result.output == "Done"
    assert result.calls[0].outcome.error.startswith(type(error).__name__)


def test_a_hung_tool_does_not_freeze_the_turn(release: threading.Event) -> None:
    """It is given up after its own time-out, coroutine or thread; its sibling's result is used."""

    @tool(timeout=0.05)
    async def hang() -> str:
        """Hang."""
        await asyncio.Event().wait()
        return ""

    @tool(timeout=0.05)
    def hang_in_a_thread() -> str:
        """Hang."""
        release.wait(10)
        return ""

    began = time.monotonic()
    calls = [{"name": "hang"}, {"name": "hang_in_a_thread"}, {"name": "fine"}]
    result = run(calls, [hang, hang_in_a_thread, fine])
    assert statuses(result) == ["timed_out", "timed_out", "ok"] and time.monotonic() - began < 3


def test_parallel_sub_agents_are_not_cancelled_when_one_fails() -> None:
    """The one that fails is an output of its call; the others come to their answers."""

    def worker(request: Any) -> Any:
        task = request.items[0]["content"]
        if "2" in str(task):
            raise ConnectionError("the second model is down")
        return "did it"

    inner = Agent(ScriptedModel(worker))

    @tool
    async def delegate(task: str) -> str:
        """Give a task to another agent."""
        await asyncio.sleep(0.005)
        return (await inner.run(task)).output

    calls = [{"name": "delegate", "arguments": {"task": f"task {n}"}} for n in (1, 2, 3)]
    result = run(calls, [delegate])
    assert statuses(result) == ["ok", "failed", "ok"] and "model is down" in said(result, 1)


def test_a_stalled_call_does_not_outlive_cancel(release: threading.Event) -> None:
    """`run.cancel()` ends a run at once whose only tool is stalled in a thread; the state can be continued."""
    state = RunState()
    stalled = threading.Event()

    @tool
    def stall() -> str:
        """Stall."""
        stalled.set()
        release.wait(20)
        return ""

    async def main() -> float:
        agent = Agent(ScriptedModel([[{"name": "stall"}]]), tools=[stall])
        async with agent.stream("go", state=state) as stream:
            while not stalled.is_set():
                await asyncio.sleep(0.001)
            began = time.monotonic()
            stream.cancel()
            with pytest.raises(RunCancelled):
                await stream.wait()
        return time.monotonic() - began

    assert asyncio.run(main()) < 2
    assert state.open_calls == [] and state.outcomes["call_1"].status == "cancelled"
    assert Agent(ScriptedModel(["Going on"])).run_sync(state=state).output == "Going on"


def test_interrupts_in_parallel_tools_have_their_own_ids_and_nothing_runs_again() -> None:
    """Each decision reaches its own call, in any order; what ran before the pause is not run a second time."""
    ran: list[str] = []

    @tool(approval="always")
    def transfer(to: str) -> str:
        """Transfer."""
        ran.append(to)
        return f"sent to {to}"

    @tool
    def note() -> str:
        """Note."""
        ran.append("note")
        return "noted"

    calls: list[Any] = [{"name": "transfer", "arguments": {"to": "Ann"}}, {"name": "note"}]
    calls += [{"name": "transfer", "arguments": {"to": to}} for to in ("Bob", "Cid")]
    agent = Agent(ScriptedModel([calls, "Done"]), tools=[transfer, note])
    paused = agent.run_sync("go")
    ids = {a.arguments["to"]: a.call_id for a in paused.approvals}
    assert ran == ["note"] and len(set(ids.values())) == 3

    state = RunState.from_json(paused.state.to_json())
    state.approve(ids["Cid"])
    state.deny(ids["Ann"], "not her")
    again = agent.run_sync(state=state)
    assert again.status == "paused" and ran == ["note", "Cid"]
    again.state.approve(ids["Bob"], arguments={"to": "Bea"})
    result = agent.run_sync(state=again.state)
    assert statuses(result) == ["denied", "ok", "ok", "ok"] and ran == ["note", "Cid", "Bea"]
    assert "not her" in said(result, 0) and said(result, 2) == "sent to Bea"
