"""The run that encloses whatever is started inside it: an agent that works for a call of another finds it here.

Runs inside one another share the outer one's bounds of tokens and requests. Before a request each of them reserves
what it will cost, so that many that run at once do not pass a bound together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from jigwork.errors import LimitReached

from .estimates import estimated_usage
from .models.base import ModelRequest
from .plan import Plan
from .recorder import Recorder
from .state import RunState

__all__ = ["Enclosing", "enclosed", "enclosing", "reserved", "within_shared_calls"]


@dataclass(slots=True)
class _Flights:
    """The requests that are under way for a run and for those inside it, by the tokens that each may cost; `dearest` is
    what the dearest that came back has cost."""

    tokens: list[int] = field(default_factory=list[int])
    dearest: int = 0
    landed: asyncio.Event = field(default_factory=asyncio.Event)

    def land(self, held: int, cost: int) -> None:
        """One has come back and has cost so much: whoever waits looks again."""
        self.tokens.remove(held)
        self.dearest = max(self.dearest, cost)
        self.landed.set()
        self.landed = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A run from the inside. `depth` counts the runs around it, itself included; `outer` is the one that it works for,
    `ended` names the runs inside that have come to an end."""

    plan: Plan
    recorder: Recorder
    depth: int
    outer: Enclosing | None = None
    ended: set[str] = field(default_factory=set[str])
    flights: _Flights = field(default_factory=_Flights)

    def chain(self) -> list[Enclosing]:
        """This run and those that it works for, the outermost first."""
        return [*(self.outer.chain() if self.outer is not None else ()), self]


_enclosing: ContextVar[Enclosing | None] = ContextVar("jigwork_enclosing", default=None)


def enclosing() -> Enclosing | None:
    """Return the run in which this is called (by a tool, say), or None."""
    return _enclosing.get()


@contextmanager
def enclosed(plan: Plan, recorder: Recorder) -> Generator[None]:
    """Make a run the one that encloses what is started inside."""
    around = _enclosing.get()
    works_for = around is not None and any(s is recorder.state for s in around.recorder.state.inner.values())
    depth = 1 if around is None else around.depth + 1
    token = _enclosing.set(Enclosing(plan, recorder, depth, around if works_for else None))
    try:
        yield
    finally:
        _enclosing.reset(token)


def within_shared_calls() -> None:
    """Raise LimitReached where the calls that are about to run are too many for a run that this one works for."""
    around = _enclosing.get()
    for one in around.chain()[:-1] if around is not None else ():
        limit = one.plan.limits.tool_calls
        if limit is not None and (made := one.recorder.state.calls_made) > limit:
            raise _reached("tool_calls", made, limit)


@asynccontextmanager
async def reserved(request: ModelRequest) -> AsyncGenerator[None]:
    """Hold a place for one request in the bounds of this run and of those that it works for.

    Where too little is left beside the requests that are under way, it waits until they have come back; raises
    LimitReached where nothing is left then.
    """
    around = _enclosing.get()
    bounded = [one for one in around.chain() if _is_bounded(one)] if around is not None else []
    if around is None or not bounded:
        yield
        return
    state = around.recorder.state
    cost, before = _cost(state, request), len(state.requests)
    held: list[tuple[Enclosing, int]] = []
    try:
        for one in bounded:
            held.append((one, await _take_off(one, cost)))
        yield
    finally:
        came = state.requests[before:]
        for one, taken in held:
            one.flights.land(taken, sum(record.usage.spent_tokens for record in came))


_USUAL_ANSWER = 1000
"""Tokens that are reserved for an answer of which nothing is known."""


def _cost(state: RunState, request: ModelRequest) -> int:
    """Estimate the tokens of a request and its answer, rather too many than too few."""
    most = request.settings.max_output_tokens
    if most is None:
        most = max((record.usage.output_tokens for record in state.run_requests), default=_USUAL_ANSWER)
    return estimated_usage(state, request, 0).spent_tokens + most


def _is_bounded(one: Enclosing) -> bool:
    return one.plan.limits.tokens is not None or one.plan.limits.requests is not None


async def _take_off(one: Enclosing, cost: int) -> int:
    """Wait until there is room for a request, and return what is held for it."""
    limits, flights, state = one.plan.limits, one.flights, one.recorder.state
    while True:
        usage, under_way = state.usage, len(flights.tokens)
        cost = max(cost, flights.dearest)
        if limits.requests is not None and usage.requests + under_way >= limits.requests:
            raise _reached("requests", usage.requests + under_way, limits.requests)
        if limits.tokens is None:
            break
        if usage.spent_tokens >= limits.tokens:
            raise _reached("tokens", usage.spent_tokens, limits.tokens)
        if not under_way or usage.spent_tokens + sum(flights.tokens) + cost <= limits.tokens:
            break
        await flights.landed.wait()
    flights.tokens.append(cost)
    return cost


def _reached(name: str, used: int, limit: int) -> LimitReached:
    words = name.replace("_", " ")
    return LimitReached(
        f"the run that this one works for has reached its limit of {limit} {words}; go on with"
        f" agent.run(state=error.state, limits=Limits({name}=...))",
        limit=name,
        used=used,
    )
