"""Approvals, when a run is taken up again: what a person edited or answered has to be valid, and may come too late."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from jigwork.errors import ConfigurationError
from jigwork.tools import Tool

from .decisions import decision_entry
from .items import call_id
from .plan import Plan
from .records import Approval, Decision
from .state import RunState

__all__ = ["check_decisions"]


def check_decisions(plan: Plan, state: RunState) -> None:
    """Deny what has waited too long; raise ConfigurationError for edited arguments that do not fit their tool, and for
    answers that do not fit their question. What agents ask that work for open calls is looked at too."""
    _check(plan.tools, state, plan.limits.approval_seconds)


def _check(tools: Mapping[str, Tool[..., Any]], state: RunState, seconds: float | None) -> None:
    for call in state.open_calls:
        id = call_id(call)
        inner, approval = state.inner.get(id), state.approvals.get(id)
        if inner is not None:
            _check(_tools_inside(tools.get(str(call.get("name")))), inner, seconds)
        if approval is None or id in state.outcomes:
            continue
        if seconds is not None and approval.approved is not False and _age(approval) > seconds:
            done = "allowed it" if approval.question is None else "answered"
            late = Decision(False, f"nobody had {done} within {seconds:g} seconds")
            state.append(decision_entry(id, late))
        elif (tool := tools.get(approval.name)) is not None:
            _require_valid(tool, approval)


def _tools_inside(tool: Tool[..., Any] | None) -> Mapping[str, Tool[..., Any]]:
    """Return the tools of the agent behind a tool."""
    agent: Any = tool.metadata.get("agent") if tool is not None else None
    tools: Mapping[str, Tool[..., Any]] = getattr(agent, "tools", {})
    return tools


def _age(approval: Approval) -> float:
    return time.time() - approval.asked_at


def _require_valid(tool: Tool[..., Any], approval: Approval) -> None:
    if approval.edited is not None and not (decoded := tool.decode(approval.edited)).ok:
        raise ConfigurationError(f"the edited arguments for {approval.name} are not valid. {decoded.error}")
    read: Any = tool.metadata.get("answer")
    if approval.question is not None and approval.approved and callable(read):
        try:
            read(approval.answer)
        except ValueError as error:
            raise ConfigurationError(
                f"the answer to {approval.question.text!r} is not valid: {error}; give another one with"
                f" state.answer({approval.call_id!r}, ...)"
            ) from error
