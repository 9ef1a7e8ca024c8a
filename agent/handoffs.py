"""Handoffs: an agent passes the conversation to another one, which goes on with its own instructions, tools and output.

    billing = Agent("gpt-5.2", name="billing", instructions="...", tools=[refund])
    triage = Agent("gpt-5.2", name="triage", handoffs=[billing, Handoff(support, description="Anything technical.")])

The model hands over by calling a tool, `transfer_to_billing`. The run is the same one: its state, its limits, deadline
and events. The other calls of the turn settle first; of two handoffs in one turn the first counts. Who is active is in
the state (`state.relay`), so that a run taken up elsewhere goes on with the right agent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from typing_extensions import TypeVar

from jigwork.errors import ConfigurationError, StateError, ToolError
from jigwork.tools import RunContext, Tool, ToolOptions
from jigwork.tools.options import Approval

from .enclosing import enclosing
from .items import Item, call_id, is_call, is_message
from .state import RunState

if TYPE_CHECKING:
    from .agent import Agent

__all__ = ["Handoff", "HandoffTarget", "HistoryFilter", "Team", "messages_only"]

H = TypeVar("H", default=Any, covariant=True)  # noqa: PLC0105

HistoryFilter: TypeAlias = Callable[[Sequence[Item]], Sequence[Item]]
"""Says what the other agent sees of the history so far. The state keeps all of it."""


class HandoffTarget(Generic[H]):
    """What a conversation can be handed over to: an agent, or a `Handoff` to one. `H` is the type of its output."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Handoff(HandoffTarget[H]):
    """A handoff to `agent`, with more to say than the agent itself: `handoffs=[Handoff(billing, history=messages_only)]`.

    `name` is that of the tool (`transfer_to_<agent>` unless given), `description` tells the model when to hand over
    (the beginning of the agent's instructions unless given). `history` chooses what the other agent sees of what came
    before, for instance `messages_only`; without it, everything. `approval` asks a person first.
    """

    agent: Agent[Any, H]
    name: str | None = None
    description: str | None = None
    history: HistoryFilter | None = None
    approval: Approval | None = None

    @classmethod
    def of(cls, given: Any) -> Handoff[Any]:
        """Take an agent or a Handoff; raises ConfigurationError for anything else, and for an agent without a name."""
        from .agent import Agent

        made: Handoff[Any] = given if isinstance(given, cls) else cls(given)
        if not isinstance(made.agent, Agent):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"handoffs= takes agents and Handoffs, not {type(given).__name__}: Agent(handoffs=[billing])"
            )
        if not made.agent.name:
            raise ConfigurationError(
                "an agent that is handed over to needs a name: Agent(..., name='billing')"
            )
        return made

    @property
    def tool_name(self) -> str:
        """The name of the tool that hands over."""
        return self.name or f"transfer_to_{re.sub(r'[^A-Za-z0-9_-]+', '_', str(self.agent.name))}"

    def tool(self) -> Tool[..., Any]:
        """Return the tool by which the model hands over."""
        target = str(self.agent.name)

        async def transfer(ctx: RunContext[Any]) -> str:
            around = enclosing()
            if around is None:
                raise ToolError("There is no run to hand over.")
            state = around.recorder.state
            pending = state.relay.pending(state.outcomes)
            if pending is not None and pending["call_id"] != ctx.call_id:
                raise ToolError(
                    f"The conversation goes to {pending['agent']}: only one handoff in a turn counts. Nothing was done."
                )
            await around.recorder.append({"kind": "handoff", "agent": target, "call_id": ctx.call_id})
            return f"The conversation is handed over to {target}."

        return Tool.from_schema(
            name=self.tool_name,
            description=self.description or _about(self.agent),
            parameters={"type": "object", "properties": {}, "additionalProperties": False},
            function=transfer,
            options=ToolOptions(idempotent=True, approval=self.approval or "never"),
            metadata={"handoff": target},
        )


def _about(agent: Agent[Any, Any]) -> str:
    said = agent.instructions if isinstance(agent.instructions, str) else ""
    first = " ".join(said.split())[:300]
    return f"Hand the conversation over to {agent.name}." + (
        f" It works to these instructions: {first}" if first else ""
    )


def messages_only(items: Sequence[Item]) -> list[Item]:
    """Leave out calls, their outputs and reasoning: a filter for `Handoff(history=...)`."""
    return [item for item in items if is_message(item)]


class Team:
    """An agent and all that the conversation can come to from it, by their names."""

    def __init__(self, first: Agent[Any, Any]) -> None:
        """Follow the handoffs; raises ConfigurationError where two agents have one name, or want other dependencies."""
        self._first = first
        self._members: dict[str, Agent[Any, Any]] = {}
        waiting = [first]
        while waiting:
            agent = waiting.pop()
            if agent.name:
                known = self._members.setdefault(agent.name, agent)
                if known is not agent:
                    raise ConfigurationError(
                        f"two agents are called {agent.name!r}: a conversation could not tell them apart; rename one"
                    )
            for handoff in agent.handoffs:
                if handoff.agent is agent:
                    raise ConfigurationError(
                        f"{agent.name} cannot hand over to itself: leave it out of handoffs="
                    )
                if self._members.get(str(handoff.agent.name)) is not handoff.agent:
                    waiting.append(handoff.agent)
        self._deps = self._one_type(agent.deps_type for agent in [first, *self._members.values()])

    def _one_type(self, wanted: Iterable[Any]) -> Any:
        types = list(dict.fromkeys(one for one in wanted if one is not NoneType))
        if len(types) > 1:
            names = " and ".join(getattr(one, "__name__", str(one)) for one in types[:2])
            raise ConfigurationError(
                f"agents that hand over to one another share their dependencies, and these want {names}: use one type"
            )
        return types[0] if types else NoneType

    @property
    def deps_type(self) -> Any:
        """The type of the dependencies that somebody here wants; NoneType where nobody does."""
        return self._deps

    def active(self, state: RunState, *, fresh: bool) -> Agent[Any, Any]:
        """Return who goes on with a state; raises ConfigurationError where that is nobody here, and nothing was asked
        anew (`fresh`)."""
        name = state.relay.agent
        if name is None or name == self._first.name:
            return self._first
        found = self._members.get(name)
        if found is None and not fresh:
            raise ConfigurationError(
                f"this state is in the hands of the agent {name!r}, which {self._first.name or 'this agent'} cannot hand"
                " over to: resume it with the agent that began, or with that one"
            )
        return found or self._first

    def member(self, name: str) -> Agent[Any, Any]:
        """Return the agent of that name; raises StateError where there is none."""
        try:
            return self._members[name]
        except KeyError as error:
            raise StateError(
                f"the conversation was handed over to {name!r}, and there is no such agent"
            ) from error

    def past(self, state: RunState) -> tuple[tuple[Item, ...], int] | None:
        """Return what the active agent sees of the time before it was handed the conversation, and where that ended."""
        if not state.relay.given:
            return None
        last = state.relay.given[-1]
        giver = self._first if last["giver"] in (None, self._first.name) else self._members.get(last["giver"])
        taken = [h for h in (giver.handoffs if giver is not None else ()) if h.agent.name == last["agent"]]
        if not taken or taken[0].history is None:
            return None
        shown = tuple(taken[0].history(list(state.items[: last["first_item"]])))
        _require_whole(shown, taken[0])
        return shown, int(last["first_item"])


def _require_whole(items: Sequence[Item], handoff: Handoff[Any]) -> None:
    """Raise ConfigurationError where a filter has torn calls from their outputs: servers refuse such a history."""
    try:
        torn = [call_id(item) for item in RunState(items).open_calls if is_call(item)]
    except StateError as error:
        torn = [str(error)]
    if torn:
        raise ConfigurationError(
            f"the history filter of the handoff to {handoff.agent.name} keeps a call or an output without the other"
            f" ({torn[0]}): keep or drop both, or use messages_only"
        )
