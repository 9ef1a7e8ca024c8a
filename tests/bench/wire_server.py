"""The other end of the benchmark's wire: a small, fast, deterministic model server in a process of its own.

    python wire_server.py        prints its port, serves until its standard input is closed

A case is part of the path: `/T10C1N1/v1/responses` answers ten turns with one call each, then with a text, for an
agent of one tool. Every body is made once; which one to send follows from the last call id in the request. The bodies
have the shape and the size of real ones: the Responses API echoes the tools, and its streams repeat what they add.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from functools import lru_cache
from typing import Any

MODEL = "bench-model"
ANSWER = (
    "The warehouse in Lyon holds enough of all of them, so nothing has to be moved before the end of the week. "
    * 2
)
PIECES = re.findall(r"\S+\s*", ANSWER)
ARGUMENTS = '{"sku":"LX-20481","warehouse":"Lyon","quantity":%d,"urgent":false}'


def tool_schema(number: int) -> dict[str, Any]:
    """Return the function tool that every contender offers, in the flat shape of the Responses API."""
    properties = {
        "sku": {"type": "string", "description": "Stock keeping unit, as printed on the label."},
        "warehouse": {"type": "string", "description": "The city of the warehouse."},
        "quantity": {"type": "integer", "description": "How many are needed."},
        "urgent": {"type": "boolean", "description": "Whether it has to leave today."},
    }
    return {
        "type": "function",
        "name": f"stock_{number}",
        "description": "Look up how many pieces of an article a warehouse holds.",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        "strict": True,
    }


def parse_case(case: str) -> tuple[int, int, int]:
    """Return turns, calls per turn and tools of a case such as T10C1N1."""
    match = re.fullmatch(r"T(\d+)C(\d+)N(\d+)", case)
    if match is None:
        raise ValueError(f"not a case: {case}")
    turns, calls, tools = map(int, match.groups())
    return turns, calls, tools


def calls_of(case: str, turn: int) -> list[tuple[str, str, str]]:
    """Return (call id, tool name, arguments) of every call of a turn; none after the last turn."""
    turns, calls, tools = parse_case(case)
    if turn >= turns:
        return []
    return [(f"tc_{turn:04d}_{i:03d}", f"stock_{i % tools}", ARGUMENTS % (turn + i)) for i in range(calls)]


def usage(case: str, turn: int) -> tuple[int, int]:
    """Return plausible numbers of input and output tokens."""
    return 200 + 60 * turn * parse_case(case)[1], 25 * max(1, len(calls_of(case, turn)))


# --- Responses --------------------------------------------------------------------------------------------------


def response_items(case: str, turn: int) -> list[dict[str, Any]]:
    """Return the output items of one response."""
    items: list[dict[str, Any]] = [
        {
            "id": f"fc_{call_id}",
            "type": "function_call",
            "status": "completed",
            "arguments": arguments,
            "call_id": call_id,
            "name": name,
        }
        for call_id, name, arguments in calls_of(case, turn)
    ]
    if not items:
        content: list[dict[str, Any]] = [
            {"type": "output_text", "annotations": [], "logprobs": [], "text": ANSWER}
        ]
        items = [
            {"id": "msg_1", "type": "message", "status": "completed", "content": content, "role": "assistant"}
        ]
    return items


def response_body(case: str, turn: int, *, status: str = "completed") -> dict[str, Any]:
    """Return one response object."""
    done = status == "completed"
    into, out = usage(case, turn)
    tokens: dict[str, Any] = {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": into + out,
    }
    return {
        "id": f"resp_{turn:04d}",
        "object": "response",
        "created_at": 1790000000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "You keep the stock of four warehouses.",
        "max_output_tokens": None,
        "model": MODEL,
        "output": response_items(case, turn) if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [tool_schema(i) for i in range(parse_case(case)[2])],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": tokens if done else None,
        "metadata": {},
    }


def response_events(case: str, turn: int) -> list[dict[str, Any]]:
    """Return the events of one streamed response."""
    events: list[dict[str, Any]] = [
        {"type": kind, "response": response_body(case, turn, status="in_progress")}
        for kind in ("response.created", "response.in_progress")
    ]
    for index, item in enumerate(response_items(case, turn)):
        where = {"item_id": item["id"], "output_index": index}
        call = item["type"] == "function_call"
        empty: dict[str, Any] = {"arguments": ""} if call else {"content": []}
        started = {**item, "status": "in_progress", **empty}
        events.append({"type": "response.output_item.added", "output_index": index, "item": started})
        if call:
            text: str = item["arguments"]
            kind = "response.function_call_arguments"
            pieces = [text[i : i + 12] for i in range(0, len(text), 12)]
            events += [{"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces]
            events.append({"type": f"{kind}.done", **where, "arguments": text})
        else:
            where["content_index"] = 0
            part = item["content"][0]
            events.append({"type": "response.content_part.added", **where, "part": part | {"text": ""}})
            kind = "response.output_text"
            events += [{"type": f"{kind}.delta", **where, "delta": piece, "logprobs": []} for piece in PIECES]
            events.append({"type": f"{kind}.done", **where, "text": ANSWER, "logprobs": []})
            events.append({"type": "response.content_part.done", **where, "part": part})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response.completed", "response": response_body(case, turn)})
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


# --- Chat Completions -------------------------------------------------------------------------------------------


def chat_calls(case: str, turn: int) -> list[dict[str, Any]]:
    """Return the tool calls of one answer."""
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls_of(case, turn)
    ]


def chat_usage(case: str, turn: int) -> dict[str, int]:
    """Return the usage of one answer."""
    into, out = usage(case, turn)
    return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}


def chat_frame(turn: int, kind: str) -> dict[str, Any]:
    """Return what an answer and a chunk of one have in common."""
    return {
        "id": f"chatcmpl-{turn:04d}",
        "object": kind,
        "created": 1790000000,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def chat_body(case: str, turn: int) -> dict[str, Any]:
    """Return one completion."""
    calls = chat_calls(case, turn)
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else ANSWER, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    finish = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {**chat_frame(turn, "chat.completion"), "choices": [choice], "usage": chat_usage(case, turn)}


def chat_chunks(case: str, turn: int) -> list[dict[str, Any]]:
    """Return the chunks of one streamed completion."""
    calls = chat_calls(case, turn)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if calls else "", "refusal": None}]
    for index, call in enumerate(calls):
        text: str = call["function"]["arguments"]
        function = {"name": call["function"]["name"], "arguments": ""}
        deltas.append(
            {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": function}]}
        )
        pieces = [text[i : i + 12] for i in range(0, len(text), 12)]
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces]
    deltas += [] if calls else [{"content": piece} for piece in PIECES]
    frame = chat_frame(turn, "chat.completion.chunk")
    chunks: list[dict[str, Any]] = [
        {
            **frame,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
            "usage": None,
        }
        for delta in deltas
    ]
    end: dict[str, Any] = {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "tool_calls" if calls else "stop",
    }
    chunks.append({**frame, "choices": [end], "usage": None})
    chunks.append({**frame, "choices": [], "usage": chat_usage(case, turn)})
    return chunks


# --- HTTP -------------------------------------------------------------------------------------------------------


def dumps(data: Any) -> bytes:
    """Write compact JSON."""
    return json.dumps(data, separators=(",", ":")).encode()


def sse(data: dict[str, Any], *, named: bool) -> bytes:
    """Write one server-sent event as one HTTP chunk."""
    text = (b"event: %b\n" % data["type"].encode() if named else b"") + b"data: %b\n\n" % dumps(data)
    return b"%x\r\n%b\r\n" % (len(text), text)


@lru_cache(maxsize=4096)
def answer(path: str, turn: int, stream: bool) -> bytes:
    """Return the whole HTTP response for a turn."""
    _, case, _, endpoint = path.split("/", 3)
    responses = endpoint == "responses"
    if not stream:
        body = dumps(response_body(case, turn) if responses else chat_body(case, turn))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\ncontent-length: %d\r\n\r\n"
        return head % len(body) + body
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_1\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )
    if responses:
        events = b"".join(sse(event, named=True) for event in response_events(case, turn))
    else:
        chunks = b"".join(sse(chunk, named=False) for chunk in chat_chunks(case, turn))
        events = chunks + b"e\r\ndata: [DONE]\n\n\r\n"
    return head + events + b"0\r\n\r\n"


def next_turn(body: bytes) -> int:
    """Return the turn that a request asks for: one more than that of the last call in its history."""
    at = body.rfind(b'"tc_')
    return int(body[at + 4 : at + 8]) + 1 if at >= 0 else 0


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests have a content-length."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._missing = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send answers at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while len(self._buffer) >= self._missing and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            size = end + 4 + (int(length.group(1)) if length else 0)
            if len(self._buffer) < size:
                self._missing = size
                return
            body = bytes(self._buffer[end + 4 : size])
            del self._buffer[:size]
            self._missing = 0
            path = head.split(b" ", 2)[1].decode()
            streams = b'"stream":true' in body or b'"stream": true' in body
            assert self._transport is not None
            self._transport.write(answer(path, next_turn(body), streams))


async def serve() -> None:
    """Serve on a free port of this machine until standard input is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
