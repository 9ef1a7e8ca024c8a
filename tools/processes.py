"""Processes for tools that must be stoppable: a thread cannot be killed, a process can.

Worker processes are anyio's: kept for the next call, killed when a call is cancelled or times out.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from anyio import CapacityLimiter

__all__ = ["run_in_process"]

_MAX_PROCESSES = 16

_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter] = WeakKeyDictionary()


async def run_in_process(
    module: str, qualname: str, arguments: tuple[Sequence[Any], Mapping[str, Any]]
) -> Any:
    """Call `module.qualname` in a process of its own and return what it returns; cancelling kills the process.

    Raises what the function raises, and what cannot be pickled on the way. What ends the process (`sys.exit`, a crash)
    is a RuntimeError here.
    """
    from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

    loop = asyncio.get_running_loop()
    limiter = _limiters.get(loop)
    if limiter is None:
        limiter = _limiters[loop] = CapacityLimiter(_MAX_PROCESSES)
    try:
        return await to_process.run_sync(
            _call_by_name,
            module,
            qualname,
            list(sys.path),
            (list(arguments[0]), dict(arguments[1])),
            cancellable=True,
            limiter=limiter,
        )
    except BrokenWorkerProcess as error:
        raise RuntimeError("its process ended without a result") from error


def _call_by_name(
    module: str, qualname: str, path: list[str], arguments: tuple[list[Any], dict[str, Any]]
) -> Any:
    """In the worker: find the function (or the tool that was made from it), and call it.

    A worker is kept for later calls, so it looks for modules where its parent does now, not where it did at first.
    """
    if sys.path != path:
        sys.path[:] = path
        importlib.invalidate_caches()
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    function = getattr(found, "__wrapped__", found)
    with _own_streams():
        try:
            return function(*arguments[0], **arguments[1])
        except SystemExit as error:  # the worker would end with it, and the next call find it dead
            raise RuntimeError(f"it ended its process with the exit code {error.code}") from None
        except KeyboardInterrupt:
            raise RuntimeError("its process was interrupted") from None
        except BaseException as error:
            if (reason := _unsendable(error)) is not None:
                raise RuntimeError(f"{type(error).__name__}: {error}") from reason
            raise


def _unsendable(error: BaseException) -> Exception | None:
    """Say why an exception does not survive the way back: its constructor may ask for more than it keeps."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception as reason:  # noqa: BLE001  (whatever a class of the user's raises)
        return reason
    return None


@contextmanager
def _own_streams() -> Generator[None]:
    """Keep what the function and the programs that it starts read and write away from the pipes of the worker."""
    kept = [os.dup(number) for number in (0, 1)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        yield
    finally:
        for number, own in enumerate(kept):
            os.dup2(own, number)
        for opened in (*kept, nowhere):
            with suppress(OSError):
                os.close(opened)
