"""Calls of hosted tools that the server asks this side to run, or to allow: what they ask for, and how they are answered.

`shell_call`, `local_shell_call` and `apply_patch_call` are run here, `mcp_approval_request` is decided here. Each has
an output item of its own shape; `items` reads and writes them through this table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = [
    "HOSTED_CALLS",
    "HOSTED_OUTPUTS",
    "as_function_item",
    "asked_text",
    "called_name",
    "is_ours",
    "output_fields",
    "tool_key",
]

HOSTED_CALLS: Mapping[str, str] = {
    "shell_call": "shell_call_output",
    "local_shell_call": "local_shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "mcp_approval_request": "mcp_approval_response",
}
"""Type of a call: type of its answer."""

HOSTED_OUTPUTS: Mapping[str, str] = {
    "shell_call_output": "call_id",
    "local_shell_call_output": "id",  # it has the call id of its call, and no `call_id`
    "apply_patch_call_output": "call_id",
    "mcp_approval_response": "approval_request_id",
}
"""Type of an answer: the key that pairs it with its call."""

_NAMES = {"shell_call": "shell", "local_shell_call": "local_shell", "apply_patch_call": "apply_patch"}
_WHAT = {"shell_call": "action", "local_shell_call": "action", "apply_patch_call": "operation"}


def is_ours(item: Mapping[str, Any]) -> bool:
    """Tell whether this is a hosted call that waits for this side. A shell in a container is the server's own."""
    kind = item.get("type")
    if kind == "shell_call":
        return not str(_object(item.get("environment")).get("type")).startswith("container")
    return kind in HOSTED_CALLS


def called_name(item: Mapping[str, Any]) -> str:
    """Return how a hosted call is called in events and approvals: `shell`, or `label.tool` of an MCP server."""
    kind = str(item.get("type"))
    if kind == "mcp_approval_request":
        return f"{item.get('server_label', '')}.{item.get('name', '')}"
    return _NAMES[kind]


def tool_key(item: Mapping[str, Any]) -> str:
    """Return the name of the tool that answers it here; all tools of a hosted MCP server have one."""
    if item.get("type") == "mcp_approval_request":
        return f"mcp:{item.get('server_label', '')}"
    return called_name(item)


def asked_text(item: Mapping[str, Any]) -> str:
    """Return what the model asks for, as the JSON arguments of the tool that answers it."""
    if item.get("type") == "mcp_approval_request":
        return str(item.get("arguments") or "{}")
    return json.dumps(item.get(_WHAT[str(item["type"])]), ensure_ascii=False)


def output_fields(
    call: Mapping[str, Any], output: str | Sequence[Mapping[str, Any]], status: str
) -> dict[str, Any]:
    """Return the answer to a hosted call, without its type; `status` is that of its outcome."""
    kind, text = call["type"], output if isinstance(output, str) else _as_text(output)
    if kind == "mcp_approval_request":
        reason = {} if status == "ok" else {"reason": text}
        return {"approval_request_id": call["id"], "approve": status == "ok", **reason}
    if kind == "local_shell_call":
        return {"id": call["call_id"], "output": text}
    if kind == "apply_patch_call":
        done = "completed" if status == "ok" else "failed"
        return {"call_id": call["call_id"], "status": done, "output": text}
    fields: dict[str, Any] = {"call_id": call["call_id"], "output": _shell_output(output, status)}
    if (most := _object(call.get("action")).get("max_output_length")) is not None:
        fields["max_output_length"] = most
    return fields


def _shell_output(output: str | Sequence[Mapping[str, Any]], status: str) -> list[dict[str, Any]]:
    """Return what each command wrote; a call that did not come to that says why where errors are written."""
    if not isinstance(output, str):
        return [{key: part[key] for key in ("stdout", "stderr", "outcome") if key in part} for part in output]
    if status == "timed_out":
        return [{"stdout": "", "stderr": output, "outcome": {"type": "timeout"}}]
    stdout, stderr = (output, "") if status == "ok" else ("", output)
    return [
        {
            "stdout": stdout,
            "stderr": stderr,
            "outcome": {"type": "exit", "exit_code": 0 if status == "ok" else 1},
        }
    ]


def as_function_item(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Rewrite a hosted call or its answer for an endpoint that knows functions only; None for what has no such form."""
    kind = str(item.get("type"))
    if kind.startswith("mcp_"):
        return None
    if kind in HOSTED_OUTPUTS:
        output: Any = item.get("output") or ""
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        return {
            "type": "function_call_output",
            "call_id": str(item.get(HOSTED_OUTPUTS[kind])),
            "output": text,
        }
    name, arguments = called_name(item), asked_text(item)
    return {"type": "function_call", "call_id": item["call_id"], "name": name, "arguments": arguments}


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _as_text(parts: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(str(part.get("text") or part.get("stdout") or "") for part in parts)
