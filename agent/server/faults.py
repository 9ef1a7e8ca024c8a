"""Read `Reply.fault`: which faults apply to an answer, and those that replace it altogether."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from .api_errors import ApiError
from .delivery import Delivery
from .fault_table import ERRORS, FAULTS, check_faults
from .json_data import object_of
from .requests import ServedRequest

__all__ = ["UNSET", "Faults"]

UNSET: Final = object()
"""Stands for a fault that the script does not ask for, as null is a value."""

_PAGE = (
    "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)
_REPLACING = ("status", "body", "html", "error_in_200")


class Faults:
    """The faults of one reply to one request."""

    def __init__(self, fault: Mapping[str, Any] | None, request: ServedRequest) -> None:
        check_faults(fault)
        self._values = dict(fault or {})
        if not self.replaces:
            self._hold(request)

    def _hold(self, request: ServedRequest) -> None:
        form = "stream" if request.stream else "whole"
        for key in self._values:
            spec = FAULTS[key]
            if request.endpoint not in spec.endpoints or spec.form not in ("both", form):
                raise ApiError(
                    f"the fault {key!r} does not apply to this request ({request.endpoint}, {form}); it applies to "
                    f"{' and '.join(spec.endpoints)}, {spec.form}",
                    status=500,
                    type="server_error",
                    code="fault_not_applicable",
                )

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, key: str) -> bool:
        return self._values.get(key, False) is not False

    def get(self, key: str, default: Any = UNSET) -> Any:
        """Return what the fault is set to, `default` where it is not asked for."""
        return self._values.get(key, default)

    @property
    def replaces(self) -> bool:
        """Tell whether there is no answer at all, only what `delivery` gives."""
        return any(key in self._values for key in _REPLACING)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the faults add."""
        headers = {str(key): str(value) for key, value in object_of(self.get("headers", None)).items()}
        for key, name in (("retry_after", "retry-after"), ("retry_after_ms", "retry-after-ms")):
            if key in self._values:
                headers[name] = str(self._values[key])
        if "should_retry" in self._values:
            headers["x-should-retry"] = "true" if self._values["should_retry"] else "false"
        return headers

    def delivery(self) -> Delivery:
        """Return what is sent instead of an answer."""
        body, content_type = self._body()
        content_type = self.get("content_type", content_type)
        status = int(self.get("status", 200))
        return Delivery.whole(body, status=status, content_type=content_type, headers=self.headers)

    def _body(self) -> tuple[bytes, str]:
        body = _PAGE if "html" in self else self.get("body")
        if isinstance(body, str):
            return (
                body.encode(),
                f"text/{'html' if body.lstrip().startswith('<') else 'plain'}; charset=utf-8",
            )
        if body is UNSET:
            body = {"error": self.error()}
        return orjson.dumps(body), "application/json"

    def error(self) -> dict[str, Any]:
        """Return the error object: that of the status, with what the script sets."""
        kind, code, message = ERRORS.get(int(self.get("status", 500)), ERRORS[500])
        given = self.get("error_in_200", None)
        return {
            "message": self.get("message", given if isinstance(given, str) else message),
            "type": self.get("type", kind),
            "param": self.get("param", None),
            "code": self.get("code", code),
        }

    def failure(self) -> dict[str, Any] | None:
        """Return the error of a response that fails."""
        failed = self.get("failed", None)
        if failed is None or failed is False:
            return None
        error = {"code": "server_error", "message": ERRORS[500][2]}
        return {**error, "code": failed} if isinstance(failed, str) else {**error, **object_of(failed)}
