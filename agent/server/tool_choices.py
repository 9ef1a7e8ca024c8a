"""Check `tool_choice` against the tools of the request, both in the flat shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from .api_errors import invalid, invalid_value, missing
from .json_data import array_of, object_of

__all__ = ["check_tool_choice"]

_WORDS = ("none", "auto", "required")
_HOSTED = frozenset(
    {
        "file_search",
        "web_search",
        "web_search_preview",
        "computer",
        "computer_use_preview",
        "code_interpreter",
        "image_generation",
        "shell",
        "apply_patch",
        "programmatic_tool_calling",
        "mcp",
    }
)


def check_tool_choice(choice: Any, tools: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a choice that names no tool of the request, or that is none of the known forms."""
    if isinstance(choice, str):
        if choice not in _WORDS:
            raise invalid_value("tool_choice", choice, _WORDS)
        if choice == "required" and not tools:
            raise invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        return
    chosen = cast("Mapping[str, Any]", choice)
    kind = chosen.get("type")
    if kind is None:
        raise missing("tool_choice.type")
    if kind == "allowed_tools":
        _check_allowed(chosen, tools)
    else:
        _check_named(chosen, tools, "tool_choice")


def _check_allowed(choice: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> None:
    if choice.get("mode") not in ("auto", "required"):
        raise invalid_value("tool_choice.mode", choice.get("mode"), ("auto", "required"))
    if "tools" not in choice:
        raise missing("tool_choice.tools")
    allowed = choice["tools"]
    if not isinstance(allowed, list) or not allowed:
        raise invalid(
            "Invalid 'tool_choice.tools': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            "tool_choice.tools",
            "empty_array",
        )
    for index, entry in enumerate(array_of(allowed)):
        _check_named(entry, tools, f"tool_choice.tools[{index}]")


def _check_named(chosen: Any, tools: Sequence[Mapping[str, Any]], path: str) -> None:
    given = object_of(chosen)
    kind = given.get("type")
    if kind in ("function", "custom"):
        name = given.get("name")
        if not isinstance(name, str):
            raise missing(f"{path}.name")
        if not any(tool.get("type") == kind and tool.get("name") == name for tool in _all(tools)):
            raise invalid(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
    elif isinstance(kind, str) and kind in _HOSTED:
        if not any(str(tool.get("type", "")).startswith(kind) for tool in tools):
            raise invalid(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")
    else:
        raise invalid_value(f"{path}.type", kind, ("function", "custom", "allowed_tools", *sorted(_HOSTED)))


def _all(tools: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tools with those inside namespaces."""
    inner = [entry for tool in tools if tool.get("type") == "namespace" for entry in tool.get("tools") or ()]
    return [*tools, *inner]
