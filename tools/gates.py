"""Gates: how many calls may be inside at once, and how often one may enter. Fair, and shared by all event loops.

A tool's own limit and a resource's limit protect something outside (a database, an interface that counts requests),
so they hold for the whole process, whichever run or thread a call comes from.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from types import TracebackType
from weakref import WeakKeyDictionary, WeakValueDictionary

__all__ = ["Gate", "Pace", "receiver_gate", "resource_gate", "tool_gates"]


class Gate:
    """At most `limit` are inside; the others wait in the order in which they came. `async with gate: ...`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._inside = 0
        self._lock = threading.Lock()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    async def __aenter__(self) -> None:
        with self._lock:
            if self._inside < self.limit and not self._waiting:
                self._inside += 1
                return
            loop = asyncio.get_running_loop()
            place = (loop, loop.create_future())
            self._waiting.append(place)
        try:
            await place[1]
        except asyncio.CancelledError:
            with self._lock:
                still_waiting = place in self._waiting
                if still_waiting:
                    self._waiting.remove(place)
            if not still_waiting:  # the place was ours already: hand it on
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            while self._waiting and self._inside <= self.limit:
                loop, future = self._waiting.popleft()
                try:
                    loop.call_soon_threadsafe(_admit, future)
                except RuntimeError:  # that loop is closed, and whoever waited in it is gone
                    continue
                return  # the place changes hands, the number inside stays
            self._inside -= 1


def _admit(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Pace:
    """Lets at most `per_second` calls a second begin, evenly spaced, in the order in which they came. Whoever gives up
    waiting takes nothing from those behind."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1.0 / per_second
        self._next = 0.0
        self._first = Gate(1)

    async def wait(self) -> None:
        """Wait for one's turn."""
        async with self._first:
            now = time.monotonic()
            turn = max(self._next, now)
            if turn > now:
                await asyncio.sleep(turn - now)
            self._next = turn + self._gap


_tools: WeakKeyDictionary[object, tuple[Gate | None, Pace | None]] = WeakKeyDictionary()
_resources: dict[str, Gate] = {}
_receivers: WeakValueDictionary[int, Gate] = WeakValueDictionary()
"""By the id of the object: whoever is inside or waits holds both the gate and, through its method, the object."""
_resources_lock = threading.Lock()


def tool_gates(tool: object, limit: int | None, rate: float | None) -> tuple[Gate | None, Pace | None]:
    """Return the gate and the pace of a tool, None for what it does not limit; the same ones at every call."""
    with _resources_lock:
        kept = _tools.get(tool)
        if kept is None:
            kept = _tools[tool] = (Gate(limit) if limit else None, Pace(rate) if rate else None)
        return kept


def resource_gate(name: str, limit: int | None) -> Gate:
    """Return the gate of a resource. Tools that share it share the smallest limit that any of them asks for;
    one that asks for none takes 1 at a time."""
    with _resources_lock:
        gate = _resources.get(name)
        if gate is None:
            gate = _resources[name] = Gate(limit or 1)
        elif limit is not None:
            gate.limit = min(gate.limit, limit)
        return gate


def receiver_gate(receiver: object) -> Gate:
    """Return the gate of an object whose methods are called one at a time. Nobody inside and nobody waiting leaves none."""
    with _resources_lock:
        gate = _receivers.get(id(receiver))
        if gate is None:
            gate = _receivers[id(receiver)] = Gate(1)
        return gate
