"""What goes wrong on the wire: errors, retries, deadlines, refused parameters, keys that stay hidden."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest

from jigwork.agent.events import AttemptDiscarded, ItemAdded, TextDelta
from jigwork.agent.items import user_message
from jigwork.agent.models.base import ModelRequest
from jigwork.agent.models.fallback import FallbackModel
from jigwork.agent.models.settings import Settings
from jigwork.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    ContextOverflowError,
    DeadlineError,
    GrammarRejectedError,
    ModelConnectionError,
    ModelError,
    QuotaError,
    RateLimitError,
    ServerError,
)

ENDPOINTS = ["responses", "chat"]
MODES = [False, True]


def _good(wire: Any, endpoint: str, stream: bool, text: str = "fine") -> Any:
    """An answer that is all right."""
    if endpoint == "chat":
        if stream:
            return wire.sse(wire.chunks([{"content": text}]), done=True)
        return wire.json(wire.completion({"content": text}))
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    body = wire.response(item)
    return wire.sse(wire.response_events(body)) if stream else wire.json(body)


def _error(message: str = "oops", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": None, "param": None, "code": None, **fields}}


# status, body, class, whether it is asked again
STATUSES: dict[str, tuple[int, Any, type[ModelError], bool]] = {
    "bad request": (400, _error(type="invalid_request_error"), BadRequestError, False),
    "unknown key": (401, _error(code="invalid_api_key"), AuthenticationError, False),
    "no credit": (402, _error("Insufficient credits"), QuotaError, False),
    "forbidden": (403, _error("Country not supported"), AuthenticationError, False),
    "unknown model": (404, _error(code="model_not_found"), BadRequestError, False),
    "request timeout": (408, _error(), ModelConnectionError, True),
    "conflict": (409, _error(), ServerError, True),
    "too large": (413, _error("Request too large"), BadRequestError, False),
    "unprocessable": (422, {"detail": "bad"}, BadRequestError, False),
    "rate limit": (429, _error(code="rate_limit_exceeded"), RateLimitError, True),
    "slow down": (429, _error(type="rate_limit_error", code="slow_down"), RateLimitError, True),
    "quota": (429, _error(code="insufficient_quota"), QuotaError, False),
    "credit": (429, _error(type="insufficient_quota", code="credit_balance_exhausted"), QuotaError, False),
    "server error": (500, _error(type="server_error"), ServerError, True),
    "bad gateway, html": (502, "<html><title>Bad gateway</title></html>", ServerError, True),
    "overloaded": (
        503,
        _error(type="service_unavailable_error", code="server_is_overloaded"),
        ServerError,
        True,
    ),
    "overloaded, other number": (529, "overloaded", ServerError, True),
    "too long": (400, _error(code="context_length_exceeded"), ContextOverflowError, False),
    "too long, vLLM": (
        400,
        {"object": "error", "message": "This model's maximum context length is 8192 tokens", "code": 400},
        ContextOverflowError,
        False,
    ),
    "filtered": (400, _error(code="content_filter"), ContentFilterError, False),
    "grammar": (
        400,
        _error("Invalid Lark grammar: unknown terminal X", param="tools[0]"),
        GrammarRejectedError,
        False,
    ),
    "error as text": (400, {"error": "model is broken"}, BadRequestError, False),
    "no body": (500, "", ServerError, True),
}


@pytest.mark.parametrize("stream", MODES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("status", "body", "kind", "again"), STATUSES.values(), ids=STATUSES.keys())
def test_statuses(
    wire: Any, endpoint: str, stream: bool, status: int, body: Any, kind: type[ModelError], again: bool
) -> None:
    """Each refusal is its own error, with what the server said; what waiting helps is asked again."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        if isinstance(body, str):
            return httpx2.Response(status, text=body, headers={"x-request-id": "req_7"})
        return httpx2.Response(status, json=body, headers={"x-request-id": "req_7"})

    model = wire.model("m", refuse, _good(wire, endpoint, stream), endpoint=endpoint)
    if again:
        got = wire.ask(model, stream=stream)
        assert got.text == "fine"
        assert got.end.attempts == 2
        assert [event.attempt for event in got.of(AttemptDiscarded)] == [2]
        wire.answers[:] = [refuse]
    with pytest.raises(ModelError) as caught:
        wire.ask(model, stream=stream, settings=Settings(retries=0))
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.request_id) == (status, "req_7")
    inner: Any = {} if isinstance(body, str) else body.get("error", body)
    said: Any = inner if isinstance(inner, str) else inner.get("message")
    assert (said or "") in str(error)
    assert "<html" not in str(error)


@pytest.mark.parametrize("stream", MODES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_retries_end(wire: Any, endpoint: str, stream: bool) -> None:
    """After the allowed attempts the last error is raised, and says how many there were."""
    model = wire.model("m", *(wire.json(_error(), 500) for _ in range(3)), endpoint=endpoint)
    with pytest.raises(ServerError, match="after 3 attempts") as caught:
        wire.ask(model, stream=stream, settings=Settings(retries=2))
    assert caught.value.attempts == 3
    assert len(wire.requests) == 3


# headers -> seconds to wait, None: not asked again
WAITS: dict[str, tuple[dict[str, str], float | None]] = {
    "milliseconds": ({"retry_after_ms": "30"}, 0.03),
    "seconds": ({"retry_after": "0.02"}, 0.02),
    "milliseconds win": ({"retry_after": "50", "retry_after_ms": "10"}, 0.01),
    "a past date": (
        {"retry_after": format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)},
        0.0,
    ),
    "too long": ({"retry_after": "600"}, None),
    "the server says no": ({"x_should_retry": "false"}, None),
}


@pytest.mark.parametrize(("headers", "wait"), WAITS.values(), ids=WAITS.keys())
def test_the_server_says_how_long_to_wait(wire: Any, headers: dict[str, str], wait: float | None) -> None:
    """Retry-After(-ms) is honoured; more than two minutes, or x-should-retry: false, means not at all."""
    model = wire.model("m", wire.json(_error(), 429, **headers), _good(wire, "chat", False), endpoint="chat")
    if wait is None:
        with pytest.raises(RateLimitError):
            wire.ask(model)
        return
    begun = time.monotonic()
    got = wire.ask(model)
    assert time.monotonic() - begun >= wait
    assert got.of(AttemptDiscarded)[0].wait == pytest.approx(wait)


def test_the_server_may_ask_for_a_retry(wire: Any) -> None:
    """x-should-retry: true makes even a 400 be asked again."""
    model = wire.model(
        "m", wire.json(_error(), 400, x_should_retry="true"), _good(wire, "chat", False), endpoint="chat"
    )
    assert wire.ask(model).text == "fine"


@pytest.mark.parametrize("stream", MODES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "problem",
    [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("gone")],
)
def test_connections_that_fail_are_tried_again(
    wire: Any, endpoint: str, stream: bool, problem: Exception
) -> None:
    """No connection, a time-out, a server that hangs up: asked again, in the end ModelConnectionError."""
    model = wire.model("m", problem, _good(wire, endpoint, stream), endpoint=endpoint)
    assert wire.ask(model, stream=stream).text == "fine"
    wire.answers[:] = [problem]
    with pytest.raises(ModelConnectionError):
        wire.ask(model, stream=stream, settings=Settings(retries=0))


# What a 200 holds -> (class, asked again).
NO_ANSWERS: dict[str, tuple[bytes, str, type[ModelError], bool]] = {
    "html": (b"<!doctype html><title>Login</title>", "text/html", ServerError, False),
    "half of a JSON": (b'{"id": "x", "output": [', "application/json", ServerError, True),
    "nothing": (b"", "application/json", ServerError, True),
    "a list": (b"[]", "application/json", ServerError, False),
    "a number as error": (
        b'{"error":{"code":502,"message":"upstream"}}',
        "application/json",
        ServerError,
        True,
    ),
    "a rate limit": (b'{"error":{"code":"rate_limit_exceeded"}}', "application/json", RateLimitError, True),
    "a bad request": (
        b'{"error":{"type":"invalid_request_error"}}',
        "application/json",
        BadRequestError,
        False,
    ),
    "null choices and output": (b'{"choices":null,"output":null}', "application/json", ServerError, False),
}


@pytest.mark.parametrize("stream", MODES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("body", "kind", "error", "again"), NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_a_200_that_is_no_answer(
    wire: Any, endpoint: str, stream: bool, body: bytes, kind: str, error: type[ModelError], again: bool
) -> None:
    """Status 200 proves nothing: pages, halves and errors are found out, on both endpoints."""
    model = wire.model("m", wire.raw(body, kind=kind), _good(wire, endpoint, stream), endpoint=endpoint)
    if again:
        assert wire.ask(model, stream=stream).text == "fine"
        wire.answers[:] = [wire.raw(body, kind=kind)]
    with pytest.raises(error):
        wire.ask(model, stream=stream, settings=Settings(retries=0))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_text_that_is_no_unicode_breaks_nothing(wire: Any, endpoint: str) -> None:
    """Halves of emojis from a server, lone surrogates from a tool, integers of any size: all are survived."""
    halves = _good(wire, endpoint, True, "a\ud83d")
    model = wire.model("m", halves, _good(wire, endpoint, False), endpoint=endpoint)
    assert wire.ask(model, stream=True).text.startswith("a\ufffd")
    output = {"type": "function_call_output", "call_id": "c", "output": "file\udce4.txt"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    wire.ask(model, [user_message("hi"), call, output], settings=Settings(extra_body={"big": 2**70}))
    assert "file?.txt" in wire.requests[1].content.decode()
    assert wire.bodies[1]["big"] == 2**70
    with pytest.raises(ConfigurationError, match="not JSON serializable"):
        wire.ask(model, settings=Settings(extra_body={"when": datetime.now(UTC).tzinfo}))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_error_that_says_to_be_a_stream(wire: Any, endpoint: str) -> None:
    """A JSON error under the content type of a stream is read as what it is."""
    body = b'{"error": {"code": "rate_limit_exceeded", "message": "too many"}}'
    model = wire.model("m", wire.raw(body, kind="text/event-stream"), endpoint=endpoint)
    with pytest.raises(RateLimitError, match="too many"):
        wire.ask(model, stream=True, settings=Settings(retries=0))


# Events of a stream after the first delta -> (class, asked again).
IN_STREAM: dict[str, tuple[Any, type[ModelError], bool]] = {
    "nested error": ({"type": "error", "error": {"code": "server_error", "message": "x"}}, ServerError, True),
    "flat error": ({"type": "error", "code": "rate_limit_exceeded", "message": "x"}, RateLimitError, True),
    "error without a type": ({"error": {"message": "x", "code": 502}}, ServerError, True),
    "error that stays": ({"error": {"message": "x", "code": "invalid_prompt"}}, ContentFilterError, False),
    "no JSON": ("{oops", ServerError, True),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("event", "error", "again"), IN_STREAM.values(), ids=IN_STREAM.keys())
def test_errors_inside_a_stream(
    wire: Any, endpoint: str, event: Any, error: type[ModelError], again: bool
) -> None:
    """An error event discards what was streamed; where it may help the request is made again."""
    begun = _begun(wire, endpoint)
    if endpoint == "chat" and "code" in event and not isinstance(event, str):
        event = {"error": event}
    model = wire.model("m", wire.sse([*begun, event]), _good(wire, endpoint, True), endpoint=endpoint)
    if again:
        got = wire.ask(model, stream=True)
        kinds = [type(e).__name__ for e in got.events]
        assert kinds.index("AttemptDiscarded") > kinds.index("TextDelta")
        assert got.items[-1]["content"][0]["text"] == "fine"
    else:
        with pytest.raises(error):
            wire.ask(model, stream=True)


def _begun(wire: Any, endpoint: str) -> Any:
    """The beginning of a stream: one delta, no end."""
    if endpoint == "chat":
        return wire.chunks([{"content": "half"}], finish=None, usage=False)
    item = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "half an answer"}],
    }
    return wire.response_events(wire.response(item))[:3]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("broken", [None, httpx2.ReadError("reset"), httpx2.ReadTimeout("stalled")])
def test_streams_that_end_early_are_asked_again(wire: Any, endpoint: str, broken: Exception | None) -> None:
    """A stream without its end, closed or broken, is discarded and asked for again, else an error."""
    model = wire.model(
        "m", wire.sse(_begun(wire, endpoint), broken=broken), _good(wire, endpoint, True), endpoint=endpoint
    )
    got = wire.ask(model, stream=True)
    assert [len(got.of(kind)) for kind in (AttemptDiscarded, ItemAdded)] == [1, 1]
    wire.answers[:] = [wire.sse(_begun(wire, endpoint), broken=broken)]
    with pytest.raises(ModelConnectionError):
        wire.ask(model, stream=True, settings=Settings(retries=0))


def test_a_failed_response_is_an_error(wire: Any) -> None:
    """`response.failed` carries its error; server errors are asked again, others not."""
    failed = wire.response(status="failed", error={"code": "server_error", "message": "x"})
    filtered = wire.response(status="failed", error={"code": "invalid_prompt", "message": "not this"})
    model = wire.model("m", wire.json(failed), wire.sse(wire.response_events(failed)), wire.json(filtered))
    with pytest.raises(ServerError):
        wire.ask(model, settings=Settings(retries=0))
    with pytest.raises(ServerError):
        wire.ask(model, stream=True, settings=Settings(retries=0))
    with pytest.raises(ContentFilterError, match="not this"):
        wire.ask(model)


@pytest.mark.parametrize("stream", MODES)
def test_the_deadline_bounds_all_attempts(wire: Any, stream: bool) -> None:
    """A deadline cuts a silent server, and a wait that would pass it is not begun."""

    async def silent(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(30)
        raise AssertionError

    model = wire.model("m", silent, wire.json(_error(), 429, retry_after="60"), endpoint="chat")
    begun = time.monotonic()
    with pytest.raises(DeadlineError, match=r"deadline of 0\.1 s"):
        wire.ask(model, stream=stream, settings=Settings(deadline=0.1))
    with pytest.raises(DeadlineError, match="429") as caught:
        wire.ask(model, stream=stream, settings=Settings(deadline=5))
    assert caught.value.status == 429
    assert time.monotonic() - begun < 3


def test_a_stream_may_be_left_in_the_middle(wire: Any) -> None:
    """Whoever stops reading closes the response; the next request works."""
    model = wire.model(
        "m", _good(wire, "chat", True, "a long answer"), _good(wire, "chat", True), endpoint="chat"
    )

    async def run() -> None:
        events: Any = model.stream(ModelRequest(items=[user_message("hi")], stream=True))
        assert isinstance(await anext(events), TextDelta)
        await events.aclose()

    asyncio.run(run())
    assert wire.ask(model, stream=True).text == "fine"


def test_a_chain_asks_the_next_model(wire: Any) -> None:
    """Where one model fails for good the next one answers; a bad request is bad everywhere."""
    first = wire.model("first", wire.json(_error(code="insufficient_quota"), 429), endpoint="chat")
    second = wire.model("second", _good(wire, "chat", False), endpoint="chat")
    chain = FallbackModel([first, second])
    got = wire.ask(chain)
    assert got.text == "fine"
    assert [body["model"] for body in wire.bodies] == ["first", "second"]
    assert "asking second" in got.of(AttemptDiscarded)[0].reason
    wire.answers[:] = [wire.json(_error(), 400)]
    with pytest.raises(BadRequestError):
        wire.ask(chain)
    with pytest.raises(ConfigurationError):
        FallbackModel([])
