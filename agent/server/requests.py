"""What an engine is asked: one normalised request for both endpoints, in the words of the Responses API.

Made from a body by `responses_input` and `chat_input`; read by engines, and by the writers of answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from ..items import Item, is_call_output, is_message, output_text
from .tokens import ITEM_OVERHEAD, item_tokens

__all__ = ["Body", "Endpoint", "ReceivedRequest", "ServedRequest"]

Body: TypeAlias = dict[str, Any]
Endpoint: TypeAlias = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived, refused ones too. `headers` are lower case and have no authorization."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ServedRequest:
    """One request to answer. `items` is the whole history, what `previous_response_id` stands for included.

    `tools` are flat (Responses shape) whichever endpoint was asked, `tool_choice` and `format` (the `text.format`
    object, or None) too. `body` is what was sent, `sent` the items that were sent with it.
    """

    endpoint: Endpoint
    model: str
    items: Sequence[Item]
    sent: Sequence[Item]
    instructions: str | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = "auto"
    format: Mapping[str, Any] | None = None
    stream: bool = False
    body: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def text(self) -> str:
        """The text of the last user message, "" where there is none."""
        for item in reversed(self.items):
            if is_message(item, "user"):
                return output_text(item)
        return ""

    @property
    def outputs(self) -> list[Item]:
        """The call outputs at the end of the history: what the last turn's tools gave, in order."""
        tail: list[Item] = []
        for item in reversed(self.items):
            if not is_call_output(item):
                break
            tail.append(item)
        return tail[::-1]

    @cached_property
    def input_tokens(self) -> int:
        """An estimate of what the instructions, the history and the tools cost."""
        total = item_tokens(self.instructions)
        return total + sum(ITEM_OVERHEAD + item_tokens(entry) for entry in (*self.items, *self.tools))
