"""The prompt: a line editor with history on a terminal, with completion where a grammar knows what may follow."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import is_typed

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import History

__all__ = ["Complete", "at_terminal", "history_file", "lines"]

Complete = Callable[[str], "list[str]"]
"""What may replace the unfinished last word of a text."""

_QUIT = {"\\q", "\\quit", "exit", "quit"}


def at_terminal() -> bool:
    """Tell whether a person types and reads here."""
    return is_typed() and sys.stdout.isatty()


def lines(
    name: str,
    *,
    complete: Complete | None = None,
) -> Iterator[str]:
    """Yield what a person enters until `\\q` or Ctrl-D (on a terminal), or the lines of stdin.

    `name` is that of the history file and of the prompt. Empty lines are left out. Raises a usage error for input that is not UTF-8.
    """
    if not at_terminal():
        yield from _piped()
        return
    session = _session(name, complete)
    while True:
        try:
            line = session.prompt(f"{name}> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if line in _QUIT:
            return
        if line:
            yield line


def _piped() -> Iterator[str]:
    try:
        for line in sys.stdin or ():
            if line.strip() in _QUIT:
                return
            if line.strip():
                yield line.strip()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the input is not UTF-8 (byte {error.start})") from error


def history_file(name: str) -> Path | None:
    """Return the file of a history, for this user only; None where none can be written."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = Path(base, "jigwork")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{name}.history"
        path.touch(mode=0o600)
    except OSError:
        return None
    return path


def _session(name: str, complete: Complete | None) -> PromptSession[str]:
    from prompt_toolkit import PromptSession

    return PromptSession(
        history=_history(history_file(name)),
        completer=None if complete is None else _completer(complete),
        complete_while_typing=True,
        complete_in_thread=True,
    )


def _history(path: Path | None) -> History:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class WithoutGoodbyes(FileHistory):
        """Keeps what was asked, not how one left."""

        def append_string(self, string: str) -> None:
            if string.strip() not in _QUIT:
                super().append_string(string)

    return InMemoryHistory() if path is None else WithoutGoodbyes(str(path))


def _completer(complete: Complete) -> Any:
    from prompt_toolkit.completion import Completer, Completion

    class FromGrammar(Completer):
        """Offers what the grammar allows at the cursor."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            text = document.text_before_cursor
            if text.startswith("\\"):
                return
            start = len(text) - _last_word(text)
            for word in complete(text):
                yield Completion(word, start_position=start - len(text))

    return FromGrammar()


def _last_word(text: str) -> int:
    """Return the length of the unfinished word at the end."""
    return len(text) - (max(text.rfind(" "), text.rfind("\t")) + 1)
