"""Put right what a schema shows to have exactly one reading: quoted numbers, null for "left out", envelopes.

Works on decoded JSON that is not valid as it is. Strings for string parameters are never touched, values are never
clamped, rounded or split. What cannot be put right is left as it is; the caller validates again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from .jsontext import JSONTextError, equal, parse_strict
from .jsontypes import is_array, is_mapping, is_object
from .lenient import read_lenient
from .pointers import follow, pointer
from .validation import SchemaCheck

__all__ = ["Mender", "read_text", "takes_nothing"]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}
_ENVELOPES = ("arguments", "parameters", "args", "params", "input", "kwargs")
_NAMES = ("name", "function", "tool", "tool_name")
_ECHO = {"type", "properties", "required", "additionalProperties", "title", "description", "$schema"}

Path = tuple[str | int, ...]

_MAX_VISITS = 5000
"""Places that are looked at; what is larger and wrong is refused as it is."""


def read_text(text: str) -> tuple[Any, list[str]]:
    """Return the value of a text and the repairs it took; raise JSONTextError when it has no single reading."""
    try:
        return parse_strict(text), []
    except JSONTextError:
        return read_lenient(text)


class Mender:
    """Repairs values of one schema. `repairs` collects a sentence for each change."""

    def __init__(self, check: SchemaCheck, name: str) -> None:
        self._check = check
        self._root = check.schema
        self._name = name
        self.repairs: list[str] = []
        self._visits = 0
        self._done: dict[tuple[int, int], tuple[Any, Any, Any, list[str]]] = {}

    def root(self, value: Any) -> Any:
        """Mend whole arguments: their envelope first where there is one, then what is inside."""
        value = self._object(value)
        if not is_object(value):
            return value
        mended = self._mend(value, self._root, ())
        if self._check.ok(mended):
            return mended
        kept = self.repairs
        for inner, repair in self._envelopes(value):
            self.repairs = [*kept, repair]
            opened = self._mend(inner, self._root, ())
            if self._check.ok(opened):
                return opened
        self.repairs = kept
        return mended

    def _object(self, value: Any) -> Any:
        """Return the object that a wrong root can only mean, or the value as it is."""
        if isinstance(value, str):
            try:
                inner, repairs = read_text(value)
            except JSONTextError:
                return value
            if is_object(inner):
                self.repairs += ["decoded arguments that were encoded twice", *repairs]
                return inner
            return value
        if value in (None, []) and not isinstance(value, bool) and takes_nothing(self._root):
            self.repairs.append("read an empty value as no arguments")
            return {}
        if is_array(value):
            elements = value
            if len(elements) == 1 and is_object(elements[0]):
                self.repairs.append("took the one object out of an array")
                return elements[0]
        return value

    def _envelopes(self, value: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
        declared: Mapping[str, Any] = self._resolved(self._root).get("properties", {})
        if any(key in declared for key in value):
            return []
        found: list[tuple[Any, str]] = []
        keys = set(value)
        for envelope in (*_ENVELOPES, self._name):
            named = [name for name in _NAMES if name in keys]
            rest = keys - {envelope, *named, "id", "type"}
            right = all(value[name] == self._name for name in named) and (bool(named) or keys == {envelope})
            if envelope in keys and not rest and right:
                found.append((value[envelope], f"took the arguments out of {json.dumps(envelope)}"))
        if "properties" in keys and keys <= _ECHO and not _repeats(value["properties"], declared):
            found.append((value["properties"], "took the arguments out of an echo of the schema"))
        opened: list[tuple[dict[str, Any], str]] = []
        for inner, repair in found:
            if isinstance(inner, str):
                try:
                    inner = read_text(inner)[0]
                except JSONTextError:
                    continue
            if is_object(inner):
                opened.append((inner, repair))
        return opened

    # -- inside

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(50):
            if not is_mapping(schema):
                return {}
            node = schema
            reference = node.get("$ref")
            if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
                return node
            schema = follow(self._root, reference)
        return {}

    def _fixed(self, path: Path, repair: str) -> None:
        self.repairs.append(f"{pointer(path)}: {repair}")

    def _mend(self, value: Any, schema: Any, path: Path) -> Any:
        """Mend a part; objects and arrays once per schema, as unions inside unions ask for them again and again."""
        node = self._resolved(schema)
        key = (id(value), id(node))
        known = self._done.get(key)
        if known is None:
            self._visits += 1
            if self._visits > _MAX_VISITS or self._check.part_ok(schema, value):
                return value
            if not (is_object(value) or is_array(value)):
                return self._mended(value, node, path)
            kept, self.repairs = self.repairs, []
            known = (value, node, self._mended(value, node, path), self.repairs)
            self._done[key] = known
            self.repairs = kept
        self.repairs += known[3]
        return known[2]

    def _mended(self, value: Any, node: Mapping[str, Any], path: Path) -> Any:
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                value = self._union(value, node[keyword], path)
        for part in node.get("allOf", ()):
            value = self._mend(value, part, path)
        if isinstance(value, str):
            value = self._text(value, node, path)
        if is_object(value):
            return self._members(value, node, path)
        if is_array(value):
            return self._elements(value, node, path)
        if (
            isinstance(value, float)
            and "integer" in _types(node)
            and value.is_integer()
            and abs(value) < 2**53
        ):
            self._fixed(path, "wrote a whole number without a fraction")
            return int(value)
        return value

    def _union(self, value: Any, options: list[Any], path: Path) -> Any:
        """Mend by the branches; two different valid results are two readings, and none is taken."""
        kept = self.repairs
        results: list[tuple[Any, list[str]]] = []
        partly: list[tuple[Any, list[str]]] = []
        for option in options:
            self.repairs = []
            mended = self._mend(value, option, path)
            done = results if self._check.part_ok(option, mended) else partly
            if not any(equal(mended, other) for other, _ in done):
                done.append((mended, self.repairs))
        self.repairs = kept
        chosen = results or [(mended, repairs) for mended, repairs in partly if repairs]
        if len(chosen) != 1:
            return value
        self.repairs = kept + chosen[0][1]
        return chosen[0][0]

    def _members(self, value: dict[str, Any], node: Mapping[str, Any], path: Path) -> dict[str, Any]:
        properties: Mapping[str, Any] = node.get("properties", {})
        others: Any = node.get("additionalProperties", True)
        mended: dict[str, Any] = {}
        for key, member in value.items():
            part = properties.get(key, others)
            optional = key in properties and key not in node.get("required", ())
            if member is None and optional and not self._check.part_ok(part, None):
                self._fixed((*path, key), "read null as left out")
                continue
            mended[key] = self._mend(member, part, (*path, key)) if key in properties or others else member
        return mended

    def _elements(self, value: list[Any], node: Mapping[str, Any], path: Path) -> list[Any]:
        first: Any = node.get("prefixItems", [])
        rest: Any = node.get("items", True)
        if is_array(rest):
            first, rest = rest, node.get("additionalItems", True)
        parts = [*first, *([rest] * max(0, len(value) - len(first)))]
        return [self._mend(element, parts[i], (*path, i)) for i, element in enumerate(value)]

    def _text(self, value: str, node: Mapping[str, Any], path: Path) -> Any:
        if "enum" in node or "const" in node:
            return self._member(value, node["enum"] if "enum" in node else [node["const"]], path)
        types = _types(node)
        if "string" in types:
            return value
        readings: list[Any] = []
        if "boolean" in types and value in _BOOLEANS:
            readings.append(_BOOLEANS[value])
        if "number" in types and _NUMBER.fullmatch(value):
            readings.append(int(value) if _INTEGER.fullmatch(value) else float(value))
        elif "integer" in types and _INTEGER.fullmatch(value) and len(value) < 1000:
            readings.append(int(value))
        if len(readings) == 1 and readings[0] not in (float("inf"), float("-inf")):
            self._fixed(path, f"removed the quotes around {value[:40]}")
            return readings[0]
        return self._structure(value, types, path)

    def _structure(self, value: str, types: set[str], path: Path) -> Any:
        if value.lstrip()[:1] not in ("{", "[") or not types & {"object", "array"}:
            return value
        try:
            inner, repairs = read_text(value)
        except JSONTextError:
            return value
        wanted = "object" if is_object(inner) else "array"
        if wanted not in types or not isinstance(inner, (dict, list)):
            return value
        self._fixed(path, f"decoded an {wanted} that was written as a string")
        self.repairs += [f"{pointer(path)}: {repair}" for repair in repairs]
        return cast("Any", inner)

    def _member(self, value: str, members: list[Any], path: Path) -> Any:
        if not any(isinstance(member, str) for member in members) and (
            value in _BOOLEANS or _NUMBER.fullmatch(value)
        ):
            scalar = _BOOLEANS[value] if value in _BOOLEANS else json.loads(value)
            if any(equal(scalar, member) for member in members):
                self._fixed(path, f"removed the quotes around {value[:40]}")
                return scalar
        for fold in _FOLDS:
            wanted = fold(value)
            close = [member for member in members if isinstance(member, str) and fold(member) == wanted]
            if len(close) == 1:
                self._fixed(path, f"read {json.dumps(value[:40])} as {json.dumps(close[0][:40])}")
                return close[0]
            if close:
                break
        return value


def _repeats(echo: Any, declared: Mapping[str, Any]) -> bool:
    """Tell whether an echo of the schema holds a schema still, where a value should be."""
    return is_object(echo) and any(name in declared and declared[name] == part for name, part in echo.items())


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" else text


_FOLDS: tuple[Callable[[str], str], ...] = (
    str.strip,
    lambda text: text.strip().lower(),
    lambda text: _unquoted(text).lower(),
)


def _types(node: Mapping[str, Any]) -> set[str]:
    kinds = node.get("type", ())
    types: set[str] = {kinds} if isinstance(kinds, str) else set(kinds)
    if not types:
        for keyword, kind in (("properties", "object"), ("items", "array"), ("prefixItems", "array")):
            if keyword in node:
                types.add(kind)
    return types


def takes_nothing(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema is that of a tool without parameters."""
    return not any(
        schema.get(k) for k in ("properties", "$ref", "allOf", "anyOf", "oneOf", "required")
    ) and not (isinstance(schema.get("additionalProperties"), Mapping) or schema.get("patternProperties"))
