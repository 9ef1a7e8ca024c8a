"""Processes for tools that must be stoppable: a thread cannot be killed, a process can.

Worker processes are anyio's: kept for the next call, killed when a call is cancelled or times out.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyio import CapacityLimiter

__all__ = ["run_in_process"]

_MAX_PROCESSES = 16

_limiters: dict[int, CapacityLimiter] = {}


async def run_in_process(
    module: str, qualname: str, arguments: tuple[Sequence[Any], Mapping[str, Any]]
) -> Any:
    """Call `module.qualname` in a process of its own and return what it returns; cancelling kills the process.

    Raises what the function raises, and what cannot be pickled on the way.
    """
    import asyncio

    from anyio import CapacityLimiter, to_process

    key = id(asyncio.get_running_loop())
    limiter = _limiters.get(key)
    if limiter is None:
        limiter = _limiters[key] = CapacityLimiter(_MAX_PROCESSES)
    return await to_process.run_sync(
        _call_by_name,
        module,
        qualname,
        list(arguments[0]),
        dict(arguments[1]),
        cancellable=True,
        limiter=limiter,
    )


def _call_by_name(module: str, qualname: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """In the worker: find the function (or the tool that was made from it), and call it."""
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    function = getattr(found, "__wrapped__", found)
    return function(*args, **kwargs)
