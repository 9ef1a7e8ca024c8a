"""What the model is told of a call that did not go well: short, precise, free of Python."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterable
from typing import cast

from jigwork.errors import Abort, ToolError

from .names import nearest

__all__ = [
    "CUT",
    "INTERRUPTED",
    "SKIPPED",
    "UNDECIDED",
    "cancelled",
    "denied",
    "developer_text",
    "failed",
    "in_words",
    "timed_out",
    "unanswered",
    "unknown_tool",
    "unwrapped",
]

CUT = (
    "The response was cut off before this call was complete, so it was not run. "
    "Make the call again, with shorter arguments."
)
INTERRUPTED = (
    "The program stopped while this call was running. Whether it took effect is unknown: "
    "check before you call it again."
)
UNDECIDED = "It could not be found out whether a person has to allow this call, so it was not run."
SKIPPED = "Another call ended the run before this one started; nothing was done."


def unknown_tool(name: str, tools: Iterable[str]) -> str:
    """Say that there is no such tool, and which was probably meant."""
    listed = sorted(tools)
    near = nearest(name, listed)
    if near:
        return f"There is no tool named {name!r}. Did you mean {' or '.join(repr(n) for n in near)}?"
    if not listed:
        return f"There is no tool named {name!r}; there are no tools. Answer without one."
    more = f" and {len(listed) - 20} more" if len(listed) > 20 else ""
    return f"There is no tool named {name!r}. The tools are: {', '.join(listed[:20])}{more}."


def denied(reason: str | None) -> str:
    """Say that a person did not allow it."""
    return f"A person did not allow this call{f': {reason}' if reason else ''}. It was not run."


def unanswered(reason: str | None) -> str:
    """Say that a person did not answer."""
    return f"Nobody answered the question{f': {reason}' if reason else ''}. Go on without an answer."


def failed(name: str, error: BaseException) -> str:
    """Say why a tool failed; a `ToolError` speaks for itself."""
    return str(error) if isinstance(error, ToolError) else f"{name} failed: {in_words(error)}"


def timed_out(seconds: float, *, began: bool, stoppable: bool) -> str:
    """Say that there was no result in time, and whether the tool may still act."""
    if not began:
        return f"The call did not get its turn within {seconds:g} seconds; nothing was done."
    if stoppable:
        return f"The tool was stopped after {seconds:g} seconds without a result."
    return f"No result after {seconds:g} seconds. The tool could not be stopped and may still take effect."


def cancelled(*, began: bool, stoppable: bool) -> str:
    """Say that it was cancelled, and whether it may have acted."""
    if not began:
        return "Cancelled before it started; nothing was done."
    if stoppable:
        return "Cancelled while it ran; it may have taken effect in part."
    return "Cancelled while it ran, but it could not be stopped; it may still take effect."


def developer_text(error: BaseException) -> str:
    """Say what was raised, for the developer."""
    return f"{type(error).__name__}: {error}"


def unwrapped(error: BaseException) -> BaseException:
    """Return what counts in a group of exceptions (of a TaskGroup): one that is no failure (Abort, a wait for a person,
    KeyboardInterrupt), else the only one there is, else the group."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    inner = [unwrapped(one) for one in group.exceptions]
    no_failures = (e for e in inner if isinstance(e, Abort) or not isinstance(e, (Exception, CancelledError)))
    return next(no_failures, inner[0] if len(inner) == 1 else group)


def in_words(error: BaseException) -> str:
    """Say in words what an exception says: its text, or its name as words; of a group, what each of them says."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return "; ".join(dict.fromkeys(map(in_words, group.exceptions)))
    if isinstance(error, KeyError) and error.args:
        return f"nothing is stored under {error.args[0]!r}"
    text = str(error).strip()
    if text:
        return text
    return "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
