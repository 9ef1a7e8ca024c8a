"""One answer of a model in this process: a pass over the request, and one for each text that is written alone."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anyio

from jigwork.errors import ContextOverflowError, DeadlineError, ModelError

from ..events import ArgumentsDelta, ItemAdded, ModelEvent, ResponseEnded, TextDelta
from ..items import Item, call_id, is_call, is_message, output_text
from ..usage import Usage
from .base import ModelRequest
from .chat import ChatEndpoint
from .chat_reader import ChatReader
from .failures import Failure
from .gguf_calls import Draft, as_custom, as_functions, drafts_of, forced_draft, schema_grammar
from .gguf_engine import ALWAYS, Engine
from .gguf_file import GGUFInfo
from .params import merge_body
from .reader import CallIds, number
from .settings import Settings

__all__ = ["GGUFAnswer"]

_ALONE: Mapping[str, Any] = {"reasoning_format": "none", "chat_template_kwargs": {"enable_thinking": False}}
"""For a text under a grammar: it begins with its first token, and nothing in it is taken for thoughts."""


class GGUFAnswer:
    """Answers one request, whose settings are complete, with an engine."""

    def __init__(self, engine: Engine, wire: ChatEndpoint, info: GGUFInfo, request: ModelRequest) -> None:
        self._engine = engine
        self._wire = wire
        self._info = info
        self._settings = request.settings
        self._tools = request.tools
        self._drafts = drafts_of(request.tools)
        items = tuple(request.items)
        self._request = replace(request, items=items, tools=as_functions(request.tools), stream=True)
        self._ids = CallIds(call_id(item) for item in items if is_call(item))
        self._begun = time.monotonic()
        self._first: float | None = None
        self._usage = Usage(requests=1)
        self._status: tuple[str, str | None] = ("completed", None)
        self._body: dict[str, Any] = {}

    async def events(self) -> AsyncGenerator[ModelEvent, None]:
        """Yield everything that happens. Raises ModelError."""
        forced = forced_draft(self._settings, self._tools, self._drafts)
        written = self._free() if forced is None else self._draft(forced, self._ids.take(""), 0, ())
        async with aclosing(written) as events:
            async for event in events:
                yield event
        yield ResponseEnded(
            self._usage,
            *self._status,
            model=self._info.path.name,
            seconds=time.monotonic() - self._begun,
            first_byte_seconds=self._first,
            endpoint="chat",
            body=self._body,
        )

    async def _free(self) -> AsyncGenerator[ModelEvent, None]:
        """The model says what it likes, until it calls a grammar tool: the text for that one is written alone."""
        request = self._under_its_schema()
        reader = self._reader(alone=request.constraint is not None)
        said: list[Item] = []
        called: ArgumentsDelta | None = None
        rest = True
        async with aclosing(self._pass(request, reader)) as events:
            async for event in events:
                if isinstance(event, ArgumentsDelta) and event.name in self._drafts:
                    called = event
                    break
                if isinstance(event, ItemAdded):
                    if is_call(event.item) and (name := str(event.item["name"])) in self._drafts:
                        called, rest = ArgumentsDelta("", len(said), call_id(event.item), name), False
                        break
                    said.append(as_custom(event.item, self._tools))
                    event = ItemAdded(said[-1])
                yield event
        if called is None:
            self._status = (reader.ending.status, reader.ending.reason)
            return
        for event in reader.finish(marked=True) if rest else ():
            if isinstance(event, ItemAdded):
                if is_call(event.item) and event.item["name"] in self._drafts:
                    break
                said.append(as_custom(event.item, self._tools))
                yield ItemAdded(said[-1])
        id = called.call_id or self._ids.take("")
        spoken = [item for item in said if is_message(item)]  # calls without outputs cannot be shown
        async with aclosing(self._draft(self._drafts[called.name], id, called.index, spoken)) as written:
            async for event in written:
                yield event

    async def _draft(
        self, draft: Draft, id: str, index: int, said: Sequence[Item]
    ) -> AsyncGenerator[ModelEvent, None]:
        """Write the text of one call, under its grammar."""
        reader = self._reader(alone=True)
        text = ""
        request = draft.request(self._request, said, self._left())
        async with aclosing(self._pass(request, reader)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    yield ArgumentsDelta(event.text, index, id, draft.name)
                elif isinstance(event, ItemAdded) and is_message(event.item):
                    text += output_text(event.item)
        self._status = (reader.ending.status, reader.ending.reason)
        yield ItemAdded(draft.item(id, text, cut=reader.ending.status == "incomplete"))

    async def _pass(self, request: ModelRequest, reader: ChatReader) -> AsyncGenerator[ModelEvent, None]:
        """Put one body to the engine. What it cost is counted also where it is left early."""
        body = {**self._wire.body(request, request.settings), **ALWAYS}
        if request.constraint is not None:
            merge_body(body, _ALONE)
        self._body = self._body or body
        spent: Mapping[str, Any] = {}
        try:
            async with aclosing(self._engine.chunks(body)) as chunks:
                while (chunk := await self._next(chunks)) is not None:
                    self._first = self._first or time.monotonic() - self._begun
                    spent = chunk.get("timings") or spent
                    for event in reader.feed(b"", chunk):
                        yield event
            for event in reader.finish(marked=False):
                yield event
        except Failure as failure:
            raise self._explained(failure.error) from None
        finally:
            self._usage += _usage(spent)

    async def _next(self, chunks: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any] | None:
        """Wait for a chunk, no longer than the settings allow."""
        settings = self._settings
        left = settings.timeout
        if settings.deadline is not None:
            rest = max(settings.deadline - (time.monotonic() - self._begun), 0.0)
            left = rest if left is None else min(left, rest)
        try:
            with anyio.fail_after(left):
                return await anext(chunks, None)
        except TimeoutError:
            raise DeadlineError(f"{self._info.path.name} wrote nothing more within {left:g} s") from None

    def _under_its_schema(self) -> ModelRequest:
        """The request, with a JSON schema of the answer as our grammar of it: compact, so that it comes to an end."""
        request = self._request
        if request.output is None or request.tools or request.constraint is not None:
            return request
        grammar = schema_grammar(request.output.schema)
        return request if grammar is None else replace(request, constraint=grammar, output=None)

    def _reader(self, *, alone: bool) -> ChatReader:
        return ChatReader(self._ids, provider="gguf", think_tags=not alone)

    def _left(self) -> Settings:
        """The settings for a further pass: what was written counts against the limit."""
        limit = self._settings.max_output_tokens
        if limit is None:
            return self._settings
        return replace(self._settings, max_output_tokens=max(limit - self._usage.output_tokens, 1))

    def _explained(self, error: ModelError) -> ModelError:
        """Say how to make room, where that is what was missing."""
        if isinstance(error, ContextOverflowError):
            window, trained = self._engine.options.context, self._info.context_length
            name, fix = self._info.path.name, "shorten the history"
            if trained is None or trained > window:
                most = "" if trained is None else f" (it was trained on {trained:,})"
                fix += f", or load it with more, as in 'gguf:{name}?context={2 * window}'{most}"
            error.args = (f"the request does not fit into the {window:,} tokens of context of {name}: {fix}",)
        return error


def _usage(timings: Mapping[str, Any]) -> Usage:
    """What llama.cpp has counted by its last word: a prompt that it still had in its cache is read for nothing."""
    if not timings:
        return Usage(unreported=1)
    cached, read, wrote = (number(timings.get(name)) for name in ("cache_n", "prompt_n", "predicted_n"))
    return Usage(
        input_tokens=cached + read,
        cached_tokens=cached,
        output_tokens=wrote,
        total_tokens=cached + read + wrote,
    )
