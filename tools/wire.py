"""The undo map of the strict transformation: a tree of shapes that lead plain values to the wire and back.

`undo` is lenient: a part that is already plain stays as it is, so that both forms are understood; `encode` is exact
and raises SchemaError where the wire form has no place for a value. Values are never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from jigwork.errors import SchemaError

from .jsontypes import is_array, is_object

__all__ = [
    "Absence",
    "ArrayShape",
    "Branch",
    "MapShape",
    "ObjectShape",
    "RefShape",
    "Shape",
    "Site",
    "TupleShape",
    "UnionShape",
    "json_type",
]

Dropped = Callable[[str], None]
"""Told the name of an optional key that came as null although the object is not in wire form."""


def _quiet(_: str) -> None:
    """Ignore dropped keys."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A part of a schema that looks the same in both forms; the base of those that do not."""

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        """Return the plain form of `value`. `wire`: what is around it is in wire form, so null means left out."""
        return value

    def encode(self, value: Any) -> Any:
        """Return the wire form of `value`."""
        return value


Absence = Literal["", "null", "default null", "omit"]
"""How the wire says that an optional key is left out: not at all (required), null, null because null is the
default anyway, or `{"omit": true}` where null is a value of its own."""


@dataclass(frozen=True, slots=True)
class Site:
    """One property: its shape, and how its absence is written."""

    shape: Shape
    absence: Absence = ""


@dataclass(frozen=True, slots=True)
class ObjectShape(Shape):
    """An object with declared keys, all of them required on the wire. `extra` holds undeclared ones as pairs."""

    sites: dict[str, Site]
    omit: str = "omit"
    extra: MapShape | None = None
    extra_key: str = ""
    busy: tuple[tuple[str, Site], ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        busy = tuple((k, s) for k, s in self.sites.items() if s.absence or type(s.shape) is not Shape)
        object.__setattr__(self, "busy", busy)

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        if not is_object(value):
            return value
        members = value
        whole = wire and all(name in members for name in self.sites)
        out: dict[str, Any] | None = None
        for name, site in self.busy:
            if name not in members:
                continue
            member = members[name]
            absence = site.absence
            if member is None and (absence == "null" or (absence == "default null" and whole)):
                out = dict(members) if out is None else out
                del out[name]
                if not whole:
                    dropped(name)
            elif absence == "omit" and is_object(member) and member == {self.omit: True}:
                out = dict(members) if out is None else out
                del out[name]
            elif (plain := site.shape.undo(member, dropped, whole)) is not member:
                out = dict(members) if out is None else out
                out[name] = plain
        if self.extra is not None and self._has_pairs(members, whole):
            out = dict(members) if out is None else out
            extra = self.extra.undo(out.pop(self.extra_key), dropped, whole)
            if any(key in self.sites for key in extra):
                raise SchemaError(f"{self.extra_key} repeats a key that has a place of its own")
            out.update(extra)
        return value if out is None else out

    def _has_pairs(self, members: dict[str, Any], whole: bool) -> bool:
        """Tell whether undeclared keys came as pairs; a plain object may have a key of the same name."""
        pairs = members.get(self.extra_key)
        if not is_array(pairs) or not (pairs or whole):
            return False
        if any(key not in self.sites and key != self.extra_key for key in members):
            return False
        return all(is_object(pair) and pair.keys() == {"key", "value"} for pair in pairs)

    def encode(self, value: Any) -> Any:
        if not is_object(value):
            raise SchemaError("expected an object")
        members = value
        out: dict[str, Any] = {}
        for name, site in self.sites.items():
            if name in members:
                member = members[name]
                null = member is None and site.absence == "default null"
                out[name] = None if null else site.shape.encode(member)
            elif not site.absence:
                raise SchemaError(f"{name} is missing")
            else:
                out[name] = {self.omit: True} if site.absence == "omit" else None
        others = {key: member for key, member in members.items() if key not in self.sites}
        if self.extra is not None:
            out[self.extra_key] = self.extra.encode(others)
        elif others:
            raise SchemaError(f"the wire form has no place for the key {next(iter(others))!r}")
        return out


@dataclass(frozen=True, slots=True)
class MapShape(Shape):
    """An object with free keys; on the wire an array of {key, value}, in a union under `entries`."""

    value: Shape
    wrapped: bool = False

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        pairs = value
        if self.wrapped:
            if not is_object(value) or value.keys() != {"entries"}:
                return value
            pairs = value["entries"]
        if not is_array(pairs):
            if is_object(pairs) and type(self.value) is not Shape:
                return {k: self.value.undo(v, dropped, False) for k, v in pairs.items()}
            return value
        out: dict[str, Any] = {}
        for pair in pairs:
            if not is_object(pair) or pair.keys() != {"key", "value"}:
                return value
            if not isinstance(pair["key"], str):
                return value
            if pair["key"] in out:
                raise SchemaError(f"the key {pair['key'][:60]!r} is given twice; give it once")
            out[pair["key"]] = self.value.undo(pair["value"], dropped, wire)
        return out

    def encode(self, value: Any) -> Any:
        if not is_object(value):
            raise SchemaError("expected an object")
        members = value
        pairs = [{"key": key, "value": self.value.encode(member)} for key, member in members.items()]
        return {"entries": pairs} if self.wrapped else pairs


@dataclass(frozen=True, slots=True)
class ArrayShape(Shape):
    """An array of one kind of item."""

    item: Shape

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        if not is_array(value):
            return value
        elements = value
        out = [self.item.undo(element, dropped, wire) for element in elements]
        return value if all(a is b for a, b in zip(out, elements, strict=True)) else out

    def encode(self, value: Any) -> Any:
        if not is_array(value):
            raise SchemaError("expected an array")
        return [self.item.encode(element) for element in value]


@dataclass(frozen=True, slots=True)
class TupleShape(Shape):
    """An array of fixed length with a kind per place; on the wire an object with the keys _0, _1, ..."""

    items: tuple[Shape, ...]

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        keys = [f"_{i}" for i in range(len(self.items))]
        if is_object(value) and value.keys() == set(keys):
            return [
                shape.undo(value[key], dropped, wire) for key, shape in zip(keys, self.items, strict=True)
            ]
        if is_array(value) and len(value) == len(self.items):
            elements = value
            return [
                shape.undo(element, dropped, False)
                for shape, element in zip(self.items, elements, strict=True)
            ]
        return value

    def encode(self, value: Any) -> Any:
        if not is_array(value) or len(value) != len(self.items):
            raise SchemaError(f"expected an array of {len(self.items)}")
        elements = value
        return {f"_{i}": shape.encode(elements[i]) for i, shape in enumerate(self.items)}


@dataclass(frozen=True, slots=True)
class RefShape(Shape):
    """A shape by name, for recursion. `table` is filled when all definitions are built."""

    name: str
    table: dict[str, Shape] = field(compare=False, repr=False)

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        return self.table[self.name].undo(value, dropped, wire)

    def encode(self, value: Any) -> Any:
        return self.table[self.name].encode(value)


@dataclass(frozen=True, slots=True)
class Branch:
    """One option of a union: how its wire form is told apart from the others, and when a plain value is one.

    `types` are JSON types; for objects `keys` are those on the wire (all required) and `tags` the values that
    constant keys must have.
    """

    shape: Shape
    types: frozenset[str]
    keys: frozenset[str] | None
    tags: tuple[tuple[str, tuple[Any, ...]], ...]
    accepts: Callable[[Any], bool] = field(compare=False, repr=False)

    def fits(self, value: Any) -> bool:
        """Tell whether a wire value has the form of this branch, as far as branches differ."""
        kind = json_type(value)
        if kind not in self.types and not (kind == "integer" and "number" in self.types):
            return False
        if kind != "object" or self.keys is None:
            return True
        return value.keys() == self.keys and all(value[key] in values for key, values in self.tags)

    def apart(self, other: Branch) -> bool:
        """Tell whether a wire value that fits both branches is undone the same way by both."""
        return self.shape == other.shape or self.disjoint(other)

    def disjoint(self, other: Branch) -> bool:
        """Tell whether it is certain that no wire value fits both branches."""
        shared = {("number" if t == "integer" else t) for t in self.types} & {
            ("number" if t == "integer" else t) for t in other.types
        }
        if not shared:
            return True
        if shared != {"object"} or self.keys is None or other.keys is None:
            return False
        mine, theirs = dict(self.tags), dict(other.tags)
        return self.keys != other.keys or any(
            not set(map(repr, values)) & set(map(repr, theirs[key]))
            for key, values in mine.items()
            if key in theirs
        )


@dataclass(frozen=True, slots=True)
class UnionShape(Shape):
    """One of several shapes that can be told apart on the wire. `branches` is filled when all is built."""

    branches: list[Branch]

    def undo(self, value: Any, dropped: Dropped = _quiet, wire: bool = True) -> Any:
        for branch in self.branches:
            if branch.fits(value):
                return branch.shape.undo(value, dropped, wire)
        kind = json_type(value)
        alike = [branch for branch in self.branches if kind in branch.types]
        return alike[0].shape.undo(value, dropped, wire) if len(alike) == 1 else value

    def encode(self, value: Any) -> Any:
        reason: SchemaError | None = None
        for branch in self.branches:
            if branch.accepts(value):
                try:
                    return branch.shape.encode(value)
                except SchemaError as error:
                    reason = error
        raise reason or SchemaError("no branch of a union takes this value")


def json_type(value: Any) -> str:
    """Return the JSON type of a decoded value; an integer is told from other numbers."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
