"""An MCP server to test against: `python server.py stdio|broken` or `python server.py http PORT`."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import anyio
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, ListRoots, Resolve, Sample
from mcp_types import (
    AudioContent,
    CreateMessageResult,
    ListRootsResult,
    ResourceLink,
    SamplingMessage,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

server = MCPServer("proving ground", log_level="ERROR")


class Place(BaseModel):
    """Where it is."""

    city: str
    height: int


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(annotations=ToolAnnotations(destructive_hint=False, idempotent_hint=True))
def place(city: str) -> Place:
    """Describe a place."""
    return Place(city=city, height=35)


@server.tool(annotations=ToolAnnotations(destructive_hint=True))
def wipe() -> str:
    """Wipe it all."""
    return "wiped"


@server.tool(name="dotted.name")
def dotted(context: str) -> str:
    """Take an argument that is called context."""
    return f"<{context}>"


@server.tool(structured_output=False)
def picture() -> list[Any]:
    """Show a picture, a recording and a link."""
    return [
        TextContent(text="one pixel"),
        Image(data=PNG, format="png"),
        AudioContent(data=base64.b64encode(b"x" * 30).decode(), mime_type="audio/wav"),
        ResourceLink(name="notes", uri="file:///notes.txt", description="what was said"),
    ]


@server.tool()
def fails(reason: str) -> str:
    """Fail."""
    raise ToolError(reason)


@server.tool()
async def steps(count: int, context: Context) -> str:
    """Report progress."""
    for done in range(1, count + 1):
        await context.report_progress(done, count, f"step {done}")
    return "done"


@server.tool()
async def sleep(seconds: float, mark: str) -> str:
    """Sleep, and leave a mark when it is cancelled."""
    Path(mark + ".started").touch()
    try:
        await anyio.sleep(seconds)
    except BaseException:
        Path(mark + ".cancelled").touch()
        raise
    return "slept"


@server.tool()
def die() -> str:
    """End the server in the middle of the call."""
    os._exit(3)


@server.tool()
def pid() -> int:
    """Tell the process."""
    return os.getpid()


def ask_roots() -> ListRoots:
    """Ask for the client's folders."""
    return ListRoots()


@server.tool()
def roots(found: Annotated[ListRootsResult, Resolve(ask_roots)]) -> str:
    """Tell the client's folders."""
    return ",".join(str(root.uri) for root in found.roots)


def ask_model(question: str) -> Sample:
    """Ask the client's model."""
    return Sample([SamplingMessage(role="user", content=TextContent(text=question))], max_tokens=10)


@server.tool()
def sample(question: str, made: Annotated[CreateMessageResult, Resolve(ask_model)]) -> str:
    """Use the client's model."""
    return getattr(made.content, "text", "")


class Size(BaseModel):
    """What is asked."""

    size: int


def ask_size() -> Elicit[Size]:
    """Ask the person."""
    return Elicit("Which size?", Size)


@server.tool()
def order(answer: Annotated[ElicitationResult[Size], Resolve(ask_size)]) -> str:
    """Ask the person for a size."""
    return f"{answer.action} {answer.data.size if answer.action == 'accept' else ''}".strip()


@server.tool()
async def learn(name: str, context: Context) -> str:
    """Learn a new tool."""

    def learned(x: str) -> str:
        """Do what was learned."""
        return f"{name} {x}"

    server.add_tool(learned, name=name)
    await context.session.send_tool_list_changed()
    await context.notify_tools_changed()
    return "learned"


@server.resource("memo://today")
def today() -> str:
    """What to do today."""
    return "sleep late"


@server.resource("memo://day/{day}")
def day(day: str) -> str:
    """What to do on a day."""
    return f"on {day}: nothing"


@server.prompt()
def review(code: str) -> str:
    """Ask for a review."""
    return f"Review this: {code}"


if __name__ == "__main__":
    if sys.argv[1] == "http":
        server.run("streamable-http", port=int(sys.argv[2]))
    elif sys.argv[1] == "broken":
        sys.exit("the configuration file is missing")
    else:
        server.run("stdio")
