"""An answer: a scripted `Reply` made definite (ids, items, usage), before it is written for one endpoint."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..items import Item, is_written_call
from ..replies import Reply, ScriptedCall
from ..usage import Usage
from .json_data import array_of
from .requests import ServedRequest
from .tokens import item_tokens, text_tokens

__all__ = ["Answer", "make_answer", "new_id", "pieces"]

_ID_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What will be said. `items` are complete output items; `failed` is the error of a failed response."""

    request: ServedRequest
    reply: Reply
    id: str
    created: int
    items: Sequence[Item]
    usage: Usage
    failed: Mapping[str, Any] | None = None

    @property
    def status(self) -> str:
        """`completed`, `incomplete` or `failed`."""
        if self.failed is not None:
            return "failed"
        return "completed" if self.reply.incomplete is None else "incomplete"

    @property
    def calls(self) -> list[Item]:
        """The calls of our tools, in order."""
        return [item for item in self.items if is_written_call(item)]


def new_id(prefix: str) -> str:
    """Return a fresh id such as `fc_5f1c...`."""
    return f"{prefix}_{secrets.token_hex(16)}"


def pieces(text: str, size: int) -> Iterator[str]:
    """Cut a text into deltas of `size` characters; an empty text has none."""
    step = max(1, size)
    for start in range(0, len(text), step):
        yield text[start : start + step]


def make_answer(request: ServedRequest, reply: Reply, *, failed: Mapping[str, Any] | None = None) -> Answer:
    """Give a reply its ids, its item statuses and its usage (estimated where the reply has none)."""
    items = list(_items(request, reply))
    if reply.incomplete is not None and items and "status" in items[-1]:
        items[-1] = {**items[-1], "status": "incomplete"}
    return Answer(
        request=request,
        reply=reply,
        id=new_id("resp") if request.endpoint == "responses" else f"chatcmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        items=items,
        usage=reply.usage if reply.usage is not None else _estimate(request, items, reply),
        failed=failed,
    )


def _items(request: ServedRequest, reply: Reply) -> Iterable[Item]:
    for item in reply.items:
        yield _as_output(item)
    if reply.reasoning is not None:
        yield _reasoning(request, reply.reasoning)
    content: list[dict[str, Any]] = []
    if reply.text is not None:
        text = _until_stop(reply.text, request.body.get("stop"))
        content.append({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    if reply.refusal is not None:
        content.append({"type": "refusal", "refusal": reply.refusal})
    if content:
        yield {
            "id": new_id("msg"),
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": content,
        }
    for call in reply.calls:
        yield _call(call)


def _until_stop(text: str, stop: Any) -> str:
    """Cut a text before the first stop sequence, as a server does that takes them."""
    for sequence in [stop] if isinstance(stop, str) else array_of(stop):
        text = text.split(sequence, 1)[0] if sequence else text
    return text


def _as_output(item: Item) -> Item:
    """Complete an item of a model or a script with what the wire requires; what it has is left as it is."""
    kind = str(item.get("type", "message" if "role" in item else ""))
    made = {"id": new_id(_ID_PREFIXES.get(kind, "item")), **item}
    if kind == "message":
        content: Any = item.get("content")
        parts = [{"type": "output_text", "text": content}] if isinstance(content, str) else array_of(content)
        full = [_full_part(part) for part in parts]
        return {"type": "message", "status": "completed", "role": "assistant", **made, "content": full}
    if kind == "function_call":
        return {"status": "completed", **made}
    if kind == "reasoning":
        return {"summary": [], **made}
    return made


def _full_part(part: dict[str, Any]) -> dict[str, Any]:
    return {"annotations": [], "logprobs": [], **part} if part.get("type") == "output_text" else part


def _reasoning(request: ServedRequest, text: str) -> Item:
    item: Item = {
        "id": new_id("rs"),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
    }
    if "reasoning.encrypted_content" in (array_of(request.body.get("include"))):
        item["encrypted_content"] = f"gAAAAAB{secrets.token_urlsafe(48)}"
    return item


def _call(call: ScriptedCall) -> Item:
    call_id = f"call_{secrets.token_hex(12)}" if call.call_id is None else call.call_id
    if call.input is not None:
        return {
            "id": new_id("ctc"),
            "type": "custom_tool_call",
            "call_id": call_id,
            "name": call.name,
            "input": call.input,
        }
    return {
        "id": new_id("fc"),
        "type": "function_call",
        "status": "completed",
        "arguments": call.arguments if isinstance(call.arguments, str) else _json(call.arguments),
        "call_id": call_id,
        "name": call.name,
    }


def _json(arguments: Mapping[str, Any] | None) -> str:
    return "{}" if arguments is None else orjson.dumps(arguments).decode()


def _estimate(request: ServedRequest, items: Sequence[Item], reply: Reply) -> Usage:
    asked = request.input_tokens
    thought = text_tokens(reply.reasoning or "")
    said = sum(item_tokens(item) for item in items)
    return Usage(
        requests=1,
        input_tokens=asked,
        output_tokens=said,
        reasoning_tokens=min(thought, said),
        total_tokens=asked + said,
    )
