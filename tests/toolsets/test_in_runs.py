"""Toolsets in runs: what is offered at each turn, what can be called, who opens and closes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

import pytest

from jigwork import Agent, RunState, ScriptedModel, Settings
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.profiles import Profile
from jigwork.agent.testing import Reply, ScriptedCall, capture_events
from jigwork.errors import RunError, ToolDefinitionError
from jigwork.tools import CallSettled, RunContext, Tool, Toolset, tool

GATES = Profile(custom_tools=True, allowed_tools=True, endpoints=("responses",))
LEAVES_OUT = Profile(custom_tools=True, allowed_tools=False, endpoints=("chat",))


def made(name: str, **options: Any) -> Tool[..., Any]:
    """Return a tool of that name that answers with it."""

    def run(x: int = 0) -> str:
        """Answer with the name."""
        return f"{name}:{x}"

    return tool(name=name, **options)(run)


A, B, C = made("a"), made("b"), made("c")


def by_turn(*turns: Sequence[Tool[..., Any]]) -> Toolset:
    """Return a toolset that has these tools at turn 1, 2 and so on, the last ones ever after."""
    return Toolset.dynamic(lambda context: turns[min(context.turn, len(turns)) - 1], name="by_turn")


def calls(*names: str) -> Reply:
    """Return a reply that calls these tools."""
    return Reply(calls=tuple(ScriptedCall(name=name, arguments={"x": 1}) for name in names))


def sent(request: ModelRequest) -> list[str]:
    """Return the names of the definitions of a request."""
    return [str(d.get("name") or d["type"]) for d in request.tools]


def allowed(request: ModelRequest) -> list[str] | None:
    """Return what the request allows, None for everything."""
    choice = request.settings.tool_choice
    if not isinstance(choice, Mapping):
        return None
    assert choice["type"] == "allowed_tools"
    return [str(t.get("name") or t["type"]) for t in choice["tools"]]


def test_a_known_toolset_is_as_good_as_its_tools() -> None:
    """A toolset that never changes is taken apart when the agent is made: names are checked, nothing is asked."""
    agent = Agent(ScriptedModel([]), tools=[A, Toolset([B, C]).prefixed("p")])
    assert list(agent.tools) == ["a", "p_b", "p_c"]
    with pytest.raises(ToolDefinitionError, match=r"two tools are called 'a' .*prefix one toolset"):
        Agent(ScriptedModel([]), tools=[A, Toolset([A], name="more")])


def test_the_list_stays_and_the_choice_narrows() -> None:
    """Where the model takes allowed_tools, a tool that goes stays in the list and is not allowed."""
    model = ScriptedModel([calls("a"), calls("c"), calls("b"), "done"], profile=GATES)
    agent = Agent(model, tools=[C, by_turn([A, B], [B], [A, B])])
    assert agent.run_sync("go").output == "done"
    assert [sent(r) for r in model.requests] == [["c", "a", "b"]] * 4
    assert [allowed(r) for r in model.requests] == [None, ["c", "b"], None, None]
    first = model.requests[0].tools
    assert all(a is b for r in model.requests for a, b in zip(first, r.tools, strict=True))


def test_the_list_grows_at_its_end() -> None:
    """A new tool comes after everything that was sent, and what was sent before stays the same object."""
    model = ScriptedModel([calls("b"), calls("a"), "done"], profile=GATES)
    Agent(model, tools=[C, by_turn([B], [A, B])]).run_sync("go")
    assert [sent(r) for r in model.requests] == [["c", "b"], ["c", "b", "a"], ["c", "b", "a"]]
    assert model.requests[2].tools[1] is model.requests[0].tools[1]


def test_left_out_where_nothing_can_be_gated() -> None:
    """Without allowed_tools a tool that goes is left out, and comes back to its place."""
    model = ScriptedModel([calls("a"), calls("b"), "done"], profile=LEAVES_OUT)
    Agent(model, tools=[C, by_turn([A, B], [B], [B, A])]).run_sync("go")
    assert [sent(r) for r in model.requests] == [["c", "a", "b"], ["c", "b"], ["c", "a", "b"]]
    assert [allowed(r) for r in model.requests] == [None, None, None]


def test_what_is_not_there_cannot_be_called() -> None:
    """A call of a tool that was there a turn ago is settled as unknown, with what is there."""
    model = ScriptedModel([calls("a"), calls("a", "b"), "done"], profile=GATES)
    result = Agent(model, tools=[by_turn([A, B], [B])]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "unknown_tool", "ok"]


CHOICES: list[tuple[Settings, Sequence[str] | str]] = [
    (Settings(tool_choice="auto"), ["c", "b"]),
    (Settings(tool_choice=["a", "b"]), ["b"]),
    (Settings(tool_choice=["a"]), "none"),
    (Settings(tool_choice="none"), "none"),
]


@pytest.mark.parametrize(("settings", "expected"), CHOICES)
def test_the_gate_and_the_users_choice(settings: Settings, expected: Sequence[str] | str) -> None:
    """What is allowed is what the user chose and what is there."""
    model = ScriptedModel([calls("c"), "done"], profile=GATES)
    Agent(model, tools=[C, by_turn([A, B], [B])], settings=settings).run_sync("go")
    second = model.requests[1]
    assert (allowed(second) or second.settings.tool_choice) == expected


def test_the_context_decides() -> None:
    """The function sees the dependencies, the history and the turn that is about to be asked for."""
    seen: list[tuple[str, int, int]] = []

    def choose(context: RunContext[str]) -> list[Any]:
        seen.append((context.deps, context.turn, len(context.items)))
        return [A]

    model = ScriptedModel([calls("a"), "done"])
    Agent(model, tools=[Toolset.dynamic(choose)], deps_type=str).run_sync("go", deps="user")
    assert seen == [("user", 1, 1), ("user", 2, 3)]


def test_names_are_told_apart_and_never_change() -> None:
    """Names that look the same to a server are told apart; a new one never takes a name that the model knows."""
    dotted, plain = made("get.time"), made("get_time")
    model = ScriptedModel([calls("get_time"), "done"])
    Agent(model, tools=[Toolset([dotted, plain]).filtered(lambda c, t: True)]).run_sync("go")
    first, second = sent(model.requests[0])
    assert {first, second} > {"get_time"}
    assert first != second
    assert [i["output"] for i in model.requests[1].items if i["type"] == "function_call_output"] == [
        "get_time:1"
    ]

    late = Agent(ScriptedModel([calls("get_time"), "done"]), tools=[by_turn([dotted], [dotted, plain])])
    with pytest.raises(
        ToolDefinitionError, match=r"knows the tool 'get.time' as 'get_time'.*prefix one toolset"
    ):
        late.run_sync("go")


def test_two_toolsets_with_one_name() -> None:
    """Two toolsets that turn out to have the same tool are an error that names both and the fix."""
    one, two = (Toolset([A], name=n).filtered(lambda c, t: True) for n in ("github", "gitlab"))
    with pytest.raises(ToolDefinitionError, match=r"'a' \(in github and in gitlab\); prefix one toolset"):
        Agent(ScriptedModel(["x"]), tools=[one, two]).run_sync("go")
    model = ScriptedModel(["x"])
    Agent(model, tools=[one.prefixed("gh"), two]).run_sync("go")
    assert sent(model.requests[0]) == ["gh_a", "a"]


class Connection(Toolset):
    """A toolset that has to be open while its tool is called."""

    def __init__(self, *, name: str = "connection") -> None:
        self.open = self.most = 0
        self.log: list[str] = []

        async def ask(x: int = 0) -> str:
            """Ask over the connection."""
            assert self.open > 0
            self.log.append("ask")
            await asyncio.sleep(0)
            return "answer"

        super().__init__([ask], name=name)

    async def __aenter__(self) -> Self:
        self.open += 1
        self.most = max(self.most, self.open)
        self.log.append("open")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open -= 1
        self.log.append("close")


def test_the_run_opens_and_closes() -> None:
    """A run opens its toolsets before the first request and closes them after the last, also when it fails."""
    connection = Connection()
    Agent(ScriptedModel([calls("ask"), "done"]), tools=[connection]).run_sync("go")
    assert connection.log == ["open", "ask", "close"]
    with pytest.raises(RunError):
        Agent(ScriptedModel(_explode), tools=[connection]).run_sync("go")
    assert connection.open == 0


def _explode(request: ModelRequest) -> str:
    raise OSError("the model is gone")


def test_the_user_may_keep_it_open() -> None:
    """What the user has opened stays open over several runs, also at the same time."""
    asyncio.run(_keep_open())


async def _keep_open() -> None:
    connection = Connection()
    agent = Agent(
        ScriptedModel(lambda r: "done" if r.items[-1]["type"] != "message" else calls("ask")),
        tools=[connection],
    )
    async with connection:
        await asyncio.gather(*(agent.run("go") for _ in range(3)))
        assert connection.open == 1
    assert (connection.open, connection.most) == (0, 4)


def test_cancelled_runs_close_too() -> None:
    """A run that is cancelled in the middle of a call closes what it opened."""
    asyncio.run(_cancel_in_the_middle())


async def _cancel_in_the_middle() -> None:
    connection = Connection()
    started = asyncio.Event()

    async def wait(x: int) -> None:
        """Wait for ever."""
        started.set()
        await asyncio.sleep(60)

    agent = Agent(ScriptedModel([calls("wait")]), tools=[connection, wait])
    task = asyncio.create_task(agent.run("go"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.open == 0


def test_resumed_calls_find_their_tools() -> None:
    """A paused run that is taken up later asks the toolset before it runs the call that waited."""
    toolset = Toolset([made("pay", approval="always")]).filtered(lambda context, tool: True)
    paused = Agent(ScriptedModel([calls("pay")]), tools=[toolset]).run_sync("go")
    state = RunState.from_json(paused.state.to_json())
    state.approve(paused.approvals[0].call_id)
    result = Agent(ScriptedModel(["paid"]), tools=[toolset]).run_sync(state=state)
    assert result.output == "paid"
    assert [i["output"] for i in result.items if i["type"] == "function_call_output"] == ["pay:1"]


def test_around_every_call() -> None:
    """What is wrapped around a toolset sees every call, in order, inside of retries and time-outs."""
    log: list[str] = []

    def logging(mark: str) -> Any:
        async def around(
            context: RunContext[Any], arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]
        ) -> Any:
            log.append(f"{mark}>{context.tool}({arguments['x']})")
            try:
                return f"{mark}{await call()}"
            finally:
                log.append(f"<{mark}")

        return around

    async def slow(x: int) -> str:
        """Be slow."""
        await asyncio.sleep(60)
        return ""

    attempts = iter([OSError("not yet"), None])

    def flaky(x: int) -> str:
        """Fail once."""
        if (error := next(attempts)) is not None:
            raise error
        return threading.current_thread().name[:7]

    inner = Toolset([slow, tool(retries=1, idempotent=True)(flaky)]).with_options(timeout=0.3)
    toolset = inner.wrapped(logging("i")).wrapped(logging("o"))
    model = ScriptedModel([calls("slow"), calls("flaky"), "done"])
    with capture_events() as events:
        Agent(model, tools=[toolset]).run_sync("go")
    outcomes = [e.outcome for e in events if isinstance(e, CallSettled)]
    assert [o.status for o in outcomes] == ["timed_out", "ok"]
    assert str(outcomes[1].output).startswith("oi")
    assert outcomes[1].attempts == 2
    assert log == [
        *("o>slow(1)", "i>slow(1)", "<i", "<o"),
        *("o>flaky(1)", "i>flaky(1)", "<i", "<o"),
        *("o>flaky(1)", "i>flaky(1)", "<i", "<o"),
    ]


def where(x: int) -> int:
    """Tell the process."""
    return os.getpid()


def test_around_a_process() -> None:
    """A tool that runs in a process of its own still does, with something standing around it here."""
    seen: list[int] = []

    async def note(
        context: RunContext[Any], arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]
    ) -> Any:
        seen.append(os.getpid())
        return await call()

    toolset = Toolset([tool(isolation="process", timeout=60)(where)]).wrapped(note)
    result = Agent(ScriptedModel([calls("where"), "done"]), tools=[toolset]).run_sync("go")
    (outcome,) = [c.outcome for c in result.calls if c.outcome]
    assert outcome.ok
    assert seen == [os.getpid()]
    assert outcome.output != str(os.getpid())


def test_around_may_answer_itself() -> None:
    """What stands around a call may refuse it or answer for it; the tool does not run then."""

    async def refuse(
        context: RunContext[Any], arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]
    ) -> Any:
        return "not today"

    def never(x: int) -> str:
        """Never run."""
        raise AssertionError

    model = ScriptedModel([calls("never"), "done"])
    result = Agent(model, tools=[Toolset([never]).wrapped(refuse)]).run_sync("go")
    assert [c.outcome.output for c in result.calls if c.outcome] == ["not today"]


def test_plain_agents_have_no_offer() -> None:
    """An agent with plain tools and known toolsets sends the very same tuple at every turn."""
    model = ScriptedModel([calls("a"), "done"])
    Agent(model, tools=[A, Toolset([B])]).run_sync("go")
    assert model.requests[0].tools is model.requests[1].tools
