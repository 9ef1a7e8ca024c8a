"""`hosted_shell` and `local_shell`: the shell tools of the Responses API, run on this machine and kept in one folder."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jigwork.errors import ConfigurationError, ToolError

from ..definition import Tool
from ..hosted_call import HostedCall, Parts
from ..options import ToolOptions
from .command_lines import AllowedPrograms
from .confined import confined, require_confinement
from .outside import mark_outside
from .programs import existing_folder, time_left
from .running import Finished, clean_environment, run_program

__all__ = ["hosted_shell", "local_shell"]

_COMMANDS = {
    "type": "object",
    "properties": {
        "commands": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100},
        "timeout_ms": {"type": ["integer", "null"], "minimum": 1},
        "max_output_length": {"type": ["integer", "null"], "minimum": 1},
    },
    "required": ["commands"],
}
_EXEC = {
    "type": "object",
    "properties": {
        "type": {"const": "exec"},
        "command": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "env": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
        "timeout_ms": {"type": ["integer", "null"], "minimum": 1},
        "user": {"type": ["string", "null"]},
        "working_directory": {"type": ["string", "null"]},
    },
    "required": ["command"],
}


def hosted_shell(
    folder: str | Path,
    *,
    allow: Sequence[str] | None = None,
    confine: bool = True,
    network: bool = False,
    readable: Sequence[str | Path] = (),
    seconds: float = 120.0,
    environment: Mapping[str, str] | None = None,
    max_output: int = 40_000,
) -> Tool[..., Any]:
    """Return the `shell` tool of the Responses API (GPT-5.1 and later), run here, in `folder`; each call asks a person.

    The kernel keeps every command in the folder (`confine`, Linux with Landlock): nothing outside can be changed,
    and of the outside only installed programs and what is `readable` (say, "~/.pyenv"); without `network` no TCP
    connection can be made. Where the system cannot do that this raises ConfigurationError; with `confine=False` a command may do all that the user may.
    `allow=["ls", "git status"]` takes only these programs, joined with | && || and ;, without wildcards, variables and
    redirections. `seconds` is for all commands of a call together, what the model asks for is cut to it; `max_output`
    is in bytes per stream. The environment has the path, the language and `environment`, none of our keys.
    Elsewhere (Chat Completions, other servers) give `jigwork.tools.box.shell(allow=...)`, a function tool.
    """
    runner = _Runner(
        folder,
        allow,
        _Walls(network, tuple(readable)) if confine else None,
        environment=environment,
        max_output=max_output,
    )

    async def run_commands(
        commands: list[str], timeout_ms: int | None = None, max_output_length: int | None = None, **_: Any
    ) -> Parts:
        """Run commands one after the other, in one folder."""
        until = time.monotonic() + time_left(min(seconds, (timeout_ms or 1e12) / 1000))
        most = min(max_output, max_output_length or max_output)
        parts: list[Mapping[str, Any]] = []
        for command in commands:
            left = until - time.monotonic()
            if left <= 0:
                parts.append(_entry("", "It was not run: the time was up.", {"type": "timeout"}))
                continue
            try:
                finished = await runner.run_line(command, left, most)
            except ToolError as error:  # of one command: the others have their own entries
                parts.append(_entry("", str(error), {"type": "exit", "exit_code": 126}))
                continue
            parts.append(_shown(command, finished))
        return Parts(parts)

    return HostedCall.of(
        {"type": "shell", "environment": {"type": "local"}},
        run_commands,
        _COMMANDS,
        description=f"Run commands in a shell.{runner.about}",
        options=ToolOptions(approval="always", timeout=seconds + 10),
    )


def local_shell(
    folder: str | Path,
    *,
    allow: Sequence[str] | None = None,
    confine: bool = True,
    network: bool = False,
    readable: Sequence[str | Path] = (),
    seconds: float = 120.0,
    environment: Mapping[str, str] | None = None,
    max_output: int = 40_000,
) -> Tool[..., Any]:
    """Return the older `local_shell` tool of the Responses API (codex-mini), run here; as `hosted_shell` in everything.

    It runs one program with its arguments; there is no shell in between. A `user` is refused, a working directory has
    to be below the folder.
    """
    runner = _Runner(
        folder,
        allow,
        _Walls(network, tuple(readable)) if confine else None,
        environment=environment,
        max_output=max_output,
    )

    async def run_program_here(
        command: list[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout_ms: int | None = None,
        user: str | None = None,
        working_directory: str | None = None,
        **_: Any,
    ) -> str:
        """Run one program in one folder."""
        if user:
            raise ToolError("It cannot be run as another user.")
        place = runner.below(working_directory)
        finished = await runner.run_words(
            command, time_left(min(seconds, (timeout_ms or 1e12) / 1000)), place=place, env=env or {}
        )
        entry = _shown(" ".join(command), finished)
        outcome = entry["outcome"]
        ended = {"timed_out": True} if outcome["type"] == "timeout" else {"exit_code": outcome["exit_code"]}
        return json.dumps({"stdout": entry["stdout"], "stderr": entry["stderr"], **ended}, ensure_ascii=False)

    return HostedCall.of(
        {"type": "local_shell"},
        run_program_here,
        _EXEC,
        description=f"Run a program.{runner.about}",
        options=ToolOptions(approval="always", timeout=seconds + 10, max_output=4 * max_output + 1000),
    )


@dataclass(frozen=True, slots=True)
class _Walls:
    """What a program that is kept in a folder may do beside: reach the network, read these folders."""

    network: bool
    readable: tuple[str | Path, ...]


class _Runner:
    """Runs commands in a folder, kept there or not, allowed or not."""

    def __init__(
        self,
        folder: str | Path,
        allow: Sequence[str] | None,
        walls: _Walls | None,
        *,
        environment: Mapping[str, str] | None,
        max_output: int,
    ) -> None:
        place = existing_folder(folder)
        if place is None:
            raise ConfigurationError("give the folder in which commands are run: hosted_shell('work')")
        if walls is not None:
            require_confinement()
        self._folder = place
        self._allowed = None if allow is None else AllowedPrograms(allow, place, check_paths=walls is None)
        self._walls = walls
        self._environment = dict(environment or {})
        self._max_output = max_output
        self._shell = shutil.which("bash") or "/bin/sh"
        self.about = "" if self._allowed is None else f" Allowed: {self._allowed.listed}."

    async def run_line(self, command: str, seconds: float, max_output: int) -> Finished:
        """Run a line of shell."""
        line = command if self._allowed is None else self._allowed.rewritten(command)
        return await self._run([self._shell, "-c", line], seconds, max_output=max_output)

    async def run_words(
        self, words: Sequence[str], seconds: float, *, place: Path, env: Mapping[str, str]
    ) -> Finished:
        """Run a program with its arguments."""
        if self._allowed is not None:
            if env:
                raise ToolError("Variables cannot be set here: only the arguments of a program count.")
            argv = self._allowed.argv(words)
        else:
            found = shutil.which(words[0], path=clean_environment(place, self._environment).get("PATH"))
            if found is None:
                raise ToolError(f"There is no program {words[0][:100]!r}.")
            argv = [str(Path(found).absolute()), *words[1:]]
        return await self._run(argv, seconds, max_output=self._max_output, place=place, env=env)

    def below(self, path: str | None) -> Path:
        """Return a folder below the folder; raises ToolError for any other."""
        place = (self._folder / (path or ".")).resolve()
        if not place.is_relative_to(self._folder) or not place.is_dir():
            raise ToolError(f"{path!r} is no folder below the one in which programs are run.")
        return place

    async def _run(
        self,
        argv: Sequence[str],
        seconds: float,
        *,
        max_output: int,
        place: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        with tempfile.TemporaryDirectory(prefix="jigwork-shell-", ignore_cleanup_errors=True) as scratch:
            own = clean_environment(self._folder, {"TMPDIR": scratch, **self._environment})
            given = {**own, **(env or {})}
            command = list(argv)
            if (walls := self._walls) is not None:
                path = own["PATH"].split(":")  # not the one that the model may have given
                readable: list[str | Path] = [*path, *(Path(p).expanduser() for p in walls.readable)]
                folders: list[str | Path] = [self._folder, scratch]
                command = confined(argv, given, folders=folders, network=walls.network, readable=readable)
                given = clean_environment(self._folder)
            return await run_program(
                command,
                folder=place or self._folder,
                environment=given,
                seconds=seconds,
                max_output=max_output,
                apart=True,
            )


def _shown(command: str, finished: Finished) -> dict[str, Any]:
    source = f"output of {command}"
    outcome: dict[str, Any] = {"type": "exit", "exit_code": finished.status}
    if not finished.in_time:
        outcome = {"type": "timeout"}
    return _entry(
        mark_outside(finished.output.rstrip("\n"), source) if finished.output else "",
        mark_outside(finished.errors.rstrip("\n"), source) if finished.errors else "",
        outcome,
    )


def _entry(stdout: str, stderr: str, outcome: dict[str, Any]) -> dict[str, Any]:
    return {"type": "shell_output", "stdout": stdout, "stderr": stderr, "outcome": outcome}
