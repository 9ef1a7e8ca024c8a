"""Keys: found in the environment, given as text or by a callable, and taken out of everything that is shown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError, MissingKeyError

from .providers import Provider

__all__ = ["ApiKey", "Secrets", "ask_key", "clean_key", "find_key", "without_logins"]

ApiKey: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""The key itself, or a function, sync or async, that is asked before every request."""

_LIKE_A_KEY = re.compile(r"\b(?:(?:sk|rk|xai)-|gsk_|hf_|AIza)[A-Za-z0-9_\-*]{12,}")
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',;]+")
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
_LOGINS = frozenset({"authorization", "headers"})
_SHORTEST = 4
_HIDDEN = "[key]"


class Secrets:
    """Every key that was used, so that its exact text can be taken out, whatever it looks like."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> None:
        """Remember a key."""
        if len(value) >= _SHORTEST:
            self._values.add(value)

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Remember what headers hold whose name says that it is secret."""
        for name, value in headers.items():
            if _SECRET_HEADER.search(name):
                self.add(value)
                self.add(value.removeprefix("Bearer "))

    def add_hosted(self, body: Mapping[str, Any]) -> None:
        """Remember what the hosted tools of a body are given to log in with."""
        for tool in _hosted(body):
            headers: Mapping[str, str] = tool.get("headers") or {}
            for value in (tool.get("authorization"), *headers.values()):
                self.add(str(value or "").removeprefix("Bearer "))

    def redact(self, text: str) -> str:
        """Return the text without keys: those that were used, and whatever looks like one."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, _HIDDEN)
        return _LIKE_A_KEY.sub(_HIDDEN, _BEARER.sub(f"Bearer {_HIDDEN}", text))


def without_logins(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as it may be shown: without what its hosted tools are given to log in with."""
    if not _hosted(body):
        return body
    tools = [{k: _HIDDEN if k in _LOGINS else v for k, v in tool.items()} for tool in body["tools"]]
    return {**body, "tools": tools}


def _hosted(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [tool for tool in body.get("tools", ()) if not _LOGINS.isdisjoint(tool)]


def find_key(provider: Provider, env: Mapping[str, str]) -> str | None:
    """Return the provider's key from the environment, None where it works without one.

    Raises MissingKeyError, which names the variable, when it does not.
    """
    for name in provider.key_env:
        if value := env.get(name, "").strip():
            return value
    if provider.key_needed and provider.key_env:
        raise MissingKeyError(
            f"no API key for {provider.name}: set {provider.key_env[0]} in the environment, or give api_key="
        )
    return None


def clean_key(key: str) -> str:
    """Return the key without the white space around it; raises ConfigurationError where no header can hold it."""
    key = key.strip()
    if key and not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            "the API key has a line break, or a character that is no ASCII: give the key alone, as it was issued"
        )
    return key


async def ask_key(source: Callable[[], str | Awaitable[str]], secrets: Secrets) -> str:
    """Ask a callable for its key and remember it."""
    found = source()
    value = clean_key(await found if inspect.isawaitable(found) else found)
    if not value:
        raise MissingKeyError("the api_key callable returned no key")
    secrets.add(value)
    return value
