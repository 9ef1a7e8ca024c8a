"""The plan of a run: what the agent is, frozen. With a state it says everything that follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from jigwork.tools import Tool

from .items import Item
from .journal import Journal
from .limits import Limits
from .models.base import Model
from .models.settings import Settings
from .offer import Offer
from .output import OutputCheck
from .recorder import OnApproval

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that does not change during a run. `definitions` are the tools as they are sent, always the same
    objects, so that the request's prefix (and the server's cache of it) stays what it is. Where toolsets may change
    from turn to turn there is an `offer`: it keeps `tools` up to date, and has the definitions. `successor` makes the
    plan of the agent of that name, where the conversation may be handed over; `past` is what this agent sees of the
    items before the one of that number, where it sees less than all.
    """

    model: Model
    tools: Mapping[str, Tool]
    definitions: tuple[Mapping[str, Any], ...]
    output: OutputCheck
    settings: Settings
    limits: Limits
    output_retries: int
    name: str | None = None
    instructions: str | None = None
    deps: Any = None
    journal: Journal | None = None
    on_approval: OnApproval | None = None
    watch: bool = True
    offer: Offer | None = None
    successor: Callable[[str], Awaitable[Plan]] | None = None
    past: tuple[tuple[Item, ...], int] | None = None

    def shown(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return what the model sees of the history."""
        return items if self.past is None else [*self.past[0], *items[self.past[1] :]]

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Open what has to be open while the run lasts."""
        return nullcontext() if self.offer is None else self.offer.opened()
