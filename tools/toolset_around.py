"""What may stand around the calls of a tool: timing, logging, a cache, a refusal. It runs inside the call's time-out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from .context import RunContext

__all__ = ["Around", "call_around"]

Around: TypeAlias = Callable[
    [RunContext[Any], Mapping[str, Any], Callable[[], Awaitable[Any]]], Awaitable[Any]
]
"""`async def around(context, arguments, call)`: returns the result of the call, usually `await call()`.

`context.tool` is the tool's name, `arguments` are validated and not to be changed. What it raises, the call raises.
Retries go through it again.
"""


async def call_around(
    around: Sequence[Around],
    context: RunContext[Any],
    arguments: Mapping[str, Any],
    call: Callable[[], Awaitable[Any]],
) -> Any:
    """Call through all of them, the first one outermost."""
    for one in reversed(around):
        call = partial(one, context, arguments, call)
    return await call()
