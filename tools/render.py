"""Turn what a tool returned into what the model is sent: a text or content parts, compact, cut to a limit."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import orjson

from jigwork.errors import ToolDefinitionError, ToolError

from .jsontypes import is_array, is_mapping
from .options import DEFAULT_MAX_OUTPUT
from .outcome import ToolOutput
from .typeddicts import portable

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["NOTHING", "PART_TYPES", "ResultError", "cut", "render", "require_output_type", "to_json"]

NOTHING = "(no result)"
"""What the model is sent for None."""

PART_TYPES = frozenset({"input_text", "input_image", "input_file"})

_MAX_DEPTH = 200
_IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


class ResultError(ToolError):
    """A tool ran, and what it returned cannot be sent. The text is for the model, `fix` for the developer."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix
        self.add_note(fix)


def render(value: Any, *, limit: int = DEFAULT_MAX_OUTPUT, output_type: Any = None) -> ToolOutput:
    """Return a text (or content parts) of at most about `limit` characters.

    `output_type` validates the value first. Raises ResultError for what has no JSON form or is of another type.
    """
    if output_type is not None:
        value = _validated(value, output_type)
    if callable(
        for_model := getattr(value, "for_model", None)
    ):  # a value that knows what a model should read
        value = for_model()
    if isinstance(value, str):
        return cut(_encodable(value), limit)
    if value is None:
        return NOTHING
    if parts := _parts(value):
        return [_cut_part(part, limit) for part in parts]
    if isinstance(value, (bytes, bytearray)):
        return _binary(bytes(value), limit)
    return cut(to_json(value), limit)


def to_json(value: Any) -> str:
    """Write a value as compact JSON, the same for equal values; raise ResultError where there is no JSON form."""
    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        pass  # integers of more than 64 bits, lone surrogates and unknown types: the careful way tells which
    return json.dumps(_plain(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def cut(text: str, limit: int) -> str:
    """Cut the middle out of a text that is longer than `limit` characters, and say how much is missing."""
    if len(text) <= limit:
        return text
    room = limit - 80
    head = room * 2 // 3
    tail = room - head
    missing = len(text) - head - tail
    return f"{text[:head]}\n[… {missing} of {len(text)} characters are left out here …]\n{text[len(text) - tail :]}"


def _default(value: Any) -> Any:
    """Give orjson a JSON form of what it does not know; TypeError for what has none."""
    if _named(value):
        return value._asdict()
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    if hasattr(value, "__pydantic_serializer__"):
        return _dumped(value)
    if callable(getattr(value, "tolist", None)):  # numpy's arrays and numbers
        return value.tolist()
    raise TypeError


def _named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(cast("Any", value), "_asdict")


def _dumped(value: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, inf_nan_mode="null", bytes_mode="base64", by_alias=True)


def _order(member: Any) -> tuple[bool, str, Any]:
    """Order the members of a set: numbers by size, everything else by its JSON."""
    number = isinstance(member, (int, float)) and not isinstance(member, bool)
    return (not number, "" if number else to_json(member), member if number else 0)


def _set(value: AbstractSet[Any]) -> list[Any]:
    return sorted((_plain(member, 1) for member in value), key=_order)


_FORMS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (decimal.Decimal, str),
    (AbstractSet, _set),
    ((bytes, bytearray), lambda value: _text_of(bytes(value))),
    (pathlib.PurePath, str),
    (datetime.timedelta, lambda value: _dumped(value)),
    (enum.Enum, lambda value: value.value),
    (Mapping, dict),
    ((range, tuple, list), list),
    (complex, str),
)


def _plain(value: Any, depth: int) -> Any:
    """Convert to plain JSON data, slowly: names the type that has no JSON form."""
    if depth > _MAX_DEPTH:
        raise ResultError(
            "the tool ran, but its result cannot be sent: it is nested too deeply",
            "a result refers to itself or is nested more than 200 levels deep; return a flatter value",
        )
    match value:
        case None | bool():
            return value
        case enum.Enum():
            return _plain(value.value, depth + 1)
        case str():
            return _encodable(value)
        case int():
            return int(value)
        case float():
            return value if value - value == 0 else None
        case Mapping():
            members: Iterable[tuple[Any, Any]] = cast("Any", value).items()
            return {_key(key): _plain(member, depth + 1) for key, member in members}
        case list() | tuple() if not _named(value):
            return [_plain(element, depth + 1) for element in cast("Iterable[Any]", value)]
        case uuid.UUID():
            return str(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = dataclasses.fields(value)
            return {
                f.name: _plain(getattr(value, f.name), depth + 1)
                for f in fields
                if not f.name.startswith("_")
            }
        case _:
            return _plain_other(value, depth)


def _plain_other(value: Any, depth: int) -> Any:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        return _plain(_default(value), depth + 1)
    except ResultError:
        raise
    except (TypeError, ValueError) as error:
        raise ResultError(
            "the tool ran, but its result cannot be sent: it has no JSON form",
            f"{kind} has no JSON form; return text, a dict, a list, a dataclass or a pydantic model"
            + ("" if not str(error) else f" ({str(error)[:200]})"),
        ) from error


def _key(key: Any) -> str:
    plain = _plain(key, _MAX_DEPTH - 1)
    if isinstance(plain, str):
        return plain
    if plain is None or isinstance(plain, (bool, int, float)):
        return json.dumps(plain)
    raise ResultError(
        "the tool ran, but its result cannot be sent: a key is no text",
        f"a dict in the result has the key {str(key)[:60]!r}; JSON keys are texts",
    )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which no encoding takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _text_of(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _binary(data: bytes, limit: int) -> ToolOutput:
    for magic, kind in _IMAGES.items():
        if data.startswith(magic) and (kind != "webp" or data[8:12] == b"WEBP"):
            url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
            return [{"type": "input_image", "image_url": url}]
    try:
        return cut(data.decode(), limit)
    except UnicodeDecodeError as error:
        raise ResultError(
            f"the tool ran, but its result cannot be sent: {len(data)} bytes that are neither text nor an image",
            'return text, or a part: {"type": "input_file", "filename": ..., "file_data": ...}',
        ) from error


def _parts(value: Any) -> list[Mapping[str, Any]] | None:
    """Return content parts if the value is one or a list of them."""
    parts: Sequence[Any] = [value] if is_mapping(value) else value if is_array(value) else ()
    if parts and all(is_mapping(part) and part.get("type") in PART_TYPES for part in parts):
        return list(parts)
    return None


def _cut_part(part: Mapping[str, Any], limit: int) -> Mapping[str, Any]:
    if part["type"] == "input_text" and isinstance(part.get("text"), str):
        return {**part, "text": cut(_encodable(part["text"]), limit)}
    return part


@lru_cache(maxsize=256)
def _adapter(output_type: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(portable(output_type))


def require_output_type(output_type: Any) -> None:
    """Raise ToolDefinitionError unless results can be validated as `output_type`."""
    from pydantic import PydanticUserError

    try:
        _adapter(output_type)
    except (PydanticUserError, TypeError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise ToolDefinitionError(f"output_type={output_type!r} cannot be validated: {reason}") from error


def _validated(value: Any, output_type: Any) -> Any:
    from pydantic import ValidationError

    adapter = _adapter(output_type)
    try:
        made = adapter.validate_python(value, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = "".join(f"/{part}" for part in found["loc"]) or "the whole"
        raise ResultError(
            "the tool ran, but its result is not of the form it promises",
            f"the result is no {output_type!r}: {place}: {found['msg']}",
        ) from error
    return made if isinstance(made, str) else adapter.dump_python(made, mode="json", by_alias=True)
