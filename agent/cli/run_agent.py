"""`jigwork run`: run an agent of the user's own, watch it, approve its calls, keep and resume its state."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import JigworkError, RunError

from .extras import need
from .load import load_target
from .options import is_typed, json_option, state_option, words_or_stdin

if TYPE_CHECKING:
    from pathlib import Path

    from ..agent import Agent, RunOptions
    from ..events import Event
    from ..result import RunResult
    from ..state import RunState
    from .statefile import StateFile

__all__ = ["command"]


@click.command("run", short_help="Run an agent of yours.")
@click.argument("target")
@click.argument("words", metavar="[INPUT]", nargs=-1)
@click.option("--deps", metavar="TARGET", help="The agent's dependencies: module:name; a function is called.")
@click.option("--turns", type=click.IntRange(1), help="Stop after so many model requests.")
@click.option(
    "--approve",
    multiple=True,
    metavar="ID|all",
    help="Let this waiting call run (with --state); ID=JSON with these arguments.",
)
@click.option("--deny", multiple=True, metavar="ID[=REASON]", help="Refuse this waiting call (with --state).")
@click.option(
    "--answer", multiple=True, metavar="ID=VALUE", help="Answer this waiting question (with --state)."
)
@click.option(
    "--jsonl", "as_lines", is_flag=True, help="Print every event as a line of JSON, the result last."
)
@json_option
@state_option
def command(target: str, words: tuple[str, ...], **options: Any) -> int:
    """Run an agent of yours: module:agent or file.py:agent.

    TARGET names an Agent, or a function without parameters that returns one. INPUT "-" reads stdin, and so does no
    INPUT in a pipe. A run that was stopped, that failed or that waits for a person leaves a state file; --state
    goes on with it.
    """
    need("cli", "jigwork run")
    if options["as_json"] and options["as_lines"]:
        raise click.UsageError("--json is one document, --jsonl one line per event: choose one")
    runner = _runner(target, options)
    x = words_or_stdin(words)
    if x is None and runner.fresh and not is_typed():
        x = words_or_stdin(("-",))
    if x is None and runner.fresh:
        raise click.UsageError(
            "what shall the agent do? Give an INPUT, or --state FILE of a run to go on with"
        )
    return runner.run(x)


def _runner(target: str, options: dict[str, Any]) -> _Runner:
    from ..limits import Limits
    from ..state import RunState
    from .approvals import decide_by_options
    from .statefile import StateFile

    agent = _agent(target)
    run_options: RunOptions[Any] = {}
    if options["deps"]:
        deps = load_target(options["deps"])
        run_options["deps"] = _called(options["deps"], deps) if inspect.isroutine(deps) else deps
    if options["turns"]:
        run_options["limits"] = Limits(turns=options["turns"])
    again = ["--deps", options["deps"]] if options["deps"] else []
    mode = ["--json"] if options["as_json"] else ["--jsonl"] if options["as_lines"] else []
    file = StateFile.of(options["state"], ["jigwork", "run", target, *again, *mode])
    loaded = file.load()
    state = loaded or RunState()
    if loaded is None and (options["approve"] or options["deny"] or options["answer"]):
        raise click.UsageError("--approve, --deny and --answer need --state FILE of a run that waits")
    decide_by_options(state, options["approve"], options["deny"], options["answer"])
    return _Runner(agent, state, file, run_options, mode=mode[0] if mode else "", fresh=loaded is None)


def _agent(target: str) -> Agent[Any, Any]:
    from ..agent import Agent

    found: Any = load_target(target)
    if inspect.isfunction(found):
        found = _called(target, found)
    if not isinstance(found, Agent):
        kind = type(found).__name__  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise click.UsageError(
            f"{target} is no agent but {kind}: name an Agent, or a function that returns one"
        )
    return found  # pyright: ignore[reportUnknownVariableType]


def _called(target: str, function: Callable[[], Any]) -> Any:
    """Call a function of the user's own that makes something; what it raises becomes one line."""
    needed = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    if needed:
        raise click.UsageError(
            f"{target} needs {', '.join(needed)}: name an Agent, or a function without parameters"
        )
    try:
        return function()
    except JigworkError:
        raise
    except Exception as error:
        raise RunError(f"{target} failed: {type(error).__name__}: {error}") from error


@dataclass
class _Runner:
    agent: Agent[Any, Any]
    state: RunState
    file: StateFile
    options: RunOptions[Any]
    mode: str
    fresh: bool

    def run(self, x: str | None) -> int:
        """Run to the end, through as many approvals as a person is there to give."""
        from .running import Interrupted, follow, say_interrupted

        show, finish = self._output()
        try:
            while True:
                result = follow(
                    self.agent, x, state=self.state, file=self.file, show=show, options=self.options
                )
                if result.status == "finished" or not self._decided(result):
                    return finish(result)
                x = None
        except Interrupted as stopped:
            if self.mode:
                self._print_failure(RunError(str(stopped)), state_file=stopped.path, resume=stopped.resume)
            else:
                say_interrupted(stopped)
            return stopped.code
        except JigworkError as error:
            return self._failed(error)

    def _decided(self, result: RunResult[Any]) -> bool:
        from .approvals import ask_person
        from .prompt import at_terminal

        return not self.mode and at_terminal() and ask_person(self.state, result.approvals, self.agent.tools)

    def _output(self) -> tuple[Callable[[Event], None], Callable[[RunResult[Any]], int]]:
        """Return who shows events and who shows the result."""
        from .documents import print_json
        from .jsonout import event_document

        if self.mode == "--json":
            return (lambda event: None), self._finish_json
        if self.mode == "--jsonl":
            return (lambda event: print_json(event_document(event), lines=True)), self._finish_json
        from .screen import Screen
        from .steps import Steps

        screen = Screen()
        steps = Steps(screen, self.agent.tools, most_rows=50 if screen.terminal else None)

        def finish(result: RunResult[Any]) -> int:
            return self._finish_text(result, screen, wrote_text=steps.wrote_text)

        return steps, finish

    def _finish_text(self, result: RunResult[Any], screen: Any, *, wrote_text: bool) -> int:
        from .documents import print_json
        from .escape import clean, one_line
        from .jsonout import jsonable

        screen.fresh_line()
        if result.status == "finished":
            if not wrote_text:
                output = result.output
                screen.line(clean(output)) if isinstance(output, str) else print_json(jsonable(output))
            return 0
        path = self.file.save(self.state)
        for a in result.approvals:
            if a.question is not None:
                text = one_line(f"{a.label} asks: {a.question.text}")
                click.echo(f"jigwork: waiting for an answer: {a.call_id}, {text}", err=True)
        leave = ", ".join(f"{a.call_id} ({a.label})" for a in result.approvals if a.question is None)
        what = f"waiting for approval: {leave}; " if leave else ""
        click.echo(f"jigwork: {what}the state is in {path}, go on with:", err=True)
        for command in self._ways_on(result, path):
            click.echo(f"  {command}", err=True)
        return 1

    def _ways_on(self, result: RunResult[Any], path: Path) -> list[str]:
        """Return the commands that decide about what waits, and go on."""
        asked = [("--answer", f"{a.call_id}=...") for a in result.approvals if a.question is not None]
        leave = [("--approve", "all"), ("--deny", "all")] if len(asked) < len(result.approvals) else []
        return [self.file.resume_command(path, *choice) for choice in (*leave, *asked)]

    def _finish_json(self, result: RunResult[Any]) -> int:
        from .documents import print_json
        from .jsonout import result_document

        document = result_document(result, {"name": self.agent.model.name})
        if result.status == "paused":
            path = self.file.save(self.state)
            document |= {
                "state_file": str(path),
                "resume": self._ways_on(result, path)[0],
            }
        if self.mode == "--jsonl":
            document = {"type": "Result", **document}
        print_json(document, lines=self.mode == "--jsonl")
        return 0 if result.status == "finished" else 1

    def _print_failure(self, error: JigworkError, **more: Any) -> None:
        from .documents import print_json
        from .failures import error_document

        document = error_document(error, **{k: v for k, v in more.items() if v is not None})
        if self.mode == "--jsonl":
            document = {"type": "Result", **document}
        print_json(document, lines=self.mode == "--jsonl")

    def _failed(self, error: JigworkError) -> int:
        """Keep what was done before the failure, and say how to go on."""
        from .failures import exit_code, report
        from .running import keep_for_later

        kept = keep_for_later(self.state, self.file)
        if self.mode:
            self._print_failure(error, **({"state_file": str(kept[0]), "resume": kept[1]} if kept else {}))
            return exit_code(error)
        code = report(error, as_json=False)
        if kept:
            click.echo(f"jigwork: the state is in {kept[0]}, go on with:\n  {kept[1]}", err=True)
        return code
