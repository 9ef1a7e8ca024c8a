"""A model whose server is a list of answers: the real SDK over an in-process transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from jigwork.agent.events import (
    ArgumentsDelta,
    ItemAdded,
    ModelEvent,
    ReasoningDelta,
    ResponseEnded,
    TextDelta,
)
from jigwork.agent.items import Item, user_message
from jigwork.agent.models.base import Model, ModelRequest
from jigwork.agent.models.openai_model import OpenAIModel


class Pieces(httpx2.AsyncByteStream):
    """A body that comes in pieces and may break: an exception among them is raised."""

    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self._pieces = list(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


@dataclass
class Collected:
    """The events of one request, sorted."""

    events: list[ModelEvent]

    @property
    def items(self) -> list[Item]:
        """The items, in the order in which they came."""
        return [event.item for event in self.events if isinstance(event, ItemAdded)]

    @property
    def end(self) -> ResponseEnded:
        """The last event."""
        last = self.events[-1]
        assert isinstance(last, ResponseEnded)
        return last

    @property
    def text(self) -> str:
        """All text deltas, joined."""
        return "".join(e.text for e in self.events if isinstance(e, TextDelta) and not e.refusal)

    @property
    def refusal(self) -> str:
        """All deltas of refusals, joined."""
        return "".join(e.text for e in self.events if isinstance(e, TextDelta) and e.refusal)

    @property
    def reasoning(self) -> str:
        """All reasoning deltas, joined."""
        return "".join(e.text for e in self.events if isinstance(e, ReasoningDelta))

    @property
    def arguments(self) -> dict[int, str]:
        """What the deltas wrote for each call, by index."""
        found: dict[int, str] = {}
        for event in self.events:
            if isinstance(event, ArgumentsDelta):
                found[event.index] = found.get(event.index, "") + event.text
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of that type."""
        return [event for event in self.events if isinstance(event, kind)]


Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Wire:
    """Plays its answers one after another and keeps what it was sent."""

    answers: list[Answer] = field(default_factory=list[Answer])
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies that were sent, decoded."""
        return [json.loads(request.content) for request in self.requests]

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else answer(request)

    def model(
        self,
        name: str = "gpt-5.2",
        *answers: Answer,
        endpoint: Any = "responses",
        key: str = "k-test-1",
        **options: Any,
    ) -> OpenAIModel:
        """Make a model that is answered so."""
        from openai import AsyncOpenAI

        self.answers += answers
        base_url: str | None = options.pop("base_url", None)
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self._handle))
        client = AsyncOpenAI(api_key=key, base_url=base_url, http_client=http)
        return OpenAIModel(name, client=client, endpoint=endpoint, **options)

    def ask(self, model: Model, items: str | Sequence[Item] = "hi", **request: Any) -> Collected:
        """Send one request and collect everything."""
        history = [user_message(items)] if isinstance(items, str) else list(items)

        async def run() -> list[ModelEvent]:
            return [event async for event in model.stream(ModelRequest(items=history, **request))]

        return Collected(asyncio.run(run()))

    @staticmethod
    def json(body: Any, status: int = 200, **headers: str) -> httpx2.Response:
        """An answer of JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.Response(status, json=body, headers=sent)

    @staticmethod
    def raw(body: bytes, status: int = 200, kind: str = "text/html") -> httpx2.Response:
        """An answer of any bytes."""
        return httpx2.Response(status, content=body, headers={"content-type": kind})

    @staticmethod
    def sse(events: Iterable[Any], *, done: bool = False, broken: Exception | None = None) -> httpx2.Response:
        """A stream of events, ended by `[DONE]` or broken."""
        pieces: list[bytes | Exception] = []
        for event in events:
            name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
            data = event if isinstance(event, str) else json.dumps(event)
            pieces.append(f"{name}data: {data}\n\n".encode())
        if done:
            pieces.append(b"data: [DONE]\n\n")
        if broken is not None:
            pieces.append(broken)
        return httpx2.Response(200, stream=Pieces(pieces), headers={"content-type": "text/event-stream"})

    @staticmethod
    def response(*output: Item, **fields: Any) -> dict[str, Any]:
        """A Responses object."""
        usage = {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 8},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 27,
        }
        body = {"id": "resp_1", "object": "response", "model": "gpt-5.2-2025-12-11", "status": "completed"}
        return {**body, "output": list(output), "usage": usage, **fields}

    @staticmethod
    def response_events(body: dict[str, Any], *, step: int = 3) -> list[dict[str, Any]]:
        """The stream that the real API makes of a Responses object."""
        return list(_response_events(body, step))

    @staticmethod
    def completion(message: dict[str, Any], finish: str | None = "stop", **fields: Any) -> dict[str, Any]:
        """A chat completion object."""
        usage = {
            "prompt_tokens": 20,
            "completion_tokens": 7,
            "total_tokens": 27,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 3},
        }
        choice = {
            "index": 0,
            "finish_reason": finish,
            "message": {"role": "assistant", "content": None, **message},
        }
        return {
            "id": "c_1",
            "object": "chat.completion",
            "model": "m",
            "choices": [choice],
            "usage": usage,
            **fields,
        }

    @staticmethod
    def chunks(
        deltas: Iterable[dict[str, Any]], finish: str | None = "stop", *, usage: bool = True
    ) -> list[dict[str, Any]]:
        """The chunks of a chat stream."""
        head = {"id": "c_1", "object": "chat.completion.chunk", "model": "m"}
        found: list[dict[str, Any]] = [
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}
            for delta in deltas
        ]
        if finish is not None:
            found.append(
                {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": None}
            )
        if usage:
            found.append({**head, "choices": [], "usage": Wire.completion({})["usage"]})
        return found


def _pieces(text: str, step: int) -> list[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]


def _response_events(body: dict[str, Any], step: int) -> Iterable[dict[str, Any]]:
    yield {
        "type": "response.created",
        "response": {**body, "status": "in_progress", "output": [], "usage": None},
    }
    for index, item in enumerate(body["output"]):
        where = {"output_index": index, "item_id": item.get("id", "")}
        opened = {**item}
        for key in ("arguments", "input", "encrypted_content"):
            if key in opened:
                opened[key] = "" if key != "encrypted_content" else "not-final"
        if item.get("type") in ("message", "reasoning"):
            opened["content" if item["type"] == "message" else "summary"] = []
        yield {"type": "response.output_item.added", "output_index": index, "item": opened}
        for number, part in enumerate(item.get("summary", ())):
            for delta in _pieces(part["text"], step):
                yield {
                    "type": "response.reasoning_summary_text.delta",
                    **where,
                    "summary_index": number,
                    "delta": delta,
                }
        for number, part in enumerate(item.get("content", ()) if item.get("type") == "message" else ()):
            key = "refusal" if part["type"] == "refusal" else "text"
            for delta in _pieces(part[key], step):
                kind = "refusal" if key == "refusal" else "output_text"
                yield {"type": f"response.{kind}.delta", **where, "content_index": number, "delta": delta}
        for key, kind in (("arguments", "function_call_arguments"), ("input", "custom_tool_call_input")):
            for delta in _pieces(item.get(key) or "", step):
                yield {"type": f"response.{kind}.delta", **where, "delta": delta}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{body['status']}", "response": body}


@pytest.fixture
def wire() -> Wire:
    """A server that is a list of answers."""
    return Wire()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait next to nothing between attempts."""
    monkeypatch.setattr("jigwork.agent.models.attempts._FIRST_WAIT", 0.001)
