"""The shapes of hosted tools, of their calls and of the answers to these, as the real API checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .api_errors import missing
from .checks import (
    Check,
    anything,
    array,
    boolean,
    choice,
    either,
    integer,
    mapping,
    nullable,
    record,
    string,
    tagged,
)
from .json_data import object_of

__all__ = ["HOSTED_ANSWERS", "HOSTED_ITEMS", "HOSTED_SPOKEN", "HOSTED_TOOLS", "is_server_shell"]

_STATUS = choice("in_progress", "completed", "incomplete")
_KIND: dict[str, Check] = {"type": string()}
_COMMON: dict[str, Check] = {**_KIND, "id": nullable(string()), "caller": nullable(mapping)}
_TYPES = tagged(
    {"exit": record({**_KIND, "exit_code": integer(-(1 << 31))}, ("exit_code",)), "timeout": record(_KIND)}
)
_OUTPUT = record({"stdout": string(), "stderr": string(), "outcome": _TYPES}, ("stdout", "stderr", "outcome"))
_ACTION = record(
    {
        "commands": array(string(), of="strings"),
        "timeout_ms": nullable(integer(0)),
        "max_output_length": nullable(integer(0)),
    },
    ("commands",),
)
_EXEC = record(
    {
        **_KIND,
        "command": array(string(), of="strings"),
        "env": mapping,
        "timeout_ms": nullable(integer(0)),
        "user": nullable(string()),
        "working_directory": nullable(string()),
    },
    ("command", "env"),
)
_PATCHED: dict[str, Check] = {**_KIND, "path": string(), "diff": string()}
_OPERATION = tagged(
    {
        "create_file": record(_PATCHED, ("path", "diff")),
        "update_file": record(_PATCHED, ("path", "diff")),
        "delete_file": record({**_KIND, "path": string()}, ("path",)),
    }
)
_SEARCH: dict[str, Check] = {
    **_KIND,
    "id": nullable(string()),
    "call_id": nullable(string()),
    "execution": choice("server", "client"),
    "status": nullable(_STATUS),
}

HOSTED_ITEMS: Mapping[str, Check] = {
    "shell_call": record(
        {
            **_COMMON,
            "call_id": string(),
            "action": _ACTION,
            "environment": nullable(mapping),
            "status": nullable(_STATUS),
        },
        ("call_id", "action"),
    ),
    "shell_call_output": record(
        {
            **_COMMON,
            "call_id": string(),
            "output": array(_OUTPUT),
            "max_output_length": nullable(integer(0)),
            "status": nullable(_STATUS),
        },
        ("call_id", "output"),
    ),
    "local_shell_call": record(
        {**_KIND, "id": string(), "call_id": string(), "action": _EXEC, "status": _STATUS},
        ("id", "call_id", "action", "status"),
    ),
    "local_shell_call_output": record(
        {**_KIND, "id": string(), "output": string(), "status": nullable(_STATUS)}, ("id", "output")
    ),
    "apply_patch_call": record(
        {
            **_COMMON,
            "call_id": string(),
            "operation": _OPERATION,
            "status": choice("in_progress", "completed"),
        },
        ("call_id", "operation", "status"),
    ),
    "apply_patch_call_output": record(
        {
            **_COMMON,
            "call_id": string(),
            "status": choice("completed", "failed"),
            "output": nullable(string()),
        },
        ("call_id", "status"),
    ),
    "mcp_approval_request": record(
        {**_KIND, "id": string(), "arguments": string(), "name": string(), "server_label": string()},
        ("id", "arguments", "name", "server_label"),
    ),
    "mcp_approval_response": record(
        {
            **_KIND,
            "id": nullable(string()),
            "approval_request_id": string(),
            "approve": boolean,
            "reason": nullable(string()),
        },
        ("approval_request_id", "approve"),
    ),
    "tool_search_call": record({**_SEARCH, "arguments": anything}, ("arguments",)),
    "tool_search_output": record({**_SEARCH, "tools": array(mapping)}, ("tools",)),
}

HOSTED_ANSWERS: Mapping[str, tuple[str, str]] = {
    "shell_call_output": ("shell_call", "call_id"),
    "local_shell_call_output": ("local_shell_call", "id"),
    "apply_patch_call_output": ("apply_patch_call", "call_id"),
    "mcp_approval_response": ("mcp_approval_request", "approval_request_id"),
}
"""Type of an answer: the type of its call, and the key that names it."""

HOSTED_SPOKEN: Mapping[str, str] = {
    "shell_call": "shell call",
    "local_shell_call": "local shell call",
    "apply_patch_call": "apply patch call",
    "mcp_approval_request": "MCP approval request",
}


def is_server_shell(item: Mapping[str, Any]) -> bool:
    """Tell whether a shell call is one that the server runs itself, in a container."""
    return str(object_of(item.get("environment")).get("type")).startswith("container")


def _mcp(path: str, value: Any) -> None:
    _MCP(path, value)
    if not any(value.get(key) for key in ("server_url", "connector_id", "tunnel_id")):
        raise missing(f"{path}.server_url")


_CALLERS = nullable(array(choice("direct", "programmatic"), of="strings"))
_NAMES = record({"tool_names": array(string(), of="strings"), "read_only": boolean})
_MCP = record(
    {
        **_KIND,
        "server_label": string(),
        "server_url": string(),
        "connector_id": string(),
        "tunnel_id": string(),
        "server_description": string(),
        "authorization": string(),
        "headers": nullable(mapping),
        "allowed_tools": nullable(
            either(array(string(), of="strings"), _NAMES, expected="an array of strings or object")
        ),
        "require_approval": nullable(
            either(
                choice("always", "never"),
                record({"always": _NAMES, "never": _NAMES}),
                expected="'always', 'never' or object",
            )
        ),
        "allowed_callers": _CALLERS,
        "defer_loading": boolean,
    },
    ("server_label",),
)
_ENVIRONMENT = tagged(
    {
        "local": record({**_KIND, "skills": array(mapping)}),
        "container_auto": mapping,
        "container_reference": record({**_KIND, "container_id": string()}, ("container_id",)),
    }
)

HOSTED_TOOLS: Mapping[str, Check] = {
    "mcp": _mcp,
    "shell": record({**_KIND, "environment": nullable(_ENVIRONMENT), "allowed_callers": _CALLERS}),
    "local_shell": record(_KIND),
    "apply_patch": record({**_KIND, "allowed_callers": _CALLERS}),
    "tool_search": record(
        {
            **_KIND,
            "execution": choice("server", "client"),
            "description": nullable(string()),
            "parameters": nullable(mapping),
        }
    ),
    "file_search": record(
        {
            **_KIND,
            "vector_store_ids": array(string(), low=1, of="strings"),
            "max_num_results": integer(1, 50),
            "filters": nullable(mapping),
            "ranking_options": mapping,
        },
        ("vector_store_ids",),
    ),
    "code_interpreter": record(
        {
            **_KIND,
            "container": either(string(), mapping, expected="a string or object"),
            "allowed_callers": _CALLERS,
        },
        ("container",),
    ),
}
