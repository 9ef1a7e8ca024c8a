"""The Responses endpoint: a request into its body, a history into its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..items import PROVIDER_KEY, Item, call_id, is_call
from .base import ModelRequest
from .constraints import constraint
from .history import WHOLE, History, as_object, written
from .jsondata import is_array, is_object
from .params import choose_tools, merge_body, parameters
from .profiles import Profile
from .reader import CallIds
from .responses_reader import ResponsesReader
from .settings import Settings

__all__ = ["ResponsesEndpoint"]

_ENCRYPTED = "reasoning.encrypted_content"
_NEVER_BACK = frozenset({"created_by", "parsed", "parsed_arguments"})
"""Fields that OpenAI sends, or its SDK adds, and refuses in an input."""
_BY_ID = frozenset({"mcp_approval_request", "mcp_approval_response", "mcp_list_tools", "mcp_call"})
_AS_FUNCTION = {"custom_tool_call": "function_call", "custom_tool_call_output": "function_call_output"}


class InputWriter:
    """Writes items as this server takes them: as they are, without what belongs to another provider or to us.

    `foreign` leaves reasoning and ids out, `without` names fields that this server sends and does not take back.
    """

    def __init__(
        self, profile: Profile, *, foreign: bool = False, without: frozenset[str] = frozenset()
    ) -> None:
        self.input: list[Item] = []
        self.call_ids: set[str] = set()
        self._ids: set[str] = set()
        self._custom = profile.custom_tools
        self._json_arguments = profile.json_arguments
        self._foreign = foreign
        self._without = _NEVER_BACK | without

    def add(self, item: Item) -> None:
        """Take the next item."""
        kind = item.get("type")
        if is_call(item):
            self.call_ids.add(call_id(item))
        if self._foreign and kind in _BY_ID:
            return  # it is known by its id, to the server that made it alone
        unusable = {PROVIDER_KEY} if PROVIDER_KEY in item else set[str]()
        if "id" in item and (self._foreign or not item["id"] or item["id"] in self._ids):
            # Of another server, empty or given twice: servers look up the ids that they are sent.
            unusable.add("id")
        if kind == "reasoning" and (unusable or self._foreign):
            # Useless without its id, or made of another endpoint's fields.
            return
        self._ids.add(item.get("id") or "")
        if kind == "custom_tool_call" and "id" not in item:
            unusable.add("status")
        if kind in _AS_FUNCTION and not self._custom:
            item = _as_function(item)
        if kind == "function_call" and self._json_arguments:
            arguments = str(item.get("arguments") or "")
            decoded = as_object(arguments)
            item = item if decoded == arguments else {**item, "arguments": decoded}
        if unusable:
            item = {key: value for key, value in item.items() if key not in unusable}
        item = self._cleaned(item)
        self.input.append(item)

    def _cleaned(self, item: Item) -> Item:
        without = self._without
        for key, value in item.items():
            if key in without or (is_array(value) and any(_has(part, without) for part in value)):
                break
        else:
            return item
        return {
            key: [_part_without(part, without) for part in value] if is_array(value) else value
            for key, value in item.items()
            if key not in without
        }


def _has(part: Any, names: frozenset[str]) -> bool:
    return is_object(part) and not names.isdisjoint(part)


def _part_without(part: Any, names: frozenset[str]) -> Any:
    if not is_object(part):
        return part
    return {key: value for key, value in part.items() if key not in names}


def _as_function(item: Mapping[str, Any]) -> Item:
    """Rewrite a custom call or its output for a server that knows function tools only."""
    plain = {**item, "type": _AS_FUNCTION[str(item["type"])]}
    if "input" in plain:
        plain["arguments"] = orjson.dumps({"input": plain.pop("input")}).decode()
    return plain


class ResponsesEndpoint:
    """Builds bodies for `POST /responses` and reads what comes back."""

    name = "responses"
    path = "/responses"

    def __init__(self, model: str, profile: Profile, provider: str) -> None:
        self._model = model
        self._profile = profile
        self._provider = provider

    def body(self, request: ModelRequest, settings: Settings, *, history: History = WHOLE) -> dict[str, Any]:
        """Return the body, with the history as `history` says."""
        writer = self._writer(request, history)
        body: dict[str, Any] = {"model": self._model, "input": list(writer.input)}
        if history.chained and request.previous is not None:
            response_id, known = request.previous
            fresh = InputWriter(self._profile, without=history.without)
            for item in request.items[known:]:
                fresh.add(item)
            body["previous_response_id"] = response_id
            body["input"] = fresh.input
        if request.instructions:
            body["instructions"] = request.instructions
        body.update(parameters(settings, self._profile, "responses"))
        self._add_tools(body, request.tools, settings)
        if request.output is not None:
            body.setdefault("text", {})["format"] = _format(request)
        if self._wants_encrypted(settings):
            body["include"] = [_ENCRYPTED]
        if request.stream:
            body["stream"] = True
            if self._profile.obfuscation:
                body["stream_options"] = {"include_obfuscation": False}
        if request.constraint is not None and self._profile.response_grammar is not None:
            body.update(constraint(request.constraint, self._profile.response_grammar))
        merge_body(body, settings.extra_body)
        return body

    def reader(self, request: ModelRequest) -> ResponsesReader:
        """Return a reader for one answer to this request."""
        return ResponsesReader(CallIds(self._writer(request, WHOLE).call_ids))

    def _writer(self, request: ModelRequest, history: History) -> InputWriter:
        key = f"responses/{self._provider}/{self._model}/{history.foreign}/{sorted(history.without)}"
        return written(
            request.scratch,
            key,
            request.items,
            lambda: InputWriter(self._profile, foreign=history.foreign, without=history.without),
        )

    def _add_tools(
        self, body: dict[str, Any], tools: Sequence[Mapping[str, Any]], settings: Settings
    ) -> None:
        if settings.tool_choice is not None:
            choice, tools = choose_tools(settings.tool_choice, tools, self._profile)
            if tools or choice != "none":
                body["tool_choice"] = choice
        if tools and self._profile.strict_tools:
            body["tools"] = list(tools)
        elif tools:
            body["tools"] = [{key: value for key, value in tool.items() if key != "strict"} for tool in tools]

    def _wants_encrypted(self, settings: Settings) -> bool:
        """Without the server's store, reasoning can only be continued from its encrypted form.

        The whole history is sent at every turn, and a state may be resumed long after the server forgot it: so
        it is asked for whenever the model is known to reason, and always when nothing is stored.
        """
        if settings.store is False:
            return self._profile.efforts is None or self._profile.reasons
        return self._profile.reasons and self._profile.encrypted_reasoning and not settings.chain


def _format(request: ModelRequest) -> dict[str, Any]:
    output = request.output
    assert output is not None
    shape: dict[str, Any] = {
        "type": "json_schema",
        "name": output.name,
        "schema": output.schema,
        "strict": output.strict,
    }
    if output.description:
        shape["description"] = output.description
    return shape
