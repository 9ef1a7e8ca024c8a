"""Records: what a run keeps of its requests and of its approvals, beside the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jigwork.tools.asking import Answer, Question
from jigwork.tools.outcome import Outcome

from .events import ResponseEnded
from .usage import Usage

__all__ = ["Answer", "Approval", "CallRecord", "Cut", "Decision", "RequestRecord"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Why a response was ended by us: the text for `name`, a tool or the answer, left its grammar.

    `written_bytes` of that text had come. `saved_tokens` is an estimate: the tokens of the text that was accepted in
    its place, beyond those; 0 where it was shorter, None while none was accepted.
    """

    name: str
    written_bytes: int
    saved_tokens: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the cut as plain JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cut:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        return cls(**{k: v for k, v in data.items() if k in cls.__slots__})


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One model request. `body` is exactly what was sent, without keys; it is not kept in a state file.

    `first_item` to `end_item` (exclusive) are the items of the response in the history. `dropped` names parameters
    that the server refused and that were left out. `seconds` is wall-clock time over all `attempts`. `cut` is set
    where the response was ended because a text in it left its grammar (`status` "cut"); its usage is an estimate.
    `enforcement` says who held a text of the response, that had to be of the output's grammar, to it: native, masked or
    checked (of calls their outcome says it).
    """

    model: str
    usage: Usage
    status: str = "completed"
    reason: str | None = None
    id: str | None = None
    request_id: str | None = None
    endpoint: str = ""
    service_tier: str | None = None
    attempts: int = 1
    seconds: float = 0.0
    first_byte_seconds: float | None = None
    dropped: tuple[str, ...] = ()
    first_item: int = 0
    end_item: int = 0
    cut: Cut | None = None
    enforcement: str | None = None
    body: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, ended: ResponseEnded, model: str, enforcement: str | None = None) -> RequestRecord:
        """Make the record of a response that has ended."""
        return cls(
            model=ended.model or model,
            usage=ended.usage,
            status=ended.status,
            reason=ended.reason,
            id=ended.id,
            request_id=ended.request_id,
            endpoint=ended.endpoint,
            service_tier=ended.service_tier,
            attempts=ended.attempts,
            seconds=ended.seconds,
            first_byte_seconds=ended.first_byte_seconds,
            dropped=ended.dropped,
            enforcement=enforcement,
            body=ended.body,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON data, without the body and without what is empty."""
        names = (n for n in self.__slots__ if n not in ("usage", "body", "cut"))
        data = {name: value for name in names if (value := getattr(self, name)) not in (None, (), "")}
        if self.cut is not None:
            data["cut"] = self.cut.to_dict()
        return {**data, "dropped": list(self.dropped), "usage": self.usage.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RequestRecord:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        own = ("usage", "body", "dropped", "cut")
        known = {k: v for k, v in data.items() if k in cls.__slots__ and k not in own}
        usage = Usage.from_dict(data.get("usage", {}))
        cut = Cut.from_dict(data["cut"]) if data.get("cut") else None
        return cls(**known, usage=usage, cut=cut, dropped=tuple(data.get("dropped", ())))


@dataclass(frozen=True, slots=True)
class Approval:
    """A call that waits, or waited, for a person. `approved` is None until somebody has decided.

    `arguments` are the plain JSON arguments as they would be used, `edited` what a person put in their place.
    `asked_at` is in seconds since 1970. `question` is None where leave is asked; otherwise an answer is wanted, and
    `answer` is what a person said (JSON data), `kept` what the call put aside when it asked. `agents` are the tools
    behind which the call was made, the outermost first, where an agent that works for this run made it; the
    `call_id` is then the way to it: `call_1/call_7`.
    """

    call_id: str
    name: str
    arguments: Any
    approved: bool | None = None
    reason: str | None = None
    edited: Mapping[str, Any] | None = None
    asked_at: float = 0.0
    question: Question | None = None
    answer: Any = None
    kept: Any = None
    agents: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The tool, and before it the agents' tools behind which it was called: `research/delete_file`."""
        return "/".join((*self.agents, self.name))

    def to_dict(self) -> dict[str, Any]:
        """Return the approval as plain JSON data."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {**data, "question": self.question and self.question.to_dict(), "agents": list(self.agents)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Approval:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        known = {k: v for k, v in data.items() if k in cls.__slots__ and k not in ("question", "agents")}
        question = data.get("question")
        asked = Question.from_dict(question) if question else None
        return cls(**known, question=asked, agents=tuple(data.get("agents", ())))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: `arguments` in the place of the model's (validated again), `always` for every further
    call of this tool in this run, a `reason` that the model is told."""

    approved: bool
    reason: str | None = None
    arguments: Mapping[str, Any] | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a run: what the model wrote and how it ended. `outcome` is None while it waits for a person.

    `late` tells what became of a tool that nobody could stop, after its call had been settled without it: it ended
    ("ok"), or it failed. Its result was not used.
    """

    call_id: str
    name: str
    arguments: str
    outcome: Outcome | None
    late: Literal["ok", "failed"] | None = None
