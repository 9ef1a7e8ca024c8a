"""What the model may do: tools from functions, models and schemas, decoded strictly and settled with an outcome."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arguments import Decoded
    from .asking import Answer, Asked, Question
    from .box.hosted_shell import hosted_shell, local_shell
    from .box.patching import apply_patch
    from .context import RunContext
    from .decorator import tool
    from .definition import Tool, as_tool, distinct_tools
    from .hosted import (
        HostedTool,
        code_interpreter,
        file_search,
        hosted_mcp,
        image_generation,
        web_search,
    )
    from .mcp import Elicitation, MCPResult, MCPToolset
    from .names import nearest, wire_names
    from .options import ToolOptions
    from .outcome import CallProgress, CallSettled, CallStarted, Outcome, OutcomeStatus, ToolOutput
    from .render import ResultError
    from .search import tool_search
    from .strict import StrictSchema
    from .subset import strict_violations
    from .toolset import Toolset
    from .toolset_around import Around

__all__ = [
    "Answer",
    "Around",
    "Asked",
    "CallProgress",
    "CallSettled",
    "CallStarted",
    "Decoded",
    "Elicitation",
    "HostedTool",
    "MCPResult",
    "MCPToolset",
    "Outcome",
    "OutcomeStatus",
    "Question",
    "ResultError",
    "RunContext",
    "StrictSchema",
    "Tool",
    "ToolOptions",
    "ToolOutput",
    "Toolset",
    "apply_patch",
    "as_tool",
    "code_interpreter",
    "distinct_tools",
    "file_search",
    "hosted_mcp",
    "hosted_shell",
    "image_generation",
    "local_shell",
    "nearest",
    "strict_violations",
    "tool",
    "tool_search",
    "web_search",
    "wire_names",
]

_HOMES = {
    "Answer": "asking",
    "Asked": "asking",
    "Question": "asking",
    "Around": "toolset_around",
    "CallProgress": "outcome",
    "CallSettled": "outcome",
    "CallStarted": "outcome",
    "Decoded": "arguments",
    "Elicitation": "mcp",
    "HostedTool": "hosted",
    "MCPResult": "mcp",
    "MCPToolset": "mcp",
    "Outcome": "outcome",
    "OutcomeStatus": "outcome",
    "ResultError": "render",
    "RunContext": "context",
    "StrictSchema": "strict",
    "Tool": "definition",
    "ToolOptions": "options",
    "ToolOutput": "outcome",
    "Toolset": "toolset",
    "apply_patch": "box.patching",
    "as_tool": "definition",
    "code_interpreter": "hosted",
    "distinct_tools": "definition",
    "file_search": "hosted",
    "hosted_mcp": "hosted",
    "hosted_shell": "box.hosted_shell",
    "image_generation": "hosted",
    "local_shell": "box.hosted_shell",
    "nearest": "names",
    "strict_violations": "subset",
    "tool": "decorator",
    "tool_search": "search",
    "web_search": "hosted",
    "wire_names": "names",
}


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        value = getattr(import_module(f".{home}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
