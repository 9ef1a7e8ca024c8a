"""What a person decides about a call that waits, as an entry of a run's state; checked against what was asked."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError, StateError

from .records import Answer, Approval, Decision

__all__ = ["Entry", "as_decision", "decided", "decision_entry"]

Entry: TypeAlias = dict[str, Any]
"""One change of a state: `{"kind": "item", "item": {...}}`. The kinds are the methods of `RunState` named `_on_*`."""


def decision_entry(id: str, decision: Decision | Answer) -> Entry:
    """Return the entry that writes a decision, or an answer, down."""
    if isinstance(decision, Answer):
        return {
            "kind": "decision",
            "call_id": id,
            "approved": True,
            "answer": {"value": _plain(decision.value)},
        }
    return {
        "kind": "decision",
        "call_id": id,
        "approved": decision.approved,
        "reason": decision.reason,
        "arguments": None if decision.arguments is None else dict(decision.arguments),
        "always": decision.always,
    }


def _plain(value: Any) -> Any:
    """Return an answer as JSON data: a person may give the value itself, a member of an Enum or a model."""
    if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, Enum)):
        return value
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)


def as_decision(said: object, approval: Approval) -> Decision | Answer:
    """Read what `on_approval` has returned; raises ConfigurationError for what is no decision about this call."""
    decision = Decision(said) if isinstance(said, bool) else said
    if not isinstance(decision, (Decision, Answer)):
        raise ConfigurationError(
            f"on_approval returned {said!r:.60} for {approval.label}: return True, False, a Decision, an Answer to a"
            " question, or None to leave it waiting"
        )
    question = approval.question
    if isinstance(decision, Answer):
        if question is None:
            raise ConfigurationError(
                f"{approval.label} asks for leave: on_approval returns True or False, no Answer"
            )
        if (wrong := question.problem(_plain(decision.value))) is not None:
            raise ConfigurationError(f"on_approval: this is no answer to {question.text!r}: {wrong}")
    elif question is not None and decision.approved:
        raise ConfigurationError(
            f"{approval.label} asks {question.text!r}: on_approval returns Answer(...) with {question.expected},"
            " False for no answer, or None to leave it waiting"
        )
    return decision


def decided(waiting: Approval, entry: Entry) -> Approval:
    """Return an approval with what a person decided; raises StateError for what is no decision about it."""
    id, question, given = waiting.call_id, waiting.question, entry.get("answer")
    if question is None and given is not None:
        raise StateError(
            f"{waiting.name} asks for leave, not for an answer: state.approve({id!r}) or state.deny({id!r})"
        )
    if question is not None and entry["approved"]:
        if given is None:
            raise StateError(
                f"{waiting.name} asks {question.text!r}: state.answer({id!r}, ...) with {question.expected}"
            )
        if (wrong := question.problem(given["value"])) is not None:
            raise StateError(
                f"this is no answer to {question.text!r}: {wrong}; state.answer({id!r}, ...) again"
            )
    return replace(
        waiting,
        approved=bool(entry["approved"]),
        reason=entry.get("reason"),
        edited=entry.get("arguments"),
        answer=None if given is None else given["value"],
    )
