"""What an MCP server may ask of us: a person's answer, a model's answer, the folders it may look at."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from jigwork.errors import ConfigurationError

from .mcp_content import plain
from .validation import SchemaCheck

if TYPE_CHECKING:
    import mcp_types as types

__all__ = ["Asked", "Elicitation", "OnElicitation", "OnSampling"]


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


class Asked:
    """The answers to one server. What has no hook is not offered to it."""

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
            "elicitation_callback": self._elicit if self._on_elicitation is not None else None,
            "sampling_callback": self._sample if self._on_sampling is not None else None,
        }

    async def _list_roots(self, context: Any) -> types.ListRootsResult:
        from mcp_types import ListRootsResult, Root

        roots = [Root.model_validate({"uri": root.as_uri(), "name": root.name}) for root in self._roots]
        return ListRootsResult(roots=roots)

    async def _elicit(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
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
