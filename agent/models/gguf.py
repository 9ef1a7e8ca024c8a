"""GGUFModel: a model file that llama.cpp runs in this process. Grammars are held by masks on every token."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio

from jigwork.errors import ConfigurationError, MissingExtraError

from ..events import ArgumentsDelta, ModelEvent, ReasoningDelta, TextDelta
from .base import ModelRequest
from .chat import ChatEndpoint
from .gguf_answer import GGUFAnswer
from .gguf_engine import Engine, EngineOptions, knows_llguidance
from .gguf_file import GGUFInfo
from .params import check
from .profiles import Profile
from .providers import provider_for
from .settings import Settings

__all__ = ["GGUFModel"]

_CONTEXT = 16_384
"""Tokens of context where none are asked for: a cache for what large models were trained on fills a computer."""

_CHATML = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


class GGUFModel:
    """A GGUF file, run by llama.cpp in this process; `"gguf:model.gguf"` and `"gguf:model.gguf?context=32768"` are ones.

    Calls of grammar tools, forced calls and answers in a grammar or schema are written under masks: no token can be
    chosen that leaves the language (`masked`, where servers are `native`). Other calls take the form of the model's
    chat template, as llama.cpp reads it.

    `context` is in tokens (default: what the model was trained on, at most 16,384), shared by up to `parallel`
    requests at once; `threads` and `gpu_layers` are llama.cpp's choice unless given. `template` is a chat template in
    Jinja, or "chatml", for a file that has none. The file is loaded at the first request; models with the same options
    share it; `aclose()`, or dropping the last of them, frees it. Raises ConfigurationError for a file that is none,
    MissingExtraError without the extra `gguf`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        context: int | None = None,
        parallel: int = 4,
        threads: int | None = None,
        gpu_layers: int | None = None,
        template: str | None = None,
        settings: Settings | None = None,
        verbose: bool = False,
    ) -> None:
        self.info = GGUFInfo.read(Path(path).expanduser().resolve())
        if find_spec("xllamacpp") is None:
            raise MissingExtraError("a model file in this process", "gguf")
        template = _CHATML if template == "chatml" else template
        if template is None and self.info.template is None:
            raise ConfigurationError(
                f"{self.info.path} has no chat template, so no conversation can be put to it: give the one that it was "
                "trained with, GGUFModel(path, template=...), or the one that many know, 'gguf:{self.info.path.name}?template=chatml'"
            )
        if (context is not None and context < 1) or parallel < 1:
            raise ConfigurationError(f"context={context} and parallel={parallel} must be 1 or more")
        trained = self.info.context_length or context or _CONTEXT
        if context is not None and context > trained:
            raise ConfigurationError(
                f"context={context:,} is more than the {trained:,} tokens that {self.info.path.name} was trained on, and "
                "llama.cpp gives a model no more"
            )
        self._template = template or self.info.template or ""
        self._settings = settings or Settings()
        self._options = EngineOptions(
            self.info.path,
            context or min(trained, _CONTEXT),
            parallel,
            threads,
            gpu_layers,
            template,
            verbose,
        )
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"GGUFModel({str(self.info.path)!r})"

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.info.path.name

    @property
    def profile(self) -> Profile:
        """What llama.cpp does with this model."""
        return self._profile

    @cached_property
    def _profile(self) -> Profile:
        return replace(self._wire_profile, custom_tools=True, masked=True)

    @cached_property
    def _wire_profile(self) -> Profile:
        """The same, as bodies are written for it: llama.cpp itself knows no custom tools."""
        return replace(
            provider_for("llamacpp").apply(Profile()),
            context_window=self._options.context,
            response_grammar="llguidance" if knows_llguidance() else "llamacpp",
        )

    async def aclose(self) -> None:
        """Let go of the loaded file; it is loaded again when the model is used again."""
        self._engine = None

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer; the last event is `ResponseEnded`. Raises ModelError, SettingsError, ConfigurationError."""
        if self._engine is None:
            self._engine = await anyio.to_thread.run_sync(Engine.shared, self._options)
        settings = self._settings.merge(request.settings)
        check(settings, self._wire_profile, model=self.name, endpoint="chat")
        self._check_tools(request)
        request = replace(request, settings=settings)
        answer = GGUFAnswer(self._engine, self._endpoint, self.info, request)
        async with aclosing(answer.events()) as events:
            async for event in events if request.stream else _joined(events):
                yield event

    def _check_tools(self, request: ModelRequest) -> None:
        if request.tools and "tools" not in self._template:
            raise ConfigurationError(
                f"the chat template of {self.name} has no place for tools: use a model that was trained to call them, or "
                "give GGUFModel(path, template=...) one that shows them"
            )

    @cached_property
    def _endpoint(self) -> ChatEndpoint:
        return ChatEndpoint(self.name, self._wire_profile, "gguf")


async def _joined(events: AsyncIterator[ModelEvent]) -> AsyncGenerator[ModelEvent, None]:
    """Join the deltas of each item into one: nobody asked for a stream."""
    waiting: dict[tuple[type[ModelEvent], int], Any] = {}
    async for event in events:
        if isinstance(event, TextDelta | ReasoningDelta | ArgumentsDelta):
            key = (type(event), event.index)
            before = waiting.get(key)
            waiting[key] = event if before is None else replace(before, text=before.text + event.text)
            continue
        for delta in waiting.values():
            yield delta
        waiting.clear()
        yield event
