"""Providers: servers as data. Base URL, key variable, endpoint, and what their dialect changes in a profile."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from jigwork.errors import ConfigurationError, UnknownModelError

from .params import Endpoint
from .profiles import Profile

__all__ = ["Provider", "provider_for", "provider_names", "register_provider"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A server that speaks one of the two endpoints.

    `key_env` lists the environment variables of the key, the first one that is set counts; `key_needed` False
    sends a placeholder without one. `base_env` names a variable that replaces `base_url`. `endpoint` None lets
    the model's profile decide. `changes` replaces fields of every profile, also of models that are not known;
    `extra_body` goes with every request.
    """

    name: str
    base_url: str | None = None
    key_env: tuple[str, ...] = ()
    key_needed: bool = True
    base_env: str | None = None
    endpoint: Endpoint | None = "chat"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        known = {f.name for f in fields(Profile)}
        if unknown := sorted(set(self.changes) - known):
            near = difflib.get_close_matches(unknown[0], known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"provider {self.name!r} changes {unknown[0]!r}, no field of a profile{hint}"
            )

    def apply(self, profile: Profile) -> Profile:
        """Return the profile of a model on this server."""
        return replace(profile, **self.changes) if self.changes else profile

    def in_environment(self, env: Mapping[str, str]) -> Provider:
        """Return this provider at the address that its variable names; another host is another dialect."""
        url = env.get(self.base_env, "").strip() if self.base_env else ""
        if not url:
            if self.base_url is None:
                raise ConfigurationError(
                    f"{self.name} has no address of its own: set {self.base_env}, or give base_url="
                )
            return self
        if self.name != "openai":
            return replace(self, base_url=url)
        return replace(Provider.at(url), key_env=self.key_env, key_needed=self.key_needed)

    @classmethod
    def at(cls, base_url: str) -> Provider:
        """Make a provider of a base URL; one that is known by its host keeps its name and dialect.

        The address of an endpoint itself (`.../v1/responses`, `.../v1/chat/completions`) is understood too.
        """
        for path, endpoint in _PATHS.items():
            if base_url.rstrip("/").endswith(path):
                return replace(cls.at(base_url.rstrip("/").removesuffix(path)), endpoint=endpoint)
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"base_url {base_url!r} is no address; write it like 'http://localhost:8000/v1'"
            )
        where = _host(base_url)
        for known in _PROVIDERS.values():
            if known.base_url and _host(known.base_url) == where and where not in _ANYBODYS:
                return replace(known, base_url=base_url)
        return cls(parts.netloc.rpartition("@")[2], base_url=base_url, key_needed=False, changes=_PLAIN)


def _host(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname, parts.port


_ANYBODYS = (("localhost", 8000), ("localhost", 8080))
"""Ports that say nothing about the server behind them."""

_PATHS: Mapping[str, Endpoint] = {"/responses": "responses", "/chat/completions": "chat"}
_PLAIN: Mapping[str, Any] = {
    "system_role": "system",
    "price": None,
    "json_arguments": True,
    "tool_search": False,
}
"""Any server that is not OpenAI's: no developer role, templates that decode arguments; what it charges is its own
affair."""

_LOCAL: Mapping[str, Any] = {
    **_PLAIN,
    "encrypted_reasoning": False,
    "single_system": True,
    "max_tokens_field": "max_tokens",
    "custom_tools": False,
    "allowed_tools": False,
    "think_tags": True,
}

_SELF_RUN: Mapping[str, Any] = {**_LOCAL, "schema_with_tools": False}
"""Engines that hold the whole answer to its schema, so that no call can be written (vLLM #39929, Ollama #8095)."""

_PROVIDERS: dict[str, Provider] = {
    p.name: p
    for p in (
        Provider(
            "openai",
            "https://api.openai.com/v1",
            ("OPENAI_API_KEY",),
            base_env="OPENAI_BASE_URL",
            endpoint=None,
            changes={"obfuscation": True},
        ),
        Provider(
            "cometapi",
            "https://api.cometapi.com/v1",
            ("COMETAPI_KEY", "COMETAPI_API_KEY", "COMET_API_KEY"),
            endpoint=None,
            changes={**_PLAIN},
        ),
        Provider(
            "openrouter",
            "https://openrouter.ai/api/v1",
            ("OPENROUTER_API_KEY",),
            changes={
                **_PLAIN,
                "max_tokens_field": "max_tokens",
                "custom_tools": False,
                "allowed_tools": False,
            },
        ),
        Provider(
            "vllm",
            "http://localhost:8000/v1",
            ("VLLM_API_KEY",),
            key_needed=False,
            base_env="VLLM_BASE_URL",
            changes={**_SELF_RUN, "response_grammar": "vllm"},
        ),
        Provider(
            "sglang",
            "http://localhost:30000/v1",
            key_needed=False,
            base_env="SGLANG_BASE_URL",
            changes={**_SELF_RUN, "response_grammar": "sglang"},
        ),
        Provider(
            "llamacpp",
            "http://localhost:8080/v1",
            ("LLAMACPP_API_KEY",),
            key_needed=False,
            base_env="LLAMACPP_BASE_URL",
            changes={**_SELF_RUN, "strict_tools": False, "response_grammar": "llamacpp"},
        ),
        Provider(
            "ollama",
            "http://localhost:11434/v1",
            ("OLLAMA_API_KEY",),
            key_needed=False,
            base_env="OLLAMA_BASE_URL",
            changes={**_SELF_RUN, "strict_tools": False, "tool_choice_required": False},
        ),
        Provider(
            "deepseek",
            "https://api.deepseek.com",
            ("DEEPSEEK_API_KEY",),
            changes={**_LOCAL, "single_system": False, "json_schema": False},
        ),
        Provider(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            changes={**_LOCAL, "strict_tools": False, "parallel_tool_calls": False},
        ),
        Provider(
            "moonshot",
            "https://api.moonshot.ai/v1",
            ("MOONSHOT_API_KEY",),
            changes={**_LOCAL, "single_system": False, "tool_choice_required": False},
        ),
        Provider("azure", None, ("AZURE_OPENAI_API_KEY",), base_env="AZURE_OPENAI_BASE_URL", endpoint=None),
    )
}


def provider_names() -> tuple[str, ...]:
    """Return the names of all providers, the registered ones included."""
    return tuple(_PROVIDERS)


def provider_for(name: str) -> Provider:
    """Return the provider of that name; raises UnknownModelError with the nearest one."""
    found = _PROVIDERS.get(name)
    if found is None:
        near = difflib.get_close_matches(name, _PROVIDERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_PROVIDERS)}"
        raise UnknownModelError(f"no provider is called {name!r}: {hint}")
    return found


def register_provider(provider: Provider) -> None:
    """Make a provider known under its name, in place of an earlier one: `"name:model"` then uses it."""
    if not provider.name.replace("-", "").replace("_", "").isalnum():
        raise ConfigurationError(
            f"a provider's name has letters, digits, - and _ only, not {provider.name!r}"
        )
    _PROVIDERS[provider.name] = provider
