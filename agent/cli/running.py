"""One run on the command line: its events shown, Ctrl-C caught, its state kept."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ..agent import Agent, RunOptions
from ..events import Event
from ..result import RunResult
from ..state import RunState
from .statefile import StateFile

__all__ = ["Interrupted", "follow", "interrupts", "keep_for_later", "say_interrupted"]


class Interrupted(KeyboardInterrupt):
    """Somebody asked to stop. `code` is the exit code, `path` the state file, `resume` the command that goes on."""

    path: str | None = None
    resume: str | None = None

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number


@contextmanager
def interrupts() -> Generator[None]:
    """Turn the first Ctrl-C (or a polite kill) into `Interrupted`; the second ends the process at once."""
    seen = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        if seen:
            os.write(2, b"\njigwork: stopped at once, nothing more was written\n")
            os._exit(128 + number)
        seen = True
        raise Interrupted(number)

    main = threading.current_thread() is threading.main_thread()  # no other may have handlers
    numbers = [signal.SIGINT, signal.SIGTERM] if main else []
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(
    agent: Agent[Any, Any],
    x: str | None,
    *,
    state: RunState,
    file: StateFile,
    show: Callable[[Event], None],
    options: RunOptions[Any] | None = None,
) -> RunResult[Any]:
    """Run and show. The state file is written at the end where one was asked for, and always when interrupted.

    Raises `Interrupted` with the state's path and the command that goes on, and what the run raises.
    """
    given: RunOptions[Any] = {**options} if options else {}
    given["state"] = state
    try:
        with interrupts():
            try:
                with agent.stream_sync(x, **given) as run:
                    for event in run:
                        show(event)
                    return run.result
            except Interrupted as stopped:
                if x is not None and not (state.items or state.inbox):
                    state.inject(x)  # stopped before the run had taken its input
                path = file.save(state)
                stopped.path, stopped.resume = str(path), file.resume_command(path)
                raise
    finally:
        file.keep(state)


def say_interrupted(stopped: Interrupted) -> None:
    """Say where the state is and how to go on."""
    click.echo(
        f"\njigwork: stopped; the state is in {stopped.path}, go on with:\n  {stopped.resume}", err=True
    )


def keep_for_later(state: RunState, file: StateFile) -> tuple[Path, str] | None:
    """Keep the state of a run that failed after tools had done something; return where, and how to go on."""
    if not state.outcomes and file.path is None:
        return None
    path = file.save(state)
    return path, file.resume_command(path)
