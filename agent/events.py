"""Events: everything that happens in a run, as one small closed set of frozen values.

The same for both endpoints, for every server, for streaming or not: without streaming a text simply comes as
one delta. Call events are defined beside the executor, in `jigwork.tools`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from jigwork.tools.asking import Question
from jigwork.tools.outcome import CallProgress, CallSettled, CallStarted

from .items import Item
from .usage import Usage

__all__ = [
    "ApprovalAsked",
    "ArgumentsDelta",
    "AttemptDiscarded",
    "CallLate",
    "CallProgress",
    "CallSettled",
    "CallStarted",
    "Event",
    "HandedOver",
    "ItemAdded",
    "ModelEvent",
    "OutputDelta",
    "ReasoningDelta",
    "ResponseEnded",
    "RunFailed",
    "RunFinished",
    "RunPaused",
    "RunStarted",
    "TextDelta",
    "TurnFinished",
    "TurnStarted",
    "UsageUpdated",
]


# --- from a model -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer. `index` numbers the item within this response; refusals come with `refusal`."""

    text: str
    index: int = 0
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the reasoning, or of its summary, where the server shows it."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """More of what the model writes for a tool, JSON or grammar text alike.

    `name` is the tool's; `call_id` may be "" until the server has said it.
    """

    text: str
    index: int
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """A finished item joined the history: the model's, a tool output, or our own feedback."""

    item: Item


@dataclass(frozen=True, slots=True)
class AttemptDiscarded:
    """Forget the deltas and items since the last `TurnStarted`: the request is made again.

    `reason` is for a person ("429 rate limit, waiting 2.0 s", "parameter `stop` refused, sent without it").
    """

    reason: str
    attempt: int
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """The last event of a model: how the response ended and what it cost. Consumed by the loop, not emitted.

    `status` is "completed" or "incomplete" (then `reason` is the server's: max_output_tokens, content_filter,
    stop_sequence for our own cut...). `body` is the request as sent, without keys; `id` the response's id.
    """

    usage: Usage
    status: str = "completed"
    reason: str | None = None
    id: str | None = None
    model: str | None = None
    request_id: str | None = None
    service_tier: str | None = None
    attempts: int = 1
    seconds: float = 0.0
    first_byte_seconds: float | None = None
    endpoint: str = ""
    body: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()


ModelEvent: TypeAlias = (
    TextDelta | ReasoningDelta | ArgumentsDelta | ItemAdded | AttemptDiscarded | ResponseEnded
)


# --- from the loop ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins or is resumed."""

    run_id: str
    agent: str | None
    model: str


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A model request is about to be made; `turn` counts from 1."""

    turn: int


@dataclass(frozen=True, slots=True)
class OutputDelta:
    """The structured output as far as it is written. `partial` is JSON data, not yet validated."""

    partial: Any


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A call waits for a person: to be allowed, or, where there is a `question`, for an answer.

    `arguments` is the decoded JSON as it would be used. `agents` are the tools behind which the call was made, the
    outermost first, where an agent that works for this run made it; `call_id` is what decides about it:
    `state.approve(call_id)`, `state.deny(call_id)`, `state.answer(call_id, value)`.
    """

    call_id: str
    name: str
    arguments: Any
    question: Question | None = None
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallLate:
    """A tool that nobody could stop (a thread) came to its end after its call had been settled without it.

    Its result is not used. `error` is what it raised, None where it returned. One that ends after the run has ended is
    only noted in the state.
    """

    call_id: str
    name: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class UsageUpdated:
    """A response has been paid for: its own usage and the run's total. Once more where it turns out what a cut
    stream saved: `usage` is then that alone."""

    usage: Usage
    total: Usage


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """A model request has been answered completely; its calls, if any, come next."""

    turn: int
    calls: int


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The conversation goes on with `agent`; `giver` had it before (None: an agent without a name)."""

    agent: str
    giver: str | None


@dataclass(frozen=True, slots=True)
class RunPaused:
    """These calls wait for a person; everything else of the turn has run, but for what stands behind an exclusive call
    that could not begin yet."""

    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run has its output."""

    output: Any


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ends with this exception, which is raised as well."""

    error: BaseException


Event: TypeAlias = (
    RunStarted
    | TurnStarted
    | TextDelta
    | ReasoningDelta
    | ArgumentsDelta
    | OutputDelta
    | ItemAdded
    | AttemptDiscarded
    | CallStarted
    | CallProgress
    | CallSettled
    | CallLate
    | ApprovalAsked
    | UsageUpdated
    | TurnFinished
    | HandedOver
    | RunPaused
    | RunFinished
    | RunFailed
)
