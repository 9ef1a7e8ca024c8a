"""llama.cpp in this process: a model file, loaded once, that answers bodies of Chat Completions chunk by chunk.

The package xllamacpp hands requests to llama.cpp as function calls. It cannot do without its HTTP listener; that one
is put on a Unix socket in a folder of our own (elsewhere on a loopback port, behind a random key), and is never used.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

import anyio

from jigwork.errors import BadRequestError, ConfigurationError

from .jsondata import decode, encode

__all__ = ["ALWAYS", "Engine", "EngineOptions", "knows_llguidance"]

ALWAYS: Mapping[str, Any] = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "return_progress": True,  # or nothing could be stopped while a long prompt is read
    "timings_per_token": True,  # what was written by the time it is stopped
}
"""What every body has beside the request."""

_BATCH = 512
"""Tokens of a prompt that are read between two looks at whether anybody still wants the answer."""

_PATIENCE = 0.01
"""Seconds between two looks at whether a slot is free."""

_LONGEST_SOCKET = 100
"""Bytes: systems take no longer path for a socket."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a file is loaded; two models with the same options share one engine. See `GGUFModel`."""

    path: Path
    context: int
    parallel: int = 4
    threads: int | None = None
    gpu_layers: int | None = None
    template: str | None = None
    verbose: bool = False


def knows_llguidance() -> bool:
    """Tell whether this build of llama.cpp takes llguidance's grammars; one that does writes its schemas in them."""
    return str(_package().json_schema_to_grammar({"type": "string"})).startswith("%llguidance")


def _package() -> Any:
    return import_module("xllamacpp")  # it has no types


class Engine:
    """One loaded model. Requests run in threads of their own, at most `parallel` at once; the others wait."""

    _shared: ClassVar[weakref.WeakValueDictionary[EngineOptions, Engine]] = weakref.WeakValueDictionary()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, options: EngineOptions) -> None:
        """Load the model, which takes as long as its size says. Raises ConfigurationError."""
        self.options = options
        self._slots = threading.BoundedSemaphore(options.parallel)
        self._running: set[_Answer] = set()
        self._folder = tempfile.mkdtemp(prefix="jigwork-")
        try:
            self._server: Any = _package().Server(self._parameters())
            self._server.handle_metrics()  # answered by its loop: one that is unloaded before it turns never ends
        except (RuntimeError, ValueError) as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            hint = "" if options.verbose else "; GGUFModel(..., verbose=True) shows what it says"
            raise ConfigurationError(
                f"llama.cpp could not load {options.path}: the file is damaged, of a kind that it does not know, or "
                f"larger than the memory here{hint}"
            ) from error
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    @classmethod
    def shared(cls, options: EngineOptions) -> Engine:
        """Return the engine with these options, loaded now if it is not there."""
        with cls._lock:
            engine = cls._shared.get(options)
            if engine is None:
                engine = cls._shared[options] = cls(options)
            return engine

    @classmethod
    def loaded(cls) -> list[Engine]:
        """Return the engines that are in memory."""
        return list(cls._shared.values())

    @classmethod
    def stop_all(cls) -> None:
        """End every answer that is being written, and every engine: no thread of llama.cpp outlives the interpreter."""
        for engine in cls.loaded():
            engine.stop()

    def stop(self) -> None:
        """End what is being written, and unload the model."""
        running = list(self._running)
        for answer in running:
            answer.unwanted.set()
        for answer in running:
            answer.thread.join()
        self._server = None

    async def chunks(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the chunks of the answer to a body of Chat Completions, errors included.

        Closing the generator ends the writing, and waits until it has ended. Raises BadRequestError.
        """
        while not self._slots.acquire(blocking=False):
            await anyio.sleep(_PATIENCE)
        answer = _Answer(self._server, body, self._slots)
        self._running.add(answer)
        answer.thread.start()
        try:
            while (data := await answer.received.get()) is not None:
                chunk: Any = decode(data)
                if "prompt_progress" not in chunk:
                    yield chunk
        finally:
            answer.unwanted.set()
            with anyio.CancelScope(shield=True):
                await answer.ended.wait()
            answer.thread.join()  # it has only to return
            self._running.discard(answer)
        if answer.error is not None:
            raise BadRequestError(f"llama.cpp refused the request: {answer.error}", status=400) from None

    def _parameters(self) -> Any:
        options = self.options
        given = _package().CommonParams()
        given.model.path = str(options.path)
        given.n_ctx = options.context
        given.n_parallel = options.parallel
        given.kv_unified = True  # one cache for all: a run alone has the whole context
        given.n_batch = _BATCH
        given.warmup = False
        given.use_jinja = True
        given.verbosity = 3 if options.verbose else -1
        if options.threads is not None:
            given.cpuparams.n_threads = options.threads
        if options.gpu_layers is not None:
            given.n_gpu_layers = options.gpu_layers
        if options.template is not None:
            given.chat_template = options.template
        given.ui = given.endpoint_slots = given.endpoint_props = False
        given.endpoint_metrics = True
        given.api_keys = [token_hex(32)]
        given.port = 0
        socket = f"{self._folder}/unused.sock"
        if sys.platform != "win32" and len(socket.encode()) < _LONGEST_SOCKET:
            given.hostnames = [socket]
        return given


class _Answer:
    """One answer that is being written in a thread."""

    def __init__(self, server: Any, body: Mapping[str, Any], slots: threading.BoundedSemaphore) -> None:
        self.received: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.unwanted = threading.Event()
        self.error: str | None = None
        self.thread = threading.Thread(target=self._run, name="jigwork-gguf", daemon=True)
        self._loop = asyncio.get_running_loop()
        self._server: Any = server
        self._body = encode(dict(body))
        self._slots = slots

    def _run(self) -> None:
        server, self._server = self._server, None
        try:
            server.handle_chat_completions(self._body, self._take)
        except Exception as error:  # noqa: BLE001 - whatever C++ throws is an answer to this request
            self.error = " ".join(str(error).split())[:1000]
        finally:
            del server  # the last reference may be this one: the model is unloaded before anybody is told
            self._slots.release()
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._end)

    def _take(self, data: bytes) -> bool:
        """Pass a chunk on; true ends the writing. Called by llama.cpp in this answer's thread."""
        if self.unwanted.is_set():
            return True
        try:
            self._loop.call_soon_threadsafe(self.received.put_nowait, data)
        except RuntimeError:  # the loop is closed: nobody waits
            return True
        return False

    def _end(self) -> None:
        self.received.put_nowait(None)
        self.ended.set()


atexit.register(Engine.stop_all)
