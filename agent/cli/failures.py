"""What went wrong, as one line for a person on stderr or one JSON document on stdout, and the exit code for it."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from jigwork.errors import ConfigurationError, JigworkError, QuestionError

from .documents import print_json
from .escape import clean, one_line

__all__ = [
    "BROKEN_PIPE",
    "FAILED",
    "INTERRUPTED",
    "USAGE",
    "error_document",
    "exit_code",
    "message_of",
    "report",
    "report_usage",
]

FAILED, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
_DETAILS = (
    *("status", "code", "param", "request_id", "retry_after", "limit", "used", "reason", "refusal", "extra"),
    *("line", "column", "rule", "position", "found", "suggestions", "expected", "proposals", "readings"),
    "explanations",
)
_PLAIN: tuple[type[Any], ...] = (str, int, float, tuple)


def exit_code(error: BaseException) -> int:
    """Return 2 for what was put together wrongly, a missing extra included, else 1."""
    return USAGE if isinstance(error, (ConfigurationError, click.UsageError)) else FAILED


def message_of(error: BaseException) -> str:
    """Return the error as a sentence on one line; a question that was not understood keeps its caret and lines."""
    if isinstance(error, QuestionError):
        return clean(str(error))
    if isinstance(error, JigworkError):
        return one_line(str(error))
    return one_line(f"{type(error).__name__}: {error}")


def error_document(error: BaseException, **more: Any) -> dict[str, Any]:
    """Return the error as `{"error": {...}}`: its type, message, and what it knows in detail."""
    kind = "UsageError" if isinstance(error, click.ClickException) else type(error).__name__
    message = error.format_message() if isinstance(error, click.ClickException) else message_of(error)
    details = {name: getattr(error, name, None) for name in _DETAILS}
    known = {k: v for k, v in details.items() if v not in (None, (), "") and isinstance(v, _PLAIN)}
    return {"error": {"type": kind, "message": message, **known}, **more}


def report(error: BaseException, *, as_json: bool, **more: Any) -> int:
    """Say what went wrong, where it is looked for, and return the exit code."""
    if as_json:
        print_json(error_document(error, **more))
    else:
        text = message_of(error)
        click.echo(text if isinstance(error, QuestionError) else f"jigwork: {text}", err=True)
    if os.environ.get("JIGWORK_LOG", "").strip().lower() == "debug":
        traceback.print_exception(error, file=sys.stderr)
    return exit_code(error)


def report_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Say what is wrong with the command line, in one line that names the help."""
    if as_json:
        print_json(error_document(error))
        return USAGE if isinstance(error, click.UsageError) else FAILED
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "jigwork"
    text = one_line(error.format_message())
    hint = f" (see {command} --help)" if isinstance(error, click.UsageError) else ""
    click.echo(f"{command}: {text}{hint}", err=True)
    return USAGE if isinstance(error, click.UsageError) else FAILED
