"""Prices: what a request costs, as exact money. An unknown price stays unknown, never zero."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..usage import Usage

__all__ = ["Price", "Tier", "cost"]

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Tier:
    """Prices from `above` input tokens of one request on. USD per million tokens, Decimal or its text."""

    above: int
    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a model, in USD per million tokens, as published on `asof`.

    `tiers` hold what is charged from a number of input tokens on. `batch` and `priority` are factors: the batch
    and flex services usually cost half, priority twice; None means unknown.
    """

    tiers: tuple[Tier, ...]
    asof: str
    batch: Decimal | None = Decimal("0.5")
    priority: Decimal | None = None

    def tier(self, input_tokens: int) -> Tier:
        """Return the prices that hold for a request with so many input tokens."""
        return max((t for t in self.tiers if t.above < max(input_tokens, 1)), key=lambda t: t.above)


def cost(
    usage: Usage, price: Price | None, *, service_tier: str | None = None, batch: bool = False
) -> Decimal | None:
    """Return what one request cost in USD, or None where it is not known.

    Give the usage of a single request: the tier depends on its input tokens. Unknown are: no price, no usage
    reported, a service tier whose factor is not published.
    """
    if price is None or usage.unreported:
        return None
    factor: Decimal | None = Decimal(1)
    if batch or service_tier in ("flex", "batch"):
        factor = price.batch
    elif service_tier in ("priority", "fast"):
        factor = price.priority
    elif service_tier in ("scale", "ultrafast"):
        factor = None
    if factor is None:
        return None
    tier = price.tier(usage.input_tokens)
    cached = tier.input if tier.cached is None else tier.cached
    write = tier.input if tier.cache_write is None else tier.cache_write
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    total = (
        fresh * tier.input
        + usage.cached_tokens * cached
        + usage.cache_write_tokens * write
        + usage.output_tokens * tier.output
    )
    return factor * total / _MILLION
