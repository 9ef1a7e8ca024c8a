"""What the tests of the local server share: the fixture that users get, the official SDK, and plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest

from jigwork.agent import pytest_plugin
from jigwork.agent.server import LocalServer

Json = dict[str, Any]

jigwork_server = pytest_plugin.jigwork_server
"""The fixture that users get, also where the plugin is not installed."""


@pytest.fixture
def sdk() -> Iterator[Callable[[LocalServer], openai.OpenAI]]:
    """Make a client of the official SDK that validates what it gets and never retries."""
    clients: list[openai.OpenAI] = []

    def make(server: LocalServer) -> openai.OpenAI:
        client = openai.OpenAI(
            base_url=server.base_url,
            api_key="test",
            max_retries=0,
            timeout=10,
            _strict_response_validation=True,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    """A plain HTTP client, one for all tests as it takes long to make."""
    with httpx2.Client(timeout=10) as client:
        yield client


@pytest.fixture
def post(http: httpx2.Client) -> Callable[..., httpx2.Response]:
    """Post a body: `post(server, "/responses", input="Hi")`. A model, and messages or input, are filled in."""

    def send(server: LocalServer, path: str, **body: Any) -> httpx2.Response:
        usual: Json = {"model": "any"}
        if path == "/chat/completions":
            usual["messages"] = [{"role": "user", "content": "Hi"}]
        else:
            usual["input"] = "Hi"
        return http.post(server.base_url + path, json={**usual, **body})

    return send


@pytest.fixture
def refused(post: Callable[..., httpx2.Response]) -> Callable[..., None]:
    """Hold that a request gets a 400 with this param and code, and this piece of a message."""

    def hold(
        server: LocalServer, path: str, body: Json, *, param: str | None, code: str | None, message: str
    ) -> None:
        got = post(server, path, **body)
        error = got.json()["error"]
        assert message in error["message"]
        assert (error["param"], error["code"]) == (param, code)
        assert (got.status_code, error["type"]) == (400, "invalid_request_error")

    return hold


@pytest.fixture
def events() -> Callable[[str], list[Any]]:
    """Read a stream's text: the JSON of every `data:` line; `[DONE]` and broken data stay texts."""

    def read(text: str) -> list[Any]:
        found: list[Any] = []
        for line in text.replace("\r\n", "\n").split("\n"):  # not splitlines: U+0085 ends no line here
            if line.startswith("data: "):
                try:
                    found.append(json.loads(line[6:]))
                except ValueError:
                    found.append(line[6:])
        return found

    return read
