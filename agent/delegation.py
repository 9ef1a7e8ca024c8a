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
from jigwork.tools.options import OptionKeywords

from .enclosing import Enclosing, enclosing
from .events import CallStarted, Event
from .limits import Limits
from .observe import observe
from .recorder import Recorder
from .run import silent
from .state import RunState

if TYPE_CHECKING:
    from .agent import Agent
    from .result import RunResult

__all__ = ["MAX_DEPTH", "agent_tool"]

MAX_DEPTH = 8
"""How many runs may stand inside one another; an agent that calls itself ends here."""


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
    inner run has the deadline of the call and what is left of the calling run's tokens, beside its own limits;
    `limits` narrows them. Its usage is part of the calling run's usage. Listeners see its events, and the calling
    run reports its calls as progress. It gets the same `deps` where it wants any. A call of the inner run that needs a
    person is put to the inner agent's `on_approval`, then to the calling agent's; where neither decides, the call
    fails and says so. Raises ConfigurationError where there is neither a name nor a description.
    """
    label = name or agent.name
    if not label or not description:
        raise ConfigurationError(
            "agent_tool(agent, name='research', description='Finds facts in the archive.'): the model needs both"
        )

    async def delegate(ctx: RunContext[Any], task: str) -> Any:
        around = enclosing()
        _check_depth(around)
        bounds = _within(agent.limits.merge(limits), around)
        deps = None if agent.deps_type is NoneType else ctx.deps
        state = RunState()
        try:
            with _shown(ctx), _in_words(label):
                result = await agent.run(task, state=state, deps=deps, limits=bounds)
                while result.status == "paused" and await _decided(result, around):
                    result = await agent.run(state=state, deps=deps, limits=bounds)
        finally:
            if around is not None and state.usage.requests:
                entry = {"kind": "delegated", "call_id": ctx.call_id, "usage": state.usage.to_dict()}
                await around.recorder.append(entry)
        if result.status == "paused":
            waiting = ", ".join(sorted({approval.name for approval in result.approvals}))
            raise ToolError(f"{label} could not finish: a person has to allow {waiting}, and nobody did.")
        return result.output

    parameters = {
        "type": "object",
        "properties": {
            "task": {"type": "string", "description": "What to do, with everything one has to know to do it."}
        },
        "required": ["task"],
        "additionalProperties": False,
    }
    return Tool.from_schema(
        name=label,
        description=description,
        parameters=parameters,
        function=delegate,
        options=ToolOptions(**options),
        metadata={"agent": agent},
    )


def _check_depth(around: Enclosing | None) -> None:
    if around is not None and around.depth >= MAX_DEPTH:
        raise ToolError(f"Tasks may be passed on {MAX_DEPTH - 1} times only. Do it yourself.")


def _within(limits: Limits, around: Enclosing | None) -> Limits:
    """Leave the inner run no more tokens than the calling one has left."""
    if around is None or around.plan.limits.tokens is None:
        return limits
    usage = around.recorder.state.usage
    left = around.plan.limits.tokens - usage.input_tokens - usage.output_tokens
    if left <= 0:
        raise ToolError("The limit of tokens is reached: answer with what is known.")
    return limits.merge(Limits(tokens=min(left, limits.tokens or left)))


async def _decided(result: RunResult[Any], around: Enclosing | None) -> bool:
    """Put what waits to whoever decides for the calling run; tell whether anything was decided."""
    if around is None:
        return False
    ids = [approval.call_id for approval in result.approvals]
    return await Recorder(result.state, None, silent).ask(around.plan.on_approval, ids)


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
