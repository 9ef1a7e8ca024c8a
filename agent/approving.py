"""Approvals, when a run is taken up again: what a person edited has to be valid, and may come too late."""

from __future__ import annotations

import time

from jigwork.errors import ConfigurationError

from .items import call_id
from .plan import Plan
from .records import Decision
from .state import RunState, decision_entry

__all__ = ["check_decisions"]


def check_decisions(plan: Plan, state: RunState) -> None:
    """Deny what has waited too long; raise ConfigurationError for edited arguments that do not fit their tool."""
    seconds = plan.limits.approval_seconds
    for call in state.open_calls:
        approval = state.approvals.get(call_id(call))
        if approval is None:
            continue
        if (
            seconds is not None
            and approval.approved is not False
            and time.time() - approval.asked_at > seconds
        ):
            late = Decision(False, f"nobody had allowed it within {seconds:g} seconds")
            state.append(decision_entry(approval.call_id, late))
            continue
        tool = plan.tools.get(approval.name)
        if approval.edited is not None and tool is not None:
            decoded = tool.decode(approval.edited)
            if not decoded.ok:
                raise ConfigurationError(
                    f"the edited arguments for {approval.name} are not valid. {decoded.error}"
                )
