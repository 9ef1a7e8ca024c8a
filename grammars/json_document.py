"""One JSON schema document as sets of values: its schemas numbered, its references followed, its sets worked out once.

The meaning is that of the package `jsonschema`: its drafts, its keywords, its rules for `$ref`. `json_keywords` reads a
single schema; where a keyword has no words in a grammar, `SchemaWordsError` names it with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from .engine import Deadline
from .json_patterns import PatternError
from .json_sets import (
    FALSE,
    TRUE,
    All,
    Arrays,
    Branch,
    Expr,
    Given,
    Not,
    NoWordsError,
    Objects,
    Strings,
    everything,
    inverted,
    meet,
    within,
)
from .json_text import possible

__all__ = ["Schema", "SchemaWordsError", "Schemas", "Set", "draft_of"]

Schema = dict[str, Any]
Set = tuple[Branch, ...]

_MANY_BRANCHES, _MOST_COMPARED, _MOST_BRANCHES = 24, 100, 300
_MOST_SCHEMAS = 60_000
_SECONDS = 10.0


class SchemaWordsError(ValueError):
    """A keyword, at a JSON pointer, that no grammar can enforce."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '#'}: {reason}")
        self.pointer = pointer
        self.reason = reason


def draft_of(schema: Mapping[str, Any]) -> Any:
    """The validator class of a schema's draft: what `$schema` says, else the newest whose rules it keeps."""
    from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    named = schema.get("$schema", "")
    try:
        kind: Any = validator_for({"$schema": named}, default=cast("Any", None)) if named else None
    except (TypeError, ValueError, AttributeError) as error:
        raise SchemaWordsError("#/$schema", f"{named!r} is no address") from error
    first: SchemaError | None = None
    for candidate in (Draft202012Validator, Draft7Validator, Draft4Validator) if kind is None else (kind,):
        try:
            cast("Any", candidate).check_schema(dict(schema))
        except SchemaError as error:
            first = first or error
        else:
            return candidate
    assert first is not None
    place = "/".join(["#", *(str(part) for part in first.absolute_path)])
    raise SchemaWordsError(place, f"this is no valid JSON schema: {first.message[:200]}") from first


class Schemas:
    """The schemas of one document, numbered as they are met."""

    def __init__(self, root: Schema) -> None:
        from referencing.jsonschema import specification_with

        kind = draft_of(root)
        words: set[str] = set(kind.VALIDATORS)
        if "dependentRequired" in words:
            words |= {"minContains", "maxContains"}
        if "const" not in words:  # draft 4 has them as signs beside the bounds
            words |= {"exclusiveMinimum", "exclusiveMaximum"}
        self.words = frozenset(words)
        self._spec: Any = specification_with(str(kind.META_SCHEMA.get("$schema", "")))
        resource: Any = self._spec.create_resource(root)
        registry: Any = import_module("jsonschema_specifications").REGISTRY
        place = resource.id() or ""
        resolver = registry.with_resource(place, resource).resolver(base_uri=place)
        self.unevaluated = False
        self.anchors: Counter[str] = Counter()
        self._survey(root)
        self._deadline = Deadline(_SECONDS)
        self._known: dict[int, int] = {}
        self._all: list[tuple[Schema, Any, str]] = []
        self._sets: dict[Expr, Set | None] = {}
        self._filled: dict[Expr, bool] = {}
        self._open: set[Expr] = set()
        self.root = self.expr(root, resolver, "#")

    def _survey(self, root: Any) -> None:
        """Look once at the whole document: what makes a difference to schemas far away."""
        todo: list[Any] = [root]
        while todo:
            one = todo.pop()
            if isinstance(one, dict):
                given = cast("Schema", one)
                self.unevaluated |= "unevaluatedProperties" in given or "unevaluatedItems" in given
                self.anchors["$recursiveAnchor"] += given.get("$recursiveAnchor") is True
                if isinstance(given.get("$dynamicAnchor"), str):
                    self.anchors[given["$dynamicAnchor"]] += 1
                todo.extend(given.values())
            elif isinstance(one, list):
                todo.extend(cast("Any", one))

    def expr(self, schema: Any, resolver: Any, pointer: str, *, moved: bool = False) -> Expr:
        """The expression for a schema; one that asks for nothing is TRUE."""
        if isinstance(schema, bool):
            return TRUE if schema else FALSE
        if not isinstance(schema, dict):
            raise SchemaWordsError(pointer, "a schema is an object, true or false")
        given = cast("Schema", schema)
        if not given.keys() & self.words:
            return TRUE
        number = self._known.get(id(given))
        if number is None:
            if len(self._all) >= _MOST_SCHEMAS:
                raise SchemaWordsError(pointer, f"there are more than {_MOST_SCHEMAS} schemas")
            here = moved or pointer == "#"
            inner = resolver if here else resolver.in_subresource(self._spec.create_resource(given))
            number = self._known[id(given)] = len(self._all)
            self._all.append((given, inner, pointer))
        return Given(number)

    def constant(self, value: Any, pointer: str) -> Expr:
        """The expression for one value."""
        number = len(self._all)
        schema: Schema = {"const": value}
        self._known[id(schema)] = number
        self._all.append((schema, None, pointer))
        return Given(number)

    def pointer(self, expr: Expr) -> str:
        """Where an expression comes from, for messages."""
        match expr:
            case Given(number=number):
                return self._all[number][2]
            case All(items=items) if items:
                return self.pointer(items[0])
            case Not(item=item):
                return self.pointer(item)
            case _:
                return "#"

    def hurry(self, expr: Expr) -> None:
        """Raise SchemaWordsError when the time is over."""
        if self._deadline.left() < 0:
            raise SchemaWordsError(
                self.pointer(expr), f"lowering the schema takes longer than {_SECONDS:g} s"
            )

    def branches(self, expr: Expr) -> Set:
        """The branches of an expression. Raises SchemaWordsError."""
        self.hurry(expr)
        if expr not in self._sets:
            if expr in self._open:
                raise SchemaWordsError(self.pointer(expr), "$ref refers to itself without end")
            self._open.add(expr)
            try:
                self._sets[expr] = self._of(expr)
            except (NoWordsError, PatternError) as error:
                raise SchemaWordsError(self.pointer(expr), str(error)) from error
            except (TypeError, AttributeError, KeyError, ArithmeticError) as error:
                # What a $ref points at may be any JSON: no metaschema has looked at it.
                raise SchemaWordsError(self.pointer(expr), "this is no valid JSON schema") from error
            finally:
                self._open.discard(expr)
        return self._sets[expr] or ()

    def _of(self, expr: Expr) -> Set:
        match expr:
            case All(items=items):
                found: Set = everything()
                for item in items:
                    found = self.together(found, self.branches(item))
                return found
            case Not(item=item):
                found = everything()
                for branch in self.branches(item):
                    found = self.together(found, tuple(inverted(branch)))
                return found
            case Given(number=number):
                from .json_keywords import Reading

                return Reading(self, *self._all[number]).all()

    def together(self, one: Set, other: Set) -> Set:
        """The values in both sets."""
        found: dict[Branch, None] = {}
        most = max(_MOST_BRANCHES, len(one), len(other))
        for mine in one:
            for yours in other:
                both = meet(mine, yours)
                if both is not None and self._possible(both):
                    found.setdefault(both)
            if len(found) > most:
                raise NoWordsError("its alternatives multiply to hundreds of cases; say fewer at once")
        if max(_MANY_BRANCHES, len(one), len(other)) < len(found) <= _MOST_COMPARED:
            self.hurry(TRUE)
            return tuple(self._needed(tuple(found)))
        return tuple(found)

    def _needed(self, branches: Set) -> Iterator[Branch]:
        """Without branches that hold nothing, or only what another one holds."""
        kept = [branch for branch in branches if self.branch_filled(branch, 3)]
        for at, branch in enumerate(kept):
            wider = (other for other in kept[:at] if within(branch, other))
            later = (other for other in kept[at + 1 :] if within(branch, other) and not within(other, branch))
            if next(wider, None) is None and next(later, None) is None:
                yield branch

    def _possible(self, branch: Branch) -> bool:
        """Whether a branch may hold values, as far as it shows without looking far."""
        if isinstance(branch, Objects):
            return FALSE not in branch.values(branch.required).values()
        if isinstance(branch, Arrays):
            return not branch.low or branch.item(0) != FALSE
        return True

    def filled(self, expr: Expr, depth: int = 6) -> bool:
        """Whether the set may hold a value; False only where it holds none."""
        if expr in self._filled:
            return self._filled[expr]
        if depth == 0 or expr in self._open:
            return True
        found = any(self.branch_filled(branch, depth) for branch in self.branches(expr))
        if depth == 6 or not found:
            self._filled[expr] = found
        return found

    def branch_filled(self, branch: Branch, depth: int = 6) -> bool:
        """Whether a branch may hold a value."""
        match branch:
            case Objects():
                required = branch.values(branch.required).values()
                return all(self.filled(value, depth - 1) for value in required) and all(
                    self.filled(some.item, depth - 1) for some in branch.some
                )
            case Arrays():
                sizes = range(min(branch.low, len(branch.prefix) + 1))
                return all(self.filled(branch.item(index), depth - 1) for index in sizes) and all(
                    some.low == 0 or self.filled(some.item, depth - 1) for some in branch.some
                )
            case Strings():
                return possible(branch)
            case _:
                return True
