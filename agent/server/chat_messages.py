"""Check the messages of a Chat Completions request: their shapes, and that tool messages answer their calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .api_errors import invalid, invalid_value, missing
from .checks import (
    Check,
    array,
    choice,
    either,
    mapping,
    name,
    nullable,
    record,
    string,
    tagged,
)

__all__ = ["check_messages"]

_TEXT = record({"type": string(), "text": string()}, ("text",))
_IMAGE = record({"url": string(), "detail": nullable(choice("auto", "low", "high", "original"))}, ("url",))
_FILE = record(
    {"file_data": nullable(string()), "file_id": nullable(string()), "filename": nullable(string())}
)
_AUDIO = record({"data": string(), "format": choice("wav", "mp3")}, ("data", "format"))
_USER_PARTS = tagged(
    {
        "text": _TEXT,
        "image_url": record({"type": string(), "image_url": _IMAGE}, ("image_url",)),
        "input_audio": record({"type": string(), "input_audio": _AUDIO}, ("input_audio",)),
        "file": record({"type": string(), "file": _FILE}, ("file",)),
    }
)
_ASSISTANT_PARTS = tagged(
    {"text": _TEXT, "refusal": record({"type": string(), "refusal": string()}, ("refusal",))}
)


def _content(parts: Check) -> Check:
    return either(string(), array(parts, low=1), expected="an array of objects or string")


_TEXTS = _content(tagged({"text": _TEXT}))
_CALL_NAME: Mapping[str, Check] = {"name": name}
_CALLS = array(
    tagged(
        {
            "function": record(
                {
                    "id": string(40),
                    "type": string(),
                    "function": record({**_CALL_NAME, "arguments": string()}, ("name", "arguments")),
                },
                ("id", "function"),
            ),
            "custom": record(
                {
                    "id": string(40),
                    "type": string(),
                    "custom": record({**_CALL_NAME, "input": string()}, ("name", "input")),
                },
                ("id", "custom"),
            ),
        }
    ),
    low=1,
)
_COMMON: Mapping[str, Check] = {"role": string(), "name": nullable(string())}
_ROLES: dict[str, Check] = {
    "system": record({**_COMMON, "content": _TEXTS}),
    "developer": record({**_COMMON, "content": _TEXTS}),
    "user": record({**_COMMON, "content": _content(_USER_PARTS)}),
    "assistant": record(
        {
            **_COMMON,
            "content": nullable(_content(_ASSISTANT_PARTS)),
            "refusal": nullable(string()),
            "tool_calls": _CALLS,
            "audio": nullable(mapping),
            "annotations": nullable(array()),
        }
    ),
    "tool": record({**_COMMON, "content": _TEXTS, "tool_call_id": string(40)}, ("tool_call_id",)),
}


def check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Refuse wrong shapes, calls that are not answered at once, and answers to no call."""
    for index, message in enumerate(messages):
        _check_message(message, index)
    _check_turns(messages)


def _check_message(message: Mapping[str, Any], index: int) -> None:
    path = f"messages[{index}]"
    role = message.get("role")
    if role is None:
        raise missing(f"{path}.role")
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid_value(f"{path}.role", role, _ROLES)
    empty = message.get("content") is None
    if role == "assistant":
        empty = empty and not any(message.get(key) for key in ("tool_calls", "refusal", "audio"))
    if empty:
        raise invalid(
            "Invalid value for 'content': expected a string, got null.",
            f"messages.[{index}].content",
        )
    _ROLES[role](path, message)


def _check_turns(messages: Sequence[Mapping[str, Any]]) -> None:
    """Hold every assistant message with calls to the tool messages that directly follow it."""
    wanted: list[str] = []
    answered: set[str] = set()
    caller = -1
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _check_answer(message, index, (wanted, answered))
            answered.add(message["tool_call_id"])
            continue
        _check_answered(wanted, answered, caller)
        wanted, caller = _ids(message, index), index
        answered.clear()
    _check_answered(wanted, answered, caller)


def _ids(message: Mapping[str, Any], index: int) -> list[str]:
    ids = [call["id"] for call in message.get("tool_calls") or ()]
    for call_id in ids:
        if ids.count(call_id) > 1:
            raise invalid(
                f"Duplicate value for 'id' of '{call_id}' in message[{index}].",
                f"messages.[{index}].tool_calls",
            )
    return ids


def _check_answer(message: Mapping[str, Any], index: int, turn: tuple[list[str], set[str]]) -> None:
    wanted, answered = turn
    call_id = message["tool_call_id"]
    if not wanted:
        raise invalid(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            f"messages.[{index}].role",
        )
    if call_id not in wanted:
        raise invalid(
            f"Invalid parameter: 'tool_call_id' of '{call_id}' not found in 'tool_calls' of previous message.",
            f"messages.[{index}].tool_call_id",
        )
    if call_id in answered:
        raise invalid(
            f"Duplicate value for 'tool_call_id' of '{call_id}' in message[{index}].",
            f"messages.[{index}].tool_call_id",
        )


def _check_answered(wanted: Sequence[str], answered: set[str], caller: int) -> None:
    open_calls = [call_id for call_id in wanted if call_id not in answered]
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(open_calls),
            f"messages.[{caller + 1 + len(answered)}].role",
        )
