"""Command lines of an allow-list: read as a shell would, refused where only a shell could tell what they do.

Programs may be joined with `|`, `&&`, `||` and `;`. There are no redirections, variables, substitutions and wildcards.
What is run is written anew from the words that were checked, each quoted, so that a shell cannot read it otherwise.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from jigwork.errors import ConfigurationError, ToolError

__all__ = ["AllowedPrograms"]

_JOINTS = ("|", "&&", "||", ";")
_SPECIAL = "$`<>(){}*?[]!#~&|;"


class AllowedPrograms:
    """Programs that may be run, each perhaps with its first arguments only: `["ls", "git status"]`."""

    def __init__(self, allow: Sequence[str], folder: Path, *, check_paths: bool = True) -> None:
        """Look the programs up; raises ConfigurationError for one that is not there.

        `check_paths` refuses arguments that lead out of `folder`, as well as that can be seen from outside a program.
        """
        import shutil

        if isinstance(allow, str) or not allow:
            raise ConfigurationError('allow= is a list of programs, such as ["ls", "git status"]')
        self._folder = folder if check_paths else None
        self._entries: list[tuple[list[str], str]] = []
        for entry in allow:
            words = shlex.split(entry)
            found = shutil.which(words[0]) if words else None
            if found is None:
                raise ConfigurationError(
                    f"there is no program {entry!r} on the path; install it, or take it out of allow="
                )
            self._entries.append((words, str(Path(found).absolute())))
        self.listed = ", ".join(" ".join(words) for words, _ in self._entries)

    def rewritten(self, command: str) -> str:
        """Return the command line to run; raises ToolError, in words for a model, where it may not be run."""
        pieces: list[str] = []
        for joint, words in _programs(command):
            pieces += [joint] if joint else []
            pieces.append(shlex.join([self._program(words), *words[1:]]))
            for word in words[1:]:
                self._check_path(word)
        return " ".join(pieces)

    def argv(self, words: Sequence[str]) -> list[str]:
        """Return one program with its arguments, as it is to be run."""
        program = self._program(words)
        for word in words[1:]:
            self._check_path(word)
        return [program, *words[1:]]

    def _program(self, words: Sequence[str]) -> str:
        for allowed, program in self._entries:
            if list(words[: len(allowed)]) == allowed:
                return program
        raise ToolError(f"{' '.join(words)[:200]!r} may not be run. Allowed: {self.listed}.")

    def _check_path(self, word: str) -> None:
        """Refuse an argument that is, or holds, a path out of the folder."""
        for path in {word, word.partition("=")[2], word.lstrip("-")[1:] if word.startswith("-") else word}:
            if path and self._folder is not None and _leads_out(path, self._folder):
                raise ToolError(f"{word[:200]!r} leads out of the folder. Give a path below it.")


def _leads_out(path: str, folder: Path) -> bool:
    if "\0" in path or path.startswith(("/", "~")) or ".." in path.replace("\\", "/").split("/"):
        return True
    whole = os.path.realpath(folder / path)
    return os.path.lexists(folder / path) and not Path(whole).is_relative_to(folder)


def _programs(command: str) -> list[tuple[str, list[str]]]:
    """Split a command line into programs with their arguments, and what stands before each: "" or a joint."""
    if "\0" in command or "\n" in command.strip():
        raise ToolError("Each command is one line.")
    made: list[tuple[str, list[str]]] = [("", [])]
    for word, quoted in _words(command.strip()):
        if not quoted and word in _JOINTS:
            made.append((word, []))
        elif not quoted and (wrong := next((c for c in word if c in _SPECIAL), None)):
            raise ToolError(
                f"{wrong!r} is not possible here: only programs with arguments, joined with |, &&, || or ;."
                " Quote it with ' where it is meant as it stands."
            )
        else:
            made[-1][1].append(word)
    if any(not words for _, words in made):
        raise ToolError("A program is missing before or after |, &&, || or ;, or the command is empty.")
    return made


def _words(command: str) -> list[tuple[str, bool]]:
    """Split into words; tell of each whether anything in it is quoted. Double quotes hold plain text only."""
    found: list[tuple[str, bool]] = []
    word, quoted, open_, index = "", False, False, 0
    while index < len(command):
        c = command[index]
        if c in "'\"":
            end = command.find(c, index + 1)
            if end < 0:
                raise ToolError("A quotation mark in the command is not closed.")
            inner = command[index + 1 : end]
            if c == '"' and any(special in inner for special in "$`\\"):
                raise ToolError(
                    "Inside of double quotes, $, ` and \\ are not possible here: use single quotes."
                )
            if any(special in word for special in _SPECIAL):
                raise ToolError(f"{word[:80]!r} is not possible here: quote it whole.")
            word, quoted, open_, index = word + inner, True, True, end + 1
            continue
        if c == "\\":
            raise ToolError("A backslash is not possible here: use single quotes.")
        joint = next((j for j in ("&&", "||", "|", ";") if command.startswith(j, index)), "")
        if c.isspace() or joint:
            found += [(word, quoted)] if open_ else []
            found += [(joint, False)] if joint else []
            word, quoted, open_, index = "", False, False, index + (len(joint) or 1)
            continue
        if quoted and c in _SPECIAL:
            raise ToolError(f"{c!r} is not possible here: quote it.")
        word, open_, index = word + c, True, index + 1
    return found + ([(word, quoted)] if open_ else [])
