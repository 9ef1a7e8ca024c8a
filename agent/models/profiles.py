"""Profiles: what a model on a server can do, as dated data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model on a server can do. The default is permissive: an unknown model is trusted with everything
    that most servers take, and its price is unknown.
    """

    context_window: int | None = None
    max_output_tokens: int | None = None
    efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    sampling: Literal["always", "never", "without_reasoning"] = "always"
    stop: bool = True
    endpoints: tuple[str, ...] = ("chat",)
    custom_tools: bool = False
    strict_tools: bool = True
    json_schema: bool = True
    tool_choice_required: bool = True
    allowed_tools: bool = False
    parallel_tool_calls: bool = True
