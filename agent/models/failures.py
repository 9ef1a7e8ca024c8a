"""What goes wrong on the wire, as one internal exception: the public error, and whether asking again may help.

SDK exceptions, error bodies and in-band error events come in; `Failure` goes out, and the retry loop either
makes the request again or raises `failure.error`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from jigwork.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextOverflowError,
    GrammarRejectedError,
    ModelConnectionError,
    ModelError,
    QuotaError,
    RateLimitError,
    ServerError,
)

from .jsondata import is_array, is_object

__all__ = ["Failure", "broken", "failure_of_body", "failure_of_status", "no_answer", "refused_parameter"]

_QUOTA = frozenset(
    {"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "spend_limit"}
)
_OVERFLOW = frozenset({"context_length_exceeded", "string_above_max_length", "input_too_long"})
_OVERFLOW_TEXT = re.compile(
    r"maximum context length|context (?:window|length|size)|prompt is too long|exceeds? the (?:model'?s )?context",
    re.IGNORECASE,
)
_CODE_STATUS = {
    "rate_limit_exceeded": 429,
    "slow_down": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "vector_store_timeout": 504,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
}
_BAD_REQUEST_CODES = (
    "invalid_prompt",
    "invalid_image",
    "invalid_base64",
    "image_",
    "unsupported_",
    "empty_image",
    "failed_to_download",
    "bio_policy",
    "misalignment_",
    "data_residency",
    "context_length",
)
_REFUSED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_REFUSED_TEXT = re.compile(
    r"(?:unsupported|unknown|unrecognized|unexpected)[\w ]*(?:parameter|argument|field|value)[\w ]*:?\s*['\"`]?([\w.\[\]]+)",
    re.IGNORECASE,
)
_NOT_TAKEN = re.compile(r"\bnot (?:supported|allowed|permitted)\b", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)?")
_PATIENCE = 120.0
"""Seconds: a server that wants us to wait longer is not asked again."""


class Failure(Exception):
    """One attempt failed. `retry` says whether the same request may succeed later, `wait` what the server asked."""

    def __init__(self, error: ModelError, *, retry: bool, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry and (wait is None or wait <= _PATIENCE)
        self.wait = wait


def broken(message: str) -> Failure:
    """Return the failure of a connection that broke or fell silent."""
    return Failure(ModelConnectionError(message), retry=True)


def no_answer(message: str, *, retry: bool, request_id: str | None = None) -> Failure:
    """Return the failure of an HTTP 200 whose body is no answer."""
    return Failure(ServerError(message, request_id=request_id), retry=retry)


def failure_of_status(status: int, body: Any, headers: Mapping[str, str]) -> Failure:
    """Read a refused request: status, decoded body (or its text) and headers."""
    failure = failure_of_body(body, status=status, request_id=headers.get("x-request-id"))
    wait = retry_after(headers)
    failure.error.retry_after = wait
    wish = headers.get("x-should-retry")
    retry = failure.retry if wish not in ("true", "false") else wish == "true"
    return Failure(failure.error, retry=retry, wait=wait)


def failure_of_body(body: Any, *, status: int | None = None, request_id: str | None = None) -> Failure:
    """Read an error object in any of its forms: nested, flat, in a list, FastAPI's `detail`, or a plain text."""
    fields = _fields(body)
    code, kind = _text(fields.get("code")), _text(fields.get("type"))
    if kind == "error":  # the type of the event, not of what went wrong
        kind = None
    if status is None and code and code.isdigit() and 400 <= int(code) <= 599:
        status = int(code)
    message = _message(fields, body)
    prefix = (
        f"the server refused the request ({status})" if status is not None else "the server reported an error"
    )
    error = _error_class(status or _implied_status(code, kind), code, kind, message)(
        f"{prefix}: {message}" if message else prefix,
        status=status,
        code=code or kind,
        param=_text(fields.get("param")),
        request_id=request_id,
    )
    return Failure(error, retry=isinstance(error, RateLimitError | ServerError | ModelConnectionError))


def _fields(body: Any) -> Mapping[str, Any]:
    if is_array(body) and body:
        body = body[0]
    if not is_object(body):
        return {"message": body} if isinstance(body, str) else {}
    inner: Any = body.get("error")
    if is_object(inner):
        return inner
    if isinstance(inner, str):
        return {**body, "message": inner}
    return body


def _message(fields: Mapping[str, Any], body: Any) -> str:
    message: Any = fields.get("message") or fields.get("detail")
    if isinstance(message, str):
        return " ".join(_without_html(message).split())[:1000]
    return str(message if message is not None else body or "")[:1000]


def _without_html(text: str) -> str:
    if "<html" not in text[:500].lower() and "<!doctype" not in text[:500].lower():
        return text
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return f"an HTML page{f' titled {title[1].strip()!r}' if title else ''} instead of JSON"


def _implied_status(code: str | None, kind: str | None) -> int | None:
    """Return the HTTP status that an error inside an HTTP 200 stands for."""
    if code and code.startswith(_BAD_REQUEST_CODES):
        return 400
    return _CODE_STATUS.get(code or "", _CODE_STATUS.get(kind or ""))


def _error_class(status: int | None, code: str | None, kind: str | None, message: str) -> type[ModelError]:
    words = {code, kind}
    if words & _QUOTA or status == 402:
        return QuotaError
    if status == 429:
        return RateLimitError
    if status in (401, 403):
        return AuthenticationError
    if words & {"content_filter", "invalid_prompt", "content_policy_violation"}:
        return ContentFilterError
    if words & _OVERFLOW or (status in (400, 413, 422) and _OVERFLOW_TEXT.search(message)):
        return ContextOverflowError
    if status == 408:
        return ModelConnectionError
    if status is None or status >= 500 or status == 409:
        return ServerError
    if status in (400, 422) and re.search(r"\bgrammar\b|\blark\b", message, re.IGNORECASE):
        return GrammarRejectedError
    return BadRequestError


def refused_parameter(error: ModelError) -> str | None:
    """Return the path of the parameter that the server does not take ("reasoning.effort"), or None."""
    if error.status not in (400, 422):
        return None
    if error.code in _REFUSED:
        if error.param:
            return error.param
    elif error.code not in (None, "invalid_request_error", "400", "BadRequestError", "extra_forbidden"):
        return None
    found = _REFUSED_TEXT.search(str(error))
    if found is not None:
        return error.param or found[1]
    return (
        error.param
        if error.param and _PLAIN_NAME.fullmatch(error.param) and _NOT_TAKEN.search(str(error))
        else None
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait, from `retry-after-ms` or `retry-after` (seconds or a date)."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return max(seconds, 0.0)
    value = headers.get("retry-after")
    if not value:
        return None
    from email.utils import parsedate_to_datetime
    from time import time

    try:
        return max(parsedate_to_datetime(value).timestamp() - time(), 0.0)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
