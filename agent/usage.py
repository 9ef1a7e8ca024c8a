"""Token usage, as the server reports it; what was estimated in its stead has fields of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more requests. Cached and written are part of `input_tokens`, reasoning of `output_tokens`.

    `unreported` counts requests for which the server gave no usage: the other figures are then a lower bound.

    The last three are estimates of ours and part of no other figure: what a stream cost that was cut, so that its
    server never told, and `saved_tokens`, what the cuts saved: for each, the tokens of the text that was accepted in
    its place beyond those that had been written by then. Of what a server would have gone on to write nobody knows.
    """

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    unreported: int = 0
    estimated_input_tokens: int = 0
    estimated_output_tokens: int = 0
    saved_tokens: int = 0

    @property
    def spent_tokens(self) -> int:
        """Input and output together, with the estimates for what no server reported: what limits count."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.estimated_input_tokens
            + self.estimated_output_tokens
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Usage)))

    def to_dict(self) -> dict[str, int]:
        """Return the figures as a plain dict, in declaration order."""
        return {f.name: getattr(self, f.name) for f in fields(Usage)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Usage:
        """Read what `to_dict` wrote; unknown keys are ignored, missing ones are zero."""
        return cls(**{f.name: int(data.get(f.name) or 0) for f in fields(Usage)})
