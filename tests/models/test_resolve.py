"""Model strings, providers, profiles, prices, and the choice that is made when nothing is named."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.prices import cost
from jigwork.agent.models.profiles import ALIASES, Profile, known_models, profile_for, warn_if_retired
from jigwork.agent.models.providers import Provider, provider_for, register_provider
from jigwork.agent.models.resolve import choose_model, resolve_model
from jigwork.agent.usage import Usage
from jigwork.errors import ConfigurationError, MissingKeyError, UnknownModelError

KEYS = {"OPENAI_API_KEY": "sk-1", "COMETAPI_KEY": "sk-2", "OPENROUTER_API_KEY": "sk-3"}

# string -> (name, provider, endpoint)
STRINGS: dict[str, tuple[str, str, str]] = {
    "gpt-5.2": ("gpt-5.2", "openai", "responses"),
    "gpt-5.2-2025-12-11": ("gpt-5.2-2025-12-11", "openai", "responses"),
    "instant": ("gpt-5.2", "openai", "responses"),
    "thinking": ("gpt-5.2", "openai", "responses"),
    "pro": ("gpt-5.2-pro", "openai", "responses"),
    "gpt-99-nova": ("gpt-99-nova", "openai", "responses"),
    "ft:gpt-4.1:acme::x": ("ft:gpt-4.1:acme::x", "openai", "responses"),
    "openai:gpt-5.4": ("gpt-5.4", "openai", "responses"),
    "cometapi:gpt-5.2": ("gpt-5.2", "cometapi", "responses"),
    "cometapi:thinking": ("gpt-5.2", "cometapi", "responses"),
    "cometapi:claude-x": ("claude-x", "cometapi", "chat"),
    "vllm:Qwen/Qwen3-8B": ("Qwen/Qwen3-8B", "vllm", "chat"),
    "llamacpp:gemma": ("gemma", "llamacpp", "chat"),
    "ollama:llama3.2:3b": ("llama3.2:3b", "ollama", "chat"),
    "openrouter:openai/gpt-5.2": ("openai/gpt-5.2", "openrouter", "chat"),
    "http://127.0.0.1:9/v1#my-model": ("my-model", "127.0.0.1:9", "chat"),
    "http://127.0.0.1:11434/v1#qwen3": ("qwen3", "ollama", "chat"),
    "http://localhost:8000/v1#gpt-5.2": ("gpt-5.2", "localhost:8000", "chat"),
    "http://127.0.0.1:9/v1/responses#my-model": ("my-model", "127.0.0.1:9", "responses"),
    "http://127.0.0.1:9/v1/chat/completions#my-model": ("my-model", "127.0.0.1:9", "chat"),
    "https://api.cometapi.com/v1#gpt-5.2": ("gpt-5.2", "cometapi", "responses"),
}


@pytest.mark.parametrize(("text", "expected"), STRINGS.items(), ids=STRINGS.keys())
def test_model_strings(text: str, expected: tuple[str, str, str]) -> None:
    """A string names model, server and endpoint."""
    model = resolve_model(text, env=KEYS)
    assert isinstance(model, OpenAIModel)
    assert (model.name, model.provider, model.endpoint) == expected


# string -> words of the error
WRONG: dict[str, str] = {
    "gpt5.2": "did you mean 'gpt-5.2'",
    "thinkin": "did you mean 'thinking'",
    "comteapi:gpt-5.2": "did you mean 'cometapi'",
    "Qwen/Qwen3-8B": "vllm:Qwen/Qwen3-8B",
    "ollama": "ollama:model-name",
    "vllm:": "names no model",
    "http://localhost:1/v1": "#model-name",
    "http://#x": "no address",
    "gguf:/tmp/x.gguf": "no such file",
    "zebra": "ollama:zebra",
}


@pytest.mark.parametrize(("text", "words"), WRONG.items(), ids=WRONG.keys())
def test_wrong_model_strings_say_what_is_meant(text: str, words: str) -> None:
    """What names nothing is an error with the nearest name or the right form."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_model(text, env=KEYS)
    assert words in str(caught.value)


# environment -> (name, provider or "offline", words of the reason)
CHOICES: list[tuple[dict[str, str], str, str, str]] = [
    ({"JIGWORK_MODEL": "vllm:m", **KEYS}, "m", "vllm", "JIGWORK_MODEL"),
    (KEYS, "gpt-5.2", "openai", "OPENAI_API_KEY is set"),
    ({"COMETAPI_KEY": "sk-2", "OPENAI_API_KEY": ""}, "gpt-5.2", "cometapi", "COMETAPI_KEY is set"),
]


@pytest.mark.parametrize(("env", "name", "provider", "words"), CHOICES)
def test_the_default_choice(env: dict[str, str], name: str, provider: str, words: str) -> None:
    """JIGWORK_MODEL, then the keys that are there, each with its reason."""
    model, reason = choose_model(env=env)
    assert isinstance(model, OpenAIModel)
    assert (model.name, model.provider) == (name, provider)
    assert words in reason


def test_a_named_model_is_never_replaced() -> None:
    """Named and without a key is an error, whatever other keys there are."""
    with pytest.raises(MissingKeyError, match="COMETAPI_KEY"):
        choose_model("cometapi:gpt-5.2", {"OPENAI_API_KEY": "sk-1"})
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        choose_model(env={"JIGWORK_MODEL": "gpt-5.2", "COMETAPI_KEY": "sk-2"})


def test_without_anything_it_is_offline() -> None:
    """No name and no key: the offline model, and the reason says so."""
    pytest.importorskip("jigwork.agent.models.offline")
    model, reason = choose_model(env={})
    assert model.name == "offline"
    assert reason.startswith("offline")


def test_aliases_bring_their_effort(wire: Any) -> None:
    """`thinking` is a model with an effort; a request may still choose another."""
    assert ALIASES["thinking"].effort == "medium"
    assert all(alias.model in known_models() for alias in ALIASES.values())
    for alias in ALIASES.values():
        efforts = known_models()[alias.model].efforts
        assert alias.effort is None or (efforts is not None and alias.effort in efforts)


def test_base_urls_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_BASE_URL at another host means chat and the dialect of an unknown server, with the key."""
    env = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://gateway.test/v1"}
    model = resolve_model("some-model", env=env)
    assert isinstance(model, OpenAIModel)
    assert (model.provider, model.endpoint) == ("gateway.test", "chat")
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        resolve_model("some-model", env={"OPENAI_BASE_URL": "http://gateway.test/v1"})
    vllm = resolve_model("vllm:m", env={"VLLM_BASE_URL": "http://box:1/v1"})
    assert isinstance(vllm, OpenAIModel)
    with pytest.raises(ConfigurationError, match="AZURE_OPENAI_BASE_URL"):
        resolve_model("azure:m", env={"AZURE_OPENAI_API_KEY": "k"})


def test_providers_can_be_registered() -> None:
    """A provider is data: once registered, `name:model` uses it, with what it changes."""
    register_provider(
        Provider(
            "my-gateway", "http://localhost:1/v1", ("MY_KEY",), endpoint="responses", changes={"stop": False}
        )
    )
    model = resolve_model("my-gateway:m", env={"MY_KEY": "k"})
    assert isinstance(model, OpenAIModel)
    assert (model.endpoint, model.profile.stop) == ("responses", False)
    with pytest.raises(MissingKeyError, match="MY_KEY"):
        resolve_model("my-gateway:m", env={})
    with pytest.raises(ConfigurationError, match="did you mean 'efforts'"):
        Provider("x", "http://x", changes={"effort": ()})
    with pytest.raises(ConfigurationError, match="letters"):
        register_provider(Provider("a:b", "http://x"))


def test_snapshots_and_prefixes_share_the_profile_of_their_family() -> None:
    """A dated snapshot or a vendor prefix is the same model; anything else is unknown and permissive."""
    assert profile_for("gpt-5.2-2025-12-11") is profile_for("gpt-5.2") is profile_for("openai/gpt-5.2")
    assert profile_for("ft:gpt-4.1:acme::x") == replace(profile_for("gpt-4.1"), price=None)
    assert profile_for("unheard-of") == profile_for("gpt-oss-120b") == Profile()


def test_ids_newer_than_the_table_have_what_their_generation_has() -> None:
    """An unknown id of OpenAI's goes to Responses with the newer parameters; effort and price are unknown."""
    for name in ("gpt-6.2-astra", "gpt-5.2-mega", "gpt-7"):
        profile = profile_for(name)
        assert profile.endpoints[0] == "responses"
        assert (profile.max_tokens_field, profile.efforts, profile.price) == (
            "max_completion_tokens",
            None,
            None,
        )


def test_retired_models_warn_once_and_name_their_successor() -> None:
    """After its shutdown date, and in the 30 days before, a model warns; others do not."""
    profile = profile_for("gpt-5-mini")
    for day, words in ((date(2026, 12, 1), "will be shut down on"), (date(2027, 1, 1), "was shut down on")):
        name = f"gpt-5-mini-test-{day}"
        with pytest.warns(UserWarning, match=f"{words} 2026-12-11; use 'gpt-5.4-mini'"):
            warn_if_retired(name, profile, today=day)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warn_if_retired(name, profile, today=day)
            warn_if_retired("other", profile, today=date(2026, 1, 1))
            warn_if_retired("gpt-5.2", profile_for("gpt-5.2"))
    with pytest.warns(UserWarning, match=r"gpt-5\.2-chat-latest.*use 'gpt-5\.2'"):
        resolve_model("gpt-5.2-chat-latest", env=KEYS)


def test_the_registry_is_consistent() -> None:
    """Successors exist and live on, default efforts are allowed, every price has a first tier at 0."""
    for name, profile in known_models().items():
        if profile.successor:
            later = known_models()[profile.successor].shutdown
            assert later is None or (profile.shutdown is not None and later > profile.shutdown), name
        if profile.efforts:
            assert profile.default_effort in profile.efforts, name
        assert set(profile.endpoints) <= {"responses", "chat"}, name
        assert profile.price is not None and profile.price.tiers[0].above == 0, name


# model, usage (input, cached, written, output), options -> USD
COSTS: list[tuple[str, tuple[int, int, int, int], dict[str, Any], str | None]] = [
    ("gpt-5.2", (1_000_000, 0, 0, 0), {}, "1.75"),
    ("gpt-5.2", (1_000_000, 1_000_000, 0, 0), {}, "0.175"),
    ("gpt-5.2", (0, 0, 0, 1_000_000), {}, "14"),
    ("gpt-5.2", (1_000, 400, 0, 200), {}, "0.00392"),
    ("gpt-5.2", (1_000_000, 0, 0, 0), {"batch": True}, "0.875"),
    ("gpt-5.2", (1_000_000, 0, 0, 0), {"service_tier": "flex"}, "0.875"),
    ("gpt-5.2", (1_000_000, 0, 0, 0), {"service_tier": "priority"}, "3.50"),
    ("gpt-5.2", (1_000_000, 0, 0, 0), {"service_tier": "scale"}, None),
    ("gpt-5.2-pro", (1_000_000, 500_000, 0, 0), {}, "21"),
    ("gpt-5.4", (272_000, 0, 0, 0), {}, "0.68"),
    ("gpt-5.4", (272_001, 0, 0, 0), {}, "1.360005"),
    ("gpt-5.6-sol", (100_000, 0, 100_000, 0), {}, "0.5"),
    ("gpt-5.4", (1_000, 0, 0, 0), {"service_tier": "priority"}, None),
    ("unknown-model", (1_000, 0, 0, 0), {}, None),
]


@pytest.mark.parametrize(("model", "tokens", "options", "usd"), COSTS)
def test_costs(
    model: str, tokens: tuple[int, int, int, int], options: dict[str, Any], usd: str | None
) -> None:
    """Money is exact and depends on cache, tier, batch and service tier; what is unknown is None."""
    usage = Usage(1, *tokens)
    expected = None if usd is None else Decimal(usd)
    assert cost(usage, profile_for(model).price, **options) == expected


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(0, 1), st.sampled_from(sorted(known_models())))
def test_caching_never_makes_it_dearer(tokens: int, output: int, share: float, model: str) -> None:
    """A law: a cost is never negative, and cached input never costs more than fresh."""
    price = profile_for(model).price
    cached = cost(Usage(1, tokens, int(tokens * share), 0, output), price)
    fresh = cost(Usage(1, tokens, 0, 0, output), price)
    assert cached is not None and fresh is not None
    assert 0 <= cached <= fresh


def test_a_price_is_unknown_where_nothing_was_reported() -> None:
    """No usage means an unknown cost, never zero; another server's price is not OpenAI's."""
    assert cost(Usage(requests=1, unreported=1), profile_for("gpt-5.2").price) is None
    model = resolve_model("cometapi:gpt-5.2", env=KEYS)
    assert model.profile.price is None


def test_unknown_provider_names() -> None:
    """An unknown provider is an error that lists the known ones."""
    with pytest.raises(UnknownModelError, match="openai"):
        provider_for("zzz")
