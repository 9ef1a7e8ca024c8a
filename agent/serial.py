"""JSON on disk: fast where it can be, exact always.

orjson refuses lone surrogates and integers beyond 64 bits, both of which a model or a tool may produce; the
standard library takes them (as escapes), so nothing that was in memory is ever lost on the way to a file.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from jigwork.errors import StateError

__all__ = ["dump_json", "load_json"]


def dump_json(data: Any, *, indent: bool = False) -> str:
    """Write JSON data as text. Raises StateError for a value that JSON has no form for."""
    try:
        return orjson.dumps(data, option=orjson.OPT_INDENT_2 if indent else 0).decode()
    except (TypeError, ValueError):
        pass
    try:
        return json.dumps(data, indent=2 if indent else None, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StateError(f"the state holds something that is no JSON: {error}") from error


def load_json(text: str | bytes) -> Any:
    """Read JSON data; raises StateError with line and column."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StateError(f"not JSON: {error}") from error
