"""MCP servers as toolsets, against real servers over stdio and streamable HTTP."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, RunResult, ScriptedModel
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.testing import Reply, ScriptedCall, capture_events
from jigwork.errors import ConfigurationError, ToolsetError
from jigwork.tools import CallProgress, Elicitation, MCPToolset, Outcome, RunContext, Toolset, tool
from jigwork.tools.mcp_connection import HTTPServer, StdioServer

Start = Callable[[], "subprocess.Popen[bytes]"]

NOW: RunContext[None] = RunContext(None)


def calling(*calls: tuple[str, dict[str, Any]]) -> Reply:
    """Return a reply that makes these calls at once."""
    return Reply(calls=tuple(ScriptedCall(name=name, arguments=arguments) for name, arguments in calls))


def outcomes(result: RunResult[Any]) -> list[Outcome]:
    """Return how the calls of a run ended."""
    return [call.outcome for call in result.calls if call.outcome is not None]


def texts(result: RunResult[Any]) -> list[Any]:
    """Return what the model was told, per call, without the marks around it."""
    return [unmarked(outcome.output) for outcome in outcomes(result)]


def unmarked(said: Any) -> Any:
    """Return a text, or parts, without the marks of data from outside."""
    if isinstance(said, str):
        found = MARKED.fullmatch(said)
        return found[2] if found else said
    return [{**part, "text": unmarked(part["text"])} if "text" in part else part for part in said]


MARKED = re.compile(r'<outside-data id="(\w{12})" source="[^"]*">\n(.*)\n</outside-data id="\1">', re.DOTALL)


def answer_size(asked: Elicitation) -> dict[str, int]:
    """Answer with a number."""
    return {"size": len(asked.message)}


def answer_text(asked: Mapping[str, Any]) -> str:
    """Answer like a model."""
    return f"heard {asked['messages'][0]['content']['text']}"


@pytest.fixture(params=["http", *(pytest.param(p, marks=pytest.mark.slow) for p in ("auto", "legacy"))])
def toolset(request: pytest.FixtureRequest, script: str, tmp_path: Path) -> MCPToolset:
    """Return the server over stdio in the newest protocol and in one with a handshake, and over HTTP."""
    settings: dict[str, Any] = {
        "name": "ground",
        "roots": [tmp_path],
        "on_elicitation": answer_size,
        "on_sampling": answer_text,
    }
    if request.param == "http":
        return MCPToolset.http(request.getfixturevalue("running"), **settings)
    return MCPToolset.stdio(sys.executable, script, "stdio", protocol=request.param, **settings)


def test_a_run_from_end_to_end(toolset: MCPToolset, tmp_path: Path) -> None:
    """Every kind of content, progress, a failure, and what the server may ask, in one run that opens the server."""
    model = ScriptedModel(
        [
            calling(("add", {"a": 2, "b": 3}), ("place", {"city": "Rom"}), ("picture", {})),
            calling(("fails", {"reason": "no ink"}), ("dotted_name", {"context": "x"}), ("add", {"a": "2"})),
            calling(("steps", {"count": 2}), ("roots", {}), ("sample", {"question": "why"}), ("order", {})),
            "done",
        ]
    )
    with capture_events() as events:
        result = Agent(model, tools=[toolset]).run_sync("go")
    told = texts(result)
    assert 'source="ground: add"' in outcomes(result)[0].output
    assert told[0] == "5"
    assert '"height": 35' in told[1]
    assert [part["type"] for part in told[2]] == ["input_text", "input_image", "input_text", "input_text"]
    assert "audio/wav and 30 bytes" in told[2][2]["text"]
    assert "notes at file:///notes.txt" in told[2][3]["text"]
    assert [o.status for o in outcomes(result)[3:6]] == ["failed", "ok", "invalid_arguments"]
    assert "no ink" in told[3]
    assert "Error" not in told[3].replace("Error executing tool", "")
    assert told[4] == "<x>"
    assert told[6:] == ["done", tmp_path.as_uri(), "heard why", "accept 11"]
    steps = [(e.fraction, e.message) for e in events if isinstance(e, CallProgress)]
    assert steps == [(0.5, "step 1"), (1.0, "step 2")]
    assert outcomes(result)[1].value.structured == {"city": "Rom", "height": 35}


def test_hints_become_options(toolset: MCPToolset) -> None:
    """What the server says of its tools becomes options; a tool that says nothing has none."""

    async def look() -> dict[str, tuple[bool, bool, bool]]:
        async with toolset:
            tools = await toolset.tools(NOW)
            options = {t.label: t.options for t in tools}
            return {n: (o.read_only, o.destructive, o.idempotent) for n, o in options.items()}

    options = asyncio.run(look())
    assert options["add"] == (True, False, True)
    assert options["place"] == (False, False, True)
    assert options["wipe"] == (False, True, False)
    assert options["pid"] == (False, False, False)


def test_destructive_tools_ask_a_person(toolset: MCPToolset) -> None:
    """A tool that its server calls destructive waits for approval like any other."""
    agent = Agent(ScriptedModel([calling(("wipe", {})), "done"]), tools=[toolset])
    paused = agent.run_sync("go")
    assert [a.name for a in paused.approvals] == ["wipe"]
    paused.state.approve(paused.approvals[0].call_id)
    assert texts(agent.run_sync(state=paused.state)) == ["wiped"]


def test_new_tools_come_to_the_end(toolset: MCPToolset) -> None:
    """A tool that the server learns during a run is there at the next turn, after all others."""

    def reply(request: ModelRequest) -> Reply:
        names = [str(d["name"]) for d in request.tools]
        seen.append(names)
        if len(seen) == 1:
            return calling(("learn", {"name": "fly"}))
        if "fly" not in names and len(seen) < 20:
            return calling(("sleep", {"seconds": 0.05, "mark": "/dev/null/x"}), ("add", {"a": 1, "b": 1}))
        if len(seen) < 30 and unmarked(request.items[-1].get("output", "")) != "fly high":
            return calling(("fly", {"x": "high"}))
        return Reply(text="done")

    seen: list[list[str]] = []
    result = Agent(ScriptedModel(reply), tools=[toolset]).run_sync("go")
    assert texts(result)[-1] == "fly high"
    assert seen[-1] == [*seen[0], "fly"]


def test_resources_and_prompts(toolset: MCPToolset) -> None:
    """Resources are read as content parts, prompts as items, whether the toolset is open or not."""

    async def read() -> tuple[Any, ...]:
        async with toolset:
            listed = [r.get("uri") or r["uriTemplate"] for r in await toolset.resources()]
            memo = await toolset.read_resource("memo://day/monday")
        return (
            listed,
            memo,
            [p["name"] for p in await toolset.prompts()],
            await toolset.prompt("review", code="x=1"),
        )

    listed, memo, prompts, items = asyncio.run(read())
    assert listed == ["memo://today", "memo://day/{day}"]
    assert 'source="ground: memo://day/monday"' in memo[0]["text"]
    assert unmarked(memo) == [{"type": "input_text", "text": "on monday: nothing"}]
    assert prompts == ["review"]
    model = ScriptedModel(["looks fine"])
    assert Agent(model).run_sync(items).output == "looks fine"
    assert model.requests[0].items[0]["content"][0]["text"] == "Review this: x=1"


def test_what_a_server_refuses_is_an_error_for_the_developer(toolset: MCPToolset) -> None:
    """A resource that is not there is a ToolsetError with the server's words."""
    with pytest.raises(ToolsetError, match=r"ground: The tool's server refused: .*memo://nowhere"):
        asyncio.run(toolset.read_resource("memo://nowhere"))


def test_a_time_out_cancels_on_the_server(toolset: MCPToolset, tmp_path: Path) -> None:
    """A call that takes too long is stopped here and there, and the connection goes on."""
    mark = tmp_path / "mark"
    model = ScriptedModel(
        [
            calling(("sleep", {"seconds": 60, "mark": str(mark)}), ("add", {"a": 1, "b": 1})),
            calling(("add", {"a": 2, "b": 2})),
            "done",
        ]
    )
    result = Agent(model, tools=[toolset.with_options(timeout=1.0)]).run_sync("go")
    assert [o.status for o in outcomes(result)] == ["timed_out", "ok", "ok"]
    until = time.monotonic() + 5
    while not (cancelled := (tmp_path / "mark.cancelled").exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert cancelled


def test_sampling_is_refused_by_default_and_elicitation_may_be(running: str) -> None:
    """A server that wants a model is told that there is none, the call fails in words; a hook may decline."""
    plain = MCPToolset.http(running)
    declines = MCPToolset.http(running, on_elicitation=_decline)
    calls = calling(("sample", {"question": "?"}), ("roots", {}))
    result = Agent(ScriptedModel([calls, "done"]), tools=[plain]).run_sync("go")
    assert [o.status for o in outcomes(result)] == ["failed"] * 2
    result = Agent(ScriptedModel([calling(("order", {})), "done"]), tools=[declines]).run_sync("go")
    assert texts(result) == ["decline"]


async def _decline(asked: Elicitation) -> None:
    assert asked.message == "Which size?"
    assert isinstance(asked.schema, Mapping)


@tool
async def sibling(seconds: float) -> str:
    """Wait beside the others."""
    await asyncio.sleep(seconds)
    return "still here"


def test_killed_in_the_middle(script: str) -> None:
    """A server that dies takes only its own calls with it; the next call starts it again."""
    ground = MCPToolset.stdio(sys.executable, script, "stdio")
    model = ScriptedModel(
        [
            calling(
                ("sleep", {"seconds": 60, "mark": "/dev/null/x"}), ("die", {}), ("sibling", {"seconds": 0.5})
            ),
            calling(("add", {"a": 1, "b": 1})),
            "done",
        ]
    )
    result = Agent(model, tools=[ground.prefixed("g").renamed(_unprefixed), sibling]).run_sync("go")
    assert [o.status for o in outcomes(result)] == ["failed", "failed", "ok", "ok"]
    assert "Whether the call took effect is unknown" in texts(result)[1]
    assert texts(result)[2:] == ["still here", "2"]


def _unprefixed(name: str) -> str:
    return name.removeprefix("g_")


def test_killed_between_calls(script: str) -> None:
    """A server that dies while nobody calls it is started again without anybody noticing."""

    async def go() -> tuple[int, int]:
        ground = MCPToolset.stdio(sys.executable, script, "stdio")
        async with ground:
            agent = Agent(ScriptedModel(lambda r: _pid_or_done(r)), tools=[ground])
            first = int(texts(await agent.run("go"))[0])
            os.kill(first, signal.SIGKILL)
            await asyncio.sleep(0.2)
            return first, int(texts(await agent.run("go"))[0])

    first, second = asyncio.run(go())
    assert first != second


def _pid_or_done(request: ModelRequest) -> Reply:
    last = request.items[-1]
    return Reply(text="done") if last["type"] == "function_call_output" else calling(("pid", {}))


@pytest.mark.parametrize("protocol", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
def test_an_http_server_that_is_started_anew(start: Start, port: int, protocol: str) -> None:
    """An HTTP server that goes away fails the calls until it is back, and then is connected to again."""
    ground = MCPToolset.http(f"http://127.0.0.1:{port}/mcp", protocol=protocol)
    servers = [start()]

    def reply(request: ModelRequest) -> Reply:
        turns.append(1)
        if len(turns) == 2:
            servers[0].kill()
            servers[0].wait()
        if len(turns) == 3:
            start()
        return calling(("add", {"a": 1, "b": len(turns)})) if len(turns) < 4 else Reply(text="done")

    turns: list[int] = []
    result = Agent(ScriptedModel(reply), tools=[ground]).run_sync("go")
    assert [o.status for o in outcomes(result)] == ["ok", "failed", "ok"]
    assert texts(result)[2] == "4"


def test_one_connection_for_many_runs(script: str) -> None:
    """Runs at the same time share what the user has opened; when the last has gone, the server is ended."""

    async def go() -> set[str]:
        ground = MCPToolset.stdio(sys.executable, script, "stdio")
        agent = Agent(ScriptedModel(lambda r: _pid_or_done(r)), tools=[ground])
        async with ground:
            results = await asyncio.gather(*(agent.run("go") for _ in range(5)))
        return {texts(result)[0] for result in results}

    pids = asyncio.run(go())
    assert len(pids) == 1
    assert subprocess.run(["kill", "-0", *pids], check=False, stderr=subprocess.DEVNULL).returncode != 0


@pytest.mark.slow
def test_many_calls_and_cancellations_at_once(running: str, tmp_path: Path) -> None:
    """Hundreds of calls of many runs, some cancelled, some too slow: each has one outcome, nothing is left behind."""

    async def go() -> tuple[int, set[str]]:
        ground = MCPToolset.http(running)
        tools = ground.only("sleep").with_options(timeout=1) + ground.without("sleep").with_options(
            timeout=30
        )
        batch = [("add", {"a": 1, "b": n}) for n in range(20)]
        slow = [("sleep", {"seconds": 60, "mark": str(tmp_path / "m")})] * 3
        model = ScriptedModel(
            lambda r: Reply(text="done") if r.items[-1]["type"] != "message" else calling(*batch, *slow)
        )
        agent = Agent(model, tools=[tools])
        settled = 0
        async with ground:
            runs = [asyncio.create_task(agent.run("go")) for _ in range(12)]
            await asyncio.sleep(0.2)
            for run in runs[:4]:
                run.cancel()
            for done in await asyncio.gather(*runs, return_exceptions=True):
                if isinstance(done, RunResult):
                    assert [o.status for o in outcomes(done)] == ["ok"] * 20 + ["timed_out"] * 3
                    settled += 1
        return settled, {t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()}

    assert asyncio.run(go()) == (8, set())


def test_a_cancelled_run_ends_the_server(script: str, tmp_path: Path) -> None:
    """A run that is cancelled in the middle of a call leaves no process and no task behind."""
    mark = tmp_path / "m"

    async def go() -> set[str]:
        ground = MCPToolset.stdio(sys.executable, script, "stdio")
        model = ScriptedModel([calling(("sleep", {"seconds": 60, "mark": str(mark)}))])
        task = asyncio.create_task(Agent(model, tools=[ground]).run("go"))
        while not (tmp_path / "m.started").exists():
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return {t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()}

    assert asyncio.run(go()) == set()
    assert (tmp_path / "m.cancelled").exists()
    gc.collect()


FAULTS: list[tuple[Callable[[str], MCPToolset], str]] = [
    (lambda script: MCPToolset.stdio("/no/such/program"), "No such file"),
    (
        lambda script: MCPToolset.stdio(sys.executable, script, "broken"),
        "(?s)cannot be used.*Its last words:\nthe configuration file is missing",
    ),
    (lambda script: MCPToolset.http("http://127.0.0.1:9/mcp"), "connection"),
    (
        lambda script: MCPToolset.stdio("sleep", "60", connect_timeout=0.5),
        "'sleep 60' cannot be used: no answer within 0.5 seconds",
    ),
]


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_a_server_that_cannot_be_opened(make: Callable[[str], MCPToolset], message: str, script: str) -> None:
    """A run whose server does not start ends with an error that says why, in the server's own words too."""
    with pytest.raises(ToolsetError, match=message):
        Agent(ScriptedModel(["x"]), tools=[make(script)]).run_sync("go")


def test_mistakes_are_errors_at_once() -> None:
    """What is no URL is an error where it is written; a toolset that is not open says how to open it."""
    with pytest.raises(ConfigurationError, match="is no URL of a server"):
        MCPToolset.http("localhost:8000")
    with pytest.raises(ToolsetError, match="is not open: use `async with toolset:`"):
        asyncio.run(_ask_closed(MCPToolset.stdio("x")))


async def _ask_closed(toolset: Toolset) -> None:
    await toolset.tools(NOW)


def test_secrets_are_not_shown() -> None:
    """Neither the token of a server nor its environment is in what is printed."""
    headers = {"Authorization": "Bearer hush"}
    server = HTTPServer("https://me:hush@x.y/mcp?key=hush", headers)
    shown = f"{server} {server!r} {StdioServer('x', env={'KEY': 'hush'})!r}"
    shown += f"{MCPToolset(server)!r}"
    assert "hush" not in shown
