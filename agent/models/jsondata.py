"""JSON in and out: type guards for decoded data, whose shape nobody promises, and what orjson refuses.

orjson takes no lone surrogates, which a tool may return (a file name) and a server may send (half of an emoji),
and no integers beyond 64 bits.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from typing_extensions import TypeIs

from jigwork.errors import ConfigurationError

__all__ = ["decode", "encode", "is_array", "is_object"]

_BOM = b"\xef\xbb\xbf"


def is_object(value: object) -> TypeIs[dict[str, Any]]:
    """Tell whether this is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeIs[list[Any]]:
    """Tell whether this is a JSON array."""
    return isinstance(value, list)


def encode(value: Any) -> bytes:
    """Return the JSON of a request. Lone surrogates become `?`; raises ConfigurationError for what is no JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        pass
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request holds what cannot be sent as JSON: {error}") from error


def decode(data: bytes) -> Any:
    """Return decoded JSON; lone surrogates become U+FFFD. Raises ValueError for what is no JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if data.startswith(_BOM):
            return decode(data[len(_BOM) :])
        if b"\\u" not in data:
            raise
    text = json.dumps(json.loads(data), ensure_ascii=False)
    return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
