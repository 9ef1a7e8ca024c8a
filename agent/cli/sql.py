"""`jigwork sql`: what the guard, the database and the canonical form make of SQL, query by query."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jigwork.errors import SQLError, SQLRefused

from .batch import Document, answer_rows, jsonl_option, read_rows
from .documents import print_json
from .escape import clean, one_line
from .extras import need
from .failures import FAILED
from .options import db_option, file_place, is_typed, json_option, read_stdin

if TYPE_CHECKING:
    from jigwork.tools.sql import QueryResult, SQLDatabase

    from .screen import Screen

__all__ = ["command"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Verb:
    """One thing to do with a query: `document` says what came of it, `failed(stage, reason)` why nothing did."""

    document: Callable[[SQLDatabase, str], Document]
    failed: Callable[[str, str], Document]
    show: Callable[[Screen, str, Document], None]

    def row(self, database: SQLDatabase, text: str) -> Document:
        """Return what is said of one of many; notes are for who reads a single one."""
        return {key: value for key, value in self.document(database, text).items() if key != "notes"}


@click.group("sql", invoke_without_command=True, short_help="Check, run and rewrite SQL as a model's SQL is.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check, run and rewrite SQL under the rules that a model's SQL is held to. The database is only read."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _options(function: F) -> F:
    """What the three commands take."""
    decorators = [
        click.argument("queries", metavar="[SQL]...", nargs=-1),
        db_option,
        click.option(
            "--table", "tables", multiple=True, metavar="NAME", help="Only this table or view; repeatable."
        ),
        click.option(
            "--deny", multiple=True, metavar="NAME", help="Without this table or table.column; repeatable."
        ),
        click.option(
            "--max-rows", type=click.IntRange(1), default=1000, show_default=True, help="The most rows."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0, min_open=True),
            default=10.0,
            show_default=True,
            help="Seconds for one query.",
        ),
        jsonl_option("sql"),
        json_option,
    ]
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


@command.command("check", short_help="Say whether queries may run, and why not.")
@_options
def check(queries: tuple[str, ...], **options: Any) -> int:
    """Say whether queries may run, without running them: the guard reads them, then the database plans them."""
    return _each(queries, _CHECK, options)


@command.command("run", short_help="Run queries and show their rows.")
@click.option("--csv", metavar="FILE", callback=file_place, help="Write the rows as CSV; - is stdout, alone.")
@_options
def run(queries: tuple[str, ...], csv: str | None, **options: Any) -> int:
    """Run queries read-only, under limits of time and size, and show their rows."""
    if csv is None:
        return _each(queries, _RUN, options)
    if options["jsonl"] is not None or len(queries) > 1 or options["as_json"]:
        raise click.UsageError("--csv is for the rows of one query, without --json")
    return _each(queries, replace(_RUN, show=partial(_write_csv, csv)), options)


@command.command("canonicalize", short_help="Rewrite queries into the form of the grammar.")
@_options
def canonicalize(queries: tuple[str, ...], **options: Any) -> int:
    """Rewrite queries into the canonical form that the grammar of the database accepts, without running them."""
    return _each(queries, _CANONICALIZE, options)


def _each(queries: tuple[str, ...], verb: _Verb, options: dict[str, Any]) -> int:
    need("sql", "jigwork sql")
    from jigwork.grammars.sql.parse import parse_select
    from jigwork.tools.sql import SQLDatabase

    if options["jsonl"] is not None and queries:
        raise click.UsageError("give SQL or --jsonl, not both")
    texts = [] if options["jsonl"] is not None else _texts(queries)
    with SQLDatabase(
        options["db"],
        tables=options["tables"] or None,
        deny=options["deny"],
        max_rows=options["max_rows"],
        timeout=options["timeout"],
    ) as database:
        parse_select("SELECT 1", database.dialect)  # so that no query's time is that of imports
        if options["jsonl"] is not None:
            rows = read_rows(options["jsonl"], "sql")
            return answer_rows(rows, lambda sql: verb.row(database, sql), verb.failed)
        documents = _documents(database, verb, texts)
        codes = [
            _told(text, document, verb, as_json=options["as_json"], count=len(texts))
            for text, document in zip(texts, documents, strict=True)
        ]
        return max(codes)


def _texts(queries: tuple[str, ...]) -> list[str]:
    """Return the queries: the arguments, or all of stdin for `-` and where there are none."""
    if not queries and is_typed():
        raise click.UsageError("there is no query: give it as SQL, on stdin, or in a file with --jsonl")
    read = read_stdin() if not queries or "-" in queries else ""
    texts = [read if query == "-" else query for query in queries or ("-",)]
    if not any(text.strip() for text in texts):
        raise click.UsageError("there is no query: give it as SQL, on stdin, or in a file with --jsonl")
    return texts


def _documents(database: SQLDatabase, verb: _Verb, texts: list[str]) -> Iterator[Document]:
    for number, text in enumerate(texts, 1):
        started = time.perf_counter()
        document = verb.document(database, text)
        spent = round((time.perf_counter() - started) * 1000, 3)
        yield {"id": number, **document, "ms": spent}


def _told(text: str, document: Document, verb: _Verb, *, as_json: bool, count: int) -> int:
    """Print one document, as JSON or for a person, and return the exit code."""
    if as_json:
        print_json(document, lines=count > 1)
    elif document["ok"]:
        from .screen import Screen

        verb.show(Screen(), text, document)
    else:
        where = f"query {document['id']}: " if count > 1 else ""
        click.echo(f"jigwork: {where}{one_line(document['reason'])}", err=True)
    return 0 if document["ok"] else FAILED


# --- the three verbs ---


def _checked(database: SQLDatabase, sql: str) -> Document:
    try:
        database.check(sql)
    except SQLRefused as error:
        return _unchecked("guard", str(error))
    except SQLError as error:
        return _unchecked("database", str(error))
    return {"ok": True, "stage": None, "reason": None}


def _unchecked(stage: str, reason: str) -> Document:
    return {"ok": False, "stage": stage, "reason": reason}


def _show_check(screen: Screen, sql: str, document: Document) -> None:
    screen.label("ok", one_line(sql, 200))


def _ran(database: SQLDatabase, sql: str) -> Document:
    try:
        with _cancelled_by_interrupt() as cancel:
            result = database.query(sql, cancel=cancel)
    except SQLError as error:
        return _not_run("run", str(error))
    return _rows_document(result)


def _rows_document(result: QueryResult) -> Document:
    data = result.to_dict()
    return {
        "ok": True,
        "columns": [column["name"] for column in data["columns"]],
        "rows": data["rows"],
        "truncated": data["truncated"],
        "notes": data["notes"],
        "reason": None,
    }


def _not_run(stage: str, reason: str) -> Document:
    return {"ok": False, "columns": [], "rows": [], "truncated": False, "reason": reason}


def _show_rows(screen: Screen, sql: str, document: Document) -> None:
    from .tables import show_rows

    rows = document["rows"]
    show_rows(screen, document["columns"], rows)
    if document["truncated"]:
        screen.label("note", f"the rows were cut at {len(rows):,}", "yellow")
    for note in document["notes"]:
        screen.label("note", one_line(note, 300), "yellow")


def _write_csv(place: str, screen: Screen, sql: str, document: Document) -> None:
    from .csvfile import write_table

    write_table(document["columns"], document["rows"], place)
    cut = [f"the rows were cut at {len(document['rows']):,}"] if document["truncated"] else []
    for note in (*cut, *document["notes"]):
        click.echo(f"jigwork: note: {one_line(note, 300)}", err=True)


def _rewritten(database: SQLDatabase, sql: str) -> Document:
    try:
        return {"ok": True, "sql": database.canonicalize(sql).sql, "reason": None}
    except SQLError as error:
        return _not_rewritten("canonicalize", str(error))


def _not_rewritten(stage: str, reason: str) -> Document:
    return {"ok": False, "sql": None, "reason": reason}


def _show_sql(screen: Screen, sql: str, document: Document) -> None:
    text = document["sql"] + "\n"
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


_CHECK = _Verb(_checked, _unchecked, _show_check)
_RUN = _Verb(_ran, _not_run, _show_rows)
_CANONICALIZE = _Verb(_rewritten, _not_rewritten, _show_sql)


@contextmanager
def _cancelled_by_interrupt() -> Generator[threading.Event]:
    """Let Ctrl-C stop the query inside the database, and then the command.

    An exception in a handler would end up in whatever driver is waiting, which may swallow it.
    """
    cancel = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # no other may have handlers
        yield cancel
        return

    def stop(number: int, frame: FrameType | None) -> None:
        cancel.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
        if cancel.is_set():
            raise KeyboardInterrupt
