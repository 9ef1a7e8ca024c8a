"""Token usage, as the server reports it. Unknown stays None-free zero only where the server said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more requests. Cached and written are part of `input_tokens`, reasoning of `output_tokens`.

    `unreported` counts requests for which the server gave no usage: the other figures are then a lower bound.
    """

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    unreported: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Usage)))

    def to_dict(self) -> dict[str, int]:
        """Return the figures as a plain dict, in declaration order."""
        return {f.name: getattr(self, f.name) for f in fields(Usage)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Usage:
        """Read what `to_dict` wrote; unknown keys are ignored, missing ones are zero."""
        return cls(**{f.name: int(data.get(f.name) or 0) for f in fields(Usage)})
