"""Every fault that `Reply.fault` can ask for, as data: what it is called, where it applies, and what it does.

Faults combine: `{"split": 1, "index": "zero"}`. On an endpoint, or a kind of answer, to which a fault does not
apply, the server answers 500 and says so, as a script that has no effect would test nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jigwork.errors import ConfigurationError

__all__ = ["ERRORS", "FAULTS", "Fault", "check_faults"]

_Form = Literal["both", "stream", "whole"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `values` says in words what it may be set to; `example` is one that works."""

    does: str
    values: str
    example: Any
    endpoints: tuple[str, ...] = ("responses", "chat")
    form: _Form = "both"


_CHAT = ("chat",)
_RESPONSES = ("responses",)

FAULTS: dict[str, Fault] = {
    # instead of an answer
    "status": Fault("answer with this HTTP status and its usual error body", "400 to 599", 429),
    "body": Fault(
        "this body instead of an error or an answer",
        "JSON data, or a text (HTML if it starts with <)",
        "Bad gateway",
    ),
    "content_type": Fault("the content type of `body`", "a text", "text/plain"),
    "headers": Fault("more headers", "a mapping of texts", {"x-test": "1"}),
    "message": Fault("the message of the error", "a text", "Try later"),
    "code": Fault("the code of the error", "a text, or null", "slow_down"),
    "param": Fault("the param of the error", "a text, or null", "input"),
    "type": Fault("the type of the error", "a text", "rate_limit_error"),
    "retry_after": Fault("a retry-after header", "seconds, or an HTTP date", 1),
    "retry_after_ms": Fault("a retry-after-ms header", "milliseconds", 100),
    "should_retry": Fault("an x-should-retry header", "true or false", False),
    "html": Fault("an HTML page, with status 200 unless `status` says otherwise", "true", True),
    "error_in_200": Fault("HTTP 200 with an error body", "true, or the message", True),
    "before": Fault("wait before the first byte", "seconds", 0.05),
    # in the answer itself
    "truncate_arguments": Fault("cut what calls write", "how many characters are kept", 4),
    "dict_arguments": Fault("function arguments are an object, no text", "true", True),
    "call_ids": Fault("the ids of calls", "empty, duplicate, missing", "empty"),
    "item_ids": Fault("the ids of output items", "empty, duplicate", "duplicate", _RESPONSES),
    "unknown_item": Fault(
        "an output item of an unknown type comes first", "true, or the item", True, _RESPONSES
    ),
    "failed": Fault("the response fails", "its error code, or {code, message}", "server_error", _RESPONSES),
    # in the JSON
    "usage": Fault("the usage", "null, missing, or an object", None),
    "model": Fault("the model that is reported", "a text", ""),
    "extra_fields": Fault(
        "unknown fields in every object and part of the answer", "a mapping", {"x_cost": 0.1}
    ),
    "finish_reason": Fault("the finish reason", "a text, or null", "eos", _CHAT),
    "null_choices": Fault("`choices` is null (in a stream: one more chunk says so)", "true", True, _CHAT),
    "null_delta": Fault("one more chunk has a null delta", "true", True, _CHAT, "stream"),
    "index": Fault(
        "the index of tool call deltas", "missing, zero, one (counts from 1)", "zero", _CHAT, "stream"
    ),
    "call_type": Fault("the type of tool calls", "missing, or a text", "missing", _CHAT),
    "repeat_names": Fault("every tool call delta repeats the name", "true", True, _CHAT, "stream"),
    "whole_calls": Fault("each tool call comes in one delta", "true", True, _CHAT, "stream"),
    "thinking": Fault(
        "the reasoning is shown in this field, or as <think> tags in the content",
        "reasoning_content, reasoning, think",
        "reasoning_content",
        _CHAT,
    ),
    "duplicate_finish": Fault("the finish chunk comes twice", "true", True, _CHAT, "stream"),
    "duplicate_usage": Fault("the usage chunk comes twice (asked for or not)", "true", True, _CHAT, "stream"),
    "cumulative_usage": Fault("every chunk has the usage so far", "true", True, _CHAT, "stream"),
    "prompt_filter": Fault(
        "a first chunk without choices and model, with filter results", "true", True, _CHAT, "stream"
    ),
    "no_role": Fault("no delta has a role", "true", True, _CHAT, "stream"),
    "final_output": Fault("`output` of the response that ends", "null, or a list", None, _RESPONSES),
    "null_texts": Fault(
        "one more text delta is null, as is the text of the last part", "true", True, _RESPONSES, "stream"
    ),
    # in the stream
    "unknown_event": Fault(
        "an unknown event in the middle", "true, an event, or raw text", True, form="stream"
    ),
    "error_event": Fault(
        "an error event ends the stream after `after` events", "flat, nested", "flat", form="stream"
    ),
    "no_terminal": Fault("the stream ends without its last event", "true", True, form="stream"),
    "no_sequence": Fault("no sequence numbers", "true", True, _RESPONSES, "stream"),
    "no_event_names": Fault("no `event:` lines", "true", True, _RESPONSES, "stream"),
    "done": Fault("whether the stream ends with [DONE]", "true or false", True, form="stream"),
    "events": Fault(
        "these events and nothing else", "a list of events and raw texts", [{"a": 1}], form="stream"
    ),
    # in the bytes
    "after": Fault(
        "how many events come before `drop`, `stall` or `error_event`",
        "a number (default 3)",
        2,
        form="stream",
    ),
    "drop": Fault("the connection breaks after `after` events, or halfway", "true", True),
    "stall": Fault("silence after `after` events, or before the answer", "seconds", 0.1),
    "crlf": Fault("lines end with CR LF", "true", True, form="stream"),
    "keep_alive": Fault(
        "a comment before every event", "true, or its text", "OPENROUTER PROCESSING", form="stream"
    ),
    "split": Fault("the body comes in writes of this size, cutting characters too", "bytes", 1),
    "trickle": Fault("a wait between these writes (of 16 bytes, or `split`)", "seconds", 0.001),
}

ERRORS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request is malformed."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    408: ("invalid_request_error", None, "Request timed out."),
    409: ("conflict_error", None, "The resource is being changed by another request."),
    413: ("invalid_request_error", None, "Request body too large."),
    422: ("invalid_request_error", None, "Unprocessable entity."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 1s."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    502: ("server_error", None, "Bad gateway."),
    503: (
        "service_unavailable_error",
        "server_is_overloaded",
        "The engine is currently overloaded, please try again later.",
    ),
    529: ("overloaded_error", None, "Overloaded"),
}
"""Type, code and message of the usual error body of a status."""


def check_faults(fault: Mapping[str, Any] | None) -> None:
    """Raise ConfigurationError for a fault that does not exist."""
    for key in fault or ():
        if key not in FAULTS:
            raise ConfigurationError(f"there is no fault {key!r}; there are {', '.join(sorted(FAULTS))}")
