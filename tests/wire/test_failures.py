"""What goes wrong on the wire: every failure is a typed error that says what it knows, and the run goes on later."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from jigwork import (
    Agent,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    ContextOverflowError,
    DeadlineError,
    JigworkError,
    ModelConnectionError,
    ModelError,
    OpenAIModel,
    QuotaError,
    RateLimitError,
    RunState,
    ServerError,
    Settings,
)
from jigwork.agent.events import AttemptDiscarded

KEY = "sk-wire-0123456789abcdef"
ENDPOINTS = ["responses", "chat"]
MODES = ["plain", "stream"]


def answer(kit: Any, endpoint: str, mode: str, text: str = "fine", **headers: str) -> Any:
    """The shortest whole answer."""
    if endpoint == "chat":
        if mode == "plain":
            message = {"role": "assistant", "content": text}
            return kit.Reply.json(
                {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}, **headers
            )
        return kit.Reply.sse(
            {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]},
            "[DONE]",
            **headers,
        )
    item: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    body: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "completed", "output": [item]}
    if mode == "plain":
        return kit.Reply.json(body, **headers)
    return kit.Reply.sse({"type": "response.output_item.done", "output_index": 0, "item": item}, {"type": "response.completed", "response": body}, **headers)  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """A refused request, and the error that has to come of it."""

    id: str
    status: str
    body: Any
    error: type[ModelError]
    code: str | None = None
    says: str = ""
    retried: bool = False
    kind: str = "application/json"


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


OVERFLOW = "This model's maximum context length is 8192 tokens, however you requested 9000 tokens."
REFUSALS = [
    Refusal("400", "400 Bad Request", error("Invalid 'input'.", type="invalid_request_error", param="input", code="invalid_value"), BadRequestError, "invalid_value", "Invalid 'input'."),
    Refusal("overflow", "400 Bad Request", error("Your input exceeds the context window.", type="invalid_request_error", param="input", code="context_length_exceeded"), ContextOverflowError, "context_length_exceeded"),
    Refusal("vllm flat", "400 Bad Request", {"object": "error", "message": OVERFLOW, "type": "BadRequestError", "param": None, "code": 400}, ContextOverflowError, "400", "maximum context length"),
    Refusal("gemini list", "400 Bad Request", [{"error": {"code": 400, "message": "Unable to submit request because thinking is on", "status": "INVALID_ARGUMENT"}}], BadRequestError, "400", "Unable to submit request"),
    Refusal("llama.cpp", "400 Bad Request", {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}, ContextOverflowError, "400"),
    Refusal("fastapi", "422 Unprocessable Entity", {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}]}, BadRequestError, None, "field required"),
    Refusal("azure filter", "400 Bad Request", error("The response was filtered due to the prompt triggering Azure OpenAI's policy", type=None, param="prompt", code="content_filter", status=400, innererror={"code": "ResponsibleAIPolicyViolation"}), ContentFilterError, "content_filter"),
    Refusal("401", "401 Unauthorized", error(f"Incorrect API key provided: {KEY}.", type="invalid_request_error", code="invalid_api_key"), AuthenticationError, "invalid_api_key", "Incorrect API key"),
    Refusal("402", "402 Payment Required", error("Insufficient credits", code=402), QuotaError, "402"),
    Refusal("403 html", "403 Forbidden", "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>x</body></html>", AuthenticationError, None, "Cloudflare", kind="text/html"),
    Refusal("404", "404 Not Found", error("The model `gpt-5.9` does not exist", type="invalid_request_error", param=None, code="model_not_found"), BadRequestError, "model_not_found"),
    Refusal("404 text", "404 Not Found", "404 page not found", BadRequestError, None, "404 page not found", kind="text/plain"),
    Refusal("quota", "429 Too Many Requests", error("You exceeded your current quota", type="insufficient_quota", param=None, code="insufficient_quota"), QuotaError, "insufficient_quota"),
    Refusal("quota by type", "429 Too Many Requests", error("No credit", type="insufficient_quota", code="credit_balance_exhausted"), QuotaError, "credit_balance_exhausted"),
    Refusal("429", "429 Too Many Requests", error("Rate limit reached", type="requests", code="rate_limit_exceeded"), RateLimitError, "rate_limit_exceeded", retried=True),
    Refusal("408", "408 Request Timeout", "", ModelConnectionError, retried=True),
    Refusal("409", "409 Conflict", error("locked"), ServerError, retried=True),
    Refusal("500", "500 Internal Server Error", error("The server had an error", type="server_error", code=None), ServerError, "server_error", retried=True),
    Refusal("502 html", "502 Bad Gateway", "<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>", ServerError, None, "502 Bad Gateway", True, "text/html"),
    Refusal("503", "503 Service Unavailable", error("Overloaded", type="service_unavailable_error", code="server_is_overloaded"), ServerError, "server_is_overloaded", retried=True),
    Refusal("529", "529 Overloaded", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ServerError, "overloaded_error", retried=True),
    Refusal("ollama text", "500 Internal Server Error", {"error": "model runner has unexpectedly stopped"}, ServerError, None, "model runner", True),
    Refusal("detail text", "400 Bad Request", {"detail": "There was an error parsing the body"}, BadRequestError, None, "error parsing the body"),
    Refusal("a bom", "400 Bad Request", b"\xef\xbb\xbf" + json.dumps(error("Nope", code="invalid_value")).encode(), BadRequestError, "invalid_value", "Nope"),
    Refusal("litellm", "429 Too Many Requests", error("litellm.RateLimitError: RateLimitError: OpenAIException", type="throttling_error", param=None, code="429"), RateLimitError, "429", retried=True),
]  # fmt: skip


def _bytes(body: Any) -> bytes:
    return (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )


@pytest.mark.parametrize(("endpoint", "mode"), [("responses", "stream"), ("chat", "plain")])
@pytest.mark.parametrize("case", REFUSALS, ids=lambda c: c.id)
def test_refused_requests(raw: Any, kit: Any, case: Refusal, endpoint: str, mode: str) -> None:
    """A typed error with status, code and request id, no key in it, and a state that goes on afterwards."""
    headers = [("content-type", case.kind), ("x-request-id", "req_77")]
    raw.replies = [kit.Reply([_bytes(case.body)], case.status, headers, "length")]
    raw.repeat = True
    agent = Agent(raw.model(endpoint=endpoint), settings=Settings(retries=1))
    run = kit.play(agent, mode, "go")
    error = run.error
    assert type(error) is case.error
    assert (error.status, error.code, error.request_id) == (int(case.status[:3]), case.code, "req_77")
    assert case.says in str(error)
    assert error.attempts == len(raw.requests) == (2 if case.retried else 1)
    assert KEY not in f"{error!r}{error}{error.state.to_json()}{run.events}"
    raw.replies = [answer(kit, endpoint, mode)]
    again = kit.play(agent, mode, None, state=RunState.from_json(error.state.to_json()))
    assert again.error is None
    assert again.result.output == "fine"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("headers", "least", "most", "attempts"),
    [
        ({"retry_after": "0"}, 0, 0.2, 2),
        ({"retry_after": "0.15"}, 0.15, 0.6, 2),
        ({"retry_after_ms": "120", "retry_after": "60"}, 0.12, 0.6, 2),
        ({"retry_after": formatdate(time() - 5, usegmt=True)}, 0, 0.2, 2),
        ({"retry_after": "3600"}, 0, 0.2, 1),
        ({"retry_after": "soon"}, 0, 0.2, 2),
        ({"retry_after": "nan"}, 0, 0.2, 2),
        ({"x_should_retry": "false"}, 0, 0.2, 1),
    ],
)
def test_retry_after(
    raw: Any, kit: Any, mode: str, headers: dict[str, str], least: float, most: float, attempts: int
) -> None:
    """What the server asks for is waited, what is unreasonable is not."""
    raw.replies = [
        kit.Reply.json(error("slow down", code="rate_limit_exceeded"), "429 Too Many Requests", **headers),
        answer(kit, "chat", mode),
    ]
    begun = time()
    run = kit.play(Agent(raw.model(endpoint="chat")), mode, "go")
    assert least <= time() - begun <= most + 0.5
    assert len(raw.requests) == attempts
    assert (run.error is None) == (attempts == 2)
    if attempts == 1:
        assert isinstance(run.error, RateLimitError)


def test_a_refusal_may_ask_for_a_retry(raw: Any, kit: Any) -> None:
    """x-should-retry wins over the status."""
    raw.replies = [
        kit.Reply.json(error("odd"), "400 Bad Request", x_should_retry="true"),
        answer(kit, "chat", "plain"),
    ]
    assert kit.play(Agent(raw.model(endpoint="chat")), "plain", "go").result.output == "fine"


FailureOf = Callable[[Any], Any]
NESTED = {
    "type": "error",
    "error": {"type": "server_error", "code": "server_error", "message": "boom", "param": None},
}
FLAT = {"type": "error", "code": "server_error", "message": "boom", "param": None, "sequence_number": 3}
FAILED: dict[str, Any] = {
    "type": "response.failed",
    "response": {
        "id": "r",
        "status": "failed",
        "error": {"code": "server_error", "message": "boom"},
        "output": [],
    },
}
IN_BAND: dict[str, tuple[str, str, Any, type[ModelError], str | None]] = {
    "nested": ("responses", "stream", NESTED, ServerError, "server_error"),
    "flat": ("responses", "stream", FLAT, ServerError, "server_error"),
    "failed": ("responses", "stream", FAILED, ServerError, "server_error"),
    "failed rate": ("responses", "stream", {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "boom"}}}, RateLimitError, "rate_limit_exceeded"),
    "failed prompt": ("responses", "stream", {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "invalid_prompt", "message": "boom"}}}, ContentFilterError, "invalid_prompt"),
    "failed image": ("responses", "stream", {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "image_too_large", "message": "boom"}}}, BadRequestError, "image_too_large"),
    "failed without a reason": (
        "responses",
        "stream",
        {"type": "response.failed", "response": {"id": "boom", "status": "failed", "error": None}},
        ServerError,
        "server_error",
    ),
    "failed whole": ("responses", "plain", FAILED["response"], ServerError, "server_error"),
    "flat without a type": ("responses", "stream", "event: error\ndata: {\"code\": \"slow_down\", \"message\": \"boom\"}\n\n", RateLimitError, "slow_down"),
    "chat nested": ("chat", "stream", error("boom", code="server_error"), ServerError, "server_error"),
    "chat flat": ("chat", "stream", {"object": "error", "message": "boom", "type": "BadRequestError", "param": None, "code": 400}, BadRequestError, "400"),
    "chat flat event": ("chat", "stream", FLAT, ServerError, "server_error"),
    "chat text": ("chat", "stream", {"error": "boom"}, ServerError, None),
    "openrouter": ("chat", "stream", {"id": "g", "error": {"code": 502, "message": "boom"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}, ServerError, "502"),
    "openrouter whole": ("chat", "plain", {"error": {"message": "boom", "code": 429}, "user_id": "u"}, RateLimitError, "429"),
    "openrouter choice": ("chat", "plain", {"id": "g", "choices": [{"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "boom"}, "message": {"role": "assistant", "content": "par"}}]}, ServerError, "502"),
    "openrouter choice in a stream": ("chat", "stream", {"id": "g", "choices": [{"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "boom"}, "delta": {"content": ""}}]}, ServerError, "502"),
    "chat flat whole": ("chat", "plain", {"object": "error", "message": "boom", "type": "BadRequestError", "code": 400}, BadRequestError, "400"),
    "responses 200 error": ("responses", "plain", error("boom", code="invalid_prompt"), ContentFilterError, "invalid_prompt"),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_BAND)
def test_errors_inside_a_200(raw: Any, kit: Any, name: str) -> None:
    """An error that comes after a good status is as typed as any other, and names the request."""
    endpoint, mode, sent, kind, code = IN_BAND[name]
    if isinstance(sent, str):
        sent = sent.encode()
    reply = (
        kit.Reply.json(sent, x_request_id="req_9")
        if mode == "plain"
        else kit.Reply.sse(sent, x_request_id="req_9")
    )
    raw.replies, raw.repeat = [reply], True
    run = kit.play(Agent(raw.model(endpoint=endpoint), settings=Settings(retries=0)), mode, "go")
    assert type(run.error) is kind
    assert ("boom" if "without a reason" not in name else "nothing says why") in str(run.error)
    assert "{" not in str(run.error)
    assert (run.error.code, run.error.request_id) == (code, "req_9")
    assert run.error.state.items[-1]["content"] == "go"


@pytest.mark.parametrize(
    ("endpoint", "mode"), [("responses", "plain"), ("responses", "stream"), ("chat", "stream")]
)
@pytest.mark.parametrize(
    "what", ["reset", "drop", "early", "html", "empty", "text", "json list", "half json", "bad event"]
)
def test_what_is_no_answer(raw: Any, kit: Any, what: str, endpoint: str, mode: str) -> None:
    """A connection that breaks, or a 200 that is no answer, is an error with the request's id where there is one."""
    good = answer(kit, endpoint, mode)
    data = b"".join(good.steps)
    head = [*good.headers, ("x-request-id", "req_5")]
    reply = {
        "reset": kit.Reply([kit.Reset()]),
        "drop": kit.Reply([data[:40], kit.Drop()], headers=head),
        "early": kit.Reply([data[: len(data) // 2]], headers=head, framing="close"),
        "html": kit.Reply(
            [b"<html><title>Login</title></html>"],
            headers=[("content-type", "text/html"), ("x-request-id", "req_5")],
        ),
        "empty": kit.Reply([], headers=head),
        "text": kit.Reply(
            [b"upstream sent too big header"],
            headers=[("content-type", "text/plain"), ("x-request-id", "req_5")],
        ),
        "json list": kit.Reply.json([1, 2], x_request_id="req_5"),
        "half json": kit.Reply.json(b'{"id": "x", "outp', x_request_id="req_5"),
        "bad event": kit.Reply([b"data: {nonsense\n\n"], headers=head),
    }[what]
    raw.replies, raw.repeat = [reply], True
    run = kit.play(Agent(raw.model(endpoint=endpoint), settings=Settings(retries=1)), mode, "go")
    assert isinstance(run.error, ModelError)
    assert isinstance(run.error, ServerError | ModelConnectionError)
    if what not in ("reset", "drop") or (mode == "stream" and what == "drop"):
        assert run.error.request_id == "req_5"
    raw.replies = [answer(kit, endpoint, mode)]
    again = kit.play(Agent(raw.model(endpoint=endpoint)), mode, None, state=run.error.state)
    assert again.result.output == "fine"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "what",
    [
        "gzip",
        "bom",
        "no type",
        "text type",
        "trickle",
        "redirect",
        "json for sse",
        "sse for json",
        "keep-alive",
    ],
)
def test_odd_bodies_that_are_answers(raw: Any, kit: Any, what: str, endpoint: str, mode: str) -> None:
    """Compressed, marked, mislabelled, trickling or moved: an answer is an answer."""
    good = answer(kit, endpoint, mode)
    data = b"".join(good.steps)
    kind = good.headers[0]
    other = answer(kit, endpoint, "stream" if mode == "plain" else "plain")
    raw.replies = {
        "gzip": [kit.Reply([gzip.compress(data)], headers=[kind, ("content-encoding", "gzip")])],
        "bom": [kit.Reply([b"\xef\xbb\xbf" + data], headers=[kind])],
        "no type": [kit.Reply([data])],
        "text type": [kit.Reply([data], headers=[("content-type", "text/plain")])],
        "trickle": [kit.Reply([s for b in data[:60] for s in (bytes([b]), kit.Pause(0.0005))] + [data[60:]], headers=[kind])],
        "redirect": [kit.Reply([], "307 Temporary Redirect", [("location", "/elsewhere")], "length"), good],
        "json for sse": [other] if mode == "stream" else [good],
        "sse for json": [other] if mode == "plain" else [good],
        "keep-alive": [kit.Reply([b": ping\n\n", data], headers=[kind])] if mode == "stream" else [kit.Reply([b"\n  \n", data], headers=[kind])],
    }[what]  # fmt: skip
    run = kit.play(Agent(raw.model(endpoint=endpoint)), mode, "go")
    assert run.error is None
    assert run.result.output == "fine"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_stream_that_breaks_is_asked_again_and_says_so(raw: Any, kit: Any, endpoint: str) -> None:
    """Text of an attempt that broke is taken back: deltas and items are those of the whole answer alone."""
    good = answer(kit, endpoint, "stream")
    first = good.steps[0]
    half = b'data: {"choices":[{"index":0,"delta":{"content":"lost"}}]}\n\n'
    if endpoint == "responses":
        half = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"lost"}\n\n'
    raw.replies = [
        kit.Reply([half, kit.Reset()], headers=good.headers),
        kit.Reply([half, first[:30], kit.Drop()], headers=good.headers),
        good,
    ]
    run = kit.play(Agent(raw.model(endpoint=endpoint)), "stream", "go")
    assert run.error is None
    assert run.text == run.result.output == "fine"
    assert len([e for e in run.events if isinstance(e, AttemptDiscarded)]) == 2
    assert run.result.requests[0].attempts == 3
    assert len(run.items) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("where", ["head", "body"])
def test_time_outs(raw: Any, kit: Any, mode: str, where: str) -> None:
    """A server that falls silent is a connection error after `timeout`, however it fell silent."""
    good = answer(kit, "chat", mode)
    begin = [] if where == "head" else [b"".join(good.steps)[:20]]
    raw.replies, raw.repeat = [kit.Reply([*begin, kit.Pause(2.0)], headers=good.headers)], True
    begun = time()
    run = kit.play(Agent(raw.model(endpoint="chat"), settings=Settings(timeout=0.1, retries=1)), mode, "go")
    assert time() - begun < 1.5
    assert isinstance(run.error, ModelConnectionError)
    assert run.error.attempts == 2
    assert isinstance(run.error, JigworkError)


def test_nobody_listens(raw: Any, kit: Any) -> None:
    """A port without a server is a connection error that names the address, and no password that is in it."""
    address = raw.url.replace("http://", "http://me:hunter2hunter2@")
    raw.close()
    model = OpenAIModel("m", base_url=address, endpoint="chat", settings=Settings(retries=0))
    run = kit.play(Agent(model), "plain", "go")
    assert isinstance(run.error, ModelConnectionError)
    assert "127.0.0.1" in str(run.error)
    assert "hunter2hunter2" not in f"{run.error!r}{run.error}{run.error.__cause__!r}"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("secret-key-9\n", "secret-key-9"),
        ("  secret-key-9 ", "secret-key-9"),
        ("ключ-9-ключ", None),
        ("two\nlines-of-key", None),
    ],
)
def test_keys_that_no_header_can_hold(raw: Any, kit: Any, key: str, sent: str | None) -> None:
    """White space around a key is no part of it; any other that cannot be sent is said to be wrong, not shown."""
    raw.replies = [answer(kit, "chat", "plain")] * 2
    for given in (key, lambda: key):
        try:
            run = kit.play(Agent(raw.model("m", endpoint="chat", api_key=given)), "plain", "go")
        except ConfigurationError as error:
            shown = error
        else:
            shown = run.error
        if sent is not None:
            assert shown is None
            assert raw.requests[-1].headers["authorization"] == f"Bearer {sent}"
        else:
            assert isinstance(shown, ConfigurationError)
            assert key not in f"{shown!r}" and key.encode("unicode_escape").decode() not in f"{shown!r}"


def test_the_deadline_ends_a_stream_that_never_ends(raw: Any, kit: Any) -> None:
    """Bytes that keep coming are no reason to wait for ever: the deadline counts over everything."""
    raw.replies = [kit.Reply.sse(*[s for _ in range(60) for s in (b": ping\n\n", kit.Pause(0.03))])]
    begun = time()
    run = kit.play(Agent(raw.model("m", endpoint="chat"), settings=Settings(deadline=0.3)), "stream", "go")
    assert isinstance(run.error, DeadlineError)
    assert 0.3 <= time() - begun < 1.5


def test_the_record_counts_the_time_of_all_attempts(raw: Any, kit: Any) -> None:
    """What was waited between attempts is part of the request's seconds."""
    busy = kit.Reply.json(error("slow down"), "429 Too Many Requests", retry_after="0.2")
    raw.replies = [busy, answer(kit, "chat", "plain")]
    run = kit.play(Agent(raw.model("m", endpoint="chat")), "plain", "go")
    record = run.result.requests[0]
    assert record.attempts == 2
    assert record.seconds >= 0.2
