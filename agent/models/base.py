"""What a model is to the loop: one method, `stream`, and a profile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..events import ModelEvent
from ..items import Item
from .profiles import Profile
from .settings import Settings

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["Model", "ModelRequest", "OutputFormat"]


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A JSON schema that the final answer must satisfy, sent as `text.format` or `response_format`."""

    name: str
    schema: Mapping[str, Any]
    strict: bool = True
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request, independent of the endpoint.

    `items` is the whole history, append-only within a run, and must not be changed by a model. `tools` are tool
    definitions in the flat shape of the Responses API, the same objects at every turn. `scratch` belongs to the
    run and to the model: a client keeps there what it converted, so that a turn costs only what is new.
    `previous` is (response id, number of items that the server already has) when the run is chained. `constraint`
    is a grammar that the whole response shall have, where the profile knows how to say that (`response_grammar`).
    """

    items: Sequence[Item]
    instructions: str | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    output: OutputFormat | None = None
    settings: Settings = field(default_factory=Settings)
    stream: bool = False
    previous: tuple[str, int] | None = None
    constraint: Grammar | None = None
    scratch: dict[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)


@runtime_checkable
class Model(Protocol):
    """Anything that answers a request with events. The last event is always `ResponseEnded`, or it raises.

    Every finished output item comes as `ItemAdded`, in the order of the response, after its deltas. Calls carry
    a non-empty `call_id` that is unique within the history. Failures raise `jigwork.errors.ModelError`.
    """

    @property
    def name(self) -> str:
        """The model's id, as reported in results and logs."""
        ...

    @property
    def profile(self) -> Profile:
        """What this model on this server can do."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send the request and yield what comes back; `request.stream` says whether to ask for a stream."""
        ...

    async def aclose(self) -> None:
        """Close connections; the model may be used again afterwards."""
        ...
