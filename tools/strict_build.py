"""Build the strict form of a schema and its undo map, or say why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from .jsontypes import is_array, is_mapping
from .merge import merge_schemas
from .pointers import follow, pointer
from .strict_words import MAP_KEYWORDS, PAIRS, cut, listed, note, sentences, with_null, with_option
from .subset import ANNOTATIONS, ASSERTIONS, FORMATS, KEYWORDS, rust_pattern, strict_violations
from .validation import SchemaCheck
from .wire import (
    Absence,
    ArrayShape,
    Branch,
    MapShape,
    ObjectShape,
    RefShape,
    Shape,
    Site,
    TupleShape,
    UnionShape,
)

__all__ = ["Builder", "NotStrictError"]

Path = tuple[str | int, ...]
Built = tuple[dict[str, Any], Shape]

_LITERAL = Shape()
_MAX_NODES = 5000
_TYPE_OF_KEYWORD = {
    "properties": "object",
    "additionalProperties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "format": "string",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}
_STRUCTURAL = frozenset(
    {
        "type",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "$defs",
        "definitions",
        "properties",
        "required",
    }
    | {
        "additionalProperties",
        "items",
        "prefixItems",
        "additionalItems",
        "minItems",
        "maxItems",
        "discriminator",
    }
    | {"$schema", "$id"}
)


class NotStrictError(Exception):
    """This schema has no strict form; the message says where and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{pointer(path) or 'the root'} {reason}")


class Builder:
    """One build. `losses` collects what the strict form cannot say."""

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self.plain = plain
        self.losses: list[str] = []
        self._check = SchemaCheck(plain)
        self._defs: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        self._shapes: dict[str, Shape] = {}
        self._unions: list[tuple[UnionShape, list[tuple[Shape, dict[str, Any], Any]], Path]] = []
        self._exclusive: list[tuple[UnionShape, Path]] = []
        self._nodes = 0

    def build(self) -> Built:
        """Return the strict schema and its undo map; raise NotStrictError where there is no such form."""
        root: dict[str, Any] = self._inlined(self.plain, ())
        if root.get("type", "object") != "object":
            raise NotStrictError((), "is not an object")
        others: Any = root.get("additionalProperties")
        if not root.get("properties") and others is not True and not is_mapping(others):
            root |= {"properties": {}, "additionalProperties": False}
        wire, shape = self._node({"type": "object", **root}, ())
        if wire.get("type") != "object":
            raise NotStrictError((), "is a dict with free keys or a union, which cannot be the root")
        wire = {key: wire[key] for key in ("type", *wire) if key in wire}
        if self._defs:
            wire["$defs"] = self._defs
        self._finish_unions()
        if found := strict_violations(wire):
            raise NotStrictError((), f"has no strict form: {found[0].lstrip(': ')}")
        return wire, shape

    # -- one node

    def _inlined(self, schema: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Resolve a `$ref` at the top of a schema; what stands beside it is merged in."""
        node = dict(schema)
        for _ in range(20):
            reference = node.pop("$ref", None)
            if reference is None:
                return node
            node.pop("$defs", None)
            node = merge_schemas(self._target(reference, path), node, self._conflict(path))
        raise NotStrictError(path, "refers to itself without end")

    def _conflict(self, path: Path) -> Any:
        def conflict(keyword: str) -> NotStrictError:
            return NotStrictError(path, f"combines schemas that differ in {keyword}")

        return conflict

    def _target(self, reference: str, path: Path) -> dict[str, Any]:
        if reference != "#" and not reference.startswith("#/"):
            raise NotStrictError(
                path, f"uses the reference {reference!r}, which only JSON Schema validators follow"
            )
        target = follow(self.plain, reference)
        if not is_mapping(target):
            raise NotStrictError(path, "refers to a schema that takes anything")
        found = dict(target)
        found.pop("$defs", None)
        found.pop("definitions", None)
        return found

    def _node(self, schema: Any, path: Path, *, in_union: bool = False) -> Built:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise NotStrictError(path, f"lies in a schema of more than {_MAX_NODES} parts")
        if not is_mapping(schema):
            raise NotStrictError(path, "takes any value")
        node = dict(schema)
        if "allOf" in node:
            for part in node.pop("allOf"):
                part = self._inlined(part, path) if is_mapping(part) else {}
                node = merge_schemas(node, part, self._conflict(path))
            return self._node(node, path, in_union=in_union)
        if "$ref" in node:
            return self._reference(node, path)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                return self._union(node, keyword, path, in_union=in_union)
        if "enum" in node or "const" in node:
            return self._enum(node, path)
        kinds = self._types(node, path)
        if len(kinds) > 1 and set(kinds) & {"object", "array"}:
            options = [
                {**{k: v for k, v in node.items() if k not in ANNOTATIONS}, "type": kind} for kind in kinds
            ]
            kept = {k: v for k, v in node.items() if k in ANNOTATIONS}
            return self._union({**kept, "anyOf": options}, "anyOf", path, in_union=in_union)
        if kinds[0] == "object":
            return self._object(node, path, in_union=in_union)
        if kinds[0] == "array":
            return self._array(node, path)
        return self._scalar(node, kinds, path), _LITERAL

    def _types(self, node: Mapping[str, Any], path: Path) -> list[str]:
        if "type" in node:
            return [node["type"]] if isinstance(node["type"], str) else list(node["type"])
        for keyword, kind in _TYPE_OF_KEYWORD.items():
            if keyword in node:
                self._lose(path, f"only values of type {kind} can be written")
                return [kind]
        raise NotStrictError(path, "takes any value")

    def _lose(self, path: Path, what: str) -> None:
        sentence = f"{pointer(path) or '/'}: {what}"
        if sentence not in self.losses:
            self.losses.append(sentence)

    def _told(self, node: Mapping[str, Any], kinds: list[str], path: Path) -> dict[str, Any]:
        """Start a wire node: type, description, and in it what the subset cannot say."""
        allowed = _STRUCTURAL.union(ANNOTATIONS, *(KEYWORDS[kind] for kind in kinds))
        notes: list[str] = []
        for keyword, wanted in node.items():
            unsupported = keyword not in allowed and keyword in ASSERTIONS
            unsupported |= keyword == "format" and wanted not in FORMATS
            unsupported |= keyword == "pattern" and not rust_pattern(wanted)
            if unsupported:
                notes.append(note(keyword, wanted))
                self._lose(path, f"{keyword} is told in the description only")
        if node.get("default") is not None:
            notes.append(f"Default: {cut(json.dumps(node['default'], ensure_ascii=False, default=str))}.")
        wire: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
        text = sentences(str(node.get("description") or ""), *notes)
        return {**wire, "description": text} if text else wire

    def _scalar(self, node: Mapping[str, Any], kinds: list[str], path: Path) -> dict[str, Any]:
        wire = self._told(node, kinds, path)
        for keyword in frozenset[str]().union(*(KEYWORDS[kind] for kind in kinds)):
            if keyword not in node:
                continue
            if (keyword == "format" and node[keyword] not in FORMATS) or (
                keyword == "pattern" and not rust_pattern(node[keyword])
            ):
                continue
            wire[keyword] = node[keyword]
        return dict(sorted(wire.items(), key=lambda item: item[0] != "type"))

    def _enum(self, node: Mapping[str, Any], path: Path) -> Built:
        members: list[Any] = list(node["enum"]) if "enum" in node else [node["const"]]
        found = {
            "null" if m is None else "boolean" if isinstance(m, bool) else "string" if isinstance(m, str) else
            "integer" if isinstance(m, int) else "number" if isinstance(m, float) else ""
            for m in members
        }  # fmt: skip
        if "" in found or not members:
            raise NotStrictError(path, "is an enum of values that are no scalars")
        kinds = sorted(found, key=("string", "integer", "number", "boolean", "null").index)
        declared: Any = node.get("type", ())
        wanted: set[str] = {declared} if isinstance(declared, str) else set(declared)
        if wanted and not found <= wanted | ({"integer"} if "number" in wanted else set()):
            raise NotStrictError(path, "has enum values that are not of its type")
        rest = {key: value for key, value in node.items() if key in ANNOTATIONS}
        wire = self._told(rest, kinds, path)
        return {"type": wire["type"], "enum": members, **wire}, _LITERAL

    # -- references and unions

    def _reference(self, node: dict[str, Any], path: Path) -> Built:
        reference: str = node.pop("$ref")
        if set(node) - ANNOTATIONS:
            return self._node(merge_schemas(self._target(reference, path), node, self._conflict(path)), path)
        name = self._names.get(reference)
        if name is None:
            stem = (
                "".join(c if c.isalnum() or c in "_-" else "_" for c in reference.rsplit("/", 1)[-1])
                or "root"
            )
            stem = "root" if stem == "_" else stem
            name = stem
            while name in self._defs:
                name += "_"
            self._names[reference] = name
            self._defs[name] = {}
            wire, shape = self._node(self._target(reference, path), path)
            self._defs[name].update(wire)
            self._shapes[name] = shape
        plain = type(self._shapes.get(name)) is Shape
        made = _LITERAL if plain else RefShape(name, self._shapes)
        wire = {"$ref": f"#/$defs/{name}"}
        described = self._told(node, ["object"], path).get("description")
        return ({"anyOf": [wire], "description": described} if described else wire), made

    def _union(self, node: dict[str, Any], keyword: str, path: Path, *, in_union: bool) -> Built:
        options: list[Any] = node.pop(keyword)
        if all(is_mapping(o) and set(cast("Any", o)) <= {"required", "not"} for o in options) and node:
            self._lose(path, f"{keyword} is told in the description only")
            node["description"] = sentences(node.get("description", ""), note(keyword, options))
            return self._node(node, path, in_union=in_union)
        outer = {k: v for k, v in node.items() if k in ANNOTATIONS or k == "discriminator"}
        base = {k: v for k, v in node.items() if k not in outer}
        flat = self._flat(options, base, path)
        wires: list[tuple[Shape, dict[str, Any], Any]] = []
        for index, option in enumerate(flat):
            wire, shape = self._node(option, (*path, keyword, index), in_union=len(flat) > 1 or in_union)
            wires.append((shape, wire, option))
        described = self._told(outer, ["object"], path).get("description")
        if len(wires) == 1:
            one = {"anyOf": [wires[0][1]]} if described and "$ref" in wires[0][1] else wires[0][1]
            return ({**one, "description": described} if described else one), wires[0][0]
        union = UnionShape([])
        self._unions.append((union, wires, path))
        if keyword == "oneOf":
            self._exclusive.append((union, path))
        plain = all(type(shape) is Shape for shape, _, _ in wires)
        sent: list[dict[str, Any]] = []
        for _, option_wire, _ in wires:
            if option_wire not in sent:
                sent.append(option_wire)
        told = {"anyOf": sent, "description": described} if described else {"anyOf": sent}
        return told, _LITERAL if plain else union

    def _flat(self, options: list[Any], base: dict[str, Any], path: Path) -> list[Any]:
        """Return the options with `base` merged into each; unions inside unions are opened."""
        flat: list[Any] = []
        for option in options:
            if base and is_mapping(option):
                option = merge_schemas(base, self._inlined(cast("Any", option), path), self._conflict(path))
            inner = option if is_mapping(option) else {}
            nested = next((k for k in ("anyOf", "oneOf") if k in inner), None)
            if nested and not set(inner) - ANNOTATIONS - {nested, "discriminator"}:
                flat += self._flat(inner[nested], {}, path)
            else:
                flat.append(option)
        return flat

    def _finish_unions(self) -> None:
        for union, wires, _ in self._unions:
            union.branches.extend(self._branch(shape, wire, plain) for shape, wire, plain in wires)
        for union, path in self._exclusive:
            if not all(a.disjoint(b) for i, a in enumerate(union.branches) for b in union.branches[:i]):
                self._lose(path, "oneOf is sent as anyOf")
        for union, wires, path in self._unions:
            self._order_first_keys([wire for _, wire, _ in wires])
            if all(type(shape) is Shape for shape, _, _ in wires):
                continue
            for index, branch in enumerate(union.branches):
                if not all(branch.apart(other) for other in union.branches[:index]):
                    raise NotStrictError(path, "is a union whose options look the same on the wire")

    def _branch(self, shape: Shape, wire: dict[str, Any], plain: Any) -> Branch:
        target = self._resolved(wire)
        types: Any = target.get("type")
        if "anyOf" in target:
            types = [t for option in target["anyOf"] for t in listed(self._resolved(option).get("type"))]
        properties: dict[str, Any] | None = target.get("properties")
        tags = tuple(
            (key, tuple(part["enum"]))
            for key, part in (properties or {}).items()
            if len(part.get("enum", ())) > 0
        )
        keys = None if properties is None else frozenset(properties)
        check = self._check
        return Branch(shape, frozenset(listed(types)), keys, tags, lambda value: check.part_ok(plain, value))

    def _resolved(self, wire: dict[str, Any]) -> dict[str, Any]:
        for _ in range(20):
            if "$ref" in wire:
                wire = self._defs[wire["$ref"].rsplit("/", 1)[-1]]
            elif len(wire.get("anyOf", ())) == 1:
                wire = wire["anyOf"][0]
            else:
                break
        return wire

    def _order_first_keys(self, wires: list[dict[str, Any]]) -> None:
        """Let the options of a union begin with different keys, as the server demands, where they can."""
        objects = [target for wire in wires if (target := self._resolved(wire)).get("properties")]
        if len({next(iter(target["properties"])) for target in objects}) == len(objects):
            return
        for target in objects:
            properties: dict[str, Any] = target["properties"]
            others = [other["properties"] for other in objects if other is not target]
            tag = next((k for k, part in properties.items() if len(part.get("enum", ())) == 1), None)
            own = next((k for k in properties if not any(k in other for other in others)), None)
            if chosen := tag or own:
                target["properties"] = {chosen: properties[chosen], **properties}
                target["required"] = list(target["properties"])

    # -- objects and arrays

    def _object(self, node: dict[str, Any], path: Path, *, in_union: bool) -> Built:
        properties: Mapping[str, Any] = node.get("properties", {})
        others: Any = node.get("additionalProperties")
        free = is_mapping(others) and bool(others)
        if others is True or others == {} or (others is None and not properties):
            raise NotStrictError(path, "is an object with any content")
        if node.get("patternProperties"):
            raise NotStrictError(path, "has patternProperties")
        if missing := [name for name in node.get("required", ()) if name not in properties]:
            raise NotStrictError(path, f"requires {missing[0]!r} without saying what it is")
        if free and not properties:
            return self._map(node, path, in_union=in_union)
        sites: dict[str, Site] = {}
        wires: dict[str, Any] = {}
        for name, part in properties.items():
            wires[name], sites[name] = self._property(name, part, node, (*path, "properties", name))
        extra: MapShape | None = None
        key = ""
        if free:
            key = "additional_properties"
            while key in properties:
                key += "_"
            wires[key], shape = self._map({"additionalProperties": others}, path, in_union=False)
            extra = cast("MapShape", shape)
        wire = self._told(node, ["object"], path)
        wire |= {"properties": wires, "required": list(wires), "additionalProperties": False}
        same = (
            all(not site.absence and type(site.shape) is Shape for site in sites.values()) and extra is None
        )
        return wire, _LITERAL if same else ObjectShape(sites, extra=extra, extra_key=key)

    def _property(
        self, name: str, part: Any, node: Mapping[str, Any], path: Path
    ) -> tuple[dict[str, Any], Site]:
        wire, shape = self._node(part, path)
        if name in node.get("required", ()):
            return wire, Site(shape)
        absence: Absence = "null"
        if self._check.takes_null(part):
            absence = "default null" if is_mapping(part) and part.get("default", 0) is None else "omit"
        if absence == "null":
            wire = with_null(wire)
        elif absence == "omit":
            if self._check.part_ok(part, {"omit": True}):
                raise NotStrictError(
                    path, "takes null and any object, so that nothing is left to say that it is absent"
                )
            flag = {
                "type": "boolean",
                "enum": [True],
                "description": "Leaves the value out; null is a value.",
            }
            wire = with_option(
                wire,
                {
                    "type": "object",
                    "properties": {"omit": flag},
                    "required": ["omit"],
                    "additionalProperties": False,
                },
            )
        return wire, Site(shape, absence)

    def _map(self, node: dict[str, Any], path: Path, *, in_union: bool) -> Built:
        value_wire, value_shape = self._node(node["additionalProperties"], (*path, "additionalProperties"))
        key: dict[str, Any] = {"type": "string"}
        names: Any = node.get("propertyNames")
        if is_mapping(names):
            key = self._node({"type": "string", **names}, (*path, "propertyNames"))[0]
        pair = {
            "type": "object",
            "properties": {"key": key, "value": value_wire},
            "required": ["key", "value"],
            "additionalProperties": False,
        }
        told = self._told({k: v for k, v in node.items() if k not in MAP_KEYWORDS}, ["object"], path)
        pairs: dict[str, Any] = {"type": "array", "items": pair}
        pairs["description"] = sentences(told.get("description", ""), PAIRS)
        for plain, kept in (("minProperties", "minItems"), ("maxProperties", "maxItems")):
            if plain in node:
                pairs[kept] = node[plain]
        shape = MapShape(value_shape, wrapped=in_union)
        if not in_union:
            return pairs, shape
        entries = {"type": "object", "properties": {"entries": pairs}, "required": ["entries"]}
        return {**entries, "additionalProperties": False}, shape

    def _array(self, node: dict[str, Any], path: Path) -> Built:
        first: Any = node.get("prefixItems")
        rest: Any = node.get("items")
        if is_array(rest):
            first, rest = rest, node.get("additionalItems")
        if first:
            return self._tuple(node, first, rest, path)
        if node.get("maxItems") == 0 and rest is None:
            rest = {"type": "string"}
        item_wire, item_shape = self._node(rest if rest is not None else True, (*path, "items"))
        wire = {**self._told(node, ["array"], path), "items": item_wire}
        for keyword in ("minItems", "maxItems"):
            if keyword in node:
                wire[keyword] = node[keyword]
        return wire, _LITERAL if type(item_shape) is Shape else ArrayShape(item_shape)

    def _tuple(self, node: dict[str, Any], first: list[Any], rest: Any, path: Path) -> Built:
        size = len(first)
        closed = rest is False or node.get("maxItems", size + 1) <= size
        if node.get("minItems", 0) < size or not closed or node.get("maxItems", size) < size:
            raise NotStrictError(
                path, "is an array with places of different kinds but without a fixed length"
            )
        built = [self._node(part, (*path, "prefixItems", index)) for index, part in enumerate(first)]
        keys = [f"_{index}" for index in range(size)]
        wire = self._told(node, ["object"], path)
        wire["properties"] = {key: item for key, (item, _) in zip(keys, built, strict=True)}
        wire |= {"required": keys, "additionalProperties": False}
        return wire, TupleShape(tuple(shape for _, shape in built))
