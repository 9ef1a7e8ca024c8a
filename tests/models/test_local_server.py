"""The clients against the local server over real sockets, with every fault that it can play."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import pytest

from jigwork.agent.events import ItemAdded, ModelEvent, ResponseEnded, TextDelta
from jigwork.agent.items import Item, call_output, is_call, user_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.settings import Settings
from jigwork.agent.server import LocalServer
from jigwork.agent.server.fault_table import FAULTS
from jigwork.errors import DeadlineError, ModelConnectionError, ModelError

ADD = {
    "type": "function",
    "name": "add",
    "description": "Add.",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALLS: dict[str, Any] = {
    "text": "Let me add.",
    "reasoning": "Two sums.",
    "calls": [
        {"name": "add", "arguments": {"a": 1}},
        {"name": "add", "arguments": {"a": 22}},
    ],
}

# Faults that leave the answer as it is: the same calls must come out.
HARMLESS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "nothing": (("responses", "chat"), {}),
    "dict arguments": (("responses", "chat"), {"dict_arguments": True}),
    "empty call ids": (("responses", "chat"), {"call_ids": "empty"}),
    "duplicate call ids": (("responses", "chat"), {"call_ids": "duplicate"}),
    "missing call ids": (("chat",), {"call_ids": "missing"}),
    "usage null": (("responses", "chat"), {"usage": None}),
    "extra fields": (("responses", "chat"), {"extra_fields": {"cost": 0.1}}),
    "finish stop": (("chat",), {"finish_reason": "stop"}),
    "finish null": (("chat",), {"finish_reason": None}),
    "finish unknown": (("chat",), {"finish_reason": "eos"}),
    "crlf": (("responses", "chat"), {"crlf": True}),
    "keep alive": (("responses", "chat"), {"keep_alive": True}),
    "split": (("responses", "chat"), {"split": 1}),
    "index missing": (("chat",), {"index": "missing"}),
    "index zero": (("chat",), {"index": "zero"}),
    "index one": (("chat",), {"index": "one"}),
    "names repeated": (("chat",), {"repeat_names": True}),
    "whole calls": (("chat",), {"whole_calls": True}),
    "duplicate finish": (("chat",), {"duplicate_finish": True}),
    "duplicate usage": (("chat",), {"duplicate_usage": True}),
    "cumulative usage": (("chat",), {"cumulative_usage": True}),
    "prompt filter": (("chat",), {"prompt_filter": True}),
    "null choices": (("chat",), {"null_choices": True}),
    "null delta": (("chat",), {"null_delta": True}),
    "reasoning_content": (("chat",), {"thinking": "reasoning_content"}),
    "reasoning": (("chat",), {"thinking": "reasoning"}),
    "think": (("chat",), {"thinking": "think"}),
    "no sequence": (("responses",), {"no_sequence": True}),
    "no event names": (("responses",), {"no_event_names": True}),
    "item ids empty": (("responses",), {"item_ids": "empty"}),
    "item ids duplicate": (("responses",), {"item_ids": "duplicate"}),
    "unknown event": (("responses",), {"unknown_event": True}),
}


async def _turn(model: OpenAIModel, items: list[Item], stream: bool) -> list[ModelEvent]:
    request = ModelRequest(items=items, tools=[ADD], stream=stream, settings=Settings(retries=0))
    return [event async for event in model.stream(request)]


def _cases() -> list[Any]:
    """Every fault where the server plays it: (endpoint, stream, fault)."""
    found: list[Any] = []
    for name, (endpoints, fault) in HARMLESS.items():
        streams = "null_choices" in fault or any(FAULTS[key].form == "stream" for key in fault)
        for endpoint in endpoints:
            for stream in (True,) if streams else (False, True):
                mode = "stream" if stream else "whole"
                found.append(pytest.param(endpoint, stream, fault, id=f"{name}, {endpoint}, {mode}"))
    return found


@pytest.mark.parametrize(("endpoint", "stream", "fault"), _cases())
def test_quirks_change_nothing(endpoint: Any, stream: bool, fault: dict[str, Any]) -> None:
    """Whatever the quirk, both calls come out, and the strict server accepts the history with their outputs."""

    async def run(base_url: str) -> tuple[list[Item], list[ModelEvent]]:
        model = OpenAIModel("some-model", base_url=base_url, endpoint=endpoint)
        items: list[Item] = [user_message("1 + 22?")]
        first = await _turn(model, items, stream)
        items += [event.item for event in first if isinstance(event, ItemAdded)]
        items += [call_output(item, "23") for item in items if is_call(item)]
        second = await _turn(model, items, stream)
        await model.aclose()
        return items, second

    with LocalServer([{**CALLS, "fault": fault}, "It is 23."]) as server:
        items, second = asyncio.run(run(server.base_url))
    made = [item for item in items if is_call(item)]
    assert [item["arguments"].replace(" ", "") for item in made] == ['{"a":1}', '{"a":22}']
    assert len({item["call_id"] for item in made}) == 2
    assert "".join(event.text for event in second if isinstance(event, TextDelta)) == "It is 23."
    assert isinstance(second[-1], ResponseEnded)


BROKEN: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "drop": (("responses", "chat"), {"drop": 2}),
    "no terminal": (("responses",), {"no_terminal": True}),
    "error, flat": (("responses", "chat"), {"error_event": "flat"}),
    "error, nested": (("responses", "chat"), {"error_event": "nested"}),
    "html": (("responses", "chat"), {"html": True}),
    "error in 200": (("responses", "chat"), {"error_in_200": True}),
    "status 500": (("responses", "chat"), {"status": 500}),
    "status 401": (("responses", "chat"), {"status": 401}),
    "failed": (("responses",), {"failed": True}),
}


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        pytest.param(endpoint, fault, id=f"{name}, {endpoint}")
        for name, (endpoints, fault) in BROKEN.items()
        for endpoint in endpoints
    ],
)
def test_what_is_broken_is_an_error(endpoint: Any, fault: dict[str, Any]) -> None:
    """A stream that breaks, lies or ends early raises; it is never an answer."""

    async def run(base_url: str) -> None:
        model = OpenAIModel("some-model", base_url=base_url, endpoint=endpoint)
        try:
            await _turn(model, [user_message("hi")], True)
        finally:
            await model.aclose()

    with LocalServer([{**CALLS, "fault": fault}]) as server, pytest.raises(ModelError):
        asyncio.run(run(server.base_url))


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_fifty_requests_at_once(endpoint: Any) -> None:
    """Many streams at a time over one client give each its own answer."""

    async def run(base_url: str) -> list[str]:
        model = OpenAIModel("m", base_url=base_url, endpoint=endpoint)

        async def one(number: int) -> str:
            request = ModelRequest(items=[user_message(f"number {number}")], stream=True)
            events = [event async for event in model.stream(request)]
            return "".join(event.text for event in events if isinstance(event, TextDelta))

        texts = await asyncio.gather(*(one(number) for number in range(50)))
        await model.aclose()
        return list(texts)

    with LocalServer(lambda request: f"you said {request.text}") as server:
        texts = asyncio.run(run(server.base_url))
    assert texts == [f"you said number {number}" for number in range(50)]


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
@pytest.mark.parametrize(
    ("settings", "error"),
    [(Settings(deadline=0.3), DeadlineError), (Settings(timeout=0.2, retries=0), ModelConnectionError)],
    ids=["deadline", "timeout"],
)
def test_a_stream_that_falls_silent_is_given_up(
    endpoint: Any, settings: Settings, error: type[ModelError]
) -> None:
    """A server that stops in the middle of a stream is not waited for beyond timeout and deadline."""

    async def run(base_url: str) -> None:
        model = OpenAIModel("m", base_url=base_url, endpoint=endpoint)
        request = ModelRequest(items=[user_message("hi")], stream=True, settings=settings)
        try:
            async for _ in model.stream(request):
                pass
        finally:
            await model.aclose()

    with LocalServer([{"text": "a long answer", "fault": {"stall": 20, "after": 3}}]) as server:
        begun = time.monotonic()
        with pytest.raises(error):
            asyncio.run(run(server.base_url))
        assert time.monotonic() - begun < 5


def test_a_cancelled_stream_leaves_the_client_usable() -> None:
    """Cancelling in the middle of streams closes them; later requests over the same client are answered."""

    async def run(base_url: str) -> str:
        model = OpenAIModel("m", base_url=base_url, endpoint="chat")

        async def read() -> str:
            request = ModelRequest(items=[user_message("hi")], stream=True)
            events = [event async for event in model.stream(request)]
            return "".join(event.text for event in events if isinstance(event, TextDelta))

        tasks = [asyncio.create_task(read()) for _ in range(10)]
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(r, asyncio.CancelledError)
            for r in await asyncio.gather(*tasks, return_exceptions=True)
        )
        text = await read()
        await model.aclose()
        return text

    slow = {"text": "never to its end", "fault": {"stall": 20, "after": 2}}
    with LocalServer([*[slow] * 10, "still here"]) as server:
        assert asyncio.run(run(server.base_url)) == "still here"


def test_models_that_were_dropped_do_not_disturb_later_ones() -> None:
    """Models nobody closed are collected without any request of another model hanging."""

    async def run(base_url: str) -> list[str]:
        async def ask(model: OpenAIModel) -> str:
            request = ModelRequest(items=[user_message("hi")], stream=True)
            events = [event async for event in model.stream(request)]
            return "".join(event.text for event in events if isinstance(event, TextDelta))

        for _ in range(5):
            await ask(OpenAIModel("m", base_url=base_url))
        gc.collect()
        last = OpenAIModel("m", base_url=base_url)
        async with asyncio.timeout(20):
            texts = await asyncio.gather(*(ask(last) for _ in range(60)))
        await last.aclose()
        return list(texts)

    with LocalServer(lambda request: "ok") as server:
        assert asyncio.run(run(server.base_url)) == ["ok"] * 60


def test_connections_are_used_again() -> None:
    """Requests one after another, streamed and not, share a connection."""
    ports: set[Any] = set()

    async def run(base_url: str) -> None:
        import httpx2
        from openai import AsyncOpenAI

        made: list[str] = []

        async def trace(name: str, info: Any) -> None:
            if name == "connection.connect_tcp.complete":
                made.append(name)

        async def watch(request: httpx2.Request) -> None:
            request.extensions["trace"] = trace

        http = httpx2.AsyncClient(event_hooks={"request": [watch]})
        client = AsyncOpenAI(api_key="k", base_url=base_url, http_client=http)
        endpoints: tuple[Any, ...] = ("responses", "chat")
        for endpoint in endpoints:
            model = OpenAIModel("m", client=client, endpoint=endpoint)
            for stream in (True, False, True):
                request = ModelRequest(items=[user_message("hi")], stream=stream)
                assert [event async for event in model.stream(request)]
        ports.update(made)
        assert len(made) == 1
        await client.close()

    with LocalServer(lambda request: "ok") as server:
        asyncio.run(run(server.base_url))
    assert ports
