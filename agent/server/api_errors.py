"""Errors as the real API words them, on their way to an HTTP status and an `{"error": ...}` body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jigwork.errors import JigworkError

__all__ = ["ApiError", "invalid", "invalid_value", "missing", "quoted_list", "wrong_type"]


class ApiError(JigworkError):
    """Answer the request with this error. `headers` are added to the usual ones."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        type: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status
        self.type = type
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A 400 `invalid_request_error`."""
    return ApiError(message, param=param, code=code)


def missing(path: str) -> ApiError:
    """A required parameter is not there."""
    return invalid(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def invalid_value(path: str, value: Any, supported: Iterable[str]) -> ApiError:
    """A value outside a closed list."""
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    return invalid(
        f"Invalid value: {shown}. Supported values are: {quoted_list(supported)}.", path, "invalid_value"
    )


def wrong_type(path: str, expected: str, value: Any) -> ApiError:
    """A value of another JSON type; `expected` comes with its article."""
    return invalid(
        f"Invalid type for '{path}': expected {expected}, but got {_a_type(value)} instead.",
        path,
        "invalid_type",
    )


def quoted_list(words: Iterable[str]) -> str:
    """Return `'a', 'b', and 'c'`."""
    quoted = [f"'{word}'" for word in words]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _a_type(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a decimal"),
        (str, "a string"),
        (list, "an array"),
    ):
        if isinstance(value, kind):
            return name
    return "an object"
