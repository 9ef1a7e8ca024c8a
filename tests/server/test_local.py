"""The server as a program: starting, stopping, keys, what it records, connections, paths that do not exist."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx2
import pytest

from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.server import LocalServer, ScriptedEngine
from jigwork.errors import ServerStartError

Post = Callable[..., httpx2.Response]


def test_sync_and_async_context_managers(post: Post) -> None:
    """Both run the server in a thread of its own, and end it; the port is free again."""
    with LocalServer(["a"]) as server:
        assert post(server, "/responses").status_code == 200
        assert "jigwork-server" in [thread.name for thread in threading.enumerate()]
    with pytest.raises(httpx2.ConnectError):
        post(server, "/responses")

    async def run() -> int:
        async with LocalServer(["b"], port=server.port) as again, httpx2.AsyncClient() as client:
            body = {"model": "any", "input": "Hi"}
            return (await client.post(again.base_url + "/responses", json=body)).status_code

    assert asyncio.run(run()) == 200
    assert "jigwork-server" not in [thread.name for thread in threading.enumerate()]


def test_taken_port(jigwork_server: ServerFactory) -> None:
    """A port that is taken is an error of the caller, with what to do; so is starting twice."""
    server = jigwork_server([])
    with pytest.raises(
        ServerStartError, match=f"cannot listen on 127.0.0.1:{server.port}.*choose another port"
    ):
        LocalServer([], port=server.port).start()
    with pytest.raises(ServerStartError, match="runs already"):
        server.start()


def test_what_is_recorded(jigwork_server: ServerFactory, http: httpx2.Client, post: Post) -> None:
    """Every request is recorded, refused ones too, and never its key."""
    server = jigwork_server(["a"])
    headers = {"Authorization": "Bearer sk-secret", "X-Trace": "1"}
    http.post(server.base_url + "/responses", json={"model": "m", "input": "Hi"}, headers=headers)
    post(server, "/chat/completions", foo=1)
    http.get(server.base_url + "/models")
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", "/v1/responses"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
    ]
    assert server.bodies[0] == {"model": "m", "input": "Hi"} and server.bodies[2] is None
    assert server.requests[0].headers["x-trace"] == "1"
    assert "sk-secret" not in repr(server.requests)


def test_no_record(post: Post) -> None:
    """`record=False` keeps nothing."""
    with LocalServer(["a"], record=False) as server:
        post(server, "/responses")
        assert server.requests == []


def test_keys(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """With a key the request must carry it; the error never repeats the one that came."""
    server = jigwork_server(["a"], api_key="sk-right")
    url, body = server.base_url + "/responses", {"model": "m", "input": "Hi"}
    missing = http.post(url, json=body)
    assert missing.status_code == 401 and "didn't provide an API key" in missing.json()["error"]["message"]
    wrong = http.post(url, json=body, headers={"Authorization": "Bearer sk-wrong"})
    assert wrong.status_code == 401 and wrong.json()["error"]["code"] == "invalid_api_key"
    assert "sk-" not in wrong.text
    assert http.get(server.base_url + "/models").status_code == 401
    assert http.post(url, json=body, headers={"Authorization": "Bearer sk-right"}).status_code == 200


def test_paths(jigwork_server: ServerFactory, http: httpx2.Client) -> None:
    """Paths work with and without /v1; unknown ones and wrong methods get an error object."""
    server = jigwork_server(["a", "b"])
    root = server.base_url.removesuffix("/v1")
    for prefix in ("", "/v1"):
        answer = http.post(root + prefix + "/responses", json={"model": "m", "input": "Hi"})
        assert answer.status_code == 200
    lost = http.post(root + "/v1/images", json={})
    assert lost.status_code == 404 and lost.json()["error"]["message"] == "Invalid URL (POST /v1/images)"
    wrong = http.delete(root + "/v1/models")
    assert wrong.status_code == 405 and wrong.json()["error"]["code"] == "method_not_supported"
    assert http.get(root + "/v1/models/a/b").json()["error"]["code"] == "model_not_found"


def test_headers(jigwork_server: ServerFactory, post: Post) -> None:
    """Every answer has the headers of the real API, a request id of its own among them."""
    server = jigwork_server(["a"])
    answers = [post(server, "/responses"), post(server, "/responses", foo=1), post(server, "/nowhere")]
    for answer in answers:
        assert answer.headers["openai-version"] == "2020-10-01"
        assert int(answer.headers["openai-processing-ms"]) >= 0
        assert answer.headers["x-ratelimit-remaining-requests"].isdigit()
        assert answer.headers["x-ratelimit-reset-tokens"].endswith("s")
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_connections_are_kept(jigwork_server: ServerFactory) -> None:
    """One connection serves many requests, and small answers are not held back."""
    server = jigwork_server(ScriptedEngine(["Hello"], repeat=True))
    request = (
        b"POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Content-Length: 34\r\n\r\n{"model":"m","input":"Hi there!" }'
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times: list[float] = []
        for _ in range(20):
            started = time.perf_counter()
            connection.sendall(request)
            received = connection.recv(65536)
            while b"Hello" not in received or not received.endswith(b"}"):
                received += connection.recv(65536)
            times.append(time.perf_counter() - started)
            assert received.startswith(b"HTTP/1.1 200")
    assert sorted(times)[10] < 0.03


def test_many_at_once(jigwork_server: ServerFactory) -> None:
    """Fifty requests on as many connections at the same time are all served."""
    server = jigwork_server(ScriptedEngine(["Hello"], repeat=True))

    async def ask() -> list[httpx2.Response]:
        body = {"model": "any", "input": "Hi", "stream": True}
        async with httpx2.AsyncClient(timeout=20, limits=httpx2.Limits(max_connections=50)) as client:
            url = server.base_url + "/responses"
            return await asyncio.gather(*(client.post(url, json=body) for _ in range(50)))

    answers = asyncio.run(ask())
    assert sum("event: response.completed" in answer.text for answer in answers) == 50


def test_stop_cuts_open_answers(http: httpx2.Client) -> None:
    """Stopping does not wait for an answer that would take for ever."""
    with LocalServer([{"text": "x", "fault": {"stall": 600, "after": 1}}]) as server:
        body = {"model": "any", "input": "Hi", "stream": True}
        with http.stream("POST", server.base_url + "/responses", json=body) as answer:
            assert answer.status_code == 200
            started = time.perf_counter()
            server.stop()
            assert time.perf_counter() - started < 2


def test_light_import() -> None:
    """Importing the server brings neither starlette nor uvicorn, the SDK, or a grammar engine."""
    program = (
        "import sys, jigwork.agent.server as s; s.LocalServer, s.ScriptedEngine(['x']);"
        "heavy = {'starlette', 'uvicorn', 'openai', 'pydantic', 'yaml', 'lark', 'llguidance', 'httpx2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("absent", ["uvicorn", "starlette"])
def test_missing_extra(absent: str) -> None:
    """Without the extra, starting says which one to install, and takes no port."""
    program = (
        f"import sys; sys.modules['{absent}'] = None\n"
        "from jigwork.agent.server import LocalServer\n"
        "from jigwork.errors import MissingExtraError\n"
        "try: LocalServer([]).start()\n"
        "except MissingExtraError as error: print(error)\n"
    )
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'jigwork[server]'" in out.stdout and out.stderr == ""


PROGRAM = """
from jigwork.agent.server import serve
serve(["Hello"], port=0, on_start=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_serve_until_interrupted(http: httpx2.Client) -> None:
    """`serve` blocks, says its address once it listens, and ends on an interrupt."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert http.post(url + "/responses", json={"model": "m", "input": "Hi"}).status_code == 200
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    assert (output, errors, process.returncode) == ("ended\n", "", 0)
