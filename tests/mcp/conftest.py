"""Real MCP servers for the tests: a script that runs over stdio, and the same as an HTTP server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="needs the extra 'mcp'")


@pytest.fixture
def script() -> str:
    """Return the path of the server."""
    return str(Path(__file__).with_name("server.py"))


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(script: str, port: int) -> Generator[Start]:
    """Return a function that starts the HTTP server on the port; all that were started are ended."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, script, "http", str(port)], stderr=subprocess.DEVNULL)
        started.append(process)
        wait_for_port(port)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def running() -> Generator[str]:
    """Return the URL of a server that runs as long as the tests do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    path = str(Path(__file__).with_name("server.py"))
    process = subprocess.Popen([sys.executable, path, "http", str(port)], stderr=subprocess.DEVNULL)
    wait_for_port(port)
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()
    process.wait()


def wait_for_port(port: int) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise TimeoutError("the server does not listen")
