"""The known models, as data. Facts and prices as published in October 2026; pure data, no rules.

Prices are USD per million tokens: input, cached input, output; a second row holds above 272,000 input tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from .prices import Price, Tier
from .profiles import Profile

__all__ = ["ASOF", "MODELS", "RECENT"]

ASOF = "2026-10"
_LONG = 272_000
_BOTH = ("responses", "chat")


def _tier(above: int, row: tuple[str, str | None, str], write: str | None) -> Tier:
    price_in, cached, price_out = row
    return Tier(
        above=above,
        input=Decimal(price_in),
        output=Decimal(price_out),
        cached=None if cached is None else Decimal(cached),
        cache_write=None if write is None else Decimal(price_in) * Decimal(write),
    )


def _price(
    row: tuple[str, str | None, str],
    *,
    long: tuple[str, str | None, str] | None = None,
    write: str | None = None,
    priority: str | None = None,
) -> Price:
    tiers = (_tier(0, row, write), *(() if long is None else (_tier(_LONG, long, write),)))
    return Price(tiers, ASOF, priority=None if priority is None else Decimal(priority))


RECENT = Profile(
    stop=False,
    endpoints=_BOTH,
    custom_tools=True,
    allowed_tools=True,
    max_tokens_field="max_completion_tokens",
    system_role="developer",
    think_tags=False,
    encrypted_reasoning=True,
)
"""What every model since GPT-5 has in common: for ids that are newer than this table."""

_GPT_5 = replace(
    RECENT,
    context_window=400_000,
    max_output_tokens=128_000,
    efforts=("minimal", "low", "medium", "high"),
    default_effort="medium",
    sampling="never",
)
_GPT_5_1 = replace(
    _GPT_5, efforts=("none", "low", "medium", "high"), default_effort="none", sampling="without_reasoning"
)
_GPT_5_2 = replace(_GPT_5_1, efforts=("none", "low", "medium", "high", "xhigh"))
# From 5.4 on, Chat Completions takes tools only without reasoning.
_GPT_5_4 = replace(_GPT_5_2, context_window=1_050_000, chat_tools_with_effort=False, tool_search=True)
_GPT_5_5 = replace(_GPT_5_4, context_window=1_000_000, default_effort="medium")
_GPT_5_6 = replace(_GPT_5_5, efforts=("none", "low", "medium", "high", "xhigh", "max"))
_GPT_6 = _GPT_5_6
_GPT_4_1 = Profile(
    context_window=1_047_576,
    max_output_tokens=32_768,
    efforts=(),
    endpoints=_BOTH,
    verbosity=False,
    allowed_tools=True,
    max_tokens_field="max_completion_tokens",
    think_tags=False,
    shutdown=date(2027, 1, 14),
)

MODELS: Mapping[str, Profile] = {
    "gpt-6.1-sol": replace(_GPT_6, price=_price(("2", ".1", "10"), write="1.25")),
    "gpt-6.1-terra": replace(_GPT_6, price=_price(("1", ".05", "5"), write="1.25")),
    "gpt-6-astra": replace(_GPT_6, price=_price(("10", "1", "50"), write="1.25")),
    "gpt-6-sol": replace(_GPT_6, price=_price(("2", ".2", "10"), write="1.25")),
    "gpt-6-luna": replace(_GPT_6, price=_price(("0.1", ".01", "0.5"), write="1.25")),
    "gpt-5.6-sol": replace(_GPT_5_6, price=_price(("4", "0.4", "20"), long=("8", "0.8", "40"), write="1.25")),
    "gpt-5.6-terra": replace(
        _GPT_5_6, price=_price(("2", "0.2", "12"), long=("4", "0.4", "24"), write="1.25")
    ),
    "gpt-5.6-luna": replace(
        _GPT_5_6, price=_price(("0.2", "0.02", "1.2"), long=("0.4", "0.04", "2.4"), write="1.25")
    ),
    "gpt-5.5": replace(_GPT_5_5, price=_price(("5", "0.5", "30"), long=("10", "1", "45"))),
    "gpt-5.4": replace(_GPT_5_4, price=_price(("2.5", "0.25", "15"), long=("5", "0.5", "22.5"))),
    "gpt-5.4-mini": replace(_GPT_5_4, context_window=400_000, price=_price(("0.75", "0.075", "4.5"))),
    "gpt-5.4-nano": replace(
        _GPT_5_4,
        context_window=400_000,
        price=_price(("0.20", "0.02", "1.25")),
        shutdown=date(2027, 4, 1),
        successor="gpt-6-luna",
    ),
    "gpt-5.3-codex": replace(
        _GPT_5_2,
        efforts=("low", "medium", "high", "xhigh"),
        default_effort="low",
        sampling="never",
        endpoints=("responses",),
        price=_price(("1.75", "0.175", "14")),
    ),
    "gpt-5.2": replace(_GPT_5_2, price=_price(("1.75", "0.175", "14"), priority="2")),
    "gpt-5.2-pro": replace(
        _GPT_5_2,
        efforts=("medium", "high", "xhigh"),
        default_effort="medium",
        sampling="never",
        endpoints=("responses",),
        price=_price(("21", None, "168")),
    ),
    "gpt-5.2-chat-latest": replace(
        _GPT_5_2,
        efforts=("medium",),
        default_effort="medium",
        sampling="never",
        price=_price(("1.75", "0.175", "14")),
        shutdown=date(2026, 8, 10),
        successor="gpt-5.2",
    ),
    "gpt-5.2-codex": replace(
        _GPT_5_2,
        efforts=("low", "medium", "high", "xhigh"),
        default_effort="low",
        sampling="never",
        endpoints=("responses",),
        price=_price(("1.75", "0.175", "14")),
    ),
    "gpt-5.1": replace(
        _GPT_5_1, price=_price(("1.25", "0.125", "10")), shutdown=date(2027, 4, 1), successor="gpt-5.2"
    ),
    "gpt-5": replace(
        _GPT_5, price=_price(("1.25", "0.125", "10")), shutdown=date(2026, 12, 11), successor="gpt-5.2"
    ),
    "gpt-5-pro": replace(
        _GPT_5,
        efforts=("high",),
        default_effort="high",
        endpoints=("responses",),
        price=_price(("15", None, "120")),
    ),
    "gpt-5-mini": replace(
        _GPT_5, price=_price(("0.25", "0.025", "2")), shutdown=date(2026, 12, 11), successor="gpt-5.4-mini"
    ),
    "gpt-5-nano": replace(
        _GPT_5, price=_price(("0.05", "0.005", "0.40")), shutdown=date(2026, 12, 11), successor="gpt-5.4-nano"
    ),
    "gpt-4.1": replace(_GPT_4_1, price=_price(("2", ".5", "8")), successor="gpt-5.2"),
    "gpt-4.1-mini": replace(_GPT_4_1, price=_price((".4", ".1", "1.6")), successor="gpt-5.4-mini"),
    "gpt-4.1-nano": replace(
        _GPT_4_1, price=_price((".1", ".025", ".4")), shutdown=date(2026, 10, 23), successor="gpt-5.4-nano"
    ),
}
"""By model id; dated snapshots (`gpt-5.2-2025-12-11`) share the entry of their family."""
