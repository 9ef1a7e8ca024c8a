"""A history of items into the messages of Chat Completions, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from jigwork.errors import ConfigurationError

from ..hosted_calls import HOSTED_CALLS, HOSTED_OUTPUTS, as_function_item
from ..items import PROVIDER_KEY, Item, is_call, is_message, output_text, refusal_text
from .history import as_object
from .profiles import Profile

__all__ = ["Message", "MessageWriter", "system_messages"]

Message = dict[str, Any]
_SYSTEM = ("system", "developer")


class MessageWriter:
    """Writes messages as this server takes them.

    One response of the model becomes one assistant message: text, calls and what this provider keeps private.
    With `provider` None nothing private is sent. A message that was already sent is never changed, only replaced. Images and files in tool outputs, which a
    tool message cannot hold, follow in a user message after the last output of the turn.
    """

    def __init__(self, profile: Profile, provider: str | None) -> None:
        self.call_ids: set[str] = set()
        self._profile = profile
        self._provider = provider
        self._messages: list[Message] = []
        self._extendable = False
        self._reasoning: Message = {}
        self._attached: list[Message] = []

    def messages(self) -> list[Message]:
        """Return the messages of everything that was added, as a new list."""
        return [*self._messages, *self._attachment()]

    def add(self, item: Item) -> None:
        """Take the next item. Types that Chat Completions does not know are left out."""
        kind = item.get("type", "message" if "role" in item else None)
        if kind in HOSTED_OUTPUTS or kind in HOSTED_CALLS:
            written = as_function_item(item) if is_call(item) or kind in HOSTED_OUTPUTS else None
            if written is None or (kind in HOSTED_OUTPUTS and written["call_id"] not in self.call_ids):
                return  # what a server did by itself, or asked to be allowed
            item, kind = written, written["type"]
        if kind in ("function_call_output", "custom_tool_call_output"):
            self._add_output(item)
            return
        self._messages += self._attachment()
        self._attached = []
        if is_call(item):
            self.call_ids.add(str(item["call_id"]))
            self._add_call(item)
        elif is_message(item, "assistant"):
            self._add_answer(item)
        elif kind == "message":
            self._extendable = False
            self._reasoning = {}
            self._messages.append(self._said(item))
        elif kind == "reasoning":
            self._keep_reasoning(item)

    # --- the model's side

    def _keep_reasoning(self, item: Item) -> None:
        """Keep for the next assistant message what this provider wants back; another's reasoning is dropped."""
        everyone: Any = item.get(PROVIDER_KEY)
        private: Any = everyone.get(self._provider) if everyone else None
        if private is None:
            return
        if self._extendable and "tool_calls" not in self._messages[-1]:
            self._extendable = False
        fields: Any = private.get("message")
        self._reasoning = {**fields} if fields else {}
        if field := private.get("text_field"):
            parts: list[Any] = item.get("content") or []
            self._reasoning[field] = "".join(str(part.get("text") or "") for part in parts)

    def _add_answer(self, item: Item) -> None:
        text, refusal = output_text(item), refusal_text(item)
        message: Message = {"role": "assistant", "content": text if text or refusal is None else None}
        if refusal is not None:
            message["refusal"] = refusal
        private = self._private(item, "message")
        last = self._messages[-1] if self._extendable else None
        if last is not None and "tool_calls" in last:
            # Tool messages must follow their calls directly: what was said after them joins what was said before.
            before = last["content"]
            self._messages[-1] = {**last, **private, "content": f"{before}\n\n{text}" if before else text}
            return
        self._messages.append({**message, **self._reasoning, **private})
        self._reasoning = {}
        self._extendable = True

    def _add_call(self, item: Item) -> None:
        if not self._extendable:
            nothing = None if self._profile.empty_content == "null" else ""
            self._messages.append({"role": "assistant", "content": nothing, **self._reasoning})
            self._reasoning = {}
            self._extendable = True
        last = self._messages[-1]
        call = {**self._call(item), **self._private(item, "call")}
        self._messages[-1] = {
            **last,
            **self._private(item, "message"),
            "tool_calls": [*last.get("tool_calls", ()), call],
        }

    def _call(self, item: Item) -> dict[str, Any]:
        name, call_id = item.get("name", ""), item["call_id"]
        if item["type"] == "custom_tool_call":
            if self._profile.custom_tools:
                return {
                    "id": call_id,
                    "type": "custom",
                    "custom": {"name": name, "input": item.get("input") or ""},
                }
            arguments = orjson.dumps({"input": item.get("input") or ""}).decode()
        else:
            arguments = item.get("arguments") or "{}"
            if self._profile.json_arguments:
                arguments = as_object(arguments)
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    def _private(self, item: Item, where: str) -> Mapping[str, Any]:
        data: Any = item.get(PROVIDER_KEY)
        return data.get(self._provider, {}).get(where) or {} if data else {}

    # --- our side

    def _add_output(self, item: Item) -> None:
        self._extendable = False
        output: Any = item.get("output")
        text = output
        if not isinstance(output, str):
            parts: list[Any] = list(output or ())
            text = "\n".join(
                str(p.get("text") or "") for p in parts if p.get("type") in ("input_text", "output_text")
            )
            others = [_part(p) for p in parts if p.get("type") not in ("input_text", "output_text")]
            if others:
                self._attached.append({"type": "text", "text": f"Output of call {item['call_id']}:"})
                self._attached += others
                text = text or "The output is in the next message."
        self._messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": text})

    def _attachment(self) -> list[Message]:
        return [{"role": "user", "content": list(self._attached)}] if self._attached else []

    def _said(self, item: Item) -> Message:
        role = str(item.get("role"))
        if role in _SYSTEM:
            role = self._profile.system_role
        content: Any = item.get("content")
        if not isinstance(content, str):
            content = [_part(part) for part in content or ()]
            if len(content) == 1 and content[0].get("type") == "text":
                content = content[0]["text"]
        return {"role": role, "content": content}


def system_messages(messages: Sequence[Message], instructions: str | None, profile: Profile) -> list[Message]:
    """Return the messages with the instructions in front, in one system message where the server takes only one."""
    if not instructions and not profile.single_system:
        return list(messages)
    head: list[str] = [instructions] if instructions else []
    rest = 0
    while profile.single_system and rest < len(messages) and messages[rest]["role"] in _SYSTEM:
        content = messages[rest]["content"]
        head.append(content if isinstance(content, str) else "\n\n".join(p.get("text", "") for p in content))
        rest += 1
    if not head:
        return list(messages)
    return [{"role": profile.system_role, "content": "\n\n".join(head)}, *messages[rest:]]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """Rewrite one content part; raises ConfigurationError for what Chat Completions has no form for."""
    kind = part.get("type")
    if kind in ("input_text", "output_text"):
        return {"type": "text", "text": part.get("text") or ""}
    if kind == "input_image":
        if not part.get("image_url"):
            raise ConfigurationError(
                "an image by file_id needs endpoint='responses'; give the image itself, or its URL"
            )
        image = {"url": part["image_url"]}
        if part.get("detail"):
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}
    if kind == "input_file":
        if part.get("file_url"):
            raise ConfigurationError("a file by URL needs endpoint='responses'; give the file itself")
        names = ("file_data", "file_id", "filename")
        return {"type": "file", "file": {name: part[name] for name in names if part.get(name)}}
    return dict(part)
