"""`jigwork models`: the models that are known, which one would be used now and why, and what a server offers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import JigworkError, MissingKeyError, ModelConnectionError, ModelError

from .extras import need
from .options import json_option

if TYPE_CHECKING:
    from ..models.profiles import Profile

__all__ = ["command", "default_model"]


@click.command("models", short_help="List the known models; say which one is used now.")
@click.option("--provider", metavar="NAME|URL", help="Also ask this server which models it has.")
@json_option
def command(provider: str | None, as_json: bool) -> int:
    """List the known models with context, efforts and prices, and say which one would be used now."""
    need("cli", "jigwork models")
    from ..models.profiles import ALIASES, known_models

    now = default_model()
    rows = [_row(name, profile) for name, profile in known_models().items()]
    aliases = {name: {"model": alias.model, "effort": alias.effort} for name, alias in ALIASES.items()}
    offered = None if provider is None else _offered(provider)
    if as_json:
        from .documents import print_json

        document: dict[str, Any] = {"default": now, "models": rows, "aliases": aliases}
        if offered is not None:
            document["offered"] = {"provider": provider, "models": offered}
        print_json(document)
    else:
        _show(now, rows, aliases, _Offer(provider, offered))
    return 0


@dataclass(frozen=True, slots=True)
class _Offer:
    provider: str | None
    models: list[str] | None


def default_model() -> dict[str, Any]:
    """Return the model that is used when none is named, and why; or what keeps it from being used."""
    from ..models.resolve import choose_model
    from .failures import message_of

    try:
        model, reason = choose_model()
    except JigworkError as error:
        return {"name": None, "reason": None, "error": message_of(error)}
    return {"name": model.name, "reason": reason}


def _row(name: str, profile: Profile) -> dict[str, Any]:
    tier = profile.price.tier(0) if profile.price is not None else None
    return {
        "name": name,
        "context_window": profile.context_window,
        "max_output_tokens": profile.max_output_tokens,
        "efforts": None if profile.efforts is None else list(profile.efforts),
        "endpoints": list(profile.endpoints),
        "input_usd_per_million": None if tier is None else str(tier.input),
        "cached_usd_per_million": None if tier is None or tier.cached is None else str(tier.cached),
        "output_usd_per_million": None if tier is None else str(tier.output),
        "prices_as_of": None if profile.price is None else profile.price.asof,
        "shutdown": None if profile.shutdown is None else profile.shutdown.isoformat(),
        "successor": profile.successor,
    }


def _offered(provider: str) -> list[str]:
    """Ask a server for its models (GET /models)."""
    from openai import APIConnectionError, APIStatusError, OpenAI, OpenAIError

    from ..models.keys import find_key
    from ..models.providers import Provider, provider_for

    where = Provider.at(provider) if "://" in provider else provider_for(provider).in_environment(os.environ)
    key = find_key(where, os.environ)
    if where.base_url is None:
        raise MissingKeyError(f"provider {where.name!r} has no address: set {where.base_env}")
    with OpenAI(base_url=where.base_url, api_key=key or "none", max_retries=1, timeout=20) as client:
        try:
            return sorted(model.id for model in client.models.list())
        except APIStatusError as error:
            raise ModelError(
                f"{where.name} answered {error.status_code} to GET /models", status=error.status_code
            ) from error
        except APIConnectionError as error:
            raise ModelConnectionError(
                f"no connection to {where.base_url}; is the server running?"
            ) from error
        except OpenAIError as error:
            raise ModelError(f"{where.name} did not list its models: {type(error).__name__}") from error


def _show(now: dict[str, Any], rows: list[dict[str, Any]], aliases: dict[str, Any], offer: _Offer) -> None:
    from .escape import one_line
    from .screen import Screen
    from .tables import show_rows

    screen = Screen()
    screen.label("now", now["reason"] or now["error"], "bold" if now["name"] else "red")
    screen.line()
    heads = ["model", "context", "output", "efforts", "in $/M", "out $/M", "shutdown"]
    lines = [
        [
            row["name"],
            _tokens(row["context_window"]),
            _tokens(row["max_output_tokens"]),
            ("-" if row["efforts"] == [] else "?") if not row["efforts"] else " ".join(row["efforts"]),
            row["input_usd_per_million"] or "?",
            row["output_usd_per_million"] or "?",
            row["shutdown"] or "",
        ]
        for row in rows
    ]
    show_rows(screen, heads, lines, right=(1, 2, 4, 5))
    screen.line()
    for name, alias in aliases.items():
        effort = f" with effort {alias['effort']}" if alias["effort"] else ""
        screen.line(f"{name} = {alias['model']}{effort}")
    screen.line(
        "Others: provider:name (openai, cometapi, openrouter, vllm, ollama...), http://host:port/v1#name,"
        " gguf:FILE, offline."
    )
    if offer.models is not None:
        screen.line()
        screen.line(f"offered by {offer.provider}: {len(offer.models)} models", "bold")
        for name in offer.models:
            screen.line(f"  {one_line(name, 200)}")


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
