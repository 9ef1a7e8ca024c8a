"""Questions to one database: each is run, shown or printed, and remembered where the conversation goes on."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import click

from jigwork.errors import AuthenticationError, ConfigurationError, JigworkError, QuestionError, RunError
from jigwork.grammars.english import NotUnderstood, Reading
from jigwork.grammars.english.use import is_use
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
from .settling import Settled, Settler, assumed_text, choose, offer_documents
from .spending import spending
from .statefile import StateFile
from .steps import Steps, rows_summary
from .tables import show_rows

__all__ = ["Asker"]

_ROWS_ON_A_TERMINAL = 50


@dataclass
class Asker:
    """Asks one agent. `remember` keeps the conversation from one question to the next.

    With `uses_tools` a sentence may use a tool of the user's own.
    With `follows` a question that goes on with the last one in one way only is asked in full.
    `settler` turns free questions into those of the offline engine, None for any other model. `afterwards` is what is
    done with the rows of an answer. `command` is what asks another question of this database.
    """

    agent: SQLAgent
    reason: str
    file: StateFile
    as_json: bool = False
    most_rows: int | None = None
    remember: bool = True
    follows: bool = False
    uses_tools: bool = False
    settler: Settler | None = None
    afterwards: Afterwards = field(default_factory=Afterwards)
    command: tuple[str, ...] = ()
    state: RunState = field(init=False)
    offers: tuple[str, ...] = field(default=(), init=False)
    _introduced: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.state = self.file.load() or RunState()
        self._previous = _question(self.state)

    @cached_property
    def screen(self) -> Screen:
        """Where people read."""
        return Screen()

    def complete(self, text: str) -> list[str]:
        """Return what may replace the unfinished last word of a question."""
        return self.settler.complete(text) if self.settler is not None else []

    def forget(self) -> None:
        """Begin a new conversation."""
        self.state, self._previous = RunState(), None

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
            self.state = RunState()
        self.introduce()
        watch = _Queries()
        try:
            settled = self._settle(question, one_of_many)
            asked = question if question is None or settled is None else settled.question
            result = follow(self.agent, asked, state=self.state, file=self.file, show=self._listener(watch))
        except Interrupted as stopped:
            return self._interrupted(stopped, watch, one_of_many)
        except (ConfigurationError, AuthenticationError):
            raise
        except JigworkError as error:
            return self._failed(error, watch, one_of_many, question)
        reading = None if settled is None else settled.reading
        if not self._silent:
            self._conclude(result, watch, reading)
        more = self._afterwards(watch.last, result)
        if self.as_json:
            print_json({**self._document(result, watch, settled, question), **more}, lines=one_of_many)
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

    def _settle(self, question: str | None, one_of_many: bool) -> Settled | None:
        """Say what the offline engine understands; raises QuestionError, before anything runs, where it does not."""
        asked = question if question is not None else _question(self.state)
        if self.settler is None or asked is None or (self.uses_tools and is_use(asked)):
            return None
        try:
            settled = self.settler.settle(asked)
        except QuestionError as problem:
            error = self._following(problem, asked)
            chosen = self._followed(error) if error is not problem else None
            if chosen is None and not (one_of_many or self._silent):
                chosen = choose(self.screen, self.settler, asked, error)
            if chosen is None:
                raise error from None
            settled = chosen
        self._previous = settled.question
        if not self._silent:
            if settled.question != asked:
                self.screen.label("asked", one_line(settled.question))
            if settled.proposal is not None:
                self.screen.label("takes", one_line(assumed_text(settled.proposal)), "dim")
            self.screen.label("reads", clean(settled.reading.readback))
        return settled

    def _following(self, error: QuestionError, asked: str) -> QuestionError:
        """Offer a follow-up, which the offline engine cannot read alone, as the question in full that it goes on with."""
        from .followups import in_full

        if self.settler is None or self._previous is None or not isinstance(error, NotUnderstood):
            return error
        full = in_full(self.settler.english, self._previous, asked)
        reason = "each question is read by itself here, and this one goes on with the last"
        return NotUnderstood(reason, error.place, proposals=full) if full else error

    def _followed(self, error: QuestionError) -> Settled | None:
        """In a conversation, what goes on with the last question is asked in full, where that is one thing."""
        offers = _offers(error)
        if not self.follows or self.settler is None or len(offers) != 1:
            return None
        return self.settler.settle(offers[0])

    def _listener(self, watch: _Queries) -> Callable[[Event], None]:
        if self._silent:
            return watch
        text: Literal["hidden", "labelled"] = "labelled" if self.settler is None else "hidden"
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

    def _document(
        self, result: RunResult[str], watch: _Queries, settled: Settled | None, question: str | None
    ) -> dict[str, Any]:
        last = watch.last.to_dict() if watch.last is not None else {}
        sql, width = last.get("sql"), None
        if settled is not None and sql is not None:
            sql, width = settled.narrowed(sql, self.agent.database.schema)
        understood = {"understood": None} if settled is None else settled.document()
        return {
            "question": question if question is not None else _question(result.state),
            **understood,
            "answer": result.output,
            "sql": sql,
            "columns": [column["name"] for column in last.get("columns", [])[:width]],
            "types": [column["type"] for column in last.get("columns", [])[:width]],
            "rows": [row[:width] for row in last.get("rows", [])],
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

    def _failed(self, error: JigworkError, watch: _Queries, one_of_many: bool, question: str | None) -> int:
        if not self.as_json:
            self.screen.fresh_line()
            code = report(error, as_json=False)
            if one_of_many:
                self._offer(error)
            elif (offers := _offers(error)) and self.command and not offers[0].startswith("CALL "):
                if said := self._assumed(question, offers[0]):
                    click.echo(f"Of your words: {one_line(said)}", err=True)
                click.echo(f"To ask it: {shlex.join([*self.command, offers[0]])}", err=True)
            return code
        more: dict[str, Any] = {"queries": watch.queries, "model": self._model(), "run_id": self.state.run_id}
        if isinstance(error, QuestionError) and self.settler is not None and question is not None:
            more["offers"] = offer_documents(self.settler.suggest(question))
        print_json(error_document(error, **more), lines=one_of_many)
        return exit_code(error)

    def _assumed(self, question: str | None, offer: str) -> str:
        """Say what an offered question takes the words of the asked one for."""
        proposals = self.settler.suggest(question).proposals if self.settler and question else ()
        return next((assumed_text(each) for each in proposals if each.question == offer), "")

    def _offer(self, error: JigworkError) -> None:
        """At the prompt, number the questions that could be meant: the number alone asks one."""
        self.offers = offers = _offers(error)
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


def _offers(error: JigworkError) -> tuple[str, ...]:
    """Return the questions that could be meant."""
    return getattr(error, "readings", ()) or getattr(error, "proposals", ())


def _question(state: RunState) -> str | None:
    """Return the text of the last question, asked or waiting to be."""
    asked = [item for item in (*state.items, *state.inbox) if is_message(item, "user")]
    return output_text(asked[-1]) if asked else None


def _short_answer(text: str, reading: Reading, shown: QueryResult | None) -> str:
    """Return the answer without the read-back, which stands above, and without rows that were shown as a table."""
    called = reading.trusted is not None
    if shown is None or reading.kind == "number" or (called and shown.row_count == len(shown.columns) == 1):
        return text.removeprefix(reading.readback).strip().removeprefix("Answer: ")
    if reading.capped and not shown.truncated and shown.row_count >= reading.limit:
        return f"the first {shown.row_count:,} rows; there may be more"
    return rows_summary(shown)
