"""Tools, toolsets and agents as an MCP server, asked by the client of the `mcp` package and by our own."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server import Server
from mcp_types import CallToolResult, TextContent

from jigwork import Agent, ScriptedModel
from jigwork.agent.mcp_server import mcp_server, serve_mcp
from jigwork.agent.records import Approval, Decision
from jigwork.agent.testing import Reply, ScriptedCall
from jigwork.errors import ConfigurationError, ToolError, ToolsetError
from jigwork.grammars import Grammar
from jigwork.tools import MCPToolset, RunContext, Toolset, tool, web_search

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@dataclass
class Place:
    """A place."""

    city: str


@tool(read_only=True)
def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: The first.
    """
    return a + b


@tool
def place(city: str) -> Place:
    """Describe a place."""
    return Place(city)


@tool
def picture() -> list[Any]:
    """Show a picture."""
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    return [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": url}]


@tool
def refuse(why: str) -> str:
    """Refuse."""
    raise ToolError(f"no: {why}")


@tool(timeout=0.2)
async def hang() -> str:
    """Hang."""
    await asyncio.sleep(60)
    return ""


@tool(destructive=True)
def burn() -> str:
    """Burn it."""
    return "burned"


@tool(approval="always")
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool
def whose(context: RunContext[str]) -> str:
    """Tell whose this is."""
    return context.deps


@tool(grammar=Grammar.from_regex(r"[a-z]+=[0-9]+"))
def assign(text: str) -> str:
    """Assign."""
    return f"<{text}>"


TOOLS = Toolset([add, place, picture, refuse, hang, burn, pay, whose, assign], name="box")


def ask(server: Server[None], use: Callable[[Client], Awaitable[Any]]) -> Any:
    """Use a server in this process."""

    async def go() -> Any:
        async with Client(server) as client:
            return await use(client)

    return asyncio.run(go())


def call(server: Server[None], name: str, arguments: dict[str, Any] | None = None) -> CallToolResult:
    """Call one tool of a server in this process."""
    result: CallToolResult = ask(server, lambda client: client.call_tool(name, arguments))
    return result


def text(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def test_what_is_declared() -> None:
    """Schemas, descriptions and hints are those of the tools; a grammar travels as metadata."""
    listed = ask(mcp_server(TOOLS), lambda client: client.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert list(tools) == ["add", "place", "picture", "refuse", "hang", "burn", "pay", "whose", "assign"]
    assert tools["add"].input_schema["required"] == ["a"]
    assert tools["add"].description == "Add two numbers."
    hints = tools["add"].annotations
    assert (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint) == (True, False, True)
    assert tools["burn"].annotations.destructive_hint
    assert tools["assign"].meta["jigwork/grammar"]["syntax"] == "regex"
    assert "[a-z]+=[0-9]+" in tools["assign"].description
    assert "context" not in tools["whose"].input_schema.get("properties", {})


RESULTS: list[tuple[str, dict[str, Any], bool, str]] = [
    ("add", {"a": 2}, False, "3"),
    ("place", {"city": "Rom"}, False, '{"city":"Rom"}'),
    ("refuse", {"why": "late"}, True, "no: late"),
    ("add", {"a": "two"}, True, "/a"),
    ("hang", {}, True, "stopped after 0.2 seconds"),
    (
        "burn",
        {},
        True,
        "A person did not allow this call: nobody can be asked, as this client has no elicitation",
    ),
    ("pay", {"amount": 3}, True, "A person did not allow this call: nobody can be asked"),
    ("whose", {}, False, "mine"),
    ("assign", {"text": "a=1"}, False, "<a=1>"),
    ("assign", {"text": "a="}, True, ""),
]


@pytest.mark.parametrize(("name", "arguments", "failed", "expected"), RESULTS)
def test_calls(name: str, arguments: dict[str, Any], failed: bool, expected: str) -> None:
    """Each call has one result, and what went wrong is told in words."""
    result = call(mcp_server(TOOLS, deps="mine"), name, arguments)
    assert result.is_error is failed
    assert expected in text(result)
    assert "Traceback" not in text(result)


def test_structure_and_pictures() -> None:
    """An object is there for programs too; a picture is a picture."""
    assert call(mcp_server([place]), "place", {"city": "Rom"}).structured_content == {"city": "Rom"}
    shown = call(mcp_server([picture]), "picture").content
    assert [block.type for block in shown] == ["text", "image"]
    assert base64.b64decode(getattr(shown[1], "data", "")) == PNG


def test_an_unknown_tool_is_an_error_of_the_protocol() -> None:
    """A tool that is not there is refused with the nearest name."""

    async def use(client: Client) -> None:
        with pytest.raises(MCPError, match=r"no tool named 'ad'.*'add'"):
            await client.call_tool("ad")

    ask(mcp_server([add]), use)


def test_a_person_decides() -> None:
    """A tool with a rule of its own is decided in this process, arguments included."""
    asked: list[Any] = []

    async def decide(approval: Approval) -> Decision:
        asked.append((approval.name, approval.arguments))
        return Decision(True, arguments={"amount": 1})

    assert text(call(mcp_server([pay], on_approval=decide), "pay", {"amount": 9})) == "paid 1"
    assert asked == [("pay", {"amount": 9})]
    assert "not allow" in text(call(mcp_server([pay], on_approval=lambda a: None), "pay", {"amount": 9}))


def test_an_agent_is_a_tool() -> None:
    """An agent answers as a tool, reports what it calls, and says in words why it came to no answer."""
    reports: list[str | None] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        reports.append(message)

    model = ScriptedModel([Reply(calls=(ScriptedCall(name="add", arguments={"a": 1}),)), "it is 2"])
    server = mcp_server(Agent(model, tools=[add], name="clerk"))
    result = ask(server, lambda client: client.call_tool("clerk", {"input": "1+1?"}, progress_callback=heard))
    assert (text(result), result.is_error, reports) == ("it is 2", False, ["calling add"])
    assert model.requests[0].items[0]["content"] == "1+1?"

    stuck = Agent(
        ScriptedModel([Reply(calls=(ScriptedCall(name="pay", arguments={"amount": 1}),))]), tools=[pay]
    )
    result = call(mcp_server([stuck, add]), "ask", {"input": "pay"})
    assert result.is_error
    assert "a person has to allow this first: pay" in text(result)


def test_toolsets_are_opened_and_asked_each_time() -> None:
    """A toolset that changes is asked at every request, and open as long as the server."""
    log: list[str] = []

    class Opened(Toolset):
        async def __aenter__(self) -> Opened:  # noqa: PYI034
            log.append("open")
            return self

        async def __aexit__(self, *_: object) -> None:
            log.append("close")

    chosen = Toolset.dynamic(lambda context: [add] if len(log) < 2 else [])
    server = mcp_server([Opened([place]), chosen])
    listed = ask(server, lambda client: client.list_tools())
    assert [tool.name for tool in listed.tools] == ["place", "add"]
    assert log == ["open", "close"]


FAULTS: list[tuple[Callable[[], object], str]] = [
    (lambda: mcp_server([]), "nothing to serve"),
    (lambda: mcp_server([web_search()]), "'web_search' runs at the model's server"),
    (lambda: serve_mcp([add], transport="http", host="0.0.0.0"), r"anybody who reaches 0.0.0.0.*token="),
    (lambda: serve_mcp([add], transport="tcp"), "use 'stdio' or 'http'"),  # type: ignore[arg-type] # pyright: ignore
]


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_mistakes_are_errors_at_once(make: Callable[[], object], message: str) -> None:
    """What cannot be served, or would be open to everybody, is an error with the fix."""
    with pytest.raises(ConfigurationError, match=message):
        make()


OWN = str(Path(__file__).with_name("own.py"))


async def _use(toolset: MCPToolset) -> list[Any]:
    reports: list[tuple[float | None, str]] = []
    context = RunContext(None, _progress=lambda fraction, message: reports.append((fraction, message)))
    async with toolset:
        tools = {t.name: t for t in await toolset.tools(context)}
        counted = await tools["count"].call(context, tools["count"].decode({"to": 2}))
        added = await tools["add"].call(context, tools["add"].decode({"a": 1, "b": 2}))
    return [added.parts[0]["text"], counted.structured, reports, tools["add"].options.read_only]


EXPECTED = ["3", {"counted": 2}, [(0.5, "at 1"), (1.0, "at 2")], True]


def test_over_stdio() -> None:
    """A script serves over stdio; what its tools print does not disturb the protocol."""
    assert asyncio.run(_use(MCPToolset.stdio(sys.executable, OWN, "stdio"))) == EXPECTED


def test_over_http(port: int) -> None:
    """A script serves over HTTP, to those who bring the token."""
    process = subprocess.Popen([sys.executable, OWN, "http", str(port), "s3cret"])
    try:
        url = f"http://127.0.0.1:{port}/mcp"
        headers = {"Authorization": "Bearer s3cret"}
        assert asyncio.run(_retried(lambda: MCPToolset.http(url, headers=headers))) == EXPECTED
        with pytest.raises(ToolsetError, match="cannot be used"):
            asyncio.run(_use(MCPToolset.http(url, headers={"Authorization": "Bearer guess"})))
    finally:
        process.kill()
        process.wait()


async def _retried(make: Callable[[], MCPToolset]) -> list[Any]:
    until = time.monotonic() + 15
    while True:
        try:
            return await _use(make())
        except ToolsetError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
