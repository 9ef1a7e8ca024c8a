"""The group `jigwork`: finds a command, runs it, and turns whatever goes wrong into a line and an exit code."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from jigwork.errors import JigworkError, RunError

from .documents import documents_only, print_json
from .failures import BROKEN_PIPE, INTERRUPTED, error_document, report, report_usage
from .lazy import LazyGroup

__all__ = ["main", "run_arguments", "use_utf8"]

# Command: the module that has it, as `command`. Imported when it is run, or when its help is shown.
_COMMANDS = {
    "ask": "ask",
    "alias": "alias",
    "chat": "chat",
    "run": "run_agent",
    "serve": "serve",
    "serve-mcp": "serve_mcp",
    "models": "models",
    "doctor": "doctor",
    "schema": "schema",
    "grammar": "grammar",
    "sql": "sql",
}


@click.group(
    cls=LazyGroup,
    modules=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `jigwork ask --db FILE`. `jigwork models` says which model is used, and why.",
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def main(ctx: click.Context, version: bool) -> None:
    """Agents in which nothing malformed reaches a tool, and nothing a tool did is lost."""
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed

        try:
            click.echo(f"jigwork {installed('jigwork')}")
        except PackageNotFoundError:
            click.echo("jigwork (a checkout, not installed)")
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def use_utf8() -> list[str]:
    """Make the three streams UTF-8 whatever the locale says, and return the arguments, decoded likewise."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            reading = stream is sys.stdin
            stream.reconfigure(encoding="utf-8", errors="strict" if reading else "backslashreplace")
    return [os.fsencode(argument).decode("utf-8", "replace") for argument in sys.argv[1:]]


def run_arguments(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Only what is a bug of ours leaves this as an exception."""
    as_json = any(word.partition("=")[0] in ("--json", "--jsonl") for word in arguments)
    warnings.showwarning = _show_warning
    try:
        with documents_only(as_json):
            code = _run(arguments, as_json=as_json)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _broken_pipe()


def _run(arguments: Sequence[str], *, as_json: bool) -> int:
    try:
        with main.make_context(
            "jigwork", list(arguments)
        ) as context:  # main.main() has its own idea of broken pipes
            code = main.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, click.Abort) as stopped:
        code = getattr(stopped, "code", None)
        if code is None and as_json:  # else whoever was stopped has said so already
            print_json(error_document(RunError("stopped by Ctrl-C")))
        return INTERRUPTED if code is None else int(code)
    except click.ClickException as error:
        return report_usage(error, as_json=as_json)
    except JigworkError as error:
        return report(error, as_json=as_json)
    except BrokenPipeError:
        raise
    except Exception as error:
        if as_json:
            print_json(error_document(error))
        raise


def _broken_pipe() -> int:
    """Nobody reads any more: say nothing, and let the interpreter's last flush say nothing either."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation):
        sys.stdout = io.StringIO()
    return BROKEN_PIPE


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show a warning of ours as one line; those of libraries are for developers."""
    if not issubclass(category, (DeprecationWarning, ResourceWarning)):
        click.echo(f"jigwork: warning: {message}", err=True)
