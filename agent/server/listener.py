"""A uvicorn server without its clock: it sleeps until a request or the end comes, and ends at once.

Imported only when a server starts, as it needs the extra `server`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

__all__ = ["Listener"]

_KEEP_ALIVE = 75
"""Seconds for which an idle connection is kept; clients give up earlier, so that none meets a closing one."""


class Listener(uvicorn.Server):
    """Serves `app` until `stop`, which may be called from any thread. `on_start` is called once it listens."""

    def __init__(self, app: Any, *, backlog: int, on_start: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            date_header=False,
            backlog=backlog,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        super().__init__(config)
        self._on_start = on_start
        self._end: Callable[[], Any] = lambda: None
        self._ended = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and tell."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(self._ended.set)
        self._on_start()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn itself wakes up ten times a second."""
        await self._ended.wait()

    def stop(self) -> None:
        """End serving soon."""
        self.should_exit = True
        self._end()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on Ctrl-C, where uvicorn runs in the main thread."""
        super().handle_exit(sig, frame)
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything now: answers under way are cut."""
        for server in self.servers:
            server.close()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for sock in sockets or ():
            sock.close()
