"""Questions to one database: each is run, shown or printed, and remembered where the conversation goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import click

from jigwork.errors import AuthenticationError, ConfigurationError, JigworkError, RunError
from jigwork.grammars.english import English, Reading
from jigwork.tools.sql.result import QueryResult

from ..events import CallSettled, Event
from ..figure_check import note_of
from ..items import is_message, output_text
from ..result import RunResult
from ..sql import SQLAgent
from ..state import RunState
from .afterwards import Afterwards
from .documents import print_json
from .escape import clean, one_line
from .failures import FAILED, error_document, exit_code, report
from .jsonout import jsonable
from .prompt import at_terminal
from .running import Interrupted, follow, say_interrupted
from .screen import Screen
from .spending import spending
from .statefile import StateFile
from .steps import Steps, rows_summary
from .tables import show_rows

__all__ = ["Asker"]

_ROWS_ON_A_TERMINAL = 50


@dataclass
class Asker:
    """Asks one agent. `remember` keeps the conversation from one question to the next.

    `english` is the language of the offline engine, None for any other model. `afterwards` is what is done with the
    rows of an answer.
    """

    agent: SQLAgent
    reason: str
    file: StateFile
    as_json: bool = False
    most_rows: int | None = None
    remember: bool = True
    english: English | None = None
    afterwards: Afterwards = field(default_factory=Afterwards)
    state: RunState = field(init=False)
    offers: tuple[str, ...] = field(default=(), init=False)
    _introduced: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.state = self.file.load() or RunState()

    @cached_property
    def screen(self) -> Screen:
        """Where people read."""
        return Screen()

    def complete(self, text: str) -> list[str]:
        """Return what may replace the unfinished last word of a question."""
        return self.english.complete(text) if self.english is not None else []

    def forget(self) -> None:
        """Begin a new conversation."""
        self.state = RunState()

    def introduce(self) -> None:
        """Say which model answers and what the database holds, once."""
        if self._introduced or self._silent:
            return
        self._introduced = True
        schema = self.agent.database.schema
        columns = sum(len(table.columns) for table in schema.tables)
        self.screen.label("model", one_line(self.reason))
        tables = "1 table" if len(schema.tables) == 1 else f"{len(schema.tables)} tables"
        what = f"{tables}, {columns} column{'' if columns == 1 else 's'}, {schema.dialect}"
        self.screen.label("schema", one_line(f"{schema.name}: {what}" if schema.name else what))

    def describe(self, name: str) -> None:
        """Show the tables, or the columns of one."""
        tables = self.agent.database.schema.tables
        if not name:
            rows: list[list[Any]] = [[table.name, table.rows, len(table.columns)] for table in tables]
            show_rows(self.screen, ["table", "rows", "columns"], rows)
            return
        found = [table for table in tables if table.name.casefold() == name.casefold()]
        if not found:
            self.screen.line(f"there is no table {name!r}; \\d lists them")
        for table in found:
            keys = {key.columns[0]: f"{key.table}.{key.references[0]}" for key in table.foreign_keys}
            rows = [
                [c.name, c.type, keys.get(c.name, "key" if c.name in table.primary_key else "")]
                for c in table.columns
            ]
            show_rows(self.screen, ["column", "type", "points at"], rows)

    def ask(self, question: str | None, *, one_of_many: bool = False) -> int:
        """Ask (or, without a question, go on with what is unfinished) and return the exit code.

        With `one_of_many` a question that fails is reported and the next one can follow; what would fail for every
        question is raised all the same.
        """
        if not self.remember and question is not None:
            self.forget()
        self.introduce()
        watch = _Queries()
        try:
            reading = self._read(question)
            result = follow(
                self.agent, question, state=self.state, file=self.file, show=self._listener(watch)
            )
        except Interrupted as stopped:
            return self._interrupted(stopped, watch, one_of_many)
        except (ConfigurationError, AuthenticationError):
            raise
        except JigworkError as error:
            return self._failed(error, watch, one_of_many)
        if not self._silent:
            self._conclude(result, watch, reading)
        more = self._afterwards(watch.last, result)
        if self.as_json:
            print_json({**self._document(result, watch, reading), **more}, lines=one_of_many)
        return FAILED if watch.last is None and (reading is not None or self.afterwards.needs_rows) else 0

    @property
    def _silent(self) -> bool:
        """Nothing but a document, or the rows, goes to stdout."""
        return self.as_json or self.afterwards.owns_stdout

    def _afterwards(self, last: QueryResult | None, result: RunResult[str]) -> dict[str, Any]:
        if last is not None:
            screen = None if self._silent else self.screen
            asked = _question(result.state) or ""
            return self.afterwards.apply(self.agent.database, asked, last, screen)
        if self.afterwards.needs_rows:
            click.echo("jigwork: no query gave rows, so there is nothing to keep", err=True)
        return {}

    def _read(self, question: str | None) -> Reading | None:
        """Say what the offline engine understands; raises QuestionError, before anything runs, where it does not."""
        asked = question if question is not None else _question(self.state)
        if self.english is None or asked is None:
            return None
        reading = self.english.read(asked)
        if not self._silent:
            self.screen.label("reads", clean(reading.readback))
        return reading

    def _listener(self, watch: _Queries) -> Callable[[Event], None]:
        if self._silent:
            return watch
        text: Literal["hidden", "labelled"] = "labelled" if self.english is None else "hidden"
        steps = Steps(self.screen, self.agent.tools, text=text, most_rows=self._rows_shown())

        def show(event: Event) -> None:
            watch(event)
            steps(event)

        return show

    def _conclude(self, result: RunResult[str], watch: _Queries, reading: Reading | None) -> None:
        """Say the offline engine's answer without what one has just seen, or what a model's answer has cost."""
        self.screen.fresh_line()
        if reading is not None:
            self.screen.label("answer", clean(_short_answer(result.output, reading, watch.last)), "bold")
        elif (noted := note_of(result.output)) is not None:
            self.screen.label("note", one_line(noted), "yellow")
        if reading is None and (spent := spending(result, self.agent.model.profile)) is not None:
            self.screen.label("cost", spent, "dim")

    def _rows_shown(self) -> int | None:
        return self.most_rows or (_ROWS_ON_A_TERMINAL if self.screen.terminal else None)

    def _model(self) -> dict[str, Any]:
        return {"name": self.agent.model.name, "reason": self.reason}

    def _document(self, result: RunResult[str], watch: _Queries, reading: Reading | None) -> dict[str, Any]:
        last = watch.last.to_dict() if watch.last is not None else {}
        return {
            "question": _question(result.state),
            "understood": None if reading is None else reading.readback,
            "answer": result.output,
            "sql": last.get("sql"),
            "columns": [column["name"] for column in last.get("columns", ())],
            "types": [column["type"] for column in last.get("columns", ())],
            "rows": last.get("rows", []),
            "row_count": last.get("row_count"),
            "truncated": last.get("truncated", False),
            "notes": last.get("notes", []),
            "trusted": last.get("trusted"),
            "queries": watch.queries,
            "usage": result.usage.to_dict(),
            "items": jsonable(result.items),
            "model": self._model(),
            "run_id": result.state.run_id,
        }

    def _failed(self, error: JigworkError, watch: _Queries, one_of_many: bool) -> int:
        if not self.as_json:
            self.screen.fresh_line()
            code = report(error, as_json=False)
            if one_of_many:
                self._offer(error)
            return code
        print_json(
            error_document(error, queries=watch.queries, model=self._model(), run_id=self.state.run_id),
            lines=one_of_many,
        )
        return exit_code(error)

    def _offer(self, error: JigworkError) -> None:
        """At the prompt, number the questions that could be meant: the number alone asks one."""
        offers: tuple[str, ...] = getattr(error, "readings", ()) or getattr(error, "proposals", ())
        self.offers = offers
        if offers and self.screen.terminal:
            for number, question in enumerate(offers, 1):
                self.screen.label(f"{number:>6}", one_line(question))
            self.screen.line("The number asks it.", "dim")

    def _interrupted(self, stopped: Interrupted, watch: _Queries, one_of_many: bool) -> int:
        if self.as_json:
            more = {"queries": watch.queries, "state_file": stopped.path, "resume": stopped.resume}
            print_json(error_document(RunError(str(stopped)), **more), lines=one_of_many)
        else:
            say_interrupted(stopped)
        if one_of_many and not at_terminal():
            raise stopped
        return stopped.code


class _Queries:
    """Listens to a run and keeps what was queried."""

    def __init__(self) -> None:
        self.queries: list[dict[str, Any]] = []
        self.last: QueryResult | None = None

    def __call__(self, event: Event) -> None:
        """Look at one event."""
        if not isinstance(event, CallSettled):
            return
        value = event.outcome.value
        if isinstance(value, QueryResult):
            self.last = value
            self.queries.append({"sql": value.sql, "status": "ok", "row_count": value.row_count})
        elif event.outcome.status != "ok":
            self.queries.append({"status": event.outcome.status, "message": event.outcome.output})


def _question(state: RunState) -> str | None:
    """Return the text of the last question, asked or waiting to be."""
    asked = [item for item in (*state.items, *state.inbox) if is_message(item, "user")]
    return output_text(asked[-1]) if asked else None


def _short_answer(text: str, reading: Reading, shown: QueryResult | None) -> str:
    """Return the answer without the read-back, which stands above, and without rows that were shown as a table."""
    if shown is None or reading.kind == "number":
        return text.removeprefix(reading.readback).strip().removeprefix("Answer: ")
    if reading.capped and not shown.truncated and shown.row_count >= reading.limit:
        return f"the first {shown.row_count:,} rows; there may be more"
    return rows_summary(shown)
