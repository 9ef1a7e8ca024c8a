"""Approvals: a person decides about the calls that wait, at the terminal or by options of the next command."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..records import Approval
from ..state import RunState
from .escape import one_line
from .steps import arguments_text

__all__ = ["ask_person", "decide_by_options"]

_CHOICES = "[y]es, [a]lways in this run, [n]o, [l]ater"
_WHY = "Why not? (told to the model; may be empty)"


def ask_person(state: RunState, waiting: Sequence[Approval]) -> bool:
    """Ask about each call; False when the person would rather decide later, and nothing more is decided."""
    always: set[str] = set()
    for approval in waiting:
        if approval.name in always:
            state.approve(approval.call_id)
            continue
        # All of it, on one line: nobody approves what cannot be seen.
        click.echo(f"\nMay this run?  {one_line(arguments_text(approval.name, approval.arguments))}")
        try:
            answer = click.prompt(_CHOICES, type=click.Choice(["y", "a", "n", "l"]), show_choices=False)
            reason = click.prompt(_WHY, default="", show_default=False) if answer == "n" else ""
        except click.Abort:
            return False
        if answer == "l":
            return False
        if answer == "n":
            state.deny(approval.call_id, reason or None)
        else:
            state.approve(approval.call_id, always=answer == "a")
            always.update([approval.name] if answer == "a" else [])
    return True


def decide_by_options(state: RunState, approve: Sequence[str], deny: Sequence[str]) -> None:
    """Apply `--approve ID` and `--deny ID=REASON`; `all` stands for every call that waits."""
    waiting = [a.call_id for a in state.approvals.values() if a.approved is None]
    for id in approve:
        for each in waiting if id == "all" else [id]:
            state.approve(each)
    for entry in deny:
        id, _, reason = entry.partition("=")
        for each in waiting if id == "all" else [id]:
            state.deny(each, reason or None)
