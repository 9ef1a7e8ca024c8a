"""`jigwork chat`: a conversation with a model, streamed, with tools of the user's own where they are named."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import AuthenticationError, ConfigurationError, JigworkError

from .extras import need
from .options import effort_option, model_option, settings_of, state_option

if TYPE_CHECKING:
    from ..agent import Agent
    from ..result import RunResult
    from ..state import RunState
    from .screen import Screen
    from .statefile import StateFile
    from .steps import Steps

__all__ = ["command", "tools_of"]

_HELP = """\
\\q            leave (or Ctrl-D)
\\new          forget the conversation so far
\\save FILE    write the conversation as a state file (go on with --state FILE)
\\h            this help"""


@click.command("chat", short_help="Talk to a model.")
@click.option(
    "--tools",
    "tools",
    multiple=True,
    metavar="TARGET",
    help="Tools: a module, a file.py, or module:function.",
)
@click.option("--instructions", metavar="TEXT", help="What the model shall be told before all else.")
@click.option(
    "--db", metavar="FILE|URL", help="A database to talk about: as `jigwork ask`, with questions that go on."
)
@model_option
@effort_option
@state_option
def command(
    tools: tuple[str, ...],
    *,
    instructions: str | None,
    db: str | None,
    model: str | None,
    effort: str | None,
    state: str | None,
) -> int:
    """Talk to a model, with --db about a database. In a pipe, every line of stdin is a message."""
    need("cli", "jigwork chat")
    if db is not None:
        return _talk_about(db, tools, instructions=instructions, model=model, effort=effort, state=state)
    from ..agent import Agent
    from ..models.resolve import choose_model
    from ..state import RunState
    from .escape import one_line
    from .screen import Screen
    from .statefile import StateFile
    from .steps import Steps

    chosen, reason = choose_model(model)
    found = [tool for target in tools for tool in tools_of(target)]
    agent = Agent(chosen, instructions=instructions, tools=found, settings=settings_of(effort))
    again: list[str | None] = ["jigwork", "chat"]
    for name, values in (
        ("model", [model]),
        ("tools", tools),
        ("instructions", [instructions]),
        ("effort", [effort]),
    ):
        again += [word for value in values if value for word in (f"--{name}", value)]
    file = StateFile.of(state, again)
    screen = Screen()
    screen.label("model", one_line(reason))
    if agent.tools:
        screen.label("tools", one_line(", ".join(agent.tools)))
    steps = Steps(screen, agent.tools, most_rows=50 if screen.terminal else None)
    return _Chat(agent, file.load() or RunState(), file, screen, steps).talk()


def _talk_about(db: str, targets: tuple[str, ...], **options: Any) -> int:
    """Talk about a database; every question may go on with what came before it."""
    need("sql", "jigwork chat --db")
    from .ask import command as ask
    from .ask import open_asker, take_questions

    plain = ask.make_context("chat", ["--db", db]).params
    tools = [tool for target in targets for tool in tools_of(target)]
    asker = open_asker({**plain, **options, "tools": targets}, verb="chat", tools=tools)
    try:
        return take_questions(asker)
    finally:
        asker.agent.database.close()


def tools_of(target: str) -> list[Any]:
    """Return the tools that a target names: one by `module:name`, else all @tools of a module or file.

    Where a module has no @tool, its own public functions are taken.
    """
    from jigwork.tools import Tool

    from .load import load_module, load_target

    if ":" in target.removesuffix(".py"):
        return [load_target(target)]
    module = load_module(target)
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    found: list[Any] = [value for value in public.values() if isinstance(value, Tool)]
    if not found:
        found = [f for f in public.values() if inspect.isfunction(f) and _is_from(f, module)]
    if not found:
        raise click.UsageError(f"{target} has no tools: put @tool on its functions")
    return found


def _is_from(function: Any, module: ModuleType) -> bool:
    return getattr(function, "__module__", None) == module.__name__


@dataclass
class _Chat:
    """One conversation."""

    _agent: Agent[Any, Any]
    _state: RunState
    _file: StateFile
    _screen: Screen
    _steps: Steps

    def talk(self) -> int:
        """Answer every line; return 1 if one was not answered (in a pipe, where nobody saw it)."""
        from .prompt import lines
        from .statefile import is_unfinished

        code = self._say(None) if is_unfinished(self._state) else 0
        if self._screen.terminal:
            self._screen.line("\\h helps, \\q leaves.", "dim")
        for line in lines("chat"):
            if line.startswith("\\"):
                self._obey(line)
            else:
                code = max(code, self._say(line))
        return 0 if self._screen.terminal else code

    def _obey(self, line: str) -> None:
        from ..state import RunState

        word, _, rest = line.partition(" ")
        if word in ("\\h", "\\?"):
            self._screen.line(_HELP)
        elif word == "\\new":
            self._state = RunState()
        elif word == "\\save" and rest.strip():
            try:
                self._state.save(rest.strip())
            except OSError as error:
                self._screen.line(f"cannot write {rest.strip()}: {error.strerror}", "red")
        else:
            self._screen.line(f"there is no {line}; \\h shows what there is")

    def _say(self, text: str | None) -> int:
        """Send one message and show the answer; a failure is shown, and the conversation can go on."""
        from .failures import report
        from .running import Interrupted, say_interrupted

        try:
            result = self._run(text)
            while result.status == "paused":
                if not self._decided(result):
                    return 1
                result = self._run(None)
        except Interrupted as stopped:
            say_interrupted(stopped)
            if not self._screen.terminal:
                raise
            return stopped.code
        except (ConfigurationError, AuthenticationError):
            raise
        except JigworkError as error:
            self._screen.fresh_line()
            return report(error, as_json=False)
        self._screen.fresh_line()
        return 0

    def _run(self, text: str | None) -> RunResult[Any]:
        from .running import follow

        return follow(self._agent, text, state=self._state, file=self._file, show=self._steps)

    def _decided(self, result: RunResult[Any]) -> bool:
        from .approvals import ask_person

        if self._screen.terminal and ask_person(self._state, result.approvals, self._agent.tools):
            return True
        path = self._file.save(self._state)
        resume = self._file.resume_command(path)
        click.echo(f"jigwork: calls wait for approval; decide at a terminal:\n  {resume}", err=True)
        return False
