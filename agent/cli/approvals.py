"""Approvals: a person decides about the calls that wait, at the terminal or by options of the next command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from jigwork.errors import StateError
from jigwork.tools import Tool
from jigwork.tools.asking import Question

from ..records import Approval
from ..state import RunState
from .escape import clean, one_line
from .steps import arguments_text

__all__ = ["ask_person", "decide_by_options"]

_CHOICES = "[y]es, [a]lways in this run, [e]dit, [n]o, [l]ater"
_WHY = "Why not? (told to the model; may be empty)"
_NO_ANSWER, _LATER = "\\n", "\\l"


def ask_person(
    state: RunState, waiting: Sequence[Approval], tools: Mapping[str, Tool[..., Any]] | None = None
) -> bool:
    """Ask about each call; False when the person would rather decide later, and nothing more is decided.

    `tools` are the agent's, by name: edited arguments that one cannot take are asked for again.
    """
    try:
        return all(_ask(state, approval, tools or {}) for approval in waiting)
    except click.Abort:
        return False


def _ask(state: RunState, approval: Approval, tools: Mapping[str, Tool[..., Any]]) -> bool:
    """Ask about one call, unless that is settled by now; False for later."""
    if state.asked(approval.call_id) is None:
        return True
    if approval.question is not None:
        return _ask_question(state, approval, approval.question)
    # All of it, on one line: nobody approves what cannot be seen.
    click.echo(f"\nMay this run?  {one_line(arguments_text(approval.label, approval.arguments))}")
    choice = click.prompt(_CHOICES, type=click.Choice(["y", "a", "e", "n", "l"]), show_choices=False)
    if choice == "n":
        reason = click.prompt(_WHY, default="", show_default=False)
        state.deny(approval.call_id, reason or None)
    elif choice == "e":
        tool = tools.get(approval.name) if not approval.agents else None
        state.approve(approval.call_id, arguments=_edited(approval, tool))
    elif choice != "l":
        state.approve(approval.call_id, always=choice == "a")
    return bool(choice != "l")


def _edited(approval: Approval, tool: Tool[..., Any] | None) -> Mapping[str, Any]:
    """Let the person write other arguments, until they are ones."""

    def read(text: str) -> Mapping[str, Any]:
        try:
            data: Any = json.loads(text)
        except ValueError as error:
            raise click.UsageError(f"not JSON: {error}") from error
        if not isinstance(data, dict):
            raise click.UsageError("the arguments are one JSON object")
        if tool is not None and (problem := tool.decode(text).error) is not None:
            raise click.UsageError(clean(problem))
        return data  # pyright: ignore[reportUnknownVariableType]

    before = json.dumps(approval.arguments, ensure_ascii=False)
    edited: Mapping[str, Any] = _prompt("Arguments", read, default=before)
    return edited


def _ask_question(state: RunState, approval: Approval, question: Question) -> bool:
    """Put a question and take an answer that fits; False for later."""
    who = f"{'/'.join(approval.agents)} asks" if approval.agents else "The agent asks"
    click.echo(f"\n{who}:  {clean(question.text)}")
    if question.url:
        click.echo(f"  at {one_line(question.url)}")
    for number, choice in enumerate(question.choices, start=1):
        shown = choice if isinstance(choice, str) else json.dumps(choice, ensure_ascii=False)
        click.echo(f"  {f'{number}. ' if question.numbered else ''}{one_line(shown)}")
    hint = f"Answer ({question.expected}; {_NO_ANSWER} no answer, {_LATER} later)"

    def read(text: str) -> Any:
        if text.strip() in (_NO_ANSWER, _LATER):
            return text.strip()
        try:
            return question.read(text)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    answer = _prompt(hint, read)
    if answer == _LATER:
        return False
    if answer == _NO_ANSWER:
        state.deny(approval.call_id, click.prompt(_WHY, default="", show_default=False) or None)
    else:
        state.answer(approval.call_id, answer)
    return True


def _prompt(text: str, read: Callable[[str], Any], default: str | None = None) -> Any:
    """Ask until `read` takes what was typed; say each time why it did not."""
    return click.prompt(text, value_proc=read, default=default)


def decide_by_options(
    state: RunState, approve: Sequence[str], deny: Sequence[str], answer: Sequence[str] = ()
) -> None:
    """Apply `--approve ID[=JSON]`, `--deny ID[=REASON]` and `--answer ID=VALUE`.

    `all` stands for every call that waits; to approve, for every one that asks for leave. Raises StateError for an id
    under which nothing waits, and a usage error for what cannot be read.
    """
    for entry in answer:
        id, given, text = entry.partition("=")
        if not given:
            raise click.UsageError(f"--answer {entry}: give ID=VALUE")
        asked = state.asked(id)
        if asked is None or asked.question is None:
            state.answer(id, text)  # says what is wrong
            continue
        try:
            state.answer(id, asked.question.read(text))
        except ValueError as error:
            if isinstance(error, StateError):
                raise
            raise click.UsageError(f"--answer {id}: {error}") from error
    for entry in approve:
        id, edited, text = entry.partition("=")
        arguments = _arguments(id, text) if edited else None
        leave = [a.call_id for a in state.waiting if a.question is None]
        for each in leave if id == "all" else [id]:
            state.approve(each, arguments=arguments)
    for entry in deny:
        id, _, reason = entry.partition("=")
        for each in [a.call_id for a in state.waiting] if id == "all" else [id]:
            state.deny(each, reason or None)


def _arguments(id: str, text: str) -> Mapping[str, Any]:
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--approve {id}: the arguments are not JSON: {error}") from error
    if not isinstance(data, dict):
        raise click.UsageError(f"--approve {id}: the arguments are one JSON object")
    return data  # pyright: ignore[reportUnknownVariableType]
