"""Read the body of `POST /v1/responses` into a `ServedRequest`."""

from __future__ import annotations

from collections.abc import Mapping

from ..items import Item, user_message
from .api_errors import invalid, missing, wrong_type
from .checks import Check, string
from .histories import check_history, check_items
from .json_data import array_of, object_of, objects_of
from .model_limits import check_model_limits
from .parameters import RESPONSES, check_parameters
from .requests import Body, ServedRequest
from .stored import ResponseStore
from .tool_choices import check_tool_choice
from .tool_shapes import check_format, check_json_mode, check_tools

__all__ = ["read_responses"]


def read_responses(
    body: Body,
    headers: Mapping[str, str],
    *,
    store: ResponseStore,
    table: Mapping[str, Check] | None = RESPONSES,
) -> ServedRequest:
    """Return the normalised request; raises `ApiError` as the real API would. `table` has the parameters that
    exist; without one only what cannot be done without is checked."""
    if not body.get("model"):
        raise missing("model")
    string()("model", body["model"])
    if table is not None:
        check_parameters(body, table)
    sent = _items(body)
    previous = body.get("previous_response_id")
    chained = store.history(previous) if isinstance(previous, str) else []
    request = ServedRequest(
        endpoint="responses",
        model=body["model"],
        items=[*chained, *(_resolve(item, store) for item in sent)],
        sent=sent,
        instructions=body.get("instructions") if isinstance(body.get("instructions"), str) else None,
        tools=objects_of(body.get("tools")),
        tool_choice=body.get("tool_choice") or "auto",
        format=object_of(object_of(body.get("text")).get("format")) or None,
        stream=body.get("stream") is True,
        body=body,
        headers=headers,
    )
    if table is not None:
        _check(request, store, len(chained))
    return request


def _check(request: ServedRequest, store: ResponseStore, chained: int) -> None:
    body = request.body
    for name, kind in (("conversation", "Conversation"), ("prompt", "Prompt")):
        if body.get(name) is not None:
            given = body[name]
            wanted = object_of(given).get("id", given)
            raise invalid(f"{kind} with id '{wanted}' not found.", name, f"{name}_not_found")
    check_tools(request.tools, endpoint="responses")
    check_tool_choice(request.tool_choice, request.tools)
    check_format(object_of(body.get("text")).get("format"), "text.format")
    check_json_mode(request)
    check_items(request.sent, store=store, stored=body.get("store") is not False)
    check_history(request.items, store=store, chained=chained)
    check_model_limits(request)


def _items(body: Body) -> list[Item]:
    given = body.get("input")
    if given is None:
        if body.get("previous_response_id") or body.get("conversation") or body.get("prompt"):
            return []
        raise invalid(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.",
            None,
            "missing_required_parameter",
        )
    if isinstance(given, str):
        return [user_message(given)]
    if not isinstance(given, list):
        raise wrong_type("input", "one of an array of items or a string", given)
    items = array_of(given)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise wrong_type(f"input[{index}]", "an object", item)
    return items


def _resolve(item: Item, store: ResponseStore) -> Item:
    """Return the stored item that an `item_reference` (or a bare id) means, where it is known."""
    if item.get("type") in (None, "item_reference") and "role" not in item:
        return store.item(str(item.get("id"))) or item
    return item
