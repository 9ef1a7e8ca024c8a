"""Keys that stay hidden, logs that show the rest, and clients that are closed with their event loop."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from jigwork.agent.events import TextDelta
from jigwork.agent.items import user_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.settings import Settings
from jigwork.errors import AuthenticationError, BadRequestError, ConfigurationError, MissingKeyError


def _good(wire: Any) -> Any:
    return wire.json(wire.completion({"content": "fine"}))


@pytest.mark.parametrize("key", ["sk-proj-abcdefghijkl", "hunter2!", "Grüße_aus_Köln"])
def test_keys_appear_nowhere(wire: Any, key: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server that repeats the key, in any shape, does not bring it into errors, logs or events."""
    echo = {
        "error": {
            "message": f"Incorrect API key provided: {key}. It was 'Bearer {key}'.",
            "code": "slow_down",
        }
    }
    ascii_key = key.encode("ascii", "ignore").decode()
    model = wire.model("m", wire.json(echo, 429), wire.json(echo, 401), endpoint="chat", key=ascii_key)
    with caplog.at_level(logging.DEBUG, logger="jigwork"), pytest.raises(AuthenticationError) as caught:
        wire.ask(model)
    error = caught.value
    shown = f"{error} {error!r} {error.args} {error.__cause__} {error.__context__} {caplog.text} {model!r}"
    assert ascii_key not in shown
    assert "Incorrect API key provided" in str(error)
    assert wire.requests[0].headers["authorization"] == f"Bearer {ascii_key}"


def test_the_log_shows_exact_requests_and_answers(wire: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At level debug the bodies are logged as they are on the wire."""
    model = wire.model("m", _good(wire), endpoint="chat")
    with caplog.at_level(logging.DEBUG, logger="jigwork"):
        wire.ask(model, "what is logged?")
    assert wire.requests[0].content.decode() in caplog.text
    assert '"content":"fine"' in caplog.text


def test_names_that_are_no_keys_are_shown(wire: Any) -> None:
    """What merely resembles a key, as a constraint's name does, is left as it is; real shapes are not."""
    said = "pk_orders_customer key-constraint-failed prompt_cache_key sk-proj-abcdefghijklmnop hf_abcdefghijklmnop"
    model = wire.model("m", wire.json({"error": {"message": said}}, 400), endpoint="chat")
    with pytest.raises(BadRequestError) as caught:
        wire.ask(model)
    assert "pk_orders_customer key-constraint-failed prompt_cache_key [key] [key]" in str(caught.value)


def test_the_log_is_switched_on_by_the_environment(
    wire: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """JIGWORK_LOG=debug writes requests and answers to stderr; without it nothing is written."""
    from jigwork.agent.models import wirelog

    logger = logging.getLogger("jigwork")
    before = (logger.level, list(logger.handlers))
    monkeypatch.setattr(wirelog, "_done", False)
    try:
        wire.ask(wire.model("m", _good(wire), endpoint="chat"))
        assert capsys.readouterr().err == ""
        monkeypatch.setenv("JIGWORK_LOG", "debug")
        wire.ask(wire.model("m", _good(wire), endpoint="chat"), "shown?")
        assert "shown?" in capsys.readouterr().err
    finally:
        logger.setLevel(before[0])
        logger.handlers[:] = before[1]


def test_key_callables_are_asked_for_every_request() -> None:
    """A key may come from a function, sync or async; what it returned is redacted too."""
    from jigwork.agent.server import LocalServer

    keys = iter(["first-key", "second-key"])

    async def later() -> str:
        return next(keys)

    for source in (lambda: "one-key", later):
        with LocalServer(["a", "b"]) as server:
            model = OpenAIModel("m", base_url=server.base_url, api_key=source)

            async def run(model: OpenAIModel = model) -> str:
                texts = ""
                for _ in range(2):
                    async for event in model.stream(ModelRequest(items=[user_message("hi")])):
                        texts += event.text if isinstance(event, TextDelta) else ""
                await model.aclose()
                return texts

            assert asyncio.run(run()) == "ab"


def test_a_missing_key_is_an_error_at_once() -> None:
    """A model that needs a key and finds none says which variable to set, before any request."""
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        OpenAIModel("gpt-5.2")
    with pytest.raises(MissingKeyError, match="COMETAPI_KEY"):
        OpenAIModel("gpt-5.2", provider="cometapi")
    with pytest.raises(ConfigurationError, match="localhost:8000"):
        OpenAIModel("m", base_url="localhost:8000")


def test_the_openai_key_is_not_sent_to_unknown_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_API_KEY and the organization belong to OpenAI; another address gets neither."""
    from jigwork.agent.server import LocalServer

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    seen: list[dict[str, str]] = []

    def reply(request: Any) -> str:
        seen.append(dict(request.headers))
        return "ok"

    with LocalServer(reply) as server:
        model = OpenAIModel("m", base_url=server.base_url)

        async def run() -> None:
            async for _ in model.stream(ModelRequest(items=[user_message("hi")])):
                pass
            await model.aclose()

        asyncio.run(run())
    assert "secret" not in str(seen)


def test_one_model_works_in_many_loops_and_leaves_nothing_open(recwarn: pytest.WarningsRecorder) -> None:
    """Each event loop gets a client, which is closed with it even when nobody says so."""
    import gc

    from jigwork.agent.server import LocalServer

    gc.collect()  # what tests before this one left
    recwarn.clear()
    with LocalServer(["a", "b", "c"]) as server:
        model = OpenAIModel("m", base_url=server.base_url)

        async def run() -> str:
            got = [e async for e in model.stream(ModelRequest(items=[user_message("hi")], stream=True))]
            return "".join(e.text for e in got if isinstance(e, TextDelta))

        assert [asyncio.run(run()) for _ in range(3)] == ["a", "b", "c"]
        gc.collect()
    assert [str(w.message) for w in recwarn if issubclass(w.category, ResourceWarning)] == []


def test_keys_of_callables_and_headers_are_hidden_too(wire: Any) -> None:
    """What a client's own callable returned, and what a secret header holds, is redacted when a server repeats it."""
    import httpx2
    from openai import AsyncOpenAI

    async def key() -> str:
        return "from-a-vault-77"

    body = {"error": {"message": "bad: from-a-vault-77 and header-secret-5"}}
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda request: httpx2.Response(401, json=body)))
    model = OpenAIModel("m", client=AsyncOpenAI(api_key=key, http_client=http), endpoint="chat")
    with pytest.raises(AuthenticationError) as caught:
        wire.ask(model, settings=Settings(extra_headers={"api-key": "header-secret-5"}))
    assert "bad: [key] and [key]" in str(caught.value)
