"""A server of raw bytes: it plays what was written down, byte for byte, and keeps what it was sent.

Nothing here knows the API: answers are bytes with pauses, cuts and resets, from `recorded/*.http` or a test.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

from jigwork import Agent, Grammar, JigworkError, OpenAIModel, RunResult, tool
from jigwork.agent.events import AttemptDiscarded, Event, TextDelta
from jigwork.agent.items import Item
from jigwork.tools import Tool

RECORDED = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds; with `gate` until the test sets it."""

    seconds: float = 0.0
    gate: threading.Event | None = None


@dataclass(frozen=True)
class Reset:
    """Close the connection with a TCP reset."""


@dataclass(frozen=True)
class Drop:
    """Close the connection in order, wherever the body is."""


Step: TypeAlias = "bytes | Pause | Reset | Drop"


@dataclass(frozen=True)
class Reply:
    """One HTTP response. `framing` is how its end is told: chunked, length (of all bytes) or close. A pause that
    comes first is one before the status line."""

    steps: Sequence[Step] = ()
    status: str = "200 OK"
    headers: Sequence[tuple[str, str]] = ()
    framing: str = "chunked"

    @classmethod
    def json(cls, body: Any, status: str = "200 OK", **headers: str) -> Reply:
        """A JSON body with its length."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return cls([text], status, [("content-type", "application/json"), *named], "length")

    @classmethod
    def sse(cls, *steps: Step | str | Mapping[str, Any], **headers: str) -> Reply:
        """A stream; a dict becomes one event with its type as the name, a text one line of data."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        sent = [_frame(step) for step in steps]
        return cls(sent, headers=[("content-type", "text/event-stream; charset=utf-8"), *named])


def _frame(step: Step | str | Mapping[str, Any]) -> Step:
    if isinstance(step, str):
        return f"data: {step}\n\n".encode()
    if isinstance(step, Mapping):
        name = f"event: {step['type']}\n" if "type" in step else ""
        return f"{name}data: {json.dumps(step)}\n\n".encode()
    return step


@dataclass(frozen=True)
class Request:
    """What came over the wire. `connection` counts the connections of this server from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    connection: int

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = json.loads(self.content)
        return body


class RawServer:
    """Answers with its replies, one after another; the last one is repeated if `repeat`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        self.repeat = False
        self.answer: Callable[[Request], Reply] | None = None
        self.open = 0
        self.most_open = 0
        self._connections = 0
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), loop).result()
        port: int = self._server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.url = f"{self.address}/v1"
        self.host = f"127.0.0.1:{port}"

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._connections += 1
        number = self._connections
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            while (request := await _read(reader, number)) is not None:
                self.requests.append(request)
                if not await _write(writer, self._next(request)):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            with suppress(Exception):
                writer.close()

    def _next(self, request: Request) -> Reply:
        if self.answer is not None:
            return self.answer(request)
        if not self.replies:
            return Reply.json(
                {"error": {"message": "the script is over", "code": "script"}}, "400 Bad Request"
            )
        return self.replies[0] if self.repeat and len(self.replies) == 1 else self.replies.pop(0)

    def close(self) -> None:
        """Stop listening and cut what is open."""

        async def stop() -> None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()

    def wait_closed(self, seconds: float = 2.0) -> bool:
        """Wait until no connection is open."""
        end = time.monotonic() + seconds
        while self.open and time.monotonic() < end:
            time.sleep(0.005)
        return self.open == 0

    def model(self, name: str = "gpt-5.2", **options: Any) -> OpenAIModel:
        """A model that asks this server. `key` becomes the API key, `path` replaces /v1."""
        path = options.pop("path", "/v1")
        options.setdefault("endpoint", "responses")
        options.setdefault("api_key", options.pop("key", "sk-wire-0123456789abcdef"))
        return OpenAIModel(name, base_url=self.address + path, **options)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON bodies that came."""
        return [request.body for request in self.requests]


async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, content, connection)


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send the reply; tell whether the connection may be used again."""
    if reply.steps and reply.steps[0] == Reset():
        return _reset(writer)
    headers = list(reply.headers)
    if reply.steps and isinstance(reply.steps[0], Pause):
        await _wait(reply.steps[0])
        reply = replace(reply, steps=reply.steps[1:])
    if reply.framing == "chunked":
        headers.append(("transfer-encoding", "chunked"))
    elif reply.framing == "length":
        size = sum(len(step) for step in reply.steps if isinstance(step, bytes))
        headers.append(("content-length", str(size)))
    else:
        headers.append(("connection", "close"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    writer.write(f"HTTP/1.1 {reply.status}\r\n{head}\r\n".encode("latin-1"))
    for step in reply.steps:
        if isinstance(step, bytes):
            chunk = b"%x\r\n%s\r\n" % (len(step), step) if reply.framing == "chunked" else step
            writer.write(chunk if step else b"")
            await writer.drain()
        elif isinstance(step, Pause):
            await _wait(step)
        elif isinstance(step, Reset):
            await asyncio.sleep(0.02)  # what was written before has to arrive
            return _reset(writer)
        else:
            return False
    if reply.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return reply.framing != "close"


async def _wait(pause: Pause) -> None:
    if pause.gate is not None:
        await asyncio.get_running_loop().run_in_executor(None, pause.gate.wait, 5.0)
    await asyncio.sleep(pause.seconds)


def _reset(writer: asyncio.StreamWriter) -> bool:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


# --- recorded conversations ---


def recorded(name: str, mode: str) -> list[Reply]:
    """Read the replies of `recorded/<name>.http` for a mode, "stream" or "plain".

    A block begins with `### stream` or `### plain`, then status line and headers, an empty line, the body. Words
    after the mode: `crlf` (line ends), `split=N` (chunks of N bytes), `drop`, `reset` (at the end), `close` (framing).
    """
    text = (RECORDED / f"{name}.http").read_text(encoding="utf-8")
    replies: list[Reply] = []
    for block in text.split("\n### ")[1:]:
        first, _, rest = block.partition("\n")
        kind, *words = first.split()
        if kind == mode:
            replies.append(_recorded_reply(rest, words))
    assert replies, f"{name}.http has nothing for {mode!r}"
    return replies


def _recorded_reply(text: str, words: Sequence[str]) -> Reply:
    head, _, body = text.partition("\n\n")
    status, *lines = head.split("\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    body = body.rstrip("\n")
    if any("event-stream" in value for _, value in headers):
        body += "\n\n"
    data = (body.replace("\n", "\r\n") if "crlf" in words else body).encode()
    size = next((int(word[6:]) for word in words if word.startswith("split=")), 0)
    steps: list[Step] = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    steps += [Drop()] if "drop" in words else [Reset()] if "reset" in words else []
    return Reply(steps, status.removeprefix("HTTP/1.1 "), headers, "close" if "close" in words else "chunked")


# --- tools that write their calls down ---


@dataclass
class Desk:
    """The tools of every conversation, and what they were called with."""

    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    @property
    def tools(self) -> list[Tool[..., Any]]:
        """weather(city, unit), now(), look(place) with an image, and the grammar tool move(program)."""
        calls = self.calls

        @tool
        def weather(city: str, unit: str = "C") -> str:
            """The weather in a city."""
            calls.append(("weather", {"city": city, "unit": unit}))
            return f"{city}: 21 {unit}"

        @tool
        def now() -> str:
            """The time."""
            calls.append(("now", {}))
            return "12:00"

        @tool
        def look(place: str) -> list[dict[str, Any]]:
            """A picture of a place."""
            calls.append(("look", {"place": place}))
            return [
                {"type": "input_text", "text": f"seen: {place}"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"},
            ]

        @tool(grammar=Grammar.from_lark('start: ("left" | "right") " " STEPS\nSTEPS: /[1-9][0-9]?/'))
        def move(program: str) -> str:
            """Move the robot."""
            calls.append(("move", program))
            return f"moved {program}"

        return [weather, now, look, move]

    def pick(self, *names: str) -> list[Tool[..., Any]]:
        """Only the tools of these names."""
        return [tool for tool in self.tools if tool.name in names]


@dataclass
class Run:
    """What one run gave, whichever door it went through."""

    result: RunResult[Any] | None
    events: list[Event]
    calls: list[tuple[str, Any]]
    error: Exception | None = None

    @property
    def text(self) -> str:
        """The text deltas of attempts that counted."""
        found: list[str] = []
        for event in self.events:
            if isinstance(event, AttemptDiscarded):
                found.clear()
            if isinstance(event, TextDelta) and not event.refusal:
                found.append(event.text)
        return "".join(found)

    @property
    def items(self) -> list[Item]:
        """The history."""
        state = self.result.state if self.result is not None else getattr(self.error, "state", None)
        assert state is not None
        return state.items

    def named(self) -> list[Item]:
        """The history with made-up call ids as `~1`, `~2`... in the order in which they came."""
        return named(self.items, self.items)


def named(told: Sequence[Any], items: Sequence[Item]) -> list[Any]:
    """Number the call ids that were made up here, which are random, in the order of the history."""
    text = json.dumps(told)
    made: list[str] = []
    for item in items:
        call_id = str(item.get("call_id", ""))
        if len(call_id) == 37 and call_id.startswith("call_") and call_id not in made:
            made.append(call_id)
            text = text.replace(call_id, f"~{len(made)}")
    numbered: list[Any] = json.loads(text)
    return numbered


def play(agent: Agent[Any, Any], mode: str, x: Any, desk: Desk | None = None, **options: Any) -> Run:
    """Run the agent through one of two doors, and keep whatever it raises."""

    async def go() -> Run:
        run = Run(None, [], desk.calls if desk is not None else [])
        try:
            if mode == "plain":
                run.result = await agent.run(x, **options)
                return run
            async with agent.stream(x, **options) as stream:
                async for event in stream:
                    run.events.append(event)
                run.result = stream.result
        except JigworkError as error:
            run.error = error
        finally:
            await agent.model.aclose()
        return run

    return asyncio.run(go())


@pytest.fixture(scope="session")
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop of the servers alone, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def raw(server_loop: asyncio.AbstractEventLoop) -> Iterator[RawServer]:
    """A server of raw bytes on a free port."""
    server = RawServer(server_loop)
    yield server
    server.close()


@pytest.fixture
def kit() -> SimpleNamespace:
    """What the tests of this folder share: the names above."""
    return SimpleNamespace(
        Reply=Reply, Pause=Pause, Reset=Reset, Drop=Drop, Desk=Desk, play=play, named=named, recorded=recorded
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wait next to nothing between attempts, and read no certificates for servers that have none."""
    monkeypatch.setattr("jigwork.agent.models.attempts._FIRST_WAIT", 0.001)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.getbasetemp()))
