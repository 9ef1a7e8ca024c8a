"""What a run has cost, in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..models.prices import cost
from ..models.profiles import Profile
from ..result import RunResult

__all__ = ["spending"]


def spending(result: RunResult[Any], profile: Profile) -> str | None:
    """Return requests, tokens and money, None where the server reported no tokens. Unknown money is not mentioned.

    What streams cost that were cut, and what the cuts saved, are estimates and say so.
    """
    usage = result.usage
    if not usage.total_tokens and not usage.input_tokens and not usage.estimated_input_tokens:
        return None
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    requests = "1 request" if usage.requests == 1 else f"{usage.requests} requests"
    text = f"{requests}, {usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out"
    prices = [cost(r.usage, profile.price, service_tier=r.service_tier) for r in result.requests]
    known = [price for price in prices if price is not None]
    if known and len(known) == len(prices):
        text += f", ${sum(known, Decimal()):.4f}"
    return text + _cut(result)


def _cut(result: RunResult[Any]) -> str:
    """What is known of the streams that were cut, because a text in them left its grammar."""
    cuts = [record.cut for record in result.requests if record.cut is not None]
    if not cuts:
        return ""
    usage = result.usage
    spent = f"about {usage.estimated_input_tokens:,} in, {usage.estimated_output_tokens:,} out"
    text = f"; {len(cuts)} of them cut where a text left its grammar ({spent}"
    return f"{text}, {usage.saved_tokens:,} saved)" if usage.saved_tokens else f"{text})"
