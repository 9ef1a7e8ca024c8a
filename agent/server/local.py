"""Run the server: in a background thread for tests and notebooks, or blocking for the command line."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jigwork.errors import MissingExtraError, ServerStartError

from .app import make_app
from .engines import Engine, Script, ScriptedEngine
from .requests import ReceivedRequest
from .service import Service

if TYPE_CHECKING:
    from .listener import Listener

__all__ = ["LocalServer", "serve"]

_BACKLOG = 1024
_START_TIMEOUT = 30.0


class LocalServer:
    """An OpenAI-compatible server in a background thread: `with LocalServer(engine) as server:` or `async with`.

    `engine` is an `Engine` or a script for `ScriptedEngine`. `port=0` takes a free one. `strict=False` accepts
    requests that the real API would refuse. With `api_key` requests must carry it. `record=False` keeps no
    requests. Raises `ServerStartError` when the port is taken.
    """

    def __init__(
        self,
        engine: Engine | Script,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = True,
        api_key: str | None = None,
        record: bool = True,
    ) -> None:
        self.engine: Engine = _engine_of(engine)
        self.host = host
        self.port = port
        self._service = Service(self.engine, strict=strict, api_key=api_key, record=record)
        self._server: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """What a client takes as `base_url`, with `/v1`. The port is known once the server runs."""
        return _base_url(self.host, self.port)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request since the start, refused ones too, without authorization headers."""
        return self._service.requests

    @property
    def bodies(self) -> list[Any]:
        """The JSON bodies of `requests`."""
        return [request.body for request in self._service.requests]

    @property
    def errors(self) -> list[Exception]:
        """Exceptions that the engine raised; the client got a 500 for each."""
        return self._service.errors

    def start(self) -> Self:
        """Listen and serve in a thread; returns when requests are accepted."""
        if self._thread is not None:
            raise ServerStartError("this server runs already; make another LocalServer")
        ready = threading.Event()
        self._server = _listener(self._service, ready.set)
        sock = _listen(self.host, self.port)
        self.port = sock.getsockname()[1]
        self._thread = threading.Thread(
            target=_run, args=(self._server, sock), name="jigwork-server", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_TIMEOUT):
            raise ServerStartError(f"the server on {self.base_url} did not start within {_START_TIMEOUT:g} s")
        return self

    def stop(self) -> None:
        """Stop serving; open streams are cut."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def serve(
    engine: Engine | Script,
    *,
    host: str = "127.0.0.1",
    port: int = 8484,
    strict: bool = True,
    api_key: str | None = None,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Serve until Ctrl-C, in this thread, then return. `on_start` gets the base URL once requests are accepted."""
    service = Service(_engine_of(engine), strict=strict, api_key=api_key, record=False)
    sock = _listen(host, port)
    url = _base_url(host, sock.getsockname()[1])
    listener = _listener(service, lambda: on_start(url) if on_start is not None else None)
    with contextlib.suppress(KeyboardInterrupt):
        _run(listener, sock)


def _engine_of(engine: Engine | Script) -> Engine:
    """Return the engine, made of a script where one is given."""
    return engine if isinstance(engine, Engine) else ScriptedEngine(engine)


def _base_url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def _run(listener: Listener, sock: socket.socket) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(listener.serve(sockets=[sock]))


def _listen(host: str, port: int) -> socket.socket:
    """Bind before anything runs, so that a taken port is an error of the caller."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; without, small answers wait 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ServerStartError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another port, or 0 for a free one"
        ) from error
    return sock


def _listener(service: Service, on_start: Callable[[], None]) -> Listener:
    try:
        from .listener import Listener
    except ImportError as error:
        raise MissingExtraError("the local server", "server") from error
    return Listener(make_app(service), backlog=_BACKLOG, on_start=on_start)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop where it is installed: it halves the cost of a request."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
