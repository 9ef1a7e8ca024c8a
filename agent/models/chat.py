"""The Chat Completions endpoint: a request into its body, with the history as messages."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from jigwork.errors import ConfigurationError, SettingsError

from .base import ModelRequest
from .chat_reader import ChatReader
from .constraints import constraint
from .history import WHOLE, History, written
from .jsondata import is_object
from .messages import MessageWriter, system_messages
from .params import choose_tools, merge_body, parameters, stop_sequences
from .profiles import Profile
from .reader import CallIds
from .settings import Settings

__all__ = ["ChatEndpoint", "chat_tool", "chat_tool_choice"]


class ChatEndpoint:
    """Builds bodies for `POST /chat/completions` and reads what comes back."""

    name = "chat"
    path = "/chat/completions"

    def __init__(self, model: str, profile: Profile, provider: str) -> None:
        self._model = model
        self._profile = profile
        self._provider = provider

    def body(self, request: ModelRequest, settings: Settings, *, history: History = WHOLE) -> dict[str, Any]:
        """Return the body, with the history as `history` says; there is no chaining here."""
        profile = self._profile
        messages = system_messages(
            self._writer(request, private=not history.without).messages(), request.instructions, profile
        )
        body: dict[str, Any] = {"model": self._model, "messages": messages}
        body.update(parameters(settings, profile, "chat"))
        self._add_tools(body, request, settings)
        stops = stop_sequences(settings)
        if stops and profile.stop and len(stops) <= 4:
            body["stop"] = list(stops)
        if request.output is not None:
            output = request.output
            shape = {"name": output.name, "schema": output.schema, "strict": output.strict}
            if output.description:
                shape["description"] = output.description
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        if request.stream:
            body["stream"] = True
            options: dict[str, Any] = {"include_usage": True} if profile.stream_usage else {}
            if profile.obfuscation:
                options["include_obfuscation"] = False
            if options:
                body["stream_options"] = options
        if request.constraint is not None and self._profile.response_grammar is not None:
            body.update(constraint(request.constraint, self._profile.response_grammar))
        merge_body(body, settings.extra_body)
        return body

    def reader(self, request: ModelRequest) -> ChatReader:
        """Return a reader for one answer to this request."""
        ids = CallIds(self._writer(request, private=True).call_ids)
        return ChatReader(ids, provider=self._provider, think_tags=self._profile.think_tags)

    def _writer(self, request: ModelRequest, *, private: bool) -> MessageWriter:
        key = f"chat/{self._provider}/{self._model}/{private}"
        provider = self._provider if private else None
        return written(request.scratch, key, request.items, lambda: MessageWriter(self._profile, provider))

    def _add_tools(self, body: dict[str, Any], request: ModelRequest, settings: Settings) -> None:
        tools = request.tools
        if settings.tool_choice is not None:
            choice, tools = choose_tools(settings.tool_choice, tools, self._profile)
            if tools or choice != "none":
                body["tool_choice"] = chat_tool_choice(choice)
        if not tools:
            return
        body["tools"] = self._tools(request.scratch, tools)
        if not self._profile.chat_tools_with_effort:
            if settings.effort not in (None, "none"):
                raise SettingsError(
                    f"{self._model} takes tools on the chat endpoint only with effort='none': "
                    "set it, or use endpoint='responses'"
                )
            body["reasoning_effort"] = "none"

    def _tools(self, scratch: dict[str, Any], tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        key = f"chat-tools/{self._profile.strict_tools}"
        known: tuple[Sequence[Mapping[str, Any]], list[dict[str, Any]]] | None = scratch.get(key)
        if known is not None and len(known[0]) == len(tools) and all(map(operator.is_, known[0], tools)):
            return known[1]
        converted = [chat_tool(tool, strict=self._profile.strict_tools) for tool in tools]
        scratch[key] = (list(tools), converted)
        return converted


def chat_tool(tool: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Rewrite a flat tool definition in the nested shape of Chat Completions."""
    kind = tool.get("type")
    if kind == "function":
        names = ("name", "description", "parameters", *(("strict",) if strict else ()))
        return {"type": "function", "function": {k: tool[k] for k in names if tool.get(k) is not None}}
    if kind == "custom":
        custom: dict[str, Any] = {k: tool[k] for k in ("name", "description") if tool.get(k) is not None}
        form: Any = tool.get("format")
        if form is not None:
            inner = {k: v for k, v in form.items() if k != "type"}
            custom["format"] = (
                {"type": "grammar", "grammar": inner} if form.get("type") == "grammar" else dict(form)
            )
        return {"type": "custom", "custom": custom}
    raise ConfigurationError(
        f"a tool of type {kind!r} exists only on the Responses endpoint: use endpoint='responses'"
    )


def chat_tool_choice(choice: Any) -> Any:
    """Rewrite a tool choice of the Responses API in the nested shape of Chat Completions."""
    if not is_object(choice):
        return choice
    shape: dict[str, Any] = dict(choice)
    kind = shape.get("type")
    if kind in ("function", "custom") and "name" in shape:
        return {"type": kind, kind: {"name": shape["name"]}}
    if kind == "allowed_tools" and "tools" in shape:
        tools = [chat_tool_choice(tool) for tool in shape["tools"]]
        return {"type": kind, kind: {"mode": shape.get("mode", "auto"), "tools": tools}}
    return shape
