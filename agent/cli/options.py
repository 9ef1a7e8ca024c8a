"""Options that several commands have, and what they come to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from ..models.settings import Effort, Settings

__all__ = [
    "db_option",
    "effort_option",
    "file_place",
    "is_typed",
    "json_option",
    "model_option",
    "settings_of",
    "state_option",
    "words_or_stdin",
]

F = TypeVar("F", bound=Callable[..., Any])


def file_place(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a place where no file can be written before anything runs; `-` is stdout where it is taken."""
    if value is not None and (Path(value).is_dir() or not Path(value).absolute().parent.is_dir()):
        raise click.BadParameter(f"{value} is no place for a file: name a file in a folder that exists")
    return value


def model_option(function: F) -> F:
    """`--model`."""
    text = "The model, such as gpt-5.2, cometapi:gpt-5.2, gguf:FILE, http://host:port/v1#name or offline (default: see `jigwork models`)."
    return click.option("--model", "-m", metavar="MODEL", help=text)(function)


def db_option(function: F) -> F:
    """`--db`."""
    text = "The database: a SQLite file, or a URL (a URL with a password is better kept in JIGWORK_DB)."
    return click.option("--db", required=True, metavar="FILE|URL", envvar="JIGWORK_DB", help=text)(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(
        function
    )


def effort_option(function: F) -> F:
    """`--effort`."""
    return click.option(
        "--effort", type=click.Choice(get_args(Effort)), help="How much the model shall reason."
    )(function)


def state_option(function: F) -> F:
    """`--state`."""
    text = "Go on with the run in this file, if it exists, and keep the state there."
    return click.option("--state", "state", metavar="FILE", callback=file_place, help=text)(function)


def settings_of(effort: str | None) -> Settings | None:
    """Return the settings that the options ask for."""
    return Settings(effort=effort) if effort else None  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def words_or_stdin(words: tuple[str, ...]) -> str | None:
    """Return the input: the words of the command line, or all of stdin for `-`; None where there are none."""
    if words != ("-",):
        return " ".join(words) or None
    return read_stdin().strip() or None


def is_typed() -> bool:
    """Tell whether stdin is a terminal; it may also be closed."""
    return bool(sys.stdin) and sys.stdin.isatty()


def read_stdin() -> str:
    """Return all of stdin; raises a usage error for what is not UTF-8."""
    try:
        return sys.stdin.read() if sys.stdin else ""
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the input is not UTF-8 (byte {error.start})") from error
