"""JSON schemas as grammars: the text of the grammar, and schemas from pydantic models and type adapters.

The language is compact JSON (no spaces outside of strings) with the keys in the order of the schema. llguidance
compiles the schema where it has all the words; else it is lowered to rules; what neither can say is refused here, when
the grammar is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import GrammarError

from .engine import compile_error
from .json_formats import FORMATS
from .rust_regex import RegexError, read_regex

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

    SchemaLike = Mapping[str, Any] | bool | str | type[BaseModel] | TypeAdapter[Any]

__all__ = ["compiled_schema", "lowered_schema", "schema_of", "schema_text"]

Schema = dict[str, Any]
_COMPACT = {"whitespace_flexible": False}
_DEEPEST = 200
_ONE = frozenset("items additionalItems additionalProperties contains not propertyNames if then else".split())
_LISTS = frozenset("anyOf oneOf allOf prefixItems items".split())
_MAPS = frozenset("properties patternProperties $defs definitions dependentSchemas".split())
_SAME_FORMATS = frozenset({"uuid", "ipv4", "hostname", "duration", "email"})
"""Formats that llguidance reads as `FORMATS` does."""
_DRAFTS = frozenset(
    [f"https://json-schema.org/draft/{date}/schema" for date in ("2020-12", "2019-09")]
    + [f"http://json-schema.org/draft-0{number}/schema" for number in (4, 6, 7)]
)
_LEGACY = frozenset(f"http://json-schema.org/draft-0{number}/schema" for number in (4, 6, 7))
_NOTES = frozenset("title description default examples $comment $defs definitions $id id $schema".split())


def schema_of(given: SchemaLike) -> dict[str, Any]:
    """The JSON schema of a schema, its text, a pydantic model or a `TypeAdapter`. Raises GrammarError."""
    if isinstance(given, bool):
        return {} if given else {"not": {}}
    if isinstance(given, str):
        try:
            given = cast("Mapping[str, Any]", json.loads(given))
        except (ValueError, RecursionError) as error:
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
    """The grammar text for a schema. Raises GrammarError with the keyword, its JSON pointer and the way out."""
    given = dict(schema)
    own = schema_text(given)  # refuses what is no JSON
    if cast("Any", given.get("x-guidance")) not in (None, _COMPACT):
        said = compile_error("lark", own)
        if not said:
            return own
        reason = said.partition("failed to compile JSON schema:")[2].strip() or said
        raise GrammarError(f"this schema cannot be a grammar: {reason}", rule="E10")
    try:
        text = lowered_schema(given)
        said = compile_error("lark", text)
        if not said:
            return text
        failure = GrammarError(
            f"this schema cannot be a grammar: it gets too large for llguidance ({said})", rule="E10"
        )
    except GrammarError as error:
        failure = error
    plain = _Plain(given)
    if plain.trusted:
        text = schema_text(plain.schema)
        if not compile_error("lark", text):
            return text
    raise failure


def lowered_schema(schema: Mapping[str, Any]) -> str:
    """The schema as plain rules, without `%json`. Raises GrammarError as `compiled_schema` does."""
    from .json_document import SchemaWordsError
    from .json_lowering import lowered

    given = {key: value for key, value in schema.items() if key != "x-guidance"}
    try:
        return "\n".join(["start: json_0", *lowered(given)]) + "\n"
    except SchemaWordsError as error:
        raise GrammarError(
            f"this schema cannot be a grammar: {error}. Change the schema there, or ask for the schema as a response "
            "format and validate the answer",
            rule="E10",
        ) from error


def schema_text(schema: Mapping[str, Any]) -> str:
    """The grammar text for a schema, for llguidance."""
    given = dict(schema)
    options = given.get("x-guidance")
    given["x-guidance"] = (
        {**_COMPACT, **cast("dict[str, Any]", options)} if isinstance(options, dict) else _COMPACT
    )
    try:
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise GrammarError(f"the schema is not JSON: {error}", rule="E10") from error
    return f"start: %json {text}\n"


class _Plain:
    """The schema with formats as llguidance knows them. `trusted`: it reads the rest as `jsonschema` does."""

    def __init__(self, schema: Schema) -> None:
        draft = schema.get("$schema", "")
        name = draft.rstrip("#") if isinstance(draft, str) else ""
        self.legacy = name in _LEGACY
        self.trusted = True
        self.depth = 0
        if name and name not in _DRAFTS:
            schema = {key: value for key, value in schema.items() if key != "$schema"}
        self.schema = self.of(schema)

    def of(self, schema: Schema) -> Schema:
        """This schema and all below it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RecursionError
        if "$ref" in schema and self.legacy and schema.keys() - _NOTES - {"$ref"}:
            self.trusted = False  # llguidance heeds what stands beside $ref in every draft
        pattern = schema.get("pattern")
        named = schema.get("patternProperties")
        patterns = list(cast("Schema", named)) if isinstance(named, dict) else []
        for one in [*([pattern] if isinstance(pattern, str) else []), *patterns]:
            self.trusted = self.trusted and _plain_pattern(one)
        made = {key: self.below(key, value) for key, value in schema.items() if key != "format"}
        self.depth -= 1
        return {**made, **_format(schema)} if "format" in schema else made

    def below(self, key: str, value: Any) -> Any:
        if key in _MAPS and isinstance(value, dict):
            return {name: self.schema_of(one) for name, one in cast("Schema", value).items()}
        if key in _LISTS and isinstance(value, list):
            return [self.schema_of(one) for one in cast("Sequence[Any]", value)]
        return self.schema_of(value) if key in _ONE else value

    def schema_of(self, value: Any) -> Any:
        return self.of(cast("Schema", value)) if isinstance(value, dict) else value


def _plain_pattern(pattern: str) -> bool:
    """Whether Rust reads a pattern as Python does."""
    try:
        notes = read_regex(pattern).notes
    except RegexError:
        return True  # anchors on the way and the like: llguidance has a reader of its own, or refuses
    return not any(note.kind in ("set-operator", "posix-class", "nested-repeat") for note in notes)


def _format(schema: Schema) -> Schema:
    """The format in llguidance's words: its name, a pattern, or nothing where it holds nothing."""
    from .json_formats import NO_WORDS

    name = schema["format"]
    if isinstance(name, str) and name in _SAME_FORMATS | NO_WORDS:
        return {"format": name}
    if not isinstance(name, str) or name not in FORMATS:
        return {}
    pattern = f"^(?:{FORMATS[name]})$"
    if "pattern" not in schema:
        return {"pattern": pattern}
    return {"allOf": [*cast("list[Any]", schema.get("allOf", [])), {"pattern": pattern}]}
