"""`jigwork serve-mcp`: what it serves, how it asks a person, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, ElicitResult, TextContent

from jigwork import Agent, Question, ScriptedModel, ToolError
from jigwork.agent.mcp_server import Policy, mcp_server
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.errors import ConfigurationError
from jigwork.tools import Elicitation, MCPToolset, RunContext, tool
from jigwork.tools.asking import Asked
from jigwork.tools.box.human import ask_human

MODULE = '''
"""Tools to serve."""
import time
from pathlib import Path
from jigwork import Agent, RunContext, Toolset, tool
from jigwork.testing import ScriptedModel

print("an import that prints")

@tool(read_only=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b

@tool(destructive=True)
def wipe(place: str) -> str:
    """Wipe a place."""
    return f"wiped {place}"

@tool
async def slow(context: RunContext[None], mark: str) -> str:
    """Take long, and leave a mark when stopped."""
    import asyncio
    context.progress(0.5, "half")
    Path(mark + ".started").touch()
    try:
        await asyncio.sleep(60)
    finally:
        Path(mark + ".stopped").touch()
    return "done"

@tool
def whose(context: RunContext[str]) -> str:
    """Tell whose."""
    return context.deps

def double(x: int) -> int:
    """Double it."""
    return 2 * x

def numbers() -> list[int]:
    """Count."""
    return [1, 2]

def made() -> Toolset:
    return kit

kit = Toolset([add, wipe, slow], name="kit")
agent = Agent(ScriptedModel(["the answer"]), name="helper")
both = [add, agent]
three = 3
name = "me"
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of tools, which is the working folder."""
    (tmp_path / "desk.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jigwork", "serve-mcp", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


LISTED: list[tuple[str, list[str]]] = [
    ("desk.py:kit", ["add (read only): Add two numbers.", "wipe (destructive): Wipe a place.", "slow: "]),
    ("desk:both", ["add (read only)", "helper: Ask the agent 'helper'."]),
    ("desk:double", ["double: Double it."]),
    ("desk:numbers", ["numbers: Count."]),
    ("desk:made", ["add", "wipe", "slow"]),
]
REFUSED: list[tuple[list[str], str]] = [
    (["desk:three"], "desk:three is int: name a tool, a toolset, an agent, or a list"),
    (["desk:kitt"], "did you mean 'kit'"),
    (["desk"], "names nothing: write module:name or file.py:name"),
    (["desk:kit", "--http", "x:y"], "write HOST:PORT"),
    (["desk:kit", "--http", "0.0.0.0:8000"], "give a --token, or serve on 127.0.0.1"),
    (["desk:kit", "--token", "x"], "--token is for --http"),
]


def listed(*words: str) -> tuple[int, str, str]:
    """Run the command in this process; return its code and what it wrote."""
    import io

    from jigwork.agent.cli.app import run_arguments

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_arguments(["serve-mcp", *words])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(("target", "lines"), LISTED)
def test_what_a_target_may_be(target: str, lines: list[str], project: Path) -> None:
    """A tool, a function, a toolset, an agent, a list of them, or a function that is annotated to make one."""
    code, out, _ = listed(target, "--list")
    assert code == 0
    for line, expected in zip(out.splitlines(), lines, strict=True):
        assert line.startswith(expected)


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_is_refused(words: list[str], message: str, project: Path) -> None:
    """What cannot be served is one line with the fix, and exit code 2."""
    code, out, err = listed(*words)
    assert (code, out) == (2, "") and message in err


def test_a_port_that_is_taken(project: Path) -> None:
    """A port in use is one line, before anything is served."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, _, err = listed("desk:kit", "--http", f"127.0.0.1:{other.getsockname()[1]}")
    assert code == 1 and "cannot listen on 127.0.0.1" in err and "choose another port" in err


def served(*words: str, **settings: Any) -> MCPToolset:
    return MCPToolset.stdio(sys.executable, "-m", "jigwork", "serve-mcp", *words, trusted=True, **settings)


async def called(toolset: MCPToolset, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """Call tools one after the other; a failure is its words."""
    said: list[Any] = []
    context = RunContext(None)
    async with toolset:
        tools = {one.name: one for one in await toolset.tools(context)}
        for name, arguments in calls:
            try:
                result = await tools[name].call(context, tools[name].decode(arguments))
                said.append(result.for_model())
            except ToolError as error:
                said.append(str(error))
            except BaseExceptionGroup as group:  # what a run takes for a question to its person
                asked = group.subgroup(Asked)
                assert asked is not None
                said.append(str(asked.exceptions[0]))
    return said


def test_over_stdio(project: Path) -> None:
    """Tools and agents answer; imports that print do not disturb; what is destructive asks the person of the run."""
    toolset = served("desk.py:kit", "desk:agent", "desk:whose", "--deps", "desk:name", cwd=project)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("add", {"a": 1, "b": 2}),
        ("helper", {"input": "hm"}),
        ("whose", {}),
        ("wipe", {"place": "x"}),
    ]
    said = asyncio.run(called(toolset, *calls))
    assert said[:3] == ["3", "the answer", "me"]
    assert "Allow a call of wipe?" in said[3]


@pytest.mark.slow
def test_approval_of_the_client(project: Path) -> None:
    """With --approval client, what is destructive is left to the client, which knows that it is."""
    toolset = served("desk:kit", "--approval", "client", cwd=project)
    assert asyncio.run(called(toolset, ("wipe", {"place": "x"}))) == ["wiped x"]


@pytest.mark.parametrize("protocol", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])
def test_the_person_is_asked(protocol: str, project: Path) -> None:
    """The person behind the client is asked with the arguments, in both ways that protocols have."""
    asked: list[str] = []

    def answer(elicitation: Elicitation) -> Any:
        asked.append(elicitation.message)
        return {"allow": "good" in elicitation.message}

    toolset = served("desk:kit", cwd=project, on_elicitation=answer, protocol=protocol)
    said = asyncio.run(called(toolset, ("wipe", {"place": "a good one"}), ("wipe", {"place": "the other"})))
    assert said[0] == "wiped a good one" and "did not allow" in said[1]
    assert asked[0] == 'Allow a call of wipe? Its arguments: {"place": "a good one"}'


@pytest.mark.slow
def test_killed_and_cancelled(project: Path) -> None:
    """A call that is given up is stopped at the server; a server that is killed in the middle fails that call only."""
    mark = str(project / "m")
    model = ScriptedModel(
        [_call("slow", mark=mark), _call("slow", mark=mark + "2"), _call("add", a=1, b=1), "x"]
    )
    toolset = served("desk:kit", cwd=project).with_options(timeout=1.5, approval="never")
    killer = asyncio.run(_killing(model, toolset, mark + "2"))
    assert killer[0] == "timed_out" and killer[1] in ("failed", "timed_out") and killer[2] == "ok"
    assert Path(mark + ".stopped").exists()


def _children() -> list[int]:
    """Return the processes of servers that this one has started."""
    command = ["pgrep", "-P", str(os.getpid()), "-f", "serve-mcp"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


async def _killing(model: ScriptedModel, toolset: Any, mark: str) -> list[str]:
    async def kill() -> None:
        while not Path(mark + ".started").exists():
            await asyncio.sleep(0.02)
        for pid in await asyncio.to_thread(_children):
            os.kill(pid, signal.SIGKILL)

    task = asyncio.create_task(kill())
    result = await Agent(model, tools=[toolset]).run("go")
    await task
    return [c.outcome.status for c in result.calls if c.outcome]


def _call(name: str, **arguments: Any) -> Reply:
    return Reply(calls=(ScriptedCall(name=name, arguments=arguments),))


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(project: Path, port: int) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start the command over HTTP; all that were started are ended."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jigwork", "serve-mcp", "desk:kit", "--http", f"127.0.0.1:{port}"]
        env = {**os.environ, "JIGWORK_MCP_TOKEN": "s3cret"}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=project, env=env)
        started.append(process)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                return process
            time.sleep(0.05)
        raise TimeoutError

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_over_http_killed_and_started_anew(start: Callable[[], subprocess.Popen[bytes]], port: int) -> None:
    """With the token from the environment; killed in the middle of a run its calls fail until it is back; Ctrl-C ends it."""
    servers = [start()]
    headers = {"Authorization": "Bearer s3cret"}
    toolset = MCPToolset.http(f"http://127.0.0.1:{port}/mcp", headers=headers, trusted=True)
    turns: list[int] = []

    def reply(request: Any) -> Reply:
        turns.append(1)
        if len(turns) == 2:
            servers[0].kill()
            servers[0].wait()
        if len(turns) == 3:
            servers.append(start())
        return _call("add", a=1, b=len(turns)) if len(turns) < 4 else Reply(text="done")

    result = Agent(ScriptedModel(reply), tools=[toolset]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "failed", "ok"]
    servers[-1].send_signal(signal.SIGINT)
    assert servers[-1].wait(10) is not None


# --- who is asked, in process ---


@tool(destructive=True)
def burn(what: str) -> str:
    """Burn it."""
    return f"burned {what}"


def in_process(
    sources: list[Any], name: str, arguments: dict[str, Any], answer: Any, **options: Any
) -> CallToolResult:
    """Call a tool of a server in this process, by a client whose person answers so (None: it cannot ask)."""

    async def elicit(context: Any, params: Any) -> ElicitResult:
        seen.append(params.message)
        said: Any = {"action": answer} if isinstance(answer, str) else {"action": "accept", "content": answer}
        return ElicitResult.model_validate(said)

    seen: list[str] = []

    async def go() -> CallToolResult:
        server = mcp_server(sources, **options)
        async with Client(server, elicitation_callback=None if answer is None else elicit) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(go())


ANSWERS: list[tuple[Any, str]] = [
    ({"allow": True}, "burned it"),
    ({"allow": False}, "A person did not allow this call"),
    ({"allow": "yes"}, "A person did not allow this call"),
    ({}, "A person did not allow this call"),
    ("decline", "A person did not allow this call"),
    ("cancel", "they did not decide"),
    (None, "nobody can be asked"),
]


@pytest.mark.parametrize(("answer", "said"), ANSWERS)
def test_only_a_clear_yes_is_one(answer: Any, said: str) -> None:
    """Anything else than a yes to the question is a no."""
    block = in_process([burn], "burn", {"what": "it"}, answer).content[0]
    assert isinstance(block, TextContent) and said in block.text


def _refuse(approval: Any) -> bool:
    return False


def test_policies() -> None:
    """Refuse asks nobody, client leaves it to the client, and on_approval comes first in each."""
    for policy, answer, said in (
        ("refuse", {"allow": True}, "this server does not allow it"),
        ("client", None, "burned it"),
        ("ask", {"allow": True}, "burned it"),
    ):
        block = in_process([burn], "burn", {"what": "it"}, answer, approval=policy).content[0]
        assert isinstance(block, TextContent) and said in block.text
    given: Policy = "ask"
    block = in_process(
        [burn], "burn", {"what": "it"}, {"allow": True}, approval=given, on_approval=_refuse
    ).content[0]
    assert isinstance(block, TextContent) and "did not allow" in block.text
    with pytest.raises(ConfigurationError, match="use 'ask', 'client' or 'refuse'"):
        mcp_server([burn], approval="perhaps")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_questions_are_elicited() -> None:
    """A tool that asks a person gets the answer through the client's form, checked against the question."""
    asking = ask_human()
    assert Question("x").expected == "a text"
    result = in_process([asking], asking.name, {"question": "Which colour?"}, {"answer": "green"})
    block = result.content[0]
    assert isinstance(block, TextContent) and "green" in block.text and not result.is_error
