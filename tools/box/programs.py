"""`python` and `shell`: programs as tools, after a person has allowed the call.

Neither is a sandbox by itself: a program may read and write what the user may, and reach the network. What is kept from it are
our own environment, time, memory and the size of what it says; a program that looks for keys of the same user can
still find them. `confine=True` lets the kernel keep it in its folder and off the network (Linux with Landlock). Put
real walls (a container, a virtual machine) around code that nobody has read.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jigwork.errors import ConfigurationError, ToolError

from ..deadline import seconds_left, sooner
from ..decorator import tool
from ..definition import Tool
from .confined import confined, require_confinement
from .outside import ABOUT_MARKS, mark_outside
from .running import Finished, clean_environment, run_program

__all__ = ["existing_folder", "python", "shell", "time_left"]

_LIMITED = """
import resource as r, sys
def limit(what, value):
    try: r.setrlimit(what, (value, value))
    except (ValueError, OSError): pass
cpu, memory, size = map(int, sys.argv[1:4])
r.setrlimit(r.RLIMIT_CPU, (cpu, cpu + 1))
limit(r.RLIMIT_AS, memory); limit(r.RLIMIT_FSIZE, size); limit(r.RLIMIT_NOFILE, 256); limit(r.RLIMIT_CORE, 0)
code = compile(sys.stdin.buffer.read(), '<code>', 'exec')
sys.argv = ['<code>']
sys.path.insert(0, '')
del r, limit, cpu, memory, size
exec(code, {'__name__': '__main__', '__builtins__': __builtins__})
"""
_OPERATORS = frozenset("|&;<>()")


def python(
    *,
    seconds: float = 30.0,
    cpu_seconds: int = 20,
    memory: int = 1 << 30,
    folder: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    max_output: int = 40_000,
    confine: bool = False,
) -> Tool[..., Any]:
    """Return a tool that runs a Python program in a process of its own; each call asks a person.

    It runs with this interpreter, in `folder` or else in an empty one that is removed afterwards, with nothing of
    our environment but the path, the language and `environment`. `memory` and `max_output` are in bytes; files it
    writes have at most 50 MB. `confine` keeps it in that folder and off the network; without, it is no sandbox: see the
    module. Needs a system with resource limits (Linux, macOS).
    """
    place = existing_folder(folder)
    if sys.platform == "win32":
        raise ConfigurationError(
            "python() needs resource limits, which Windows does not have: use a container"
        )
    if confine:
        require_confinement()

    @tool(name="python", approval="always", timeout=seconds + 10)
    async def run_python(code: str) -> str:
        """Run a Python program and return what it prints.

        Args:
            code: The program. Nothing is kept from one call to the next.
        """
        limits = [str(cpu_seconds), str(memory), str(50_000_000)]
        command = [sys.executable, "-I", "-X", "utf8", "-c", _LIMITED, *limits]
        with tempfile.TemporaryDirectory(prefix="jigwork-python-", ignore_cleanup_errors=True) as empty:
            given = clean_environment(empty, environment)
            if confine:
                command = confined(command, given, folders=[place or empty], network=False)
            finished = await run_program(
                command,
                folder=place or empty,
                environment=given,
                seconds=time_left(seconds),
                max_output=max_output,
                stdin=code.encode("utf-8", "replace"),
            )
        return _said("the program", finished)

    return run_python.replaced(description=f"{run_python.description} {ABOUT_MARKS}")


def shell(
    allow: Sequence[str],
    *,
    folder: str | Path = ".",
    seconds: float = 60.0,
    environment: Mapping[str, str] | None = None,
    max_output: int = 40_000,
    confine: bool = False,
) -> Tool[..., Any]:
    """Return a tool that runs allowed programs in `folder`: `shell(allow=["ls", "git status"])`; each call asks a person.

    An entry is a program, or a program with its first arguments. There is no shell: nothing is expanded, piped or
    redirected, and the arguments reach the program as they are written. Programs are looked up once, here; raises
    ConfigurationError for one that is not there. The environment has the path, the language and `environment` only.
    `confine` keeps what they do in the folder and off the network (Linux with Landlock, or ConfigurationError);
    without, it is no sandbox: an allowed program may do all that it can do.
    """
    if confine:
        require_confinement()
    place = existing_folder(folder) or Path.cwd()
    if isinstance(allow, str) or not allow:
        raise ConfigurationError('allow= is a list of programs, such as ["ls", "git status"]')
    entries = [(_split(entry), _found(entry)) for entry in allow]
    listed = ", ".join(" ".join(words) for words, _ in entries)

    @tool(name="shell", approval="always", timeout=seconds + 10)
    async def run_command(command: str) -> str:
        """Run a program with its arguments. There are no pipes, no redirections, no variables and no wildcards.

        Args:
            command: The program and its arguments, quoted as for a shell.
        """
        words = _split(command)
        for allowed, program in entries:
            if words[: len(allowed)] == allowed:
                given = clean_environment(place, environment)
                argv = [program, *words[1:]]
                if confine:
                    path = given["PATH"].split(":")
                    argv = confined(argv, given, folders=[place], network=False, readable=path)
                finished = await run_program(
                    argv,
                    folder=place,
                    environment=given,
                    seconds=time_left(seconds),
                    max_output=max_output,
                )
                return _said(command, finished)
        raise ToolError(f"{command[:200]!r} may not be run. Allowed: {listed}.")

    return run_command.replaced(description=f"{run_command.description} Allowed: {listed}. {ABOUT_MARKS}")


def _split(command: str) -> list[str]:
    """Split a command as a shell would, and refuse what only a shell could do."""
    if "\0" in command or "\n" in command:
        raise ToolError("A command is one line.")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError("A quotation mark in the command is not closed.") from error
    bare = [c for c in _unquoted(command) if c in _OPERATORS]
    if bare:
        raise ToolError(
            f"There is no shell, so {bare[0]} does nothing: run one program at a time, or quote it."
        )
    if not words:
        raise ToolError("The command is empty.")
    return words


def _unquoted(command: str) -> list[str]:
    """Return the characters of a command that stand outside of quotation marks."""
    bare: list[str] = []
    quote, escaped = "", False
    for c in command:
        if escaped:
            escaped = False
        elif c == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        else:
            bare.append(c)
    return bare


def _found(entry: str) -> str:
    program = _split(entry)[0]
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            f"there is no program {program!r} on the path; install it, or take it out of allow="
        )
    return str(Path(found).absolute())


def existing_folder(folder: str | Path | None) -> Path | None:
    """Return the folder as an absolute path; raises ConfigurationError where it is none."""
    if folder is None:
        return None
    place = Path(folder).resolve()
    if not place.is_dir():
        raise ConfigurationError(f"{folder} is no folder: make it first, or give another one")
    return place


def time_left(seconds: float) -> float:
    """Leave a moment of an inherited deadline for ending the program and saying so."""
    left = seconds_left()
    return sooner(seconds, None if left is None else max(left - 1.0, 0.05)) or seconds


def _said(what: str, finished: Finished) -> str:
    if finished.status == 0 and finished.in_time and not finished.output:
        return "It ended with status 0 and printed nothing."
    marked = mark_outside(finished.output.rstrip("\n"), f"output of {what}")
    if finished.status == 0 and finished.in_time and not finished.missing:
        return marked
    return f"It {finished.described()}.\n{marked}"
