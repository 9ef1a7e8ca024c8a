"""What an MCP server may ask of us: a person's answer, a model's answer, the folders it may look at.

Without a hook a question to the person is a question of the call that the server answers: the run pauses, and the
call is made again with what was answered.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jigwork.errors import ConfigurationError

from .asking import Asked, Question
from .context import RunContext
from .mcp_content import plain
from .validation import SchemaCheck

if TYPE_CHECKING:
    import mcp_types as types

__all__ = ["Elicitation", "OnElicitation", "OnSampling", "ServerAsked", "answering"]


@dataclass(frozen=True, slots=True)
class Elicitation:
    """A question of a server to the person at this end: `schema` says what may be answered, `url` where to go."""

    server: str
    message: str
    schema: Mapping[str, Any] | None = None
    url: str | None = None


_Answer: TypeAlias = Mapping[str, Any] | bool | None
OnElicitation: TypeAlias = Callable[[Elicitation], _Answer | Awaitable[_Answer]]
"""Answers with data that fits the schema, True (agreed, nothing to say), or False or None (declined)."""

OnSampling: TypeAlias = Callable[[Mapping[str, Any]], str | Awaitable[str | None] | None]
"""Answers a server that wants to use the model: gets MCP's request as JSON data, returns a text or None (refused)."""


class ServerAsked:
    """The answers to one server. What has no hook is not offered to it, but for questions to the person."""

    def __init__(
        self,
        server: str,
        roots: Sequence[str | Path],
        on_elicitation: OnElicitation | None,
        on_sampling: OnSampling | None,
    ) -> None:
        self._server = server
        self._roots = [Path(root).resolve() for root in roots]
        self._on_elicitation = on_elicitation
        self._on_sampling = on_sampling

    def callbacks(self) -> dict[str, Any]:
        """Return what the client of the `mcp` package takes, by its names."""
        return {
            "list_roots_callback": self._list_roots if self._roots else None,
            "elicitation_callback": self._elicit if self._on_elicitation is not None else _ask_person,
            "sampling_callback": self._sample if self._on_sampling is not None else None,
        }

    async def _list_roots(self, context: Any) -> types.ListRootsResult:
        from mcp_types import ListRootsResult, Root

        roots = [Root.model_validate({"uri": root.as_uri(), "name": root.name}) for root in self._roots]
        return ListRootsResult(roots=roots)

    async def _elicit(
        self, context: Any, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        from mcp_types import ElicitResult

        assert self._on_elicitation is not None
        asked = plain(params)
        schema: Mapping[str, Any] | None = asked.get("requestedSchema")
        answer = self._on_elicitation(Elicitation(self._server, params.message, schema, asked.get("url")))
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is None or answer is False:
            return ElicitResult(action="decline")
        if answer is True:
            return ElicitResult(action="accept")
        content = dict(answer)
        if schema is not None and (errors := SchemaCheck(schema).errors(content)):
            raise ConfigurationError(f"on_elicitation: the answer does not fit: {errors[0].message}")
        return ElicitResult(action="accept", content=content)

    async def _sample(
        self, context: Any, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        from mcp_types import INVALID_REQUEST, CreateMessageResult, ErrorData, TextContent

        assert self._on_sampling is not None
        answer = self._on_sampling(plain(params))
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is None:
            return ErrorData(code=INVALID_REQUEST, message="The user does not allow this.")
        return CreateMessageResult(
            role="assistant", content=TextContent(text=answer), model="jigwork", stop_reason="endTurn"
        )


@dataclass(frozen=True, slots=True)
class _Calling:
    """A call that a server is answering, and what a person has answered to it so far."""

    server: str
    answers: tuple[dict[str, Any], ...]
    unused: list[dict[str, Any]]


_calling: ContextVar[_Calling | None] = ContextVar("jigwork_mcp_calling", default=None)


@contextmanager
def answering(server: str, context: RunContext[Any]) -> Generator[None]:
    """Let a server ask the person while it answers this call; what was answered before is not asked again."""
    kept: Any = context.kept or {}
    answers = [dict(answer) for answer in kept.get("answers", ())]
    if context.answer is not None and "asked" in kept:
        answers.append({**kept["asked"], "value": context.answer.value})
    token = _calling.set(_Calling(server, tuple(answers), list(answers)))
    try:
        yield
    finally:
        _calling.reset(token)


async def _ask_person(
    context: Any, params: types.ElicitRequestParams
) -> types.ElicitResult | types.ErrorData:
    """Answer with what a person has said; raises `Asked` where nobody has been asked yet.

    A server of an older protocol asks outside of any call: it is told that there is nobody.
    """
    from mcp_types import INVALID_REQUEST, ElicitResult, ErrorData

    calling = _calling.get()
    if calling is None:
        return ErrorData(code=INVALID_REQUEST, message="There is nobody to answer.")
    data = plain(params)
    asked: dict[str, Any] = {
        "message": params.message,
        "schema": data.get("requestedSchema"),
        "url": data.get("url"),
    }
    for known in calling.unused:
        if {key: known.get(key) for key in asked} == asked:
            calling.unused.remove(known)
            value: Any = known["value"]
            if asked["schema"] is None:
                return ElicitResult(action="accept" if value else "decline")
            return ElicitResult(action="accept", content=value)
    schema: dict[str, Any] = data.get("requestedSchema") or {"type": "boolean"}
    text = f"{params.message} (asked by {calling.server})"
    question = Question(text, schema=schema, url=data.get("url"))
    raise Asked(question, kept={"answers": list(calling.answers), "asked": asked})
