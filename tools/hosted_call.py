"""Hosted tools that run here: the model's server knows them by type, asks for a call, and takes an output of its own shape.

To the executor each is a tool like any other: decoded, approved, timed, settled. Only its definition differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from jigwork.errors import ToolDefinitionError

from .body import schema_body
from .definition import Tool
from .outcome import ToolOutput

__all__ = ["HostedCall", "Parts"]


class Parts:
    """A result that is sent as the parts that it has, whatever they are; its tool has cut it already."""

    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        self.parts = tuple(dict(part) for part in parts)

    def for_model(self) -> list[dict[str, Any]]:
        """Return the parts, for whoever renders a result by itself."""
        return list(self.parts)


class HostedCall(Tool[..., Any]):
    """A tool that is declared by its type. Its name is that type, so it cannot be renamed or prefixed.

    `with_options(approval=..., timeout=...)` and `wrapped(...)` work as for every tool.
    """

    sent: Mapping[str, Any]

    def __init__(self, *args: Any, sent: Mapping[str, Any], **settings: Any) -> None:
        """Put it together; use `hosted_shell`, `local_shell`, `apply_patch` or `hosted_mcp` instead."""
        object.__setattr__(self, "sent", dict(sent))
        super().__init__(*args, **settings)

    @classmethod
    def of(
        cls, sent: Mapping[str, Any], function: Any, parameters: Mapping[str, Any], **settings: Any
    ) -> Self:
        """Make one of the function that runs it, and the schema of what a call holds."""
        name = str(settings.pop("name", sent["type"]))
        body = schema_body(dict(parameters), function, name)
        return cls(body, name=name, wire_name=name, sent=sent, **settings)

    def definition(self, custom: bool = True) -> dict[str, Any]:
        """Return the tool as it is sent."""
        kept = self._kept.get("sent")
        if kept is None:
            kept = self._kept["sent"] = dict(self.sent)
        return kept

    def render(self, value: Any) -> ToolOutput:
        """Turn a result into what the model is sent."""
        return value.parts if isinstance(value, Parts) else super().render(value)

    def replaced(self, **changes: Any) -> Self:
        """Return a tool that differs in what is given; its name stays."""
        if changes.get("name", self.label) != self.label:
            raise ToolDefinitionError(
                f"the hosted tool {self.label!r} is called by its type and cannot be renamed or prefixed; give it to"
                " the agent beside the toolset"
            )
        changes.pop("wire_name", None)
        return super().replaced(wire_name=self.name, sent=self.sent, **changes)

    def __repr__(self) -> str:
        return f"HostedCall({self.name!r})"
