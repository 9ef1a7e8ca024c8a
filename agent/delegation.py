"""Agents as tools: one agent gives a task to another, which works within the limits and the time of the first."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import NoneType
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from jigwork.errors import (
    ConfigurationError,
    IncompleteError,
    LimitReached,
    ModelError,
    OutputError,
    RefusalError,
    RunAborted,
    ToolError,
)
from jigwork.tools import RunContext, Tool, ToolOptions
from jigwork.tools.asking import Paused
from jigwork.tools.options import OptionKeywords

from .decisions import Entry
from .enclosing import Enclosing, enclosing
from .events import CallStarted, Event
from .journal import Journal
from .limits import Limits
from .observe import observe
from .recorder import Recorder
from .state import RunState

if TYPE_CHECKING:
    from .agent import Agent

__all__ = ["MAX_DEPTH", "agent_tool"]

MAX_DEPTH = 8
"""How many runs may stand inside one another; an agent that calls itself ends here."""


_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "task": {"type": "string", "description": "What to do, with everything one has to know to do it."}
    },
    "required": ["task"],
    "additionalProperties": False,
}


def agent_tool(
    agent: Agent[Any, Any],
    *,
    name: str | None = None,
    description: str | None = None,
    limits: Limits | None = None,
    **options: Unpack[OptionKeywords],
) -> Tool[..., Any]:
    """Return a tool that gives a task to `agent` and returns its output.

    `name` is the agent's own unless given; `description` tells the calling model what the agent is good for. The
    inner run has the deadline of the call and shares the calling run's bounds of tokens, requests and tool calls,
    beside its own limits; `limits` narrows them. Its usage is part of the calling run's usage. Listeners see its events,
    and the calling run reports its calls as progress. It gets the same `deps` where it wants any.

    A call of the inner run that needs a person is put to the inner agent's `on_approval`, then to the calling agent's;
    where neither decides, the calling run pauses. Its approvals then name the inner call (`call_1/call_7`), its state
    holds the inner one, and resuming goes on inside where it stopped. So does a run that was killed and has a journal.
    Raises ConfigurationError where there is neither a name nor a description.
    """
    label = name or agent.name
    if not label or not description:
        raise ConfigurationError(
            "agent_tool(agent, name='research', description='Finds facts in the archive.'): the model needs both"
        )

    async def delegate(ctx: RunContext[Any], task: str) -> Any:
        around = enclosing()
        _check_depth(around)
        state = _state(ctx, task, around)
        deps = None if agent.deps_type is NoneType else ctx.deps
        journal = None if around is None else _Inside(around.recorder, ctx.call_id, state, agent.journal)
        try:
            with _shown(ctx), _in_words(label):
                result = await agent.run(state=state, deps=deps, limits=limits, journal=journal)
        except Exception:
            _end(state, around)
            raise
        if result.status == "finished":
            _end(state, around)
            return result.output
        if around is not None:
            raise Paused
        waiting = ", ".join(sorted({approval.label for approval in result.approvals}))
        raise ToolError(f"{label} could not finish: a person has to allow {waiting}, and nobody did.")

    return Tool.from_schema(
        name=label,
        description=description,
        parameters=_PARAMETERS,
        function=delegate,
        options=ToolOptions(**options),
        metadata={"agent": agent},
    )


def _check_depth(around: Enclosing | None) -> None:
    if around is not None and around.depth >= MAX_DEPTH:
        raise ToolError(f"Tasks may be passed on {MAX_DEPTH - 1} times only. Do it yourself.")


def _state(ctx: RunContext[Any], task: str, around: Enclosing | None) -> RunState:
    """Return the state of the inner run: the one that the calling run has kept, or a new one."""
    if around is not None:
        kept = around.recorder.state.inner.get(ctx.call_id)
        if kept is not None and kept.run_id not in around.ended:
            return kept
    state = RunState()
    state.inject(task)
    if around is not None:  # what a person allowed for the whole of the calling run holds here too
        before = f"{ctx.tool}/"
        allowed = around.recorder.state.allowed
        state.allowed = {name.removeprefix(before) for name in allowed if name.startswith(before)}
    return state


def _end(state: RunState, around: Enclosing | None) -> None:
    """Note that this run is over, so that another attempt of the same call begins anew."""
    if around is not None:
        around.ended.add(state.run_id)


class _Inside:
    """The journal of an inner run: what happens there is written down in the calling run's state and journal, and
    where the inner agent has a journal of its own, there as well."""

    def __init__(self, recorder: Recorder, call_id: str, state: RunState, own: Journal | None) -> None:
        self._recorder = recorder
        self._call_id = call_id
        self._state = state
        self._own = own

    async def record(self, run_id: str, entry: Entry) -> None:
        """Keep one entry."""
        if self._own is not None:
            await self._own.record(run_id, entry)
        if entry["kind"] == "state":
            await self._recorder.append({"kind": "inner", "call_id": self._call_id, "state": self._state})
        else:
            await self._recorder.note_inner(self._call_id, entry)


@contextmanager
def _shown(ctx: RunContext[Any]) -> Generator[None]:
    """Report the calls of the inner run as progress of this one."""

    def listen(event: Event) -> None:
        if isinstance(event, CallStarted):
            ctx.progress(None, event.name)

    with observe(listen):
        yield


@contextmanager
def _in_words(label: str) -> Generator[None]:
    """Say why there is no answer, in words for the calling model."""
    try:
        yield
    except LimitReached as error:
        raise ToolError(
            f"{label} reached its limit of {error.limit.replace('_', ' ')} without an answer."
        ) from error
    except RunAborted as error:
        raise ToolError(f"{label} ended its work: {error.reason}") from error
    except RefusalError as error:
        raise ToolError(f"{label} refused: {error.refusal}") from error
    except IncompleteError as error:
        raise ToolError(f"The answer of {label} was cut short.") from error
    except OutputError as error:
        raise ToolError(f"{label} found no answer of the form that is wanted.") from error
    except ModelError as error:
        raise ToolError(f"{label} could not be asked: its model does not answer.") from error
