"""The steps of a run as one watches it: a listener to its events that writes them on a screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from jigwork.tools import Outcome, Tool
from jigwork.tools.sql.result import QueryResult

from ..events import (
    ApprovalAsked,
    ArgumentsDelta,
    AttemptDiscarded,
    CallLate,
    CallProgress,
    CallSettled,
    CallStarted,
    Event,
    HandedOver,
    ReasoningDelta,
    RunFailed,
    RunFinished,
    RunPaused,
    TextDelta,
    TurnStarted,
)
from ..output import FINAL_TOOL
from .escape import Cleaner, clean, one_line
from .screen import GUTTER, Screen
from .sqltext import SQLWriter
from .tables import show_rows

__all__ = ["Steps", "arguments_text", "only_value", "rows_summary"]

_LONGEST = 300


class Steps:
    """Writes what happens: text and grammar calls letter by letter, other calls as a line, rows as a table.

    `text` says how the model's own text is shown: "plain", "labelled" (`says` before it has called a tool, `answer`
    afterwards), or "hidden" (the caller shows the answer). `most_rows` bounds the rows of a table, None for no bound.
    """

    def __init__(
        self,
        screen: Screen,
        tools: Mapping[str, Tool[..., Any]],
        *,
        text: Literal["plain", "labelled", "hidden"] = "plain",
        most_rows: int | None = None,
    ) -> None:
        self.wrote_text = False
        self._screen = screen
        self._tools = tools
        self._style = text
        self._most_rows = most_rows
        self._open: tuple[str, int] | None = None  # what is being written, and which item of the response
        self._cleaner = Cleaner()
        self._sql = SQLWriter(screen, indent=" " * GUTTER)
        self._arguments = ""
        self._shown = 0
        self._written: set[str] = set()
        self._called = False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TurnStarted():
                self._end()
                self._screen.note("… waiting for the model")
            case TextDelta():
                self._text(event)
            case ReasoningDelta():
                self._begin("reasoning", event.index, "thinks")
                self._put(event.text, "dim italic")
            case ArgumentsDelta():
                self._argument(event)
            case CallStarted():
                self._started(event)
            case CallProgress():
                share = "" if event.fraction is None else f" {event.fraction:.0%}"
                self._screen.note(one_line(f"… {event.name}{share} {event.message}"))
            case CallSettled():
                self._settled(event)
            case AttemptDiscarded():
                self._end()
                self._screen.label("again", one_line(event.reason), "yellow")
            case ApprovalAsked():
                self._end()
                name = "/".join((*event.agents, event.name))
                text = f"{name}: {event.question.text}" if event.question is not None else ""
                shown = one_line(text or arguments_text(name, event.arguments), _LONGEST)
                self._screen.label("asks", shown, "yellow")
            case CallLate():
                self._end()
                ended = f"failed: {event.error}" if event.error else "ended"
                line = f"{event.name} {ended}, after its call was settled; not used"
                self._screen.label("late", one_line(line, _LONGEST), "dim")
            case HandedOver():
                self._end()
                self._screen.label("passes", f"the conversation goes on with {event.agent}")
            case RunFinished() | RunFailed() | RunPaused():
                self._end()
            case _:
                pass

    # --- what is written letter by letter ---

    def _text(self, event: TextDelta) -> None:
        if self._style == "hidden":
            return
        self.wrote_text = True
        label = ("answer" if self._called else "says") if self._style == "labelled" else ""
        self._begin("text", event.index, label)
        self._put(event.text, "red" if event.refusal else "")

    def _argument(self, event: ArgumentsDelta) -> None:
        """Grammar texts are shown as they are written, whether they come bare or as the one value of an object."""
        tool = self._tools.get(event.name)
        if tool is None or tool.grammar is None:
            return
        if self._open != ("call", event.index):
            self._begin("call", event.index, "sql" if "database" in tool.metadata else event.name)
            self._arguments, self._shown = "", 0
        if event.call_id:
            self._written.add(event.call_id)
        self._arguments += event.text
        text = self._arguments
        if text.lstrip()[:1] == "{":
            text = only_value(text)
        fresh, self._shown = text[self._shown :], max(self._shown, len(text))
        self._sql.feed(self._cleaner.feed(fresh))

    def _begin(self, kind: str, index: int, label: str) -> None:
        if self._open == (kind, index):
            return
        self._end()
        self._open = (kind, index)
        if label:
            self._screen.label(one_line(label, 40).ljust(GUTTER - 1) + " ", end="")

    def _put(self, text: str, style: str) -> None:
        shown = self._cleaner.feed(text)
        self._screen.write(
            shown.replace("\n", "\n" + " " * GUTTER) if self._style == "labelled" else shown, style
        )

    def _end(self) -> None:
        if self._open is None:
            return
        if self._open[0] == "call":
            self._sql.feed(self._cleaner.end())
            self._sql.end()
        else:
            self._put(self._cleaner.end(), "")
        self._cleaner = Cleaner()
        self._open = None
        self._screen.fresh_line()

    # --- calls ---

    def _started(self, event: CallStarted) -> None:
        self._end()
        self._called = True
        if event.call_id in self._written or event.name == FINAL_TOOL:
            return
        tool = self._tools.get(event.name)
        if tool is not None and tool.grammar is not None:
            text = event.arguments
            text = only_value(text) if text.lstrip()[:1] == "{" else text
            self._screen.label("sql" if "database" in tool.metadata else event.name, end="")
            self._sql.feed(clean(text))
            self._sql.end()
            self._screen.fresh_line()
        else:
            self._screen.label("call", one_line(arguments_text(event.name, event.arguments), _LONGEST))

    def _settled(self, event: CallSettled) -> None:
        self._end()
        outcome = event.outcome
        if isinstance(outcome.value, QueryResult):
            for repair in outcome.repairs:
                self._screen.label("mended", one_line(repair, _LONGEST), "dim")
            self._rows(outcome.value)
        elif event.name != FINAL_TOOL or not outcome.ok:
            self._outcome(event.name, outcome)

    def _outcome(self, name: str, outcome: Outcome) -> None:
        parts = outcome.output if not isinstance(outcome.output, str) else ()
        text = outcome.output if isinstance(outcome.output, str) else f"{len(parts)} parts"
        if written := [str(part["stdout"] or part["stderr"]) for part in parts if "stdout" in part]:
            text = " | ".join(written)
        took = f" ({outcome.seconds * 1000:.0f} ms)" if outcome.seconds >= 0.001 else ""
        kind = "" if outcome.status in ("ok", "failed") else f"{outcome.status.replace('_', ' ')}: "
        style = (
            "" if outcome.ok else "yellow" if outcome.status in ("denied", "skipped", "cancelled") else "red"
        )
        line = one_line(f"{name}: {kind}{text}", _LONGEST)
        self._screen.label("ok" if outcome.ok else "not ok", line + took, style)
        for repair in outcome.repairs:
            self._screen.label("mended", one_line(f"{name}: {repair}", _LONGEST), "dim")

    def _rows(self, result: QueryResult) -> None:
        shown = result.rows if self._most_rows is None else result.rows[: self._most_rows]
        names = [column.name for column in result.columns]
        self._screen.label("rows", rows_summary(result, len(shown)), "dim")
        if shown:
            show_rows(self._screen, names, shown, indent=GUTTER)
        for note in result.notes:
            self._screen.label("note", one_line(note, _LONGEST), "yellow")


def rows_summary(result: QueryResult, shown: int | None = None) -> str:
    """Return how many rows there are, and how many of them one sees where that is less."""
    count = result.row_count
    text = "no rows" if count == 0 else "1 row" if count == 1 else f"{count:,} rows"
    if result.truncated:
        text += f", cut at {len(result.rows):,}"
    if shown is not None and shown < len(result.rows):
        text += f", the first {shown:,} shown (--max-rows shows more)"
    return text


def only_value(text: str) -> str:
    """Return the one string value of a JSON object as far as it is written, "" where it has not begun."""
    for ending in ("", "}", '"}'):
        for cut in range(min(len(text), 7)):
            try:
                data: Any = json.loads(text[: len(text) - cut] + ending)
            except ValueError:
                continue
            values = list(cast("dict[str, Any]", data).values()) if isinstance(data, dict) else []
            return values[0] if len(values) == 1 and isinstance(values[0], str) else ""
    return ""


def arguments_text(name: str, arguments: Any) -> str:
    """Return a call as `name(key=value, ...)`; what is no object of arguments stands as the model wrote it."""
    data: Any = arguments
    if isinstance(arguments, str):
        try:
            data = json.loads(arguments) if arguments.strip() else {}
        except ValueError:
            return f"{name}({arguments})"
    if not isinstance(data, dict):
        return f"{name}({data})"
    pairs = cast("dict[str, Any]", data).items()
    return f"{name}({', '.join(f'{key}={json.dumps(value, ensure_ascii=False)}' for key, value in pairs)})"
