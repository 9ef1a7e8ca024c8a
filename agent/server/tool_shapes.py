"""Check tool definitions and output formats in the shape of each endpoint: flat on Responses, nested on Chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..items import output_text
from .api_errors import invalid
from .checks import (
    Check,
    anything,
    array,
    boolean,
    choice,
    mapping,
    name,
    nullable,
    record,
    string,
    tagged,
)
from .grammar_formats import check_grammar
from .hosted_shapes import HOSTED_TOOLS
from .json_data import object_of
from .requests import Endpoint, ServedRequest
from .schema_rules import check_schema

__all__ = ["check_format", "check_json_mode", "check_tools"]

_CALLERS = nullable(array(choice("direct", "programmatic"), of="strings"))
_FUNCTION: dict[str, Check] = {
    "name": name,
    "description": nullable(string()),
    "parameters": nullable(mapping),
    "strict": nullable(boolean),
}
_LATER: dict[str, Check] = {
    "type": string(),
    "allowed_callers": _CALLERS,
    "async": boolean,
    "defer_loading": boolean,
}
_FLAT_FORMAT = tagged(
    {
        "text": record({"type": string()}),
        "grammar": record(
            {"type": string(), "syntax": choice("lark", "regex"), "definition": string()},
            ("syntax", "definition"),
        ),
    }
)
_NESTED_FORMAT = tagged(
    {
        "text": record({"type": string()}),
        "grammar": record(
            {
                "type": string(),
                "grammar": record(
                    {"syntax": choice("lark", "regex"), "definition": string()}, ("syntax", "definition")
                ),
            },
            ("grammar",),
        ),
    }
)
_CUSTOM: dict[str, Check] = {"name": name, "description": nullable(string())}

_FLAT_FUNCTION = record({**_FUNCTION, **_LATER, "output_schema": nullable(mapping)}, ("name",))
_FLAT_CUSTOM = record({**_CUSTOM, **_LATER, "format": _FLAT_FORMAT}, ("name",))
_HOSTED = (
    "file_search",
    "computer",
    "computer_use_preview",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "mcp",
    "code_interpreter",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "tool_search",
    "apply_patch",
)
_NAMESPACE = record(
    {
        "type": string(),
        "name": name,
        "description": nullable(string()),
        "tools": array(tagged({"function": _FLAT_FUNCTION, "custom": _FLAT_CUSTOM}), low=1),
    },
    ("name", "description", "tools"),
)
_SHAPES: dict[Endpoint, Check] = {
    "responses": tagged(
        {
            "function": _FLAT_FUNCTION,
            "custom": _FLAT_CUSTOM,
            "namespace": _NAMESPACE,
            **dict.fromkeys(_HOSTED, anything),
            **HOSTED_TOOLS,
        }
    ),
    "chat": tagged(
        {
            "function": record({"type": string(), "function": record(_FUNCTION, ("name",))}, ("function",)),
            "custom": record(
                {"type": string(), "custom": record({**_CUSTOM, "format": _NESTED_FORMAT}, ("name",))},
                ("custom",),
            ),
        }
    ),
}

_FORMAT_KEYS: dict[str, Check] = {
    "name": name,
    "schema": mapping,
    "strict": nullable(boolean),
    "description": nullable(string()),
}
_PLAIN = record({"type": string()})
_FORMATS: dict[str, Check] = {
    "text.format": tagged(
        {
            "text": _PLAIN,
            "json_object": _PLAIN,
            "json_schema": record({"type": string(), **_FORMAT_KEYS}, ("name", "schema")),
        }
    ),
    "response_format": tagged(
        {
            "text": _PLAIN,
            "json_object": _PLAIN,
            "json_schema": record(
                {"type": string(), "json_schema": record(_FORMAT_KEYS, ("name",))}, ("json_schema",)
            ),
        }
    ),
}


def check_tools(tools: Sequence[Any], *, endpoint: Endpoint, inside: bool = False) -> None:
    """Refuse a wrong shape or name, a name given twice, a schema or a grammar that the server cannot enforce.

    `inside`: these are the tools of a namespace.
    """
    seen: set[tuple[str, str]] = set()
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        _SHAPES[endpoint](path, tool)
        kind = tool["type"]
        if kind == "namespace":
            check_tools(tool["tools"], endpoint=endpoint, inside=True)
            continue
        if kind == "tool_search" and not _deferred(tools) and tool.get("execution") != "client":
            raise invalid(
                "The 'tool_search' tool needs at least one tool with 'defer_loading' set to true.", "tools"
            )
        if kind not in ("function", "custom"):
            continue
        if (
            tool.get("defer_loading")
            and not inside
            and not any(one.get("type") == "tool_search" for one in tools)
        ):
            raise invalid("Tools with 'defer_loading' need the 'tool_search' tool beside them.", "tools")
        inner: Mapping[str, Any] = tool if endpoint == "responses" else tool[kind]
        at = path if endpoint == "responses" else f"{path}.{kind}"
        if (kind, inner["name"]) in seen:
            raise invalid(f"Tool names must be unique. Duplicate name: '{inner['name']}'.", "tools")
        seen.add((kind, inner["name"]))
        _check_content(kind, inner, at, endpoint)


def _deferred(tools: Sequence[Any]) -> bool:
    """Tell whether there is anything to search for: deferred functions, MCP servers or namespaces."""
    return any(tool.get("defer_loading") or tool.get("type") == "namespace" for tool in tools)


def _check_content(kind: str, tool: Mapping[str, Any], path: str, endpoint: Endpoint) -> None:
    if kind == "function":
        if tool.get("parameters") is not None:
            check_schema(
                tool["parameters"],
                strict=tool.get("strict") is True,
                subject=f"function '{tool['name']}'",
                param=f"{path}.parameters",
                code="invalid_function_parameters",
            )
        return
    form = object_of(tool.get("format"))
    if form.get("type") == "grammar":
        nested = endpoint == "chat"
        inner = object_of(form["grammar"]) if nested else form
        where = f"{path}.format.grammar" if nested else f"{path}.format"
        check_grammar(inner["syntax"], inner["definition"], f"{where}.definition")


def check_format(form: Mapping[str, Any] | None, path: str) -> None:
    """Refuse a wrong `text.format` or `response_format`, both given as they were sent."""
    if form is None:
        return
    _FORMATS[path](path, form)
    if form["type"] != "json_schema":
        return
    inner: Mapping[str, Any] = form if path == "text.format" else form["json_schema"]
    if "schema" in inner:
        check_schema(
            inner["schema"],
            strict=inner.get("strict") is True,
            subject=f"response_format '{inner['name']}'",
            param=f"{path}.schema" if path == "text.format" else path,
            code="invalid_json_schema",
        )


def check_json_mode(request: ServedRequest) -> None:
    """Refuse `json_object` where no message speaks of JSON, as the model would then write white space for ever."""
    if request.format is None or request.format.get("type") != "json_object":
        return
    texts = (request.instructions or "", *(output_text(item) for item in request.items))
    if any("json" in text.lower() for text in texts):
        return
    if request.endpoint == "chat":
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )
    raise invalid(
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
        "'json_object'.",
        "input",
    )
