"""What a run has cost, in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..models.prices import cost
from ..models.profiles import Profile
from ..result import RunResult

__all__ = ["spending"]


def spending(result: RunResult[Any], profile: Profile) -> str | None:
    """Return requests, tokens and money, None where the server reported no tokens. Unknown money is not mentioned."""
    usage = result.usage
    if not usage.total_tokens and not usage.input_tokens:
        return None
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    requests = "1 request" if usage.requests == 1 else f"{usage.requests} requests"
    text = f"{requests}, {usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out"
    prices = [cost(r.usage, profile.price, service_tier=r.service_tier) for r in result.requests]
    known = [price for price in prices if price is not None]
    if known and len(known) == len(prices):
        text += f", ${sum(known, Decimal()):.4f}"
    return text
