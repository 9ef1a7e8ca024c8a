"""Responses that the server keeps (`store` is not false), for chaining, retrieval and the rules about item ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..items import Item
from .answers import Answer, new_id
from .api_errors import ApiError, invalid

__all__ = ["ResponseStore", "StoredResponse"]


@dataclass(slots=True)
class StoredResponse:
    """A response object with everything that led to it: `context` is the whole input, chained ones included."""

    object: dict[str, Any]
    context: Sequence[Item]
    sent: Sequence[Item]


class ResponseStore:
    """All stored responses of one server, and the items that they made."""

    def __init__(self) -> None:
        self._responses: dict[str, StoredResponse] = {}
        self._items: dict[str, Item] = {}
        self._reasoning_of: dict[str, str] = {}
        self.made_types: set[str] = set()
        """Types of all items that were sent, stored or not: what the server makes up, it takes back."""

    def put(self, answer: Answer, response: dict[str, Any]) -> None:
        """Keep a response, and remember which reasoning item each of its items followed."""
        request = answer.request
        sent = [{"id": new_id("msg"), **item} for item in request.sent]
        self._responses[answer.id] = StoredResponse(response, request.items, sent)
        previous: Item = {}
        for item in answer.items:
            self._items[str(item.get("id"))] = item
            if previous.get("type") == "reasoning":
                self._reasoning_of[str(item.get("id"))] = str(previous.get("id"))
            previous = item

    def get(self, response_id: str) -> StoredResponse:
        """Return a stored response, or refuse with the 404 of the real API."""
        try:
            return self._responses[response_id]
        except KeyError:
            raise ApiError(f"Response with id '{response_id}' not found.", status=404) from None

    def status(self, response_id: str) -> str | None:
        """Return the status of a response, None when it has been deleted."""
        stored = self._responses.get(response_id)
        return None if stored is None else str(stored.object["status"])

    def delete(self, response_id: str) -> None:
        """Forget a response; refuses like `get`."""
        self.get(response_id)
        del self._responses[response_id]

    def history(self, response_id: str) -> list[Item]:
        """Return the whole conversation up to and with this response, for `previous_response_id`."""
        stored = self._responses.get(response_id)
        if stored is None:
            raise invalid(
                f"Previous response with id '{response_id}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        return [*stored.context, *stored.object["output"]]

    def item(self, item_id: str) -> Item | None:
        """Return an item that a stored response made."""
        return self._items.get(item_id)

    def reasoning_of(self, item_id: str) -> str | None:
        """Return the id of the reasoning item that this stored item came right after."""
        return self._reasoning_of.get(item_id)
