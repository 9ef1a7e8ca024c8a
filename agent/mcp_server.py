"""Tools, toolsets and agents as an MCP server, over stdio or streamable HTTP: `serve_mcp([search, agent])`.

Calls go through the same executor as those of a run: decoded strictly, with time-outs, limits and retries, each with
one outcome. Needs the extra `mcp`.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from typing_extensions import TypeIs

from jigwork.errors import Abort, ConfigurationError, JigworkError, MissingExtraError, ToolError
from jigwork.tools import Outcome, RunContext, Tool, Toolset
from jigwork.tools.asking import Asked
from jigwork.tools.executor import Call, Executor
from jigwork.tools.mcp_content import MCPResult
from jigwork.tools.render import to_json

from .agent import Agent
from .decisions import as_decision
from .events import CallStarted
from .mcp_asking import ask_by_elicitation
from .offer import Offer, ToolSources
from .recorder import OnApproval
from .records import Answer, Approval, Decision

if TYPE_CHECKING:
    import mcp_types as types
    from mcp.server import Server

__all__ = ["LOOPBACK", "Policy", "mcp_server", "serve_mcp", "served_tools"]

Policy: TypeAlias = Literal["ask", "client", "refuse"]
_POLICIES = ("ask", "client", "refuse")
_Decide: TypeAlias = Callable[[Approval], "Awaitable[Decision | Answer | types.InputRequiredResult]"]
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def serve_mcp(
    source: Agent[Any, Any] | Toolset | Sequence[Any],
    *,
    transport: Literal["stdio", "http"] = "stdio",
    name: str | None = None,
    deps: Any = None,
    on_approval: OnApproval | None = None,
    approval: Policy = "ask",
    host: str = "127.0.0.1",
    port: int = 8000,
    path: str = "/mcp",
    token: str | None = None,
) -> None:
    """Serve until the client hangs up (stdio) or the process is interrupted (http, at `http://host:port/mcp`).

    `token` has to come with every HTTP request as a bearer token, and is needed where `host` is not this machine
    alone. See `mcp_server` for the rest. Raises ConfigurationError for what cannot be served.
    """
    server = mcp_server(source, name=name, deps=deps, on_approval=on_approval, approval=approval)
    if transport == "stdio":
        asyncio.run(_serve_stdio(server))
    elif transport == "http":
        if token is None and host not in LOOPBACK:
            raise ConfigurationError(
                f"anybody who reaches {host} could call these tools: give a token=..., or host='127.0.0.1'"
            )
        app = server.streamable_http_app(streamable_http_path=path, host=host)
        _serve_http(app if token is None else _guarded(app, token), host, port)
    else:
        raise ConfigurationError(f"transport={transport!r} does not exist: use 'stdio' or 'http'")


def mcp_server(
    source: Agent[Any, Any] | Toolset | Sequence[Any],
    *,
    name: str | None = None,
    deps: Any = None,
    on_approval: OnApproval | None = None,
    approval: Policy = "ask",
) -> Server[None]:
    """Return a server of the `mcp` package, to be mounted (`.streamable_http_app()`) or used in process.

    An agent is a tool with one text as its input. `deps` is what tools and agents find in `RunContext.deps`. Calls
    that need a person (of destructive tools, as an `approval` of their own says, and questions) are put to
    `on_approval`, or else, with `approval="ask"`, to the person behind the client, by elicitation; where that is not
    possible they are refused. "client" leaves destructive tools, which are annotated as such, to the client, as
    most clients ask before each call; "refuse" refuses whatever nobody decides here.
    """
    if find_spec("mcp") is None:
        raise MissingExtraError("MCP", "mcp")
    from mcp.server import Server

    if approval not in _POLICIES:
        raise ConfigurationError(f"approval={approval!r} does not exist: use 'ask', 'client' or 'refuse'")
    served = _Served(source, deps, on_approval, approval)

    @asynccontextmanager
    async def lifespan(_: Server[None]) -> AsyncGenerator[None]:
        async with served.offer.opened():
            yield

    return Server(
        name or served.name,
        lifespan=lifespan,
        on_list_tools=served.list_tools,
        on_call_tool=served.call_tool,
    )


async def served_tools(source: Agent[Any, Any] | Toolset | Sequence[Any]) -> list[types.Tool]:
    """Return what a server of `source` would list; toolsets are opened for it."""
    served = _Served(source, None, None, "ask")
    async with served.offer.opened():
        return (await served.list_tools(None, None)).tools


class _Served:
    """What is served, and how a request to the server becomes a call."""

    def __init__(self, source: Any, deps: Any, on_approval: OnApproval | None, policy: Policy) -> None:
        given: list[Any] = list(cast("Any", source)) if isinstance(source, (list, tuple)) else [source]
        sources = ToolSources.of(_agent_as_tool(x) for x in given)
        if sources.hosted:
            raise ConfigurationError(
                f"{sources.hosted[0].type!r} runs at the model's server and cannot be served from here: leave it out"
            )
        if asked := [t.name for t in sources.fixed.values() if t.name.startswith("mcp:")]:
            raise ConfigurationError(
                f"{asked[0]} is called by the model's server and cannot be served from here: leave it out"
            )
        if not (sources.fixed or sources.toolsets):
            raise ConfigurationError("there is nothing to serve: give tools, a toolset or an agent")
        self.name = next((x.name for x in given if isinstance(x, (Agent, Toolset)) and x.name), "jigwork")
        self.offer = Offer(sources, sources.fixed, ())
        self._deps = deps
        self._on_approval = on_approval
        self._policy = policy

    async def list_tools(self, context: Any, params: Any) -> types.ListToolsResult:
        """Answer `tools/list`."""
        from mcp_types import ListToolsResult

        await self.offer.refresh(RunContext(self._deps))
        return ListToolsResult(tools=[_declared(tool) for tool in self.offer.tools.values()])

    async def call_tool(
        self, context: Any, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Answer `tools/call`."""
        from mcp import MCPError
        from mcp_types import INVALID_PARAMS

        await self.offer.refresh(RunContext(self._deps))
        tool = self.offer.tools.get(params.name)
        own_rule = tool is not None and tool.options.approval is not None
        call = Call(
            f"call_{context.request_id}",
            params.name,
            "",
            edited=dict(params.arguments or {}),
            approved=None if own_rule or self._policy != "client" else True,
        )
        ledger = _OneCall()
        async with _progress_to(context.session.report_progress) as report:
            ledger.report = report
            outcome = await self._run(call, ledger, lambda asked: self._decide(context, params, asked))
        if not isinstance(outcome, Outcome):
            return outcome
        if outcome.status == "unknown_tool":
            raise MCPError(INVALID_PARAMS, str(outcome.output))
        return _result(outcome)

    async def _run(
        self, call: Call, ledger: _OneCall, decide: _Decide
    ) -> Outcome | types.InputRequiredResult:
        """Run one call, after a person has allowed it where one has to; else return what they have to be asked."""

        def context(id: str, name: str, progress: Callable[[float | None, str], None]) -> RunContext[Any]:
            return RunContext(self._deps, "mcp", 1, id, name, (), progress)

        while True:
            try:
                await Executor(dict(self.offer.tools), ledger, context=context).execute([call])
            except Abort as abort:
                return ledger.outcome or Outcome("failed", f"The tool stopped: {abort}")
            if ledger.outcome is not None:
                return ledger.outcome
            asked = ledger.asked
            question = asked.question if asked is not None else None
            decision = await decide(Approval(call.id, call.name, ledger.waits_with, question=question))
            if not isinstance(decision, (Answer, Decision)):
                return decision
            if isinstance(decision, Answer):
                kept = asked.kept if asked is not None else None
                call = replace(call, approved=True, asked=True, answer=decision, kept=kept)
                continue
            edited = call.edited if decision.arguments is None else dict(decision.arguments)
            call = replace(call, edited=edited, approved=decision.approved, reason=decision.reason)

    async def _decide(
        self, context: Any, params: types.CallToolRequestParams, approval: Approval
    ) -> Decision | Answer | types.InputRequiredResult:
        import inspect

        if self._on_approval is not None:
            said = self._on_approval(approval)
            decision = await said if inspect.isawaitable(said) else said
            if decision is not None:
                return as_decision(decision, approval)
        if self._policy == "refuse":
            return Decision(False, "this server does not allow it")
        return await ask_by_elicitation(context, params, approval)


class _OneCall:
    """The ledger of one call."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.waits_with: Any = None
        self.asked: Asked | None = None
        self.report: Callable[[float | None, str], None] = lambda fraction, message: None

    async def started(self, call: Call) -> None:
        """Nothing has to be kept."""

    async def settled(self, call: Call, outcome: Outcome) -> None:
        """Keep how it ended."""
        self.outcome = outcome

    async def waiting(self, call: Call, arguments: Any, asked: Asked | None = None) -> None:
        """Keep what a person has to look at."""
        self.waits_with, self.asked = arguments, asked

    async def paused(self, call: Call) -> None:
        """Nothing is kept here that could go on later."""

    def progress(self, call: Call, fraction: float | None, message: str) -> None:
        """Hand progress on."""
        self.report(fraction, message)

    def late(self, call: Call, error: BaseException | None) -> None:
        """Nobody is there any more to be told."""


@asynccontextmanager
async def _progress_to(
    send: Callable[[float, float | None, str | None], Awaitable[None]],
) -> AsyncGenerator[Callable[[float | None, str], None]]:
    """Yield a function, safe from any thread, whose reports are sent in order; all are sent at the end."""
    loop = asyncio.get_running_loop()
    reports: asyncio.Queue[tuple[float | None, str] | None] = asyncio.Queue()

    async def deliver() -> None:
        count = 0
        while (report := await reports.get()) is not None:
            count += 1
            fraction, message = report
            if fraction is None:
                await send(float(count), None, message or None)
            else:
                await send(fraction, 1.0, message or None)

    def add(fraction: float | None, message: str) -> None:
        loop.call_soon_threadsafe(reports.put_nowait, (fraction, message))

    task = asyncio.create_task(deliver())
    try:
        yield add
        loop.call_soon(reports.put_nowait, None)
        await task
    finally:
        task.cancel()


def _agent_as_tool(given: Any) -> Any:
    """Return what was given, or for an agent a tool that asks it."""
    return _tool_of(given) if _is_agent(given) else given


def _is_agent(given: Any) -> TypeIs[Agent[Any, Any]]:
    return isinstance(given, Agent)


def _tool_of(agent: Agent[Any, Any]) -> Tool[..., Any]:

    async def ask(context: RunContext[Any], input: str) -> Any:
        """Ask the agent.

        Args:
            input: What it is to do, in words.
        """
        try:
            async with agent.stream(input, deps=context.deps) as run:
                async for event in run:
                    if isinstance(event, CallStarted):
                        context.progress(None, f"calling {event.name}")
                result = run.result
        except JigworkError as error:
            raise ToolError(f"The agent came to no answer: {error}") from error
        if result.status == "paused":
            names = ", ".join(sorted({approval.name for approval in result.approvals}))
            raise ToolError(f"The agent stopped, because a person has to allow this first: {names}")
        return result.output

    about = f"Ask the agent {agent.name!r}." if agent.name else None
    return Tool.from_function(ask, name=agent.name or "ask", description=about)


# --- in the words of MCP ---


def _declared(tool: Tool[..., Any]) -> types.Tool:
    from mcp_types import Tool as Declared
    from mcp_types import ToolAnnotations

    options, text = tool.options, tool.text
    meta: dict[str, Any] = {}
    if text is not None:
        grammar = text.grammar
        meta["jigwork/grammar"] = {
            "parameter": text.parameter,
            "syntax": grammar.syntax,
            "definition": grammar.definition,
        }
    return Declared(
        name=tool.name,
        description=text.described(tool.description) if text is not None else tool.description,
        input_schema=tool.parameters,
        annotations=ToolAnnotations(
            read_only_hint=options.read_only,
            destructive_hint=options.destructive,
            idempotent_hint=options.idempotent or options.read_only,
        ),
        _meta=meta or None,
    )


def _result(outcome: Outcome) -> types.CallToolResult:
    from mcp_types import CallToolResult

    output = outcome.output
    parts = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    content = [_block(part) for part in parts]
    structured = _structured(outcome.value) if outcome.ok and isinstance(output, str) else None
    return CallToolResult(content=content, structured_content=structured, is_error=not outcome.ok)


def _structured(value: Any) -> dict[str, Any] | None:
    """Return what a program reads: the result, where it is an object."""
    if isinstance(value, MCPResult):
        value = value.structured
    if value is None or isinstance(value, (str, bytes, int, float, list, tuple)):
        return None
    import json

    data = json.loads(to_json(value))
    return cast("dict[str, Any]", data) if isinstance(data, dict) else None


def _block(part: Mapping[str, Any]) -> types.ContentBlock:
    from mcp_types import BlobResourceContents, EmbeddedResource, ImageContent, ResourceLink, TextContent

    kind = part["type"]
    if kind == "input_text":
        return TextContent(text=str(part["text"]))
    url = str(part.get("image_url") or part.get("file_data") or part.get("file_url") or "")
    name = str(part.get("filename") or "file")
    if not url.startswith("data:"):
        return ResourceLink(name=name, uri=url) if url else TextContent(text=f"[{name}]")
    head, _, data = url.removeprefix("data:").partition(",")
    mime = head.partition(";")[0]
    if kind == "input_image":
        return ImageContent(data=data, mime_type=mime)
    blob = BlobResourceContents(uri=f"file:///{name}", blob=data, mime_type=mime)
    return EmbeddedResource(resource=blob)


# --- transports ---


async def _serve_stdio(server: Server[None]) -> None:
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def _serve_http(app: Any, host: str, port: int) -> None:
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="warning")


def _guarded(app: Any, token: str) -> Any:
    """Let only requests through that bring the token."""
    wanted = f"Bearer {token}".encode()

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, wanted):
                headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 401, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
                return
        await app(scope, receive, send)

    return guard
