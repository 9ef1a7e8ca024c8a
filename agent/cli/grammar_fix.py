"""Files that `jigwork grammar check --fix` changes: read and written with their own line ends, whole or not at all."""

from __future__ import annotations

import difflib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from .grammar_file import GrammarFile

__all__ = ["difference", "fixable", "write"]


def fixable(argument: str, file: GrammarFile) -> GrammarFile:
    """The grammar with the text as it stands in its file. Raises a usage error where there is no text to be changed."""
    if file.kind != "lark" or not (argument == "-" or Path(argument).is_file()):
        raise click.UsageError(f"--fix changes .lark files (or standard input), and {argument} is none")
    return file if argument == "-" else replace(file, text=Path(argument).read_bytes().decode("utf-8"))


def write(name: str, old: str, new: str | None) -> None:
    """Put the new text in the place of the old one; nothing is written where they are the same.

    The text goes to a file beside it, which then takes its name: no reader ever sees half of it. A link stays one, and
    so do the rights of the file.
    """
    if new is None or new == old:
        return
    path = Path(name).resolve()
    try:
        mode = path.stat().st_mode
        number, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(new.encode())
            os.chmod(beside, mode & 0o7777)
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise click.UsageError(f"{name} cannot be written: {error.strerror}") from error


def difference(file: GrammarFile, new: str | None) -> str:
    """The change as a unified diff; empty where there is none."""
    old = file.text.splitlines(keepends=True)
    lines = difflib.unified_diff(
        old, (new or "").splitlines(keepends=True), f"a/{file.name}", f"b/{file.name}"
    )
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)
