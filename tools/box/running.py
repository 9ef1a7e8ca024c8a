"""Running a program: its own environment, its own process group, a clock, and an output that is cut, not trusted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from jigwork.errors import ToolError

__all__ = ["Finished", "clean_environment", "run_program"]

_GRACE_SECONDS = 1.0
_PIECE = 65536
_WATCH_SECONDS = 0.25
_MAYBE = {9: " (too much memory, or too many processes)"}
_MARK = "JIGWORK_PROGRAM"
"""Variable by which the processes of one program are known."""
_KEPT_NAMES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. `status` is its exit status, negative for a signal; `output` is both streams as they came,
    unless they were wanted apart: then `errors` is the second. `missing` counts the bytes that were left out."""

    status: int
    output: str
    missing: int
    in_time: bool
    errors: str = ""

    def described(self) -> str:
        """Say how it ended, for a model."""
        ended = (
            "was stopped because it took too long" if not self.in_time
            else f"was ended by {_signal_name(-self.status)}{_MAYBE.get(-self.status, '')}" if self.status < 0
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
    apart: bool = False,
    max_processes: int = 200,
) -> Finished:
    """Run a program to its end, or for at most `seconds`; it and all that it started are then killed.

    At most `max_output` bytes of its output are kept, beginning and end; of each stream where they are wanted
    `apart`. A program that has more than `max_processes` at once is ended (Linux). Cancelling kills it, too. Raises ToolError where it cannot be started.
    """
    kept = [_Kept(max_output) for _ in range(2 if apart else 1)]
    in_time = True
    mark = secrets.token_hex(16)
    async with AsyncExitStack() as pipes:
        ends = [await pipes.enter_async_context(_pipe(one)) for one in kept]
        inlets = [inlet for inlet, _ in ends]
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                streams = (given.fileno(), inlets[0], inlets[-1])
                process = await _started(command, folder, {**environment, _MARK: mark}, streams)
            finally:
                for inlet in inlets:
                    os.close(inlet)  # ours: the end comes when the last of theirs is closed
        watching = asyncio.create_task(_watch(process, max_processes))
        try:
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                in_time = False
        finally:
            watching.cancel()
            _kill_group(process)
            _kill_marked(mark)
            await process.wait()
        # Whoever escaped may still hold the pipe open: nobody waits for that.
        await asyncio.wait({drained for _, drained in ends}, timeout=_GRACE_SECONDS)
    missing = sum(one.missing for one in kept)
    errors = kept[1].text() if apart else ""
    return Finished(process.returncode or 0, kept[0].text(), missing, in_time, errors)


async def _started(
    command: Sequence[str], folder: str | Path, environment: Mapping[str, str], ends: tuple[int, int, int]
) -> asyncio.subprocess.Process:
    """Start the program with its input and output at these ends; asyncio's own pipes would be waited for."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=ends[0],
            stdout=ends[1],
            stderr=ends[2],
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


async def _watch(process: asyncio.subprocess.Process, most: int) -> None:
    """End a program that multiplies: for root and in containers no limit of the system does that."""
    while sys.platform.startswith("linux"):
        await asyncio.sleep(_WATCH_SECONDS)
        if sum(_session_of(entry.name) == process.pid for entry in os.scandir("/proc")) > most:
            _kill_group(process)


def _session_of(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[3])
    except (OSError, ValueError, IndexError):
        return None


def _kill_marked(mark: str) -> None:
    """Kill what left the group (a daemon of its own), found by the mark in its environment. Linux only; a program
    that throws its environment away is not found."""
    if not sys.platform.startswith("linux"):
        return
    until = time.monotonic() + _GRACE_SECONDS
    wanted = f"{_MARK}={mark}".encode()
    while (found := _with_environment(wanted)) and time.monotonic() < until:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _with_environment(wanted: bytes) -> list[int]:
    found: list[int] = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/environ", "rb") as file:
                if wanted in file.read():  # empty for one that is dead already
                    found.append(int(entry.name))
    return found


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
