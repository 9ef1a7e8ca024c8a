"""Token estimates, for `usage`, `/responses/input_tokens` and the context window of the local server.

Four bytes of text are a token, an image is a fixed number: near enough for budgets in tests, and stable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .json_data import array_of

__all__ = ["IMAGE_TOKENS", "ITEM_OVERHEAD", "item_tokens", "text_tokens"]

IMAGE_TOKENS = 765
"""What one image costs, about the price of a 1024 x 1024 image in high detail."""

ITEM_OVERHEAD = 4
"""What an item or a tool costs beside its text."""

_SILENT = frozenset({"id", "type", "status", "role", "call_id", "encrypted_content", "detail"})


def text_tokens(text: str) -> int:
    """Return the estimate for a text; "" costs nothing."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def item_tokens(value: Any) -> int:
    """Return the estimate for all text within an item, a part or a tool."""
    if isinstance(value, str):
        return IMAGE_TOKENS if value.startswith("data:") else text_tokens(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return sum(item_tokens(entry) for key, entry in entries.items() if key not in _SILENT)
    if isinstance(value, list):
        return sum(item_tokens(member) for member in array_of(value))
    return 0 if value is None else 1
