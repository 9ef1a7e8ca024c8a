"""MCP servers as toolsets: their tools are called like any other, over stdio or streamable HTTP.

Needs the extra `mcp`. A connection belongs to the event loop that it is used on, and is opened by a run (or by
`async with toolset`, for many runs); one that was lost is opened again by the next call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakKeyDictionary

from jigwork.errors import ConfigurationError, MissingExtraError, SchemaError, ToolError, ToolsetError

from .box.outside import mark_outside, visible
from .context import RunContext
from .definition import Tool
from .mcp_asked import Elicitation, OnElicitation, OnSampling, ServerAsked, answering
from .mcp_connection import ClientMaker, Connection, HTTPServer, Server, StdioServer
from .mcp_content import (
    MCPResult,
    contents_as_parts,
    marked_parts,
    plain,
    prompt_as_items,
    result_of,
)
from .options import ToolOptions
from .toolset import Toolset

if TYPE_CHECKING:
    import mcp_types as types
    from mcp import Client

__all__ = ["Elicitation", "MCPResult", "MCPToolset", "OnElicitation", "OnSampling"]

T = TypeVar("T")

log = logging.getLogger("jigwork.mcp")


@dataclass(slots=True)
class _Line:
    """What a toolset holds on one event loop: the connection, for so many users, and its tools."""

    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: Connection | None = None
    listed: dict[str, tuple[Mapping[str, Any], Tool[..., Any]]] = field(
        default_factory=dict[str, tuple[Mapping[str, Any], Tool[..., Any]]]
    )
    stale: bool = True

    @property
    def alive(self) -> bool:
        return self.connection is not None and self.connection.alive


class MCPToolset(Toolset):
    """The tools of an MCP server: `MCPToolset.stdio("uvx", "mcp-server-time")`, `MCPToolset.http("https://.../mcp")`.

    Hints of the server become options: read_only (may then start early), idempotent, destructive (asks a person
    first). A tool that is annotated and says nothing of being destructive is destructive, as MCP has it, unless it
    only reads; one without annotations is none of them: `toolset.with_options(approval="always")` asks for all.
    `roots` are folders that the server is told of. A question of the server to the person goes to `on_elicitation`;
    without it the call asks it as `ask_human` does: the run pauses, and the call is made again with the answer. (A
    server that speaks an older protocol asks beside its calls, and is told that nobody is there.) It may use a model
    through `on_sampling`; without that it is told that this is not possible. `connect_timeout` is in seconds.
    What a server sends is marked as data from outside, with its name, unless it is `trusted`.
    `protocol` is "auto", "legacy" for a server that cannot bear to be asked which ones it speaks, or a version of MCP.
    """

    def __init__(
        self,
        server: Server,
        *,
        name: str | None = None,
        roots: Sequence[str | Path] = (),
        on_elicitation: OnElicitation | None = None,
        on_sampling: OnSampling | None = None,
        connect_timeout: float = 30.0,
        protocol: str = "auto",
        trusted: bool = False,
    ) -> None:
        """Declare the server; nothing is started. Raises MissingExtraError without the package."""
        if find_spec("mcp") is None:
            raise MissingExtraError("MCP", "mcp")
        super().__init__(name=name or str(server))
        self._server = server
        self._asked = ServerAsked(self.name, roots, on_elicitation, on_sampling)
        self._connect_timeout = connect_timeout
        self._protocol = protocol
        self._trusted = trusted
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    @classmethod
    def stdio(
        cls,
        command: str,
        *args: str,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        **settings: Any,
    ) -> Self:
        """Declare a server that is started as a process; it inherits PATH, HOME and little else beside `env`."""
        made = StdioServer(
            command, args, None if env is None else dict(env), None if cwd is None else str(cwd)
        )
        return cls(made, **settings)

    @classmethod
    def http(cls, url: str, *, headers: Mapping[str, str] | None = None, **settings: Any) -> Self:
        """Declare a server at a URL; `headers` (with a token, say) go with every request."""
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError(f"{url!r} is no URL of a server: give http://... or https://...")
        return cls(HTTPServer(url, None if headers is None else dict(headers)), **settings)

    # --- a toolset ---

    async def __aenter__(self) -> Self:
        """Connect, unless it is connected on this event loop; raises ToolsetError that says why it cannot."""
        line = self._line()
        line.users += 1
        try:
            async with line.lock:
                if not line.alive:
                    await self._list_first(line, await self._connect(line))
        except BaseException:
            await self._leave(line)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, if nobody else on this event loop uses it."""
        await self._leave(self._line())

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        """Return the tools; the server is asked again where it said that they have changed.

        A server that is gone keeps its tools: their calls fail until it is back.
        """
        line = self._line()
        if not line.users:
            raise ToolsetError(f"{self.name} is not open: use `async with toolset:`, or give it to an agent")
        if line.stale or not line.alive:
            try:
                await self._using(self._list_again)
            except (ToolError, ToolsetError) as error:
                log.warning("the tools of %s are those that it had before: %s", self.name, error)
        return tuple(tool for _, tool in line.listed.values())

    # --- what else a server has ---

    async def resources(self) -> list[Mapping[str, Any]]:
        """Return what can be read here, as JSON data: `uri`, `name`, `mimeType`...; templates have `uriTemplate`."""

        async def fetch(client: Client) -> list[Mapping[str, Any]]:
            found = await _pages(client.list_resources, lambda page: page.resources)
            return found + await _pages(client.list_resource_templates, lambda page: page.resource_templates)

        return await self._opened(fetch)

    async def read_resource(self, uri: str) -> list[dict[str, Any]]:
        """Return a resource as content parts, fit for `agent.run([...])`."""

        async def fetch(client: Client) -> list[dict[str, Any]]:
            parts = contents_as_parts((await client.read_resource(uri)).contents)
            return marked_parts(parts, self._source(uri))

        return await self._opened(fetch)

    async def prompts(self) -> list[Mapping[str, Any]]:
        """Return the prompts that the server offers, as JSON data: `name`, `description`, `arguments`."""

        async def fetch(client: Client) -> list[Mapping[str, Any]]:
            return await _pages(client.list_prompts, lambda page: page.prompts)

        return await self._opened(fetch)

    async def prompt(self, name: str, **arguments: str) -> list[dict[str, Any]]:
        """Return a prompt, filled in, as message items, fit for `agent.run(...)`."""

        async def fetch(client: Client) -> list[dict[str, Any]]:
            return prompt_as_items(await client.get_prompt(name, arguments))

        return await self._opened(fetch)

    async def _opened(self, use: Callable[[Client], Awaitable[T]]) -> T:
        """Ask the server something; raises ToolsetError with what it said where it refuses."""
        async with self:
            try:
                return await self._using(use)
            except ToolError as error:
                raise ToolsetError(f"{self.name}: {error}") from error

    # --- calls ---

    async def _call(self, context: RunContext[Any], name: str, arguments: dict[str, Any]) -> MCPResult:
        async def report(progress: float, total: float | None, message: str | None) -> None:
            context.progress(min(progress / total, 1.0) if total else None, message or "")

        async def call(client: Client) -> MCPResult:
            return result_of(
                await client.call_tool(name, arguments, progress_callback=report), self._source(name)
            )

        with answering(self.name, context):
            return await self._using(call, self._source(name))

    def _source(self, what: str) -> str | None:
        return None if self._trusted else f"{self.name}: {what}"

    async def _using(self, use: Callable[[Client], Awaitable[T]], source: str | None = None) -> T:
        """Use the connection, a new one where it was lost. Raises ToolError, fit for a model: what the server says
        is marked with its `source`."""
        from mcp import MCPError
        from pydantic import ValidationError

        line = self._line()
        again = True
        while True:
            connection = await self._connected(line)
            try:
                return await use(connection.client)
            except MCPError as error:
                if again and _forgotten(error):  # the server was started anew and did not run it
                    again = False
                    connection.fail()
                    continue
                if _lost(error, connection):
                    connection.fail()
                    raise ToolError(
                        "The connection to the tool's server was lost. Whether the call took effect is unknown:"
                        " check before you call it again."
                    ) from error
                said = str(error.message)[:2000]
                raise ToolError(
                    f"The tool's server refused: {said if source is None else mark_outside(said, source)}"
                ) from error
            except (ValidationError, RuntimeError) as error:
                raise ToolError(
                    "The tool's server answered with something that is no valid answer."
                ) from error

    async def _connected(self, line: _Line) -> Connection:
        async with line.lock:
            if not line.alive:
                if not line.users:
                    raise ToolError("The connection to the tool's server is closed.")
                try:
                    await self._connect(line)
                except ToolsetError as error:
                    log.warning("%s", error)
                    raise ToolError("The tool's server cannot be reached. Nothing was done.") from error
            assert line.connection is not None
            return line.connection

    # --- the connection ---

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = _Line()
        return line

    async def _connect(self, line: _Line) -> Client:
        lost, line.connection, line.stale = line.connection, None, True
        if lost is not None:
            await lost.close()
        made = Connection(self._server, self._client_maker(line), lambda client: _hear(client, line))
        await made.open(self._connect_timeout)
        line.connection = made
        return made.client

    async def _leave(self, line: _Line) -> None:
        line.users -= 1
        if line.users:
            return
        async with line.lock:
            if not line.users and line.connection is not None:
                connection, line.connection = line.connection, None
                line.listed, line.stale = {}, True
                await connection.close()

    def _client_maker(self, line: _Line) -> ClientMaker:
        def make(transport: Any) -> Client:
            from mcp import Client

            async def heard(message: Any) -> None:
                if getattr(message, "method", "") == "notifications/tools/list_changed":
                    line.stale = True

            return Client(
                transport,
                mode=self._protocol,
                message_handler=heard,
                **self._asked.callbacks(),
            )

        return make

    # --- its tools ---

    async def _list_first(self, line: _Line, client: Client) -> None:
        from mcp import MCPError
        from pydantic import ValidationError

        try:
            await self._list(line, client)
        except (MCPError, ValidationError, RuntimeError) as error:
            raise ToolsetError(f"the MCP server {self.name!r} does not list its tools: {error}") from error

    async def _list_again(self, client: Client) -> None:
        await self._list(self._line(), client)

    async def _list(self, line: _Line, client: Client) -> None:
        """Read the tools; one that has not changed stays the same object."""
        line.stale = False
        before, listed = line.listed, dict[str, tuple[Mapping[str, Any], Tool[..., Any]]]()
        if client.server_capabilities.tools is not None:
            cursor: str | None = None
            while True:
                page = await client.list_tools(cursor=cursor, cache_mode="refresh")
                for declared in page.tools:
                    data = plain(declared)
                    known = before.get(declared.name)
                    if known is not None and known[0] == data:
                        listed[declared.name] = known
                    elif (made := self._tool(declared)) is not None:
                        listed[declared.name] = (data, made)
                cursor = page.next_cursor
                if cursor is None:
                    break
        line.listed = listed

    def _tool(self, declared: types.Tool) -> Tool[..., Any] | None:
        """Make a tool of what a server declares; one with a schema that is none is left out, with a warning."""
        name = declared.name

        async def call(mcp_context_: RunContext[Any], /, **arguments: Any) -> MCPResult:
            return await self._call(mcp_context_, name, arguments)

        try:
            return Tool.from_schema(
                name=name,
                description=visible(declared.description or declared.title or ""),
                parameters={"type": "object", "properties": {}, **declared.input_schema},
                function=call,
                options=_options(declared.annotations),
                metadata={"mcp": {"server": self.name, "title": declared.title, **(declared.meta or {})}},
            )
        except SchemaError as error:
            log.warning("the tool %r of %s is left out: %s", name, self.name, error)
            return None


async def _hear(client: Client, line: _Line) -> None:
    """Wait for news of the tools; servers of older protocols tell it unasked."""
    from mcp import MCPError
    from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

    tools = client.server_capabilities.tools
    if tools is None or not tools.list_changed:
        return
    try:
        async with client.listen(tools_list_changed=True) as news:
            async for _ in news:
                line.stale = True
    except (ListenNotSupportedError, MCPError, SubscriptionLost) as error:
        log.debug("no news of tools: %s", error)


async def _pages(
    fetch: Callable[..., Awaitable[Any]], entries: Callable[[Any], Sequence[Any]]
) -> list[Mapping[str, Any]]:
    """Fetch a list to its last page, as plain data; a server that has no such list has none of its entries."""
    from mcp import MCPError
    from mcp_types import METHOD_NOT_FOUND

    found: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        try:
            page = await fetch(cursor=cursor)
        except MCPError as error:
            if error.code == METHOD_NOT_FOUND:
                return found
            raise
        found += map(plain, entries(page))
        cursor = page.next_cursor
        if cursor is None:
            return found


def _options(hints: types.ToolAnnotations | None) -> ToolOptions:
    if hints is None:
        return ToolOptions()
    reads = hints.read_only_hint is True
    destroys = not reads and hints.destructive_hint is not False
    return ToolOptions(
        read_only=reads, destructive=destroys, idempotent=reads or hints.idempotent_hint is True
    )


def _forgotten(error: Any) -> bool:
    """Tell whether an HTTP server knows nothing of our session: it was started anew."""
    return bool(error.message == "Session terminated")


def _lost(error: Any, connection: Connection) -> bool:
    from mcp_types import CONNECTION_CLOSED

    # The code alone says nothing: servers give it to errors of their own. The words are the client's.
    closed = error.code == CONNECTION_CLOSED and error.message == "Connection closed"
    return closed or not connection.alive
