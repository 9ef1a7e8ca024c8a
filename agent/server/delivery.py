"""Deliver an answer over HTTP: status, headers and a body in timed pieces, as a small ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson

from .api_errors import ApiError

__all__ = ["ConnectionCut", "Delivery", "Step"]

Step: TypeAlias = "tuple[float, bytes]"
"""Seconds to wait, then the bytes to send."""

_Message: TypeAlias = "MutableMapping[str, Any]"


class ConnectionCut(Exception):
    """The script wants the connection to break here: uvicorn then closes it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP answer. `wait` is seconds before anything is sent; `cut` breaks the connection after the steps.

    `length` is the announced Content-Length; None means chunked.
    """

    steps: Sequence[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"
    length: int | None = None
    wait: float = 0.0
    cut: bool = False

    @classmethod
    def json(cls, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Delivery:
        """A whole JSON body."""
        return cls.whole(orjson.dumps(data), status=status, headers=headers)

    @classmethod
    def whole(
        cls,
        body: bytes,
        *,
        content_type: str = "application/json",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Delivery:
        """A body that is sent at once."""
        return cls(((0.0, body),), status, dict(headers or {}), content_type, len(body))

    @classmethod
    def error(cls, error: ApiError) -> Delivery:
        """An error body."""
        return cls.json(error.body(), status=error.status, headers=error.headers)

    def with_headers(self, usual: Mapping[str, str]) -> Delivery:
        """Add the usual headers; its own win."""
        return replace(self, headers={**usual, **self.headers})

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Send it; ends early when the client goes away."""
        if self.wait and await _gone(receive, self.wait):
            return
        await send({"type": "http.response.start", "status": self.status, "headers": self._raw_headers()})
        last = len(self.steps) - 1
        for number, (wait, data) in enumerate(self.steps):
            if wait and await _gone(receive, wait):
                return
            more = number < last or self.cut
            await send({"type": "http.response.body", "body": data, "more_body": more})
        if self.cut:
            raise ConnectionCut
        if not self.steps:
            await send({"type": "http.response.body", "body": b""})

    def _raw_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {"content-type": self.content_type}
        if self.length is not None:
            headers["content-length"] = str(self.length)
        headers |= {key.lower(): value for key, value in self.headers.items()}
        return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]


async def _gone(receive: Callable[[], Awaitable[_Message]], seconds: float) -> bool:
    """Wait; tell whether the client disconnected meanwhile."""
    try:
        message = await asyncio.wait_for(receive(), seconds)
    except TimeoutError:
        return False
    return bool(message["type"] == "http.disconnect")
