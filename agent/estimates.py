"""Estimates: the tokens of what no server has counted, from bytes and from what it counted before in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .models.base import ModelRequest
from .records import RequestRecord
from .usage import Usage

if TYPE_CHECKING:
    from .state import RunState

__all__ = ["bytes_per_token", "estimated_usage", "text_bytes", "tokens_of"]

_BYTES_PER_TOKEN = 4.0
"""Of English and of code; no text of a server is known to lie far outside of the limits below."""

_FEWEST, _MOST = 1.5, 8.0
_ENOUGH = 20
"""Tokens that a server has to have counted before they say anything about its tokenizer."""

_IMAGE_BYTES = 3000
_SILENT = frozenset({"id", "type", "status", "role", "call_id", "encrypted_content", "detail"})


def text_bytes(value: Any) -> int:
    """Return the UTF-8 bytes of all text in an item or a tool definition; an image counts as one of medium size."""
    if isinstance(value, str):
        return _IMAGE_BYTES if value.startswith("data:") else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return sum(len(key) + text_bytes(entry) for key, entry in entries.items() if key not in _SILENT)
    if isinstance(value, list | tuple):
        return sum(text_bytes(member) for member in cast("list[Any]", value))
    return 0 if value is None else 2


def bytes_per_token(state: RunState) -> float:
    """Return how many bytes a token of this model has, by what its server counted in this state so far.

    Reasoning is left out: what is shown of it is not what is counted. Four, until twenty tokens were counted.
    """
    written = counted = 0
    for record in state.requests:
        tokens = record.usage.output_tokens - record.usage.reasoning_tokens
        if record.end_item > record.first_item and tokens > 0:
            items = state.items[record.first_item : record.end_item]
            written += sum(text_bytes(item) for item in items if item.get("type") != "reasoning")
            counted += tokens
    if counted < _ENOUGH:
        return _BYTES_PER_TOKEN
    return min(max(written / counted, _FEWEST), _MOST)


def tokens_of(size: float, per_token: float) -> int:
    """Return the tokens of so many bytes, rounded up; nothing costs nothing."""
    return -int(-size // per_token)


def estimated_usage(state: RunState, request: ModelRequest, received: int) -> Usage:
    """Return the usage of a request whose server reported none: `received` are the bytes of its answer.

    The input is what the last request took in and gave out, as reported, and what was added since by its bytes;
    without one it is all bytes.
    """
    per_token = bytes_per_token(state)
    known = _last_reported(state)
    if known is None:
        size = text_bytes([*request.items, *request.tools]) + len((request.instructions or "").encode())
        before = 0
    else:
        size = text_bytes(request.items[known.end_item :])
        before = known.usage.input_tokens + known.usage.output_tokens - known.usage.reasoning_tokens
    return Usage(
        requests=1,
        unreported=1,
        estimated_input_tokens=before + tokens_of(size, per_token),
        estimated_output_tokens=tokens_of(received, per_token),
    )


def _last_reported(state: RunState) -> RequestRecord | None:
    """The last request whose server said what it took in."""
    return next((record for record in reversed(state.requests) if record.usage.input_tokens), None)
