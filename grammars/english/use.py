"""`use TOOL with NAME VALUE, NAME VALUE`: a call of a plain function tool, as a sentence.

A value is a quoted text, a number, true or false, null, a JSON list or object, or, for a text, the words up to the
next comma. What the tool's schema says about types and choices is checked here, before anything is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .problems import NotUnderstood, Place
from .shapes import is_list, is_mapping
from .words import nearest

__all__ = ["ToolUse", "complete_use", "is_use", "read_use", "usable"]

_USE = re.compile(r"\s*use\s+(?:the\s+)?(?:tool\s+)?", re.IGNORECASE)
_WITH = re.compile(r"\s*(?:\bwith\b|:)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "null": None, "nothing": None}


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool and its arguments, as plain JSON."""

    tool: str
    arguments: Mapping[str, Any]


def usable(tools: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the function tools, which can be used by a sentence."""
    return [tool for tool in tools if tool.get("type", "function") == "function" and tool.get("name")]


def is_use(question: str) -> bool:
    """Tell whether the sentence asks for a tool."""
    return re.match(r"\s*use\s", question, re.IGNORECASE) is not None


def complete_use(prefix: str, tools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what may follow in a sentence that `is_use`: tools, `with`, the names that are not given yet."""
    known = usable(tools)
    start = cast(re.Match[str], _USE.match(prefix)).end()
    unfinished = prefix[max(prefix.rfind(" "), start - 1) + 1 :].lower()
    for tool in sorted(known, key=lambda each: -len(str(each["name"]))):
        end = _name_end(prefix, start, str(tool["name"]))
        if end and end < len(prefix):
            rest = _WITH.match(prefix, end)
            names = list(_object(_object(tool.get("parameters")).get("properties")))
            if rest is None:
                return ["with"] if "with".startswith(unfinished) and names else []
            part = re.split(r",\s*", prefix[rest.end() :])[-1]
            return [] if " " in part else [name for name in names if name.lower().startswith(part.lower())]
    return [
        str(tool["name"]) for tool in known if str(tool["name"]).lower().startswith(prefix[start:].lower())
    ]


def read_use(question: str, tools: Sequence[Mapping[str, Any]]) -> ToolUse:
    """Read a sentence that `is_use`; raises NotUnderstood that says what the tool takes."""
    known = usable(tools)
    start = cast(re.Match[str], _USE.match(question)).end()
    tool, after = _tool(question, start, known)
    parameters = _object(tool.get("parameters"))
    properties = _object(parameters.get("properties"))
    arguments: dict[str, Any] = {}
    rest = _WITH.match(question, after)
    if rest and rest.end() < len(question.rstrip()):
        for begin, end in _parts(question, rest.end()):
            name, value = _argument(question, (begin, end), properties, tool)
            if name in arguments:
                raise NotUnderstood(f"{name} is given twice", Place(question, begin, end))
            arguments[name] = value
    elif question[after:].strip(" .!?"):
        place = Place(question, after, len(question))
        raise NotUnderstood(f"after the tool comes `with {_example(properties)}`", place, expected=("with",))
    for name in cast("Sequence[str]", parameters.get("required") or ()):
        if name not in arguments:
            if "null" not in _types(_object(properties.get(name))):
                missing = Place(question, len(question.rstrip()), len(question.rstrip()))
                expected = tuple(each for each in properties if each not in arguments)
                raise NotUnderstood(f"{tool['name']} needs {name}", missing, expected=expected)
            arguments[name] = None
    return ToolUse(str(tool["name"]), arguments)


def _tool(question: str, start: int, tools: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], int]:
    for tool in sorted(tools, key=lambda each: -len(str(each["name"]))):
        end = _name_end(question, start, str(tool["name"]))
        if end:
            return tool, end
    word = re.compile(r"\S*").match(question, start)
    said = word.group() if word else ""
    names = [str(tool["name"]) for tool in tools]
    reason = f"there is no tool {said!r}" if names else "there is no tool to use"
    place = Place(question, start, start + len(said))
    raise NotUnderstood(reason, place, suggestions=tuple(nearest(said, names)), expected=tuple(names[:8]))


def _name_end(question: str, start: int, name: str) -> int:
    """Return where `name` ends when it stands at `start`, in any case, with spaces or underscores; else 0."""
    words = [re.escape(word) for word in re.split(r"[_\s]+", name) if word]
    if not words:
        return 0
    match = re.compile(r"[_\s]+".join(words) + r"(?![\w-])", re.IGNORECASE).match(question, start)
    return match.end() if match else 0


def _parts(question: str, start: int) -> list[tuple[int, int]]:
    """Cut at the commas outside quotes and brackets."""
    parts: list[tuple[int, int]] = []
    depth, quote, begin = 0, "", start
    i = start
    while i < len(question):
        char = question[i]
        if quote:
            if char == "\\" and depth:
                i += 1
            elif char == quote:
                quote = ""
        elif char == '"':
            quote = char
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        elif char == "," and not depth:
            parts.append((begin, i))
            begin = i + 1
        i += 1
    if quote:
        raise NotUnderstood('this quote is never closed: add "', Place(question, begin, len(question)))
    parts.append((begin, len(question)))
    return parts


def _argument(
    question: str, part: tuple[int, int], properties: Mapping[str, Any], tool: Mapping[str, Any]
) -> tuple[str, Any]:
    start, end = part
    start += len(question[start:end]) - len(question[start:end].lstrip())
    if question[start:end].lower().startswith("and "):
        start += 4
    for name in sorted(properties, key=len, reverse=True):
        after = _name_end(question, start, name)
        if after and after <= end:
            text = question[after:end].strip()
            text = re.sub(r"^[=:]\s*", "", text)
            return name, _value(text, _object(properties[name]), name, Place(question, after, end))
    said = question[start:end].split(None, 1)
    place = Place(question, start, end)
    reason = f"{tool['name']} takes no {said[0]!r}" if said else "a name and a value are missing"
    near = tuple(nearest(said[0], list(properties))) if said else ()
    raise NotUnderstood(reason, place, suggestions=near, expected=tuple(properties)[:8])


def _value(text: str, schema: Mapping[str, Any], name: str, place: Place) -> Any:
    types = _types(schema)
    value = _decoded(text, types)
    if value is _NOTHING or not _fits(value, types):
        wanted = " or ".join(sorted(types)) or "a value"
        raise NotUnderstood(f"{name} takes {wanted}, not {text or 'nothing'}", place)
    choices: Any = schema.get("enum")
    if is_list(choices) and value not in choices:
        listed = choices
        same = [each for each in listed if isinstance(each, str) and each.lower() == str(value).lower()]
        if len(same) == 1:
            return same[0]
        shown = tuple(json.dumps(each, ensure_ascii=False) for each in listed[:8])
        near = tuple(nearest(str(value), [str(each) for each in listed]))
        raise NotUnderstood(f"{name} cannot be {text}", place, suggestions=near, expected=shown)
    return value


_NOTHING: Any = object()


def _decoded(text: str, types: frozenset[str]) -> Any:
    if not text:
        return _NOTHING
    if text.startswith('"'):
        inner = text[1:-1] if len(text) > 1 and text.endswith('"') else None
        if inner is None or '"' in inner.replace('""', ""):
            return _NOTHING
        return inner.replace('""', '"')
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return _NOTHING
    if "string" in types and not (types & {"number", "integer"} and _NUMBER.fullmatch(text)):
        plain = text.lower()
        if plain in _WORDS and types & {"boolean", "null"} and _fits(_WORDS[plain], types - {"string"}):
            return _WORDS[plain]
        return text
    if _NUMBER.fullmatch(text):
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    return _WORDS.get(text.lower(), text if not types else _NOTHING)


def _fits(value: Any, types: frozenset[str]) -> bool:
    if not types:
        return True
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case int():
            return bool(types & {"integer", "number"})
        case float():
            return "number" in types
        case str():
            return "string" in types
        case list():
            return "array" in types
        case _:
            return "object" in types


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types that a schema allows; empty where it does not say."""
    given: Any = schema.get("type")
    if isinstance(given, str):
        return frozenset({given})
    if is_list(given):
        return frozenset(map(str, given))
    found: set[str] = set()
    for key in ("anyOf", "oneOf"):
        for branch in cast("list[Any]", schema.get(key) or []):
            found |= _types(_object(branch)) or _ALL_TYPES
    choices: Any = schema.get("enum") or ()
    return frozenset(found.union(_type_of(each) for each in choices))


_ALL_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
_TYPE_NAMES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def _type_of(value: Any) -> str:
    return next((name for kind, name in _TYPE_NAMES.items() if type(value) is kind), "object")


def _object(value: Any) -> Mapping[str, Any]:
    return value if is_mapping(value) else {}


def _example(properties: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} VALUE" for name in list(properties)[:2]) or "NAME VALUE"
