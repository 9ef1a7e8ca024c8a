"""Scripted replies: what a model shall say next, as a value. `ScriptedModel` and the local server both play them.

A reply may be written as a `Reply`, a plain text, or a dict as it stands in a YAML or JSON file:

    "Hello"                                                     a text
    {"calls": [{"name": "add", "arguments": {"a": 1}}]}         function calls (a string is sent as it is, malformed or not)
    {"calls": [{"name": "query", "input": "SELECT 1"}]}         a custom (grammar) call
    {"text": "Let me see.", "calls": [...], "reasoning": "..."}
    {"refusal": "I can't."}    {"text": "cut he", "incomplete": "max_output_tokens"}
    {"fault": {"status": 429, "retry_after": 1}}                server only: what goes wrong instead
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError

from .items import Item
from .usage import Usage

__all__ = ["Reply", "ReplyLike", "ScriptedCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCall:
    """One call in a reply: `arguments` for a function tool (a dict becomes JSON), `input` for a custom tool."""

    name: str
    arguments: Mapping[str, Any] | str | None = None
    input: str | None = None
    call_id: str | None = None

    def __post_init__(self) -> None:
        if self.arguments is not None and self.input is not None:
            raise ConfigurationError(f"call {self.name!r}: give `arguments` or `input`, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One response. `chunk` is the number of characters of a delta when streaming, `delay` seconds before
    it (without streaming: before the answer).

    `items` are output items sent as they are, before everything else; `fault` is for the local server:
    `jigwork.agent.server.fault_table` lists them.
    """

    text: str | None = None
    calls: tuple[ScriptedCall, ...] = ()
    reasoning: str | None = None
    refusal: str | None = None
    incomplete: str | None = None
    usage: Usage | None = None
    items: tuple[Item, ...] = ()
    chunk: int = 8
    delay: float = 0.0
    fault: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, reply: ReplyLike) -> Reply:
        """Read a reply in any of its forms; raises ConfigurationError that names the unknown key."""
        if isinstance(reply, Reply):
            return reply
        if isinstance(reply, str):
            return cls(text=reply)
        if isinstance(reply, Sequence):
            calls: Sequence[Any] = reply
            return cls(calls=tuple(_call(call) for call in calls))
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(reply) - known):
            raise ConfigurationError(
                f"a reply has no key {unknown[0]!r}; it may have {', '.join(sorted(known))}"
            )
        data: dict[str, Any] = dict(reply)
        data["calls"] = tuple(_call(call) for call in data.get("calls") or ())
        data["items"] = tuple(data.get("items") or ())
        if isinstance(data.get("usage"), Mapping):
            data["usage"] = Usage.from_dict(data["usage"])
        return cls(**data)


ReplyLike: TypeAlias = "Reply | str | Mapping[str, Any] | Sequence[ScriptedCall | Mapping[str, Any]]"


def _call(call: ScriptedCall | Mapping[str, Any]) -> ScriptedCall:
    return call if isinstance(call, ScriptedCall) else ScriptedCall(**call)
