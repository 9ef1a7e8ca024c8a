"""The pytest plugin: `jigwork_server`, a local OpenAI-compatible server for the tests of any agent.

def test_my_agent(jigwork_server):
    server = jigwork_server(["Hello"])
    ...OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test")...
    assert server.bodies[0]["model"] == "gpt-5.2"
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from .server import Engine, LocalServer, Script

__all__ = ["ServerFactory", "jigwork_server"]


class ServerFactory(Protocol):
    """Starts a server on a free port; it is stopped when the test ends."""

    def __call__(
        self, engine: Engine | Script, *, strict: bool = True, api_key: str | None = None
    ) -> LocalServer:
        """`engine` is a list of replies, a function of the request, the path of a replies file, or an engine."""
        ...


@pytest.fixture
def jigwork_server() -> Iterator[ServerFactory]:
    """Give replies, get a running server: `server = jigwork_server(["Hello"])`."""
    with ExitStack() as running:

        def start(engine: Engine | Script, *, strict: bool = True, api_key: str | None = None) -> LocalServer:
            from .server import LocalServer

            return running.enter_context(LocalServer(engine, strict=strict, api_key=api_key))

        yield start
