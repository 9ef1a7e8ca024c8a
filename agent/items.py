"""Items: the history of a run, as the Responses API writes it.

An item is a plain dict, kept exactly as the server sent it and in its order, unknown types included. This module
is the only place that knows how to look into one. What only one provider understands lies under `PROVIDER_KEY`
and is taken out for every other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from .hosted_calls import HOSTED_CALLS, HOSTED_OUTPUTS, asked_text, called_name, is_ours, output_fields
from .hosted_calls import tool_key as _hosted_key

__all__ = [
    "PROVIDER_KEY",
    "Item",
    "Part",
    "assistant_message",
    "call_id",
    "call_name",
    "call_output",
    "call_text",
    "final_text",
    "input_items",
    "is_call",
    "is_call_output",
    "is_message",
    "is_written_call",
    "output_text",
    "refusal_text",
    "tool_key",
    "user_message",
]

Item: TypeAlias = dict[str, Any]
"""One entry of the history: `message`, `reasoning`, `function_call`, `custom_tool_call`, their outputs, and so on."""

Part: TypeAlias = dict[str, Any]
"""One content part: `input_text`, `input_image`, `input_file`, `output_text`, `refusal`."""

PROVIDER_KEY = "provider_data"
"""Key of an item under which one provider's private fields lie: `{"provider_data": {"openrouter": {...}}}`."""

_CALLS = frozenset({"function_call", "custom_tool_call"})
_OUTPUTS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_OUTPUT_TYPES = frozenset(_OUTPUTS.values())


def user_message(content: str | Sequence[Part]) -> Item:
    """Make a user message of a text or of content parts."""
    return _message("user", content)


def assistant_message(text: str) -> Item:
    """Make an assistant message, as one writes a history by hand."""
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _message(role: str, content: str | Sequence[Part]) -> Item:
    return {
        "type": "message",
        "role": role,
        "content": content if isinstance(content, str) else list(content),
    }


def input_items(x: str | Sequence[Mapping[str, Any]] | None) -> list[Item]:
    """Turn what a run is given into items: a text, a list of content parts, a list of items, or nothing.

    A list whose first entry is a content part (`input_text`, `input_image`, `input_file`) is one user message.
    """
    if x is None:
        return []
    if isinstance(x, str):
        return [user_message(x)]
    entries = [dict(entry) for entry in x]
    if entries and str(entries[0].get("type", "")).startswith("input_"):
        return [user_message(entries)]
    return entries


def is_message(item: Mapping[str, Any], role: str | None = None) -> bool:
    """Tell whether this is a message (of that role). A dict with a role and no type is one too."""
    kind = item.get("type", "message" if "role" in item else None)
    return kind == "message" and (role is None or item.get("role") == role)


def is_call(item: Mapping[str, Any]) -> bool:
    """Tell whether the model asks here for something on this side: a tool of ours, or a hosted one that runs here."""
    return item.get("type") in _CALLS or is_ours(item)


def is_written_call(item: Mapping[str, Any]) -> bool:
    """Tell whether this is a call by name with a text that the model writes: JSON arguments, or raw input."""
    return item.get("type") in _CALLS


def is_call_output(item: Mapping[str, Any]) -> bool:
    """Tell whether this is the answer to a call of this side."""
    return item.get("type") in _OUTPUT_TYPES or item.get("type") in HOSTED_OUTPUTS


def call_id(item: Mapping[str, Any]) -> str:
    """Return the id that pairs a call with its output."""
    kind = str(item.get("type"))
    return str(item["id"] if kind == "mcp_approval_request" else item[HOSTED_OUTPUTS.get(kind, "call_id")])


def call_name(item: Mapping[str, Any]) -> str:
    """Return the name of the tool that a call asks for."""
    return called_name(item) if item.get("type") in HOSTED_CALLS else str(item.get("name", ""))


def tool_key(item: Mapping[str, Any]) -> str:
    """Return the name of the tool that runs a call: the name in the call, but for hosted MCP servers."""
    return _hosted_key(item) if item.get("type") in HOSTED_CALLS else str(item.get("name", ""))


def call_text(item: Mapping[str, Any]) -> str:
    """Return what the model wrote for the tool: JSON arguments of a function call, raw input of a custom call."""
    if item.get("type") in HOSTED_CALLS:
        return asked_text(item)
    return str(item.get("input" if item.get("type") == "custom_tool_call" else "arguments") or "")


def call_output(
    call: Mapping[str, Any], output: str | Sequence[Mapping[str, Any]], *, status: str = "ok"
) -> Item:
    """Make the output item that answers `call`; `caller` is copied, as programmatic calls need it.

    `status` is that of the outcome: some hosted calls are told of it in a field of their own.
    """
    kind = str(call["type"])
    if kind in HOSTED_CALLS:
        item: Item = {"type": HOSTED_CALLS[kind], **output_fields(call, output, status)}
    else:
        item = {
            "type": _OUTPUTS[kind],
            "call_id": call["call_id"],
            "output": output if isinstance(output, str) else list(output),
        }
    if call.get("caller") is not None:
        item["caller"] = call["caller"]
    return item


def _parts(item: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    content: Any = item.get("content")
    return [p for p in content if isinstance(p, Mapping)] if isinstance(content, list) else []  # pyright: ignore


def output_text(item: Mapping[str, Any]) -> str:
    """Return the text of a message, all its text parts in order; "" for anything else."""
    content: Any = item.get("content")
    if isinstance(content, str):
        return content
    return "".join(
        str(p.get("text") or "") for p in _parts(item) if p.get("type") in ("output_text", "input_text")
    )


def refusal_text(item: Mapping[str, Any]) -> str | None:
    """Return what the model said when it refused, or None when this message holds no refusal."""
    for part in _parts(item):
        if part.get("type") == "refusal":
            return str(part.get("refusal") or "")
    return None


def final_text(items: Sequence[Item]) -> str:
    """Return the text of the last assistant message that is no commentary; "" where there is none.

    Preambles (`phase: commentary`) are not part of the answer, although the SDK's `output_text` joins them in.
    """
    for item in reversed(items):
        if is_message(item, "assistant") and item.get("phase") != "commentary":
            return output_text(item)
    return ""
