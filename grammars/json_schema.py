"""JSON schemas as grammars: the text of the grammar, and schemas from pydantic models and type adapters.

The language is compact JSON (no spaces outside of strings) with the keys in the order of the schema. llguidance
compiles the schema; what it cannot express is refused here, when the grammar is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import GrammarError

from .engine import compile_error

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

    SchemaLike = Mapping[str, Any] | bool | str | type[BaseModel] | TypeAdapter[Any]

__all__ = ["compiled_schema", "schema_of", "schema_text"]

_COMPACT = {"whitespace_flexible": False}


def schema_of(given: SchemaLike) -> dict[str, Any]:
    """The JSON schema of a schema, its text, a pydantic model or a `TypeAdapter`. Raises GrammarError."""
    if isinstance(given, bool):
        return {} if given else {"not": {}}
    if isinstance(given, str):
        try:
            given = cast("Mapping[str, Any]", json.loads(given))
        except ValueError as error:
            raise GrammarError(f"the schema is not JSON: {error}", rule="E10") from error
    if isinstance(given, Mapping):
        return dict(given)
    if hasattr(given, "model_json_schema"):
        return cast("type[BaseModel]", given).model_json_schema()
    if isinstance(given, type):
        raise GrammarError(
            f"{given.__name__} is no pydantic model; give TypeAdapter({given.__name__})", rule="E10"
        )
    if hasattr(given, "json_schema"):
        return given.json_schema()
    raise GrammarError(
        f"{given!r} is no JSON schema; give a dict, JSON text, a pydantic model or a TypeAdapter", rule="E10"
    )


def compiled_schema(schema: Mapping[str, Any]) -> str:
    """The grammar text for a schema, reworded where llguidance lacks the words. Raises GrammarError."""
    text = schema_text(schema)
    said = compile_error("lark", text)
    if not said:
        return text
    from .exact_schema import reworded

    other = schema_text(reworded(schema))
    if other != text and not compile_error("lark", other):
        return other
    reason = said.partition("failed to compile JSON schema:")[2].strip() or said
    raise GrammarError(f"this schema cannot be a grammar: {reason}", rule="E10")


def schema_text(schema: Mapping[str, Any]) -> str:
    """The grammar text for a schema."""
    given = dict(schema)
    options = given.get("x-guidance")
    given["x-guidance"] = (
        {**_COMPACT, **cast("dict[str, Any]", options)} if isinstance(options, dict) else _COMPACT
    )
    try:
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError) as error:
        raise GrammarError(f"the schema is not JSON: {error}", rule="E10") from error
    return f"start: %json {text}\n"
