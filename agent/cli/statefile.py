"""State files of the command line: where a run is kept, and the command that goes on with it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jigwork.errors import StateError

from ..items import is_message
from ..state import RunState

__all__ = ["StateFile", "is_unfinished"]


@dataclass(frozen=True, slots=True)
class StateFile:
    """`path` is what `--state` said, None without it; `command` is the command line that goes on, without `--state`."""

    path: Path | None
    command: tuple[str, ...]

    @classmethod
    def of(cls, path: str | None, command: Sequence[str | None]) -> StateFile:
        """Make one of an option and of words, of which those that are None are left out."""
        return cls(Path(path) if path else None, tuple(word for word in command if word is not None))

    def load(self) -> RunState | None:
        """Read the state, None where there is no file yet; raises StateError for one that is no state."""
        return RunState.load(self.path) if self.path is not None and self.path.exists() else None

    def place(self, state: RunState) -> Path:
        """Return where this state is kept: `--state`, else a file named after the run, in the working folder."""
        return self.path or Path(f"jigwork-{state.run_id}.state.json")

    def save(self, state: RunState) -> Path:
        """Write the state and return where."""
        path = self.place(state)
        try:
            state.save(path)
        except OSError as error:
            raise StateError(f"cannot write the state file {path}: {error.strerror}") from error
        return path

    def keep(self, state: RunState) -> None:
        """Write the state if `--state` asked for a file and there is something to keep."""
        if self.path is not None and (state.items or state.inbox):
            self.save(state)

    def resume_command(self, path: Path, *more: str) -> str:
        """Return the exact command that goes on with the state at `path`."""
        return shlex.join([*self.command, "--state", str(path), *more])


def is_unfinished(state: RunState) -> bool:
    """Tell whether a run would go on by itself: something is open, or the last word is not the model's."""
    if state.inbox or state.open_calls:
        return True
    return bool(state.items) and not is_message(state.items[-1], "assistant")
