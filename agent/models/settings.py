"""Settings of a model request: one frozen dataclass, mergeable, given at the agent or at a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

__all__ = ["Effort", "Settings", "ToolChoice", "Verbosity"]

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity: TypeAlias = Literal["low", "medium", "high"]
ToolChoice: TypeAlias = str | Sequence[str] | Mapping[str, Any]
"""`"auto"`, `"none"`, `"required"`, a tool's name (forced, for one request only), a list of names (only these are
allowed, the tool list itself stays and so does the prompt cache), or a dict as the Responses API writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a request asks for beside its input. None means: not sent, the server's default holds.

    `max_output_tokens` counts reasoning too and is translated per endpoint. `stop` is cut on our side where the
    server refuses it. `timeout` is seconds for one attempt without progress, `deadline` seconds over all attempts,
    `retries` the number of further attempts. `chain=True` continues by `previous_response_id` instead of sending
    the whole history. `extra_body` is merged into the request as it is.
    """

    effort: Effort | None = None
    reasoning_summary: Literal["auto", "concise", "detailed"] | None = None
    verbosity: Verbosity | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | Sequence[str] | None = None
    max_output_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    parallel_tool_calls: bool | None = None
    tool_choice: ToolChoice | None = None
    store: bool | None = None
    chain: bool | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = None
    extra_headers: Mapping[str, str] | None = None
    timeout: float | None = None
    deadline: float | None = None
    retries: int | None = None

    def merge(self, other: Settings | None) -> Settings:
        """Return these settings with every one that `other` sets in its place."""
        if other is None:
            return self
        return replace(
            self, **{f.name: v for f in fields(other) if (v := getattr(other, f.name)) is not None}
        )
