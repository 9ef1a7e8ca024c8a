"""Check the items of a Responses request: their shapes, their ids, and what must stand beside what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..items import Item
from .api_errors import ApiError, invalid, invalid_value, missing
from .checks import (
    Check,
    anything,
    array,
    boolean,
    choice,
    either,
    literal,
    mapping,
    name,
    nullable,
    record,
    string,
    tagged,
)
from .hosted_shapes import HOSTED_ANSWERS, HOSTED_ITEMS, HOSTED_SPOKEN, is_server_shell
from .responses_wire import NOT_FINAL
from .stored import ResponseStore

__all__ = ["check_history", "check_items"]

_STATUS = choice("in_progress", "completed", "incomplete")
_DETAIL = choice("low", "high", "auto", "original")
_BREAKPOINT: dict[str, Check] = {"prompt_cache_breakpoint": nullable(mapping)}
_INPUT_PARTS: dict[str, Check] = {
    "input_text": record({"type": string(), "text": string(), **_BREAKPOINT}, ("text",)),
    "input_image": record(
        {
            "type": string(),
            "image_url": nullable(string()),
            "file_id": nullable(string()),
            "detail": nullable(_DETAIL),
            **_BREAKPOINT,
        }
    ),
    "input_file": record(
        {
            "type": string(),
            "file_data": nullable(string()),
            "file_id": nullable(string()),
            "file_url": nullable(string()),
            "filename": nullable(string()),
            "detail": nullable(_DETAIL),
            **_BREAKPOINT,
        }
    ),
}
_OUTPUT_PARTS: dict[str, Check] = {
    "output_text": record(
        {"type": string(), "text": string(), "annotations": array(), "logprobs": nullable(array())}, ("text",)
    ),
    "refusal": record({"type": string(), "refusal": string()}, ("refusal",)),
}


def _content(parts: Mapping[str, Check]) -> Check:
    return either(string(), array(tagged(parts)), expected="an array of objects or string")


_CONTENT = {"assistant": _content(_OUTPUT_PARTS)}
_INPUT_CONTENT = _content(_INPUT_PARTS)


def _call_id(path: str, value: Any) -> None:
    string(64)(path, value)
    if not value:
        raise invalid(
            f"Invalid '{path}': empty string. Expected a string with minimum length 1, "
            "but got an empty string instead.",
            path,
            "empty_string",
        )


def _starts(prefix: str) -> Check:
    def run(path: str, value: Any) -> None:
        string(64 + len(prefix))(path, value)
        if not value.startswith(prefix):
            message = f"Invalid '{path}': '{value}'. Expected an ID that begins with '{prefix}'."
            raise invalid(message, path, "invalid_value")

    return run


_CALL: dict[str, Check] = {
    "type": string(),
    "call_id": _call_id,
    "status": _STATUS,
    "caller": nullable(mapping),
    "async": boolean,
}
_NAMED: dict[str, Check] = {"name": name, "namespace": nullable(string())}
_TEXTS = record({"type": choice("summary_text", "reasoning_text"), "text": string()}, ("type", "text"))

_ITEMS: dict[str, Check] = {
    "message": record(
        {
            "type": literal("message"),
            "id": _starts("msg"),
            "role": choice("user", "assistant", "system", "developer"),
            "content": anything,
            "status": _STATUS,
            "phase": nullable(choice("commentary", "final_answer")),
        },
        ("role", "content"),
    ),
    "function_call": record(
        {**_CALL, **_NAMED, "id": _starts("fc"), "arguments": string()}, ("call_id", "name", "arguments")
    ),
    "custom_tool_call": record(
        {**_CALL, **_NAMED, "id": _starts("ctc"), "input": string()}, ("call_id", "name", "input")
    ),
    "function_call_output": record(
        {**_CALL, **_NAMED, "id": string(), "output": _INPUT_CONTENT}, ("call_id", "output")
    ),
    "custom_tool_call_output": record(
        {**_CALL, "id": string(), "output": _INPUT_CONTENT}, ("call_id", "output")
    ),
    "reasoning": record(
        {
            "type": string(),
            "id": _starts("rs"),
            "summary": array(_TEXTS),
            "content": nullable(array(_TEXTS)),
            "encrypted_content": nullable(string()),
            "status": nullable(_STATUS),
        },
        ("id", "summary"),
    ),
    "compaction": record(
        {"type": string(), "id": nullable(string()), "encrypted_content": string()}, ("encrypted_content",)
    ),
    "item_reference": record({"type": nullable(string()), "id": string()}, ("id",)),
    **HOSTED_ITEMS,
}

_OTHERS = (
    "additional_tools",
    "code_interpreter_call",
    "compaction_trigger",
    "computer_call",
    "computer_call_output",
    "configuration_update",
    "file_search_call",
    "image_generation_call",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "web_search_call",
)
"""Items that are known and echoed back as they came: only their type is checked."""

_ANSWERS: Mapping[str, tuple[str, str]] = {
    "function_call_output": ("function_call", "call_id"),
    "custom_tool_call_output": ("custom_tool_call", "call_id"),
    **HOSTED_ANSWERS,
}
_SPOKEN = {"function_call": "function call", "custom_tool_call": "custom tool call", **HOSTED_SPOKEN}
_MADE_AFTER_REASONING = frozenset({"reasoning", "message", *_SPOKEN, "tool_search_call", *_OTHERS})


def check_items(items: Sequence[Item], *, store: ResponseStore, stored: bool) -> None:
    """Refuse wrong shapes, ids that are twice there, and ids that the server cannot know (`stored` is `store`)."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        _check_item(item, f"input[{index}]", store)
        item_id = item.get("id")
        if item_id is not None:
            if item_id in seen:
                raise invalid(
                    f"Duplicate item found with id {item_id}. Remove duplicate items from your input and try again.",
                    "input",
                )
            seen.add(item_id)
        _check_kept(item, store, stored)


def _check_item(item: Item, path: str, store: ResponseStore) -> None:
    kind = item.get("type", "message" if "role" in item else "item_reference" if "id" in item else None)
    if kind is None and "id" in item:
        kind = "item_reference"
    if kind is None:
        raise missing(f"{path}.type")
    check = _ITEMS.get(kind) if isinstance(kind, str) else None
    if check is None and isinstance(kind, str) and (kind in _OTHERS or kind in store.made_types):
        return
    if check is None:
        raise invalid_value(f"{path}", kind, sorted((*_ITEMS, *_OTHERS)))
    check(path, item)
    if kind == "message":
        _CONTENT.get(item["role"], _INPUT_CONTENT)(f"{path}.content", item["content"])


def _check_kept(item: Item, store: ResponseStore, stored: bool) -> None:
    """Refuse items that stand for something the server has not kept."""
    kind, item_id = item.get("type"), str(item.get("id"))
    encrypted = item.get("encrypted_content")
    if isinstance(encrypted, str) and encrypted.startswith(NOT_FINAL):
        raise invalid(
            f"The encrypted content {encrypted[:12]}... could not be verified. Reason: Encrypted content could not "
            "be decrypted or parsed.",
            "input",
            "invalid_encrypted_content",
        )
    reference = kind in (None, "item_reference") and "role" not in item
    if (reference or (kind == "reasoning" and not encrypted)) and store.item(item_id) is None:
        hint = (
            ""
            if stored
            else (
                " Items are not persisted when `store` is set to false. Try again with `store` set to true, or "
                "remove this item from your input."
            )
        )
        raise ApiError(f"Item with id '{item_id}' not found.{hint}", param="input", status=404)


def check_history(items: Sequence[Item], *, store: ResponseStore, chained: int) -> None:
    """Refuse calls without exactly one output and reasoning without what it led to. The first `chained` items
    are the server's own."""
    _check_calls(items)
    _check_reasoning(items, store, chained)


def _check_calls(items: Sequence[Item]) -> None:
    calls: dict[str, str] = {}
    answered, servers = set[str](), set[str]()
    for item in items:
        kind = item.get("type")
        if kind in _SPOKEN:
            call_id = str(item.get("id" if kind == "mcp_approval_request" else "call_id"))
            if call_id in calls:
                raise invalid(f"Duplicate tool call found with call_id {call_id}.", "input")
            calls[call_id] = cast("str", kind)
            if is_server_shell(item):
                servers.add(call_id)
        elif kind in _ANSWERS:
            called, key = _ANSWERS[cast("str", kind)]
            call_id = str(item.get(key))
            if calls.get(call_id) != called:
                raise invalid(
                    f"No tool call found for {_SPOKEN[called]} output with call_id {call_id}.", "input"
                )
            if call_id in answered:
                raise invalid(f"Duplicate tool output found for call_id {call_id}.", "input")
            answered.add(call_id)
    for call_id, kind in calls.items():
        if call_id not in answered and call_id not in servers and kind != "mcp_approval_request":
            raise invalid(f"No tool output found for {_SPOKEN[kind]} {call_id}.", "input")


def _check_reasoning(items: Sequence[Item], store: ResponseStore, chained: int) -> None:
    for index, item in enumerate(items):
        if index < chained:
            continue
        following = items[index + 1] if index + 1 < len(items) else None
        if item.get("type") == "reasoning" and not _follows(following, store):
            raise invalid(
                f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item.",
                "input",
            )
        needed = store.reasoning_of(str(item.get("id")))
        if needed is not None and (index == 0 or items[index - 1].get("id") != needed):
            raise invalid(
                f"Item '{item.get('id')}' of type '{item.get('type')}' was provided without its required "
                f"'reasoning' item: '{needed}'.",
                "input",
            )


def _follows(item: Item | None, store: ResponseStore) -> bool:
    """Tell whether a model can have made this item after its reasoning."""
    if item is None:
        return False
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") == "assistant"
    return kind in _MADE_AFTER_REASONING or (kind not in _ITEMS and kind in store.made_types)
