"""The attempts of one model request: what is tried again, after how long, and what is changed before."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jigwork.errors import DeadlineError, ModelError

from ..events import AttemptDiscarded
from .failures import Failure, refused_parameter
from .params import remove
from .settings import Settings

__all__ = ["HISTORY", "Attempts"]

HISTORY = "history."
"""Begins the entry, among the refused parameters, of a field of items or messages that is not taken back."""
_RETRIES = 3
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0
_PREVIOUS = "previous_response_id"
_EFFORT_WITH_TOOLS = "reasoning_effort (with tools)"
_NO_EFFORT_WITH_TOOLS = re.compile(r"tools with reasoning_effort are not supported", re.IGNORECASE)
_IN_HISTORY = re.compile(r"(?:body\.)?(?:messages|input)\b.*?([A-Za-z_]+)$")
_NEEDED = frozenset(
    "type role content text call_id id name arguments input output summary messages tool_calls function custom".split()
)
_UNPAIRED = re.compile(r"no tool (?:call|output) found", re.IGNORECASE)
"""What a server says that gave a call id twice: it does not know the one that was made up in its place."""
_FOREIGN = re.compile(
    r"item with id .{0,80} not found|encrypted.content|without its required|verif\w* .{0,40}reasoning",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(slots=True)
class Attempts:
    """Decides after each failure. `rebuild` makes the body again, for `chained` and `foreign` as they are then.

    A body that was changed is sent at once and does not count as a retry; each change is made only once.
    """

    settings: Settings
    rebuild: Callable[[Attempts], dict[str, Any]]
    refused: dict[str, None]
    """Parameters that this server is known to refuse; shared by all requests of a model."""
    chained: bool = False
    foreign: bool = False
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    dropped: tuple[str, ...] = ()
    count: int = 1
    started: float = field(default_factory=time.monotonic)
    _retries: int = 0

    def prepare(self) -> None:
        """Build the body, without what the server is known to refuse."""
        if _PREVIOUS in self.refused:  # without it the new items alone would make no sense
            self.chained = False
        self.body = self.rebuild(self)
        self.dropped = tuple(path for path in list(self.refused) if self._leave_out(path))

    def _leave_out(self, path: str) -> bool:
        if path != _EFFORT_WITH_TOOLS:
            return path.startswith(HISTORY) or remove(self.body, path)
        with_tools = "tools" in self.body
        if with_tools:
            self.body["reasoning_effort"] = "none"
        return with_tools

    def remaining(self) -> float | None:
        """Return the seconds until the deadline, None without one."""
        deadline = self.settings.deadline
        return None if deadline is None else deadline - (time.monotonic() - self.started)

    def after(self, failure: Failure) -> AttemptDiscarded:
        """Return how it goes on, or raise the error."""
        reason = self._changed(failure.error)
        if reason is not None:
            self.count += 1
            return AttemptDiscarded(reason, self.count)
        limit = _RETRIES if self.settings.retries is None else self.settings.retries
        if not failure.retry or self._retries >= limit:
            raise self.final(failure.error)
        wait = _wait(self._retries) if failure.wait is None else failure.wait
        remaining = self.remaining()
        if remaining is not None and wait >= remaining:
            raise self.final(failure.error, late=True)
        self._retries += 1
        self.count += 1
        return AttemptDiscarded(f"{failure.error}; trying again in {wait:.1f} s", self.count, wait)

    def final(self, error: ModelError, *, late: bool = False) -> ModelError:
        """Return the error to raise, with the number of attempts."""
        error.attempts = self.count
        if late and not isinstance(error, DeadlineError):
            deadline = self.settings.deadline
            return DeadlineError(
                f"the deadline of {deadline:g} s leaves no time for another attempt: {error}",
                status=error.status,
                code=error.code,
                param=error.param,
                request_id=error.request_id,
                retry_after=error.retry_after,
                attempts=self.count,
            )
        if self.count > 1:
            error.args = (f"{error} (after {self.count} attempts)",)
        return error

    def _changed(self, error: ModelError) -> str | None:
        """Change what the server does not take; None when that is not what went wrong."""
        lost = error.code == "previous_response_not_found" or (
            error.status == 404 and "response" in str(error).lower()
        )
        if self.chained and (lost or error.param == _PREVIOUS or _UNPAIRED.search(str(error))):
            if refused_parameter(error) == _PREVIOUS:
                self.refused[_PREVIOUS] = None
            self.chained = False
            self.prepare()
            return "the server cannot go on from the previous response: sending the whole history"
        unreadable = error.param != "include" and _FOREIGN.search(str(error))
        if not self.foreign and error.status in (400, 404) and unreadable:
            self.foreign, self.chained = True, False
            self.prepare()
            return "the server does not know the reasoning in the history: sending it without"
        if (
            error.status == 400
            and _NO_EFFORT_WITH_TOOLS.search(str(error))
            and self._adds(_EFFORT_WITH_TOOLS)
        ):
            return "tools together with reasoning refused by the server: sending with reasoning_effort 'none'"
        path = refused_parameter(error)
        if path is not None and (place := _IN_HISTORY.match(path)):
            name = f"{HISTORY}{place[1]}"
            if place[1] in _NEEDED or not self._adds(name):
                return None
            return f"`{path}` refused by the server: sending the history without that field"
        if path is None or not remove(dict(self.body), path) or not self._adds(path):
            return None
        return f"parameter `{path}` refused by the server: sending without it"

    def _adds(self, path: str) -> bool:
        """Remember what the server refuses and build the body without it; false where that was tried before."""
        if path in self.dropped:
            return False
        self.refused[path] = None
        self.prepare()
        return True


def _wait(retries: int) -> float:
    return float(min(_FIRST_WAIT * 2**retries, _LONGEST_WAIT)) * (1 - random.random() / 4)
