"""What follows: a pure function of the plan and the state, and the six things that can.

| what plan and state say                                        | action                                          |
|----------------------------------------------------------------|-------------------------------------------------|
| calls without an output, all of which wait for a person        | `Pause`                                         |
| calls without an output                                        | `CallTools`                                     |
| a call has handed the conversation over                        | `HandOver`                                      |
| a limit is reached                                             | `Stop`                                          |
| a final answer that does not satisfy the output type           | `CallModel` with the errors, within its budget  |
| a final answer                                                 | `Finish`                                        |
| anything else                                                  | `CallModel`                                     |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from jigwork.errors import IncompleteError, LimitReached, OutputError, RefusalError, RunError

from .items import Item, call_id, call_name, is_call, is_message, output_text, refusal_text, tool_key
from .output import Accepted
from .plan import Plan
from .records import RequestRecord
from .repair import Repair
from .state import RunState

__all__ = ["Action", "CallModel", "CallTools", "Finish", "HandOver", "Pause", "Stop", "decide"]


@dataclass(frozen=True, slots=True)
class CallModel:
    """Ask the model; first tell it `feedback` on its last answer, or ask for the text of a call to `repair` alone."""

    feedback: str | None = None
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class CallTools:
    """Run these calls, and add the outputs of those that have settled."""

    calls: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Return: these calls wait for a person, everything else has run. Calls of agents that work for this run are
    named by the way to them (`call_1/call_7`)."""

    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Return the output."""

    output: Any


@dataclass(frozen=True, slots=True)
class Stop:
    """Raise: the run cannot go on by itself."""

    error: RunError


@dataclass(frozen=True, slots=True)
class HandOver:
    """Go on with another agent."""

    agent: str


Action: TypeAlias = CallModel | CallTools | Pause | HandOver | Finish | Stop


def decide(plan: Plan, state: RunState) -> Action:
    """Say what follows. Reads, never changes; the same plan and state always give the same action."""
    if calls := state.open_calls:
        unsettled = [call for call in calls if call_id(call) not in state.outcomes]
        ready = _ready(plan, state, unsettled)
        if unsettled and not ready:
            return Pause(tuple(approval.call_id for approval in state.waiting))
        return _within_limits(plan, state) or CallTools(ready)
    if (handoff := state.relay.pending(state.outcomes)) is not None:
        return HandOver(handoff["agent"])
    if (final := _final_call(plan, state)) is not None:
        return Finish(final.value)
    if _has_question(state):
        return _within_limits(plan, state) or CallModel(repair=Repair.wanted(plan, state))
    return _judge(plan, state)


def _ready(plan: Plan, state: RunState, unsettled: Sequence[Item]) -> tuple[Item, ...]:
    """The calls that can go on. An exclusive one does not begin while a call before it waits for a person, and while
    it waits itself nothing behind it begins."""
    ready: list[Item] = []
    waits = False
    for call in unsettled:
        tool = plan.tools.get(tool_key(call))
        exclusive = tool is not None and tool.options.exclusive
        if waits and exclusive:
            break
        if not state.waits(call_id(call)):
            ready.append(call)
        elif exclusive:
            break
        else:
            waits = True
    return tuple(ready)


def _within_limits(plan: Plan, state: RunState) -> Stop | None:
    limits, usage = plan.limits, state.usage
    used = {"turns": state.turns, "requests": usage.requests, "tokens": usage.spent_tokens}
    for name, value in used.items():
        limit = getattr(limits, name)
        if limit is not None and value >= limit and not state.open_calls:
            return _limit(name, value, limit)
    if limits.tool_calls is not None and (made := state.calls_made) > limits.tool_calls:
        return _limit("tool_calls", made, limits.tool_calls)
    return _within_invalid_calls(plan, state)


_INVALID = frozenset({"invalid_arguments", "unknown_tool"})


def _within_invalid_calls(plan: Plan, state: RunState) -> Stop | None:
    """Stop a model that does not learn what a tool takes; the last reason is in the message."""
    total = plan.limits.invalid_calls
    own = {n: most for n, tool in plan.tools.items() if (most := tool.options.invalid_calls) is not None}
    if total is None and not own:
        return None
    invalid = [
        (call_name(call), outcome)
        for call in state.run_calls()
        if (outcome := state.outcomes.get(call_id(call))) is not None and outcome.status in _INVALID
    ]
    if total is not None and len(invalid) > total:
        return _limit("invalid_calls", len(invalid), total, f" The last: {invalid[-1][1].output}")
    for name, most in own.items():
        said = [outcome.output for called, outcome in invalid if called == name]
        if len(said) > most:
            message = (
                f"the model wrote arguments that {name} cannot take {len(said)} times, and its limit is {most}: say in"
                f" its description what it takes, or raise ToolOptions(invalid_calls=...). The last: {said[-1]}"
            )
            return Stop(LimitReached(message, limit="invalid_calls", used=len(said)))
    return None


def _limit(name: str, used: float, limit: float, detail: str = "") -> Stop:
    words = name.replace("_", " ")
    message = (
        f"the run reached its limit of {limit} {words} without an answer; "
        f"go on with agent.run(state=error.state, limits=Limits({name}=...)).{detail}"
    )
    return Stop(LimitReached(message, limit=name, used=used))


def _final_call(plan: Plan, state: RunState) -> Accepted | None:
    """Find an accepted call of the final tool in the last response, where the output comes that way."""
    if plan.output.tool is None or not state.requests:
        return None
    last = state.requests[-1]
    for item in state.items[last.first_item : last.end_item]:
        if is_call(item) and item.get("name") == plan.output.tool.name:
            outcome = state.outcomes.get(call_id(item))
            if outcome is not None and outcome.ok:
                return plan.output.read_call(item)
    return None


def _has_question(state: RunState) -> bool:
    """Tell whether the model has something to answer. After its response it has not, even after an empty one."""
    if state.inbox or not state.items:
        return True
    return _response_at_end(state) is None and _is_input(state.items[-1])


def _response_at_end(state: RunState) -> RequestRecord | None:
    """Return the last request if nothing was added after its response."""
    last = state.requests[-1] if state.requests else None
    return last if last is not None and last.end_item == len(state.items) else None


def _is_input(item: Item) -> bool:
    """Tell whether the model has not yet answered this: it did not write it."""
    if is_message(item):
        return item.get("role") != "assistant"
    if item.get("type") == "mcp_approval_response":
        return True
    return str(item.get("type", "")).endswith("_output") and item.get("type") not in _SERVER_OUTPUTS


_SERVER_OUTPUTS = frozenset({"program_output", "tool_search_output"})


def _judge(plan: Plan, state: RunState) -> Action:
    """The model has spoken last: is it the answer?"""
    message = _last_message(state)
    refusal = refusal_text(message) if message is not None else None
    if refusal is not None:
        return Stop(RefusalError(refusal))
    last = _response_at_end(state)
    if last is not None and last.status == "incomplete":
        reason = last.reason or "unknown"
        if reason != "stop_sequence":
            return Stop(IncompleteError(f"the answer was cut short by the server: {reason}", reason=reason))
    checked = plan.output.read_text(output_text(message) if message is not None else "")
    if isinstance(checked, Accepted):
        return Finish(checked.value)
    if state.output_retries >= plan.output_retries:
        return Stop(OutputError(f"no valid answer after {state.output_retries} retries. {checked.reason}"))
    return _within_limits(plan, state) or CallModel(checked.feedback)


def _last_message(state: RunState) -> Item | None:
    """The last assistant message after the last input, commentary aside where there is anything else."""
    commentary: Item | None = None
    response = _response_at_end(state)
    own = len(state.items) if response is None else response.first_item
    for index in range(len(state.items) - 1, -1, -1):
        item = state.items[index]
        if index < own and _is_input(item):  # what a server runs itself has outputs too
            break
        if is_message(item, "assistant"):
            if item.get("phase") != "commentary":
                return item
            commentary = commentary or item
    return commentary
