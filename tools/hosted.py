"""Tools that the model's own server runs (the hosted tools of the Responses API), as values for `Agent(tools=[...])`.

They are sent as they are. What they did comes back as items (`web_search_call`, `mcp_call`...), which the history
keeps and an `ItemAdded` event shows; nothing runs here. Those that the server asks this side to run (`hosted_shell`,
`local_shell`, `apply_patch`) are in `tools.box`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, overload

from jigwork.errors import ToolDefinitionError, ToolError

from .context import RunContext
from .definition import Tool
from .hosted_call import HostedCall
from .options import ToolOptions

__all__ = [
    "HostedTool",
    "code_interpreter",
    "file_search",
    "hosted_mcp",
    "image_generation",
    "web_search",
]

_OURS = {"function": "give the function itself", "custom": "use @tool(grammar=...)"}
_LOCAL = {
    "shell": "use hosted_shell(folder), or give it environment={'type': 'container_auto'}",
    "local_shell": "use local_shell(folder)",
    "apply_patch": "use apply_patch(folder)",
    "computer": "write a @tool that does it, with approval='always'",
    "computer_use_preview": "write a @tool that does it, with approval='always'",
}
_SECRET = frozenset({"authorization", "headers"})


@dataclass(frozen=True, slots=True, repr=False)
class HostedTool:
    """A tool of the server: its `type`, and its settings as the Responses API spells them.

    For the common ones there are functions (`web_search()`...); `HostedTool("new_tool", {"size": 3})` declares any
    other. Raises ToolDefinitionError for tools that would wait for something to be run or approved on this side.
    """

    type: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.type in _OURS:
            raise ToolDefinitionError(f"a {self.type!r} tool is not hosted: {_OURS[self.type]}")
        if self.type in _LOCAL and not self._in_container():
            raise ToolDefinitionError(
                f"the model's server does not run {self.type!r}, it asks for it to be run on this side;"
                f" {_LOCAL[self.type]}"
            )
        if self.type == "tool_search":
            raise ToolDefinitionError(
                "a search finds what it is given: use tool_search(tools), which is the server's own search for the models"
                " that have it"
            )
        if self.type == "mcp" and self.settings.get("require_approval") != "never":
            raise ToolDefinitionError(
                "a hosted MCP server that asks needs somebody who answers: use hosted_mcp(label, url,"
                " approval='always'), or set require_approval='never'"
            )

    def _in_container(self) -> bool:
        environment: Any = self.settings.get("environment")
        return isinstance(environment, Mapping) and str(environment.get("type")).startswith("container")  # pyright: ignore

    def definition(self) -> dict[str, Any]:
        """Return the tool as it is sent."""
        return {"type": self.type, **self.settings}

    def __repr__(self) -> str:
        shown = {key: "***" if key in _SECRET else value for key, value in self.settings.items()}
        return f"HostedTool({self.type!r}, {shown!r})"


def _given(type: str, **settings: Any) -> HostedTool:
    return HostedTool(type, {key: value for key, value in settings.items() if value is not None})


def web_search(
    *,
    allowed_domains: Sequence[str] | None = None,
    context_size: Literal["low", "medium", "high"] | None = None,
    user_location: Mapping[str, str] | None = None,
    live: bool | None = None,
) -> HostedTool:
    """Let the server search the web. `live=False` uses only what it has stored; `user_location` has city, country..."""
    return _given(
        "web_search",
        filters=None if allowed_domains is None else {"allowed_domains": list(allowed_domains)},
        search_context_size=context_size,
        user_location=None if user_location is None else {"type": "approximate", **user_location},
        external_web_access=live,
    )


def file_search(
    *vector_store_ids: str,
    max_results: int | None = None,
    filters: Mapping[str, Any] | None = None,
    ranking: Mapping[str, Any] | None = None,
) -> HostedTool:
    """Let the server search vector stores that were filled there before; 1 to 50 results."""
    if not vector_store_ids:
        raise ToolDefinitionError("file_search needs a vector store: file_search('vs_...')")
    if max_results is not None and not 1 <= max_results <= 50:
        raise ToolDefinitionError(f"max_results={max_results} is out of range: 1 to 50")
    return _given(
        "file_search",
        vector_store_ids=list(vector_store_ids),
        max_num_results=max_results,
        filters=filters,
        ranking_options=ranking,
    )


def code_interpreter(
    container: str | None = None,
    *,
    file_ids: Sequence[str] | None = None,
    memory: Literal["1g", "4g", "16g", "64g"] | None = None,
) -> HostedTool:
    """Let the server run Python, in a container of that id or (without one) in a new one with these files."""
    if container is not None:
        if file_ids is not None or memory is not None:
            raise ToolDefinitionError(
                "file_ids and memory are for a new container: leave `container` out, or leave them out"
            )
        return _given("code_interpreter", container=container)
    made: dict[str, Any] = {"type": "auto"}
    if file_ids is not None:
        made["file_ids"] = list(file_ids)
    if memory is not None:
        made["memory_limit"] = memory
    return _given("code_interpreter", container=made)


def image_generation(**settings: Any) -> HostedTool:
    """Let the server make images; `size`, `quality`, `output_format`, `background`... as the API has them."""
    return HostedTool("image_generation", settings)


@overload
def hosted_mcp(
    label: str,
    url: str,
    *,
    authorization: str | None = None,
    headers: Mapping[str, str] | None = None,
    allowed_tools: Sequence[str] | None = None,
    description: str | None = None,
    approval: Literal["never"] = "never",
) -> HostedTool: ...


@overload
def hosted_mcp(
    label: str,
    url: str,
    *,
    authorization: str | None = None,
    headers: Mapping[str, str] | None = None,
    allowed_tools: Sequence[str] | None = None,
    description: str | None = None,
    approval: Literal["always"] | Mapping[str, Any],
) -> Tool[..., Any]: ...


def hosted_mcp(
    label: str,
    url: str,
    *,
    authorization: str | None = None,
    headers: Mapping[str, str] | None = None,
    allowed_tools: Sequence[str] | None = None,
    description: str | None = None,
    approval: Literal["never", "always"] | Mapping[str, Any] = "never",
) -> HostedTool | Tool[..., Any]:
    """Let the server call an MCP server that it can reach.

    With `approval="never"` no call is seen here before it is made. With "always" a person decides about every call,
    as for a tool that runs here (`label.tool` is its name); `{"never": {"tool_names": ["search"]}}` or
    `{"never": {"read_only": True}}` says for which calls nobody is asked. The arguments cannot be edited there: a
    person who does is taken to refuse, and the model is told what would be allowed.
    """
    given = _given(
        "mcp",
        server_label=label,
        server_url=url,
        authorization=authorization,
        headers=None if headers is None else dict(headers),
        allowed_tools=None if allowed_tools is None else list(allowed_tools),
        server_description=description,
        require_approval="never",
    )
    if approval == "never":
        return given
    if not isinstance(approval, Mapping) and approval != "always":
        raise ToolDefinitionError("approval= is 'never', 'always' or {'never': {'tool_names': [...]}}")
    asked = approval if isinstance(approval, str) else dict(approval)
    return HostedCall.of(
        {**given.definition(), "require_approval": asked},
        _allow,
        {"type": "object"},
        name=f"mcp:{label}",
        description=f"Calls of the MCP server {label}.",
        options=ToolOptions(approval="always"),
    )


def _allow(context: RunContext[Any], **arguments: Any) -> str:
    """Let the server make a call: a person has allowed it, with the arguments that it has."""
    wanted = next((i.get("arguments") for i in context.items if i.get("id") == context.call_id), None)
    if wanted is not None and _json(wanted) != arguments:
        allowed = json.dumps(arguments, ensure_ascii=False)
        raise ToolError(f"A person allows this call with other arguments only: {allowed[:2000]}")
    return "Allowed."


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) and text else {}
    except json.JSONDecodeError:
        return None
