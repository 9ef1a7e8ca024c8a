"""`jigwork ask`: a question over a database, answered while one watches; without a question, a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .batch import jsonl_option
from .chart_file import picture_place
from .extras import need
from .options import (
    db_option,
    effort_option,
    file_place,
    is_typed,
    json_option,
    model_option,
    settings_of,
    state_option,
    words_or_stdin,
)

if TYPE_CHECKING:
    from .asking import Asker

__all__ = ["command", "open_asker", "take_questions"]

_FETCHED = 1000
"""Rows that are fetched unless `--max-rows` says otherwise, and the least that a query may ask for."""

_AFTERWARDS = ("csv", "explain", "chart", "chart_file", "save", "trusted", "author", "slots")

_HELP = """\
\\q            leave (or Ctrl-D)
\\d            the tables
\\d TABLE      the columns of a table
\\new          forget the conversation so far
\\h            this help"""


def _slots(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=VALUE pairs."""
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise click.BadParameter("write it as NAME=VALUE, such as country=Brazil")
    return {name: value for name, _, value in pairs}


@click.command("ask", short_help="Ask a database a question.")
@click.argument("words", metavar="[QUESTION]", nargs=-1)
@db_option
@click.option("--aliases", metavar="FILE", help="Words of your own for tables, columns and values (TOML).")
@click.option(
    "--max-rows",
    type=click.IntRange(1),
    help="Fetch and show at most so many rows (default: 1000; a terminal shows 50).",
)
@click.option("--csv", metavar="FILE", callback=file_place, help="Write the rows as CSV; - is stdout, alone.")
@click.option("--explain", is_flag=True, help="Say why these tables and joins.")
@click.option("--chart", is_flag=True, help="Draw the rows as bars or a line, where they suit.")
@click.option(
    "--chart-file", metavar="FILE", callback=picture_place, help="Draw the rows into a picture: .png or .svg."
)
@click.option("--check-figures", is_flag=True, help="Hold the figures of the answer against the rows.")
@click.option("--trusted", metavar="FOLDER", help="Checked queries that the model may call (.sql files).")
@click.option("--trusted-only", is_flag=True, help="Let the model call those queries, and write none.")
@click.option("--save", metavar="NAME", help="Keep the question and its SQL as a trusted query of that name.")
@click.option(
    "--slot",
    "slots",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_slots,
    help="Make a value in what --save keeps a slot that a call fills; repeatable.",
)
@click.option("--author", metavar="NAME", default="", help="Who has checked what --save keeps.")
@click.option(
    "--yes",
    is_flag=True,
    help="Offline: take a free question where every word is accounted for and no other reading is near.",
)
@jsonl_option("question")
@model_option
@effort_option
@json_option
@state_option
def command(words: tuple[str, ...], **options: Any) -> int:
    """Ask a database a question.

    Without QUESTION: a prompt on a terminal, otherwise one question per line of stdin. The database is only read.
    With no model named and no API key set, the offline engine answers questions in controlled English; for others it
    proposes at most three that it understands, and runs none before one is chosen (exit code 1 in a pipe). `jigwork
    alias` teaches it your words.
    """
    need("sql", "jigwork ask")
    need("cli", "jigwork ask")
    _check_options(words, options)
    asker = open_asker(options)
    try:
        if options["jsonl"] is not None:
            from .asking_rows import ask_rows

            return ask_rows(asker.agent, options["jsonl"], asker.settler)
        return _ask(asker, words)
    finally:
        asker.agent.database.close()


def _check_options(words: tuple[str, ...], options: dict[str, Any]) -> None:
    """Refuse what does not go together, before anything is opened."""
    if options["jsonl"] is not None and (words or options["state"]):
        raise click.UsageError("--jsonl brings its own questions: leave out QUESTION and --state")
    for name in ("csv", "save", "chart_file"):
        if options[name] is not None and (options["jsonl"] is not None or not (words or options["state"])):
            raise click.UsageError(f"--{name.replace('_', '-')} needs one QUESTION")
    if options["chart"] and (options["as_json"] or options["jsonl"] is not None or options["csv"] == "-"):
        raise click.UsageError("--chart draws for people: leave out --json, --jsonl and --csv -")
    if options["csv"] == "-" and options["as_json"]:
        raise click.UsageError("--csv - and --json both want stdout: name a file for one of them")
    if options["trusted_only"] and options["trusted"] is None:
        raise click.UsageError("--trusted-only needs the folder of trusted queries: --trusted FOLDER")
    if options["trusted_only"] and options["save"] is not None:
        raise click.UsageError("--save keeps SQL that the model wrote, and --trusted-only lets it write none")
    if options["save"] is None and options["slots"]:
        raise click.UsageError("--slot is for what --save keeps: name it with --save NAME")
    if options["save"] is None:
        return
    if options["trusted"] is None:
        raise click.UsageError("--save needs the folder of trusted queries: --trusted FOLDER")
    from jigwork.grammars.sql.trusted import trusted_path

    trusted_path(options["trusted"], options["save"])
    try:
        Path(options["trusted"]).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"cannot make the folder {options['trusted']}: {error.strerror}") from error


def open_asker(options: dict[str, Any], *, verb: str = "ask", tools: Sequence[Any] = ()) -> Asker:
    """Open the database and the model that the options name; `again` is how one goes on with the conversation."""
    from jigwork.tools.sql import SQLDatabase

    from ..models.offline import OfflineModel
    from ..models.resolve import choose_model
    from ..sql import SQLAgent
    from .afterwards import Afterwards
    from .alias_place import aliases_for
    from .asking import Asker
    from .settling import Settler
    from .statefile import StateFile

    model, reason = choose_model(options["model"])
    most = options["max_rows"] or _FETCHED
    database = SQLDatabase(
        options["db"], max_rows=most, trusted=options["trusted"], trusted_only=options["trusted_only"]
    )
    settler = None
    aliases = aliases_for(options["db"], options["aliases"])
    if isinstance(model, OfflineModel):
        if options["effort"]:
            raise click.UsageError(
                "--effort is for a model that reasons, and the offline engine answers: name a --model"
            )
        model = OfflineModel(database, aliases=aliases)
        if model.english is not None:
            settler = Settler(database, model.english, aliases, yes=options["yes"])
    elif options["yes"]:
        raise click.UsageError("--yes is for the offline engine: a model answers free questions as they are")
    agent = SQLAgent(
        database,
        model,
        aliases=None if settler else aliases,
        max_limit=max(most, _FETCHED),
        instructions=options.get("instructions"),
        tools=tools,
        check_figures=options["check_figures"],
        settings=settings_of(options["effort"]),
    )
    again = _again(verb, options)
    return Asker(
        agent,
        reason,
        StateFile.of(options["state"], again),
        as_json=options["as_json"],
        most_rows=options["max_rows"],
        remember=options["state"] is not None or settler is None or verb == "chat",
        follows=verb == "chat",
        uses_tools=bool(tools),
        settler=settler,
        command=tuple(again),
        afterwards=Afterwards(**{name: options[name] for name in _AFTERWARDS}),
    )


def _again(verb: str, options: dict[str, Any]) -> list[str]:
    """Return the command that goes on; a database that the environment names, perhaps with a password, stays there."""
    again = ["jigwork", verb]
    if click.get_current_context().get_parameter_source("db") is ParameterSource.ENVIRONMENT:
        options = {**options, "db": None}
    for name in ("db", "model", "aliases", "effort", "max_rows", "trusted", "instructions"):
        if options.get(name) is not None:
            again += [f"--{name.replace('_', '-')}", str(options[name])]
    again += [word for target in options.get("tools", ()) for word in ("--tools", target)]
    flags = {"check_figures": "--check-figures", "explain": "--explain", "as_json": "--json"}
    flags |= {"trusted_only": "--trusted-only", "yes": "--yes"}
    return [*again, *(flag for name, flag in flags.items() if options[name])]


def _ask(asker: Asker, words: tuple[str, ...]) -> int:
    question = words_or_stdin(words)
    if words and question is None:
        raise click.UsageError("the question is empty")
    return asker.ask(question) if question is not None else take_questions(asker)


def take_questions(asker: Asker) -> int:
    """Answer what is typed at a prompt, or every line of stdin, and return the exit code."""
    from .statefile import is_unfinished

    if is_unfinished(asker.state):
        return asker.ask(None)
    if is_typed():
        if asker.as_json:
            raise click.UsageError("--json on a terminal needs a QUESTION")
        return _prompt(asker)
    return _lines(asker)


def _lines(asker: Asker) -> int:
    """Answer every line of stdin; one that fails does not keep the others from being answered."""
    from .prompt import lines

    codes = [asker.ask(line, one_of_many=True) for line in lines("ask")]
    if not codes:
        raise click.UsageError("there is no question: give one as QUESTION, or as lines of stdin")
    return max(codes)


def _prompt(asker: Asker) -> int:
    from .prompt import lines

    screen = asker.screen
    asker.introduce()
    screen.line(
        "Ask a question; Tab completes, \\h helps, \\q leaves."
        if asker.settler is not None
        else "\\h helps, \\q leaves.",
        "dim",
    )
    for line in lines("ask", complete=asker.complete if asker.settler is not None else None):
        word, _, rest = line.partition(" ")
        if word in ("\\h", "\\?", "help"):
            screen.line(_HELP)
        elif word == "\\new":
            asker.forget()
        elif word == "\\d":
            asker.describe(rest.strip())
        elif line.isdigit() and 0 < int(line) <= len(asker.offers):
            asker.ask(asker.offers[int(line) - 1], one_of_many=True)
        elif word.startswith("\\"):
            screen.line(f"there is no {word}; \\h shows what there is")
        else:
            asker.ask(line, one_of_many=True)
    return 0
