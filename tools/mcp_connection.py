"""One connection to an MCP server: opened, watched, and closed by a task of its own.

What the `mcp` package enters has to be left by the task that entered it, while calls come from any task of the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from jigwork.errors import ToolsetError

from .deadline import seen

if TYPE_CHECKING:
    from mcp import Client

__all__ = ["Connection", "HTTPServer", "Server", "StdioServer"]

log = logging.getLogger("jigwork.mcp")

Streams: TypeAlias = "tuple[Any, Any]"
ClientMaker: TypeAlias = Callable[[AbstractAsyncContextManager[Streams]], "Client"]

_CLOSE_SECONDS = 10.0
"""The package needs up to 7 seconds to end a process that does not want to."""
_LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class StdioServer:
    """A server that is started as a process. `env` is added to the few variables that it inherits."""

    command: str
    args: tuple[str, ...] = ()
    env: dict[str, str] | None = field(default=None, repr=False)
    cwd: str | None = None

    def __str__(self) -> str:
        return " ".join((self.command, *self.args))

    @asynccontextmanager
    async def connect(self, said: deque[str]) -> AsyncGenerator[Streams]:
        """Start the process; the last lines that it writes to its stderr are in `said`."""
        from mcp import StdioServerParameters, stdio_client

        parameters = StdioServerParameters(
            command=self.command, args=list(self.args), env=self.env, cwd=self.cwd
        )
        async with _stderr(said) as errlog, stdio_client(parameters, errlog=errlog) as streams:
            yield streams


@dataclass(frozen=True, slots=True)
class HTTPServer:
    """A server that is spoken to over streamable HTTP."""

    url: str
    headers: dict[str, str] | None = None

    def __str__(self) -> str:
        return re.sub(r"//[^/@]*@", "//", self.url.partition("?")[0])

    def __repr__(self) -> str:
        return f"HTTPServer({str(self)!r})"

    @asynccontextmanager
    async def connect(self, said: deque[str]) -> AsyncGenerator[Streams]:
        """Open an HTTP client; nothing is sent yet."""
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        timeout = httpx2.Timeout(30.0, read=None)  # a call has its own deadline
        async with (
            httpx2.AsyncClient(headers=self.headers, timeout=timeout) as http,
            streamable_http_client(self.url, http_client=http) as streams,
        ):
            yield streams


Server: TypeAlias = StdioServer | HTTPServer


class Connection:
    """A connection that is alive until the server ends it, `fail` is called, or it is closed."""

    def __init__(
        self, server: Server, make_client: ClientMaker, beside: Callable[[Client], Coroutine[Any, Any, None]]
    ) -> None:
        """Prepare it; `beside` runs as long as the connection lives."""
        self.alive = False
        self._beside = beside
        self._server = server
        self._make_client = make_client
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self._leave = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._owner: asyncio.Task[None] | None = None

    @property
    def client(self) -> Client:
        """The open client."""
        return self._client.result()

    async def open(self, seconds: float) -> None:
        """Connect within so many seconds; raises ToolsetError that says why not, in the server's words too."""
        self._owner = asyncio.create_task(
            self._own(),
            name=f"jigwork-mcp {self._server}",
            context=Context(),  # it outlives the run that opens it, and has nothing of it
        )
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._client)
        except TimeoutError as error:
            await self._give_up()
            raise self._failure(f"no answer within {seconds:g} seconds") from error
        except asyncio.CancelledError:
            await self._give_up()
            raise
        except Exception as error:
            raise self._failure(_in_words(error)) from error
        self.alive = True

    def fail(self) -> None:
        """Take the connection for lost: the next call opens another one."""
        self.alive = False
        self._leave.set()

    async def close(self) -> None:
        """Say goodbye, end the server where it is ours, and wait until that is done."""
        self.fail()
        if self._owner is not None:
            await asyncio.wait({self._owner}, timeout=_CLOSE_SECONDS)

    async def _give_up(self) -> None:
        assert self._owner is not None
        self._owner.cancel()
        await asyncio.wait({self._owner}, timeout=_CLOSE_SECONDS)

    async def _own(self) -> None:
        watched = _Watched(self._server.connect(self._said), self.fail)
        try:
            async with self._make_client(watched) as client:
                self._client.set_result(client)
                beside = asyncio.create_task(self._beside(client))
                beside.add_done_callback(seen)
                try:
                    await self._leave.wait()
                finally:
                    beside.cancel()
                    await asyncio.wait({beside}, timeout=1.0)
        except BaseException as error:
            if not self._client.done():
                self._client.set_exception(error if isinstance(error, Exception) else OSError("cancelled"))
                self._client.exception()  # seen: `open` may have been cancelled
                return
            if not isinstance(error, Exception):
                raise
            log.debug("closing the connection to %s: %s", self._server, _in_words(error))
        finally:
            self.alive = False

    def _failure(self, reason: str) -> ToolsetError:
        said = "\n".join(self._said).strip()
        return ToolsetError(
            f"the MCP server {str(self._server)!r} cannot be used: {reason}"
            + (f"\nIts last words:\n{said}" if said else "")
        )


class _Watched:
    """A transport that tells when the server has hung up."""

    def __init__(self, transport: AbstractAsyncContextManager[Streams], hung_up: Callable[[], None]) -> None:
        self._transport = transport
        self._hung_up = hung_up

    async def __aenter__(self) -> Streams:
        read, write = await self._transport.__aenter__()
        return _Reader(read, self._hung_up), write

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._transport.__aexit__(kind, error, trace)


class _Reader:
    """A stream of messages that tells when it has ended."""

    def __init__(self, inner: Any, ended: Callable[[], None]) -> None:
        self._inner = inner
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._ended()
            raise

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> Any:
        return await self._inner.__aexit__(*exc)


@asynccontextmanager
async def _stderr(said: deque[str]) -> AsyncGenerator[Any]:
    """Yield a file for a process to write its complaints to; the last of them are kept, all are logged."""
    reading, writing = os.pipe()
    listener = threading.Thread(target=_listen, args=(reading, said), name="jigwork-mcp-stderr", daemon=True)
    listener.start()
    try:
        with os.fdopen(writing, "w") as errlog:
            yield errlog
    finally:
        # The process is gone: what it wrote last is read to the end, unless a child of its own holds the pipe.
        await asyncio.to_thread(listener.join, 0.5)


def _listen(reading: int, said: deque[str]) -> None:
    with os.fdopen(reading, errors="replace") as lines:
        for line in lines:
            said.append(line.rstrip()[:500])
            log.debug("stderr: %s", line.rstrip())


def _in_words(error: BaseException) -> str:
    """Say what went wrong, from the innermost exceptions of a group."""
    if isinstance(error, BaseExceptionGroup):
        inner: Any = cast("Any", error).exceptions
        return "; ".join(dict.fromkeys(map(_in_words, inner)))
    return str(error) or type(error).__name__
