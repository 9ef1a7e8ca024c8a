"""Read the body of `POST /v1/chat/completions` into a `ServedRequest`: messages become items, tools become flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..items import Item, Part
from .api_errors import ApiError, missing, wrong_type
from .chat_messages import check_messages
from .checks import string
from .json_data import array_of, object_of, objects_of
from .model_limits import check_model_limits
from .parameters import CHAT, check_parameters
from .requests import Body, ServedRequest
from .tool_choices import check_tool_choice
from .tool_shapes import check_format, check_json_mode, check_tools

__all__ = ["read_chat"]


def read_chat(body: Body, headers: Mapping[str, str], *, strict: bool) -> ServedRequest:
    """Return the normalised request; raises `ApiError` as the real API would. `strict=False` checks only what
    cannot be done without."""
    if not body.get("model"):
        raise ApiError("you must provide a model parameter")
    string()("model", body["model"])
    messages = body.get("messages")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "an array of objects", messages)
    given = array_of(messages)
    for index, message in enumerate(given):
        if not isinstance(message, dict):
            raise wrong_type(f"messages[{index}]", "an object", message)
    if strict:
        check_parameters(body, CHAT)
        check_messages(given)
        check_tools(body.get("tools") or (), endpoint="chat")
        _check_choice_shape(body.get("tool_choice"))
    items = list(_items(given))
    request = ServedRequest(
        endpoint="chat",
        model=body["model"],
        items=items,
        sent=items,
        tools=[_flat_tool(tool) for tool in objects_of(body.get("tools"))],
        tool_choice=_flat_choice(body.get("tool_choice")),
        format=_flat_format(body.get("response_format")),
        stream=body.get("stream") is True,
        body=body,
        headers=headers,
    )
    if strict:
        check_tool_choice(request.tool_choice, request.tools)
        check_format(body.get("response_format"), "response_format")
        check_json_mode(request)
        check_model_limits(request)
    return request


def _items(messages: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    kinds: dict[str, str] = {}
    for message in messages:
        role = message.get("role")
        if role == "tool":
            call_id = str(message.get("tool_call_id"))
            kind = kinds.get(call_id, "function_call")
            yield {"type": f"{kind}_output", "call_id": call_id, "output": _text(message.get("content"))}
            continue
        content = message.get("content")
        if content or role != "assistant":
            yield {"type": "message", "role": role, "content": _content(content, role == "assistant")}
        elif message.get("refusal"):
            part = {"type": "refusal", "refusal": message["refusal"]}
            yield {"type": "message", "role": role, "content": [part]}
        for call in objects_of(message.get("tool_calls")):
            item = _call(call)
            kinds[item["call_id"]] = item["type"]
            yield item


def _text(content: Any) -> Any:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in objects_of(content))
    return content or ""


def _content(content: Any, ours: bool) -> Any:
    if not isinstance(content, list):
        if ours:
            return [{"type": "output_text", "text": content or "", "annotations": []}]
        return content or ""
    return [_part(part, ours) for part in objects_of(content)]


def _part(part: Mapping[str, Any], ours: bool) -> Part:
    kind = part.get("type")
    if kind == "text":
        text = part.get("text", "")
        return (
            {"type": "output_text", "text": text, "annotations": []}
            if ours
            else {"type": "input_text", "text": text}
        )
    if kind == "image_url":
        image = object_of(part.get("image_url"))
        return {
            "type": "input_image",
            "image_url": image.get("url"),
            "detail": image.get("detail") or "auto",
        }
    if kind == "file":
        return {"type": "input_file", **object_of(part.get("file"))}
    return dict(part)


def _call(call: Mapping[str, Any]) -> Item:
    if call.get("type") == "custom":
        custom = object_of(call.get("custom"))
        return {
            "type": "custom_tool_call",
            "call_id": str(call.get("id")),
            "name": custom.get("name"),
            "input": custom.get("input"),
        }
    function = object_of(call.get("function"))
    return {
        "type": "function_call",
        "call_id": str(call.get("id")),
        "name": function.get("name"),
        "arguments": function.get("arguments"),
    }


def _flat_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    kind = tool.get("type")
    inner = object_of(tool.get(str(kind)))
    if not inner:
        return dict(tool)
    flat: dict[str, Any] = {"type": kind, **inner}
    if grammar := object_of(object_of(flat.get("format")).get("grammar")):
        flat["format"] = {"type": "grammar", **grammar}
    return flat


def _flat_choice(choice: Any) -> Any:
    given = object_of(choice)
    if not given:
        return choice or "auto"
    kind = given.get("type")
    inner = object_of(given.get(str(kind)))
    if not inner:
        return given
    flat: dict[str, Any] = {"type": kind, **inner}
    if kind == "allowed_tools":
        flat["tools"] = [_flat_choice(entry) for entry in array_of(flat.get("tools"))]
    return flat


def _check_choice_shape(choice: Any) -> None:
    """Refuse the flat shape of the other endpoint."""
    given = object_of(choice)
    kind = given.get("type")
    if kind in ("function", "custom", "allowed_tools") and kind not in given:
        raise missing(f"tool_choice.{kind}")


def _flat_format(form: Any) -> Mapping[str, Any] | None:
    given = object_of(form)
    inner = object_of(given.get("json_schema"))
    return {"type": "json_schema", **inner} if inner else given or None
