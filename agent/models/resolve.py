"""From a model string to a model, and the choice that is made when no model is named."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from jigwork.errors import UnknownModelError

from .base import Model
from .keys import find_key
from .openai_model import OpenAIModel
from .profiles import ALIASES, known_models, nearest_models
from .providers import Provider, provider_for, provider_names
from .settings import Settings

__all__ = ["choose_model", "resolve_model"]

_DEFAULT = "gpt-5.2"
_FILE_OPTIONS = ("context", "threads", "gpu_layers", "parallel")
_OPENAI_IDS = re.compile(r"(gpt-[\w.]|o\d|chatgpt-|codex-|computer-use|ft:)")


def resolve_model(name: str, *, env: Mapping[str, str] | None = None) -> Model:
    """Return the model that a string names.

    `"gpt-5.2"`, an alias (`"instant"`, `"thinking"`, `"pro"`), `"provider:name"`, `"http://host:port/v1#name"`,
    `"gguf:model.gguf"` (a file, run in this process; options may follow: `?context=32768&threads=4`) or `"offline"`.
    Raises UnknownModelError with the nearest name, MissingKeyError where a key is needed, ConfigurationError for a file
    that cannot be used.
    """
    env = os.environ if env is None else env
    name = name.strip()
    if name == "offline":
        return _offline()
    if name.startswith(("http://", "https://")):
        base_url, _, model = name.partition("#")
        if not model:
            raise UnknownModelError(f"{name!r} names no model: write it like '{base_url}#model-name'")
        provider = Provider.at(base_url)
        return OpenAIModel(model, provider=provider, api_key=find_key(provider, env))
    where, colon, model = name.partition(":")
    if where == "gguf" and colon:
        return _file(model)
    if colon and where != "ft":
        return _at(_named_provider(where, name), model, env)
    return _at(provider_for("openai"), _openai_id(name, env), env)


def choose_model(name: str | None = None, env: Mapping[str, str] | None = None) -> tuple[Model, str]:
    """Return the model to use and, in a few words, why.

    The name given, else JIGWORK_MODEL, else gpt-5.2 where OPENAI_API_KEY is set, else cometapi:gpt-5.2 where
    COMETAPI_KEY is set, else offline. A model that is named is never replaced by another.
    """
    env = os.environ if env is None else env
    if name:
        return resolve_model(name, env=env), f"{name}, as asked"
    if chosen := env.get("JIGWORK_MODEL", "").strip():
        return resolve_model(chosen, env=env), f"{chosen}, from JIGWORK_MODEL"
    if env.get("OPENAI_API_KEY", "").strip():
        return resolve_model(_DEFAULT, env=env), f"{_DEFAULT}, because OPENAI_API_KEY is set"
    if env.get("COMETAPI_KEY", "").strip():
        return resolve_model(
            f"cometapi:{_DEFAULT}", env=env
        ), f"cometapi:{_DEFAULT}, because COMETAPI_KEY is set"
    return _offline(), "offline, because no model is named and no API key is set"


def _at(provider: Provider, name: str, env: Mapping[str, str]) -> Model:
    alias = ALIASES.get(name)
    if not name:
        raise UnknownModelError(
            f"'{provider.name}:' names no model: write it like '{provider.name}:model-name'"
        )
    provider = provider.in_environment(env)
    if alias is None:
        return OpenAIModel(name, provider=provider, api_key=find_key(provider, env))
    settings = Settings(effort=alias.effort)
    return OpenAIModel(alias.model, provider=provider, api_key=find_key(provider, env), settings=settings)


def _named_provider(provider: str, name: str) -> Provider:
    try:
        return provider_for(provider)
    except UnknownModelError as error:
        raise UnknownModelError(f"model {name!r}: {error}") from None


def _openai_id(name: str, env: Mapping[str, str]) -> str:
    if name in ALIASES or name in known_models() or _OPENAI_IDS.match(name) or env.get("OPENAI_BASE_URL"):
        return name
    words = [*nearest_models(name), *(p for p in provider_names() if p == name.lower())]
    if "/" in name:
        hint = f"say where it runs, as in 'vllm:{name}' or 'http://localhost:8000/v1#{name}'"
    elif name.lower() in provider_names():
        hint = f"that is a provider: name a model too, as in '{name.lower()}:model-name'"
    elif words:
        hint = f"did you mean {words[0]!r}?"
    else:
        hint = f"say where it runs, as in 'ollama:{name}', or use one of OpenAI's"
    raise UnknownModelError(f"no model is called {name!r}: {hint}")


def _file(text: str) -> Model:
    """Return the model of a file, with the options that may follow it: `model.gguf?context=32768&threads=4`."""
    from .gguf import GGUFModel

    path, _, query = text.strip().partition("?")
    if not path:
        raise UnknownModelError("'gguf:' names no file: write it like 'gguf:models/model.gguf'")
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "template" and value == "chatml":
            options[name] = value
        elif name in _FILE_OPTIONS and value.isascii() and value.isdigit():
            options[name] = int(value)
        else:
            known = ", ".join(f"{option}=NUMBER" for option in _FILE_OPTIONS)
            raise UnknownModelError(
                f"'gguf:{text}' has the option {name}={value}; there are {known} and template=chatml"
            )
    return GGUFModel(path, **options)


def _offline() -> Model:
    from .offline import OfflineModel

    return OfflineModel(database=None)
