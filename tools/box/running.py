"""Running a program: its own environment, its own process group, a clock, and an output that is cut, not trusted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from jigwork.errors import ToolError

__all__ = ["Finished", "clean_environment", "run_program"]

_GRACE_SECONDS = 1.0
_PIECE = 65536
_KEPT_NAMES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. `status` is its exit status, negative for a signal; `output` is both streams as they came;
    `missing` counts the bytes that were left out of its middle."""

    status: int
    output: str
    missing: int
    in_time: bool

    def described(self) -> str:
        """Say how it ended, for a model."""
        ended = (
            "was stopped because it took too long" if not self.in_time
            else f"was ended by {_signal_name(-self.status)}" if self.status < 0
            else f"ended with status {self.status}"
        )  # fmt: skip
        return ended + (f"; {self.missing} bytes of its output are left out" if self.missing else "")


def clean_environment(home: str | Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without what is secret in ours: where programs are, the language, and `more`."""
    kept = {name: value for name in _KEPT_NAMES if (value := os.environ.get(name)) is not None}
    return {"PATH": os.defpath, **kept, "HOME": str(home), **(more or {})}


async def run_program(
    command: Sequence[str],
    *,
    folder: str | Path,
    environment: Mapping[str, str],
    seconds: float,
    max_output: int,
    stdin: bytes = b"",
) -> Finished:
    """Run a program to its end, or for at most `seconds`; it and all that it started in its group are then killed.

    At most `max_output` bytes of its output are kept, beginning and end. Cancelling kills it, too. Raises ToolError
    where it cannot be started.
    """
    kept = _Kept(max_output)
    in_time = True
    async with _pipe(kept) as (inlet, drained):
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                process = await _started(command, folder, environment, (given.fileno(), inlet))
            finally:
                os.close(inlet)  # ours: the end comes when the last of theirs is closed
        try:
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                in_time = False
        finally:
            _kill_group(process)
            await process.wait()
        # Whoever left the group may still hold the pipe open: nobody waits for that.
        await asyncio.wait({drained}, timeout=_GRACE_SECONDS)
    return Finished(process.returncode or 0, kept.text(), kept.missing, in_time)


async def _started(
    command: Sequence[str], folder: str | Path, environment: Mapping[str, str], ends: tuple[int, int]
) -> asyncio.subprocess.Process:
    """Start the program with its input and output at these ends; asyncio's own pipes would be waited for."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=ends[0],
            stdout=ends[1],
            stderr=ends[1],
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        words = (getattr(error, "strerror", None) or "its arguments cannot be passed on").lower()
        raise ToolError(f"{command[0]} could not be started: {words}.") from error


@asynccontextmanager
async def _pipe(kept: _Kept) -> AsyncGenerator[tuple[int, asyncio.Task[None]]]:
    """Open a pipe whose other end fills `kept`; the task ends with it."""
    outlet, inlet = os.pipe()
    file = os.fdopen(outlet, "rb", 0)
    reader = asyncio.StreamReader()
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
    except BaseException:
        file.close()
        os.close(inlet)
        raise

    async def drain() -> None:
        while piece := await reader.read(_PIECE):
            kept.add(piece)

    drained = asyncio.create_task(drain())
    try:
        yield inlet, drained
    finally:
        drained.cancel()
        transport.close()


class _Kept:
    """The beginning and the end of a stream of bytes, in little memory however long it is."""

    def __init__(self, limit: int) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._half = max(limit // 2, 1)
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        room = self._half - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        self._tail += piece
        if len(self._tail) > 4 * self._half + _PIECE:
            del self._tail[: -self._half]

    @property
    def missing(self) -> int:
        return self._size - len(self._head) - min(len(self._tail), self._half)

    def text(self) -> str:
        tail = self._tail[-self._half :]
        gap = f"\n(… {self.missing} bytes are left out here …)\n".encode() if self.missing else b""
        return bytes(self._head + gap + tail).decode("utf-8", "replace")


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
