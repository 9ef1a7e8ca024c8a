"""The keywords of JSON schemas, of every draft, as branches of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from .json_document import Schema, Schemas, Set
from .json_formats import FORMATS, NO_WORDS
from .json_patterns import read_pattern
from .json_sets import (
    FALSE,
    TRUE,
    Arrays,
    Booleans,
    Branch,
    Expr,
    Layer,
    NoWordsError,
    Nulls,
    Numbers,
    Objects,
    SomeItems,
    Strings,
    Words,
    all_of,
    everything,
    meet,
    negated,
)
from .json_text import decoded

__all__ = ["Reading"]

_SIMPLE = frozenset(
    "type properties required patternProperties additionalProperties minProperties maxProperties items prefixItems "
    "additionalItems minItems maxItems uniqueItems minLength maxLength pattern format minimum maximum "
    "exclusiveMinimum exclusiveMaximum multipleOf propertyNames contains minContains maxContains".split()
)
_IN_PLACE = ("const", "enum", "$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf")
_LATE = ("not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies")
_LAST = ("unevaluatedProperties", "unevaluatedItems")
_KINDS: dict[str, Branch] = {
    "null": Nulls(), "boolean": Booleans(), "integer": Numbers(whole=True), "number": Numbers(),
    "string": Strings(), "array": Arrays(), "object": Objects(),
}  # fmt: skip


class Reading:
    """One schema being read."""

    def __init__(self, schemas: Schemas, schema: Schema, resolver: Any, pointer: str) -> None:
        self.schemas = schemas
        self.schema = schema
        self.resolver = resolver
        self.pointer = pointer
        self.words = schemas.words
        self.legacy = "dependencies" in self.words  # draft 7 and before

    def all(self) -> Set:
        """All keywords together. Keys are ordered as `properties` and what stands before it name them."""
        given = self.active()
        unknown = [
            key
            for key in given
            if key not in _SIMPLE and key not in _IN_PLACE and key not in _LATE and key not in _LAST
        ]
        if unknown:
            raise NoWordsError(f"the keyword {unknown[0]} is not supported")
        found: Set = everything()
        base = False
        for key in given:
            if key == "properties" and not base:
                base, found = True, self.schemas.together(found, self.base(given))
            elif key in _IN_PLACE:
                found = self.schemas.together(found, self.in_place(key, given[key]))
        if not base:
            found = self.schemas.together(found, self.base(given))
        for key in _LATE:
            if key in given and key not in ("then", "else"):
                for part in self.late(key, given[key]):
                    found = self.schemas.together(found, part)
        for key in _LAST:
            if key in given:
                found = tuple(self.unevaluated(branch, key) for branch in found)
        return found

    def active(self) -> Schema:
        """The keywords that count."""
        if self.resolver is None:  # a value of an enumeration
            return self.schema
        given = {key: value for key, value in self.schema.items() if key in self.words}
        if "$ref" in given and self.legacy:
            return {"$ref": given["$ref"]}
        return given

    def sub(self, schema: Any, *path: object) -> Expr:
        steps = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
        return self.schemas.expr(schema, self.resolver, self.pointer + steps)

    def branches(self, schema: Any, *path: object) -> Set:
        return self.schemas.branches(self.sub(schema, *path))

    # What stands in the same place.

    def in_place(self, key: str, value: Any) -> Set:
        match key:
            case "const":
                return tuple(self.constant(value))
            case "enum":
                return _listed(branch for one in value for branch in self.constant(one))
            case "allOf":
                found: Set = everything()
                for index, one in enumerate(value):
                    found = self.schemas.together(found, self.branches(one, key, index))
                return found
            case "anyOf":
                return self.any_of([self.branches(one, key, index) for index, one in enumerate(value)])
            case "oneOf":
                return self.one_of([self.sub(one, key, index) for index, one in enumerate(value)])
            case _:
                return self.schemas.branches(self.referred(key, str(value)))

    def any_of(self, options: list[Set]) -> Set:
        if not self.schemas.unevaluated:
            return tuple(dict.fromkeys(branch for option in options for branch in option))
        found: list[Set] = []
        for option in options:  # what several options have seen counts together
            found += [self.schemas.together(one, option) for one in list(found)] + [option]
            if len(found) > 64:
                raise NoWordsError("unevaluated keywords beside so many alternatives")
        return tuple(dict.fromkeys(branch for option in found for branch in option))

    def one_of(self, options: list[Expr]) -> Set:
        """Each option without what others share with it."""
        found: dict[Branch, None] = {}
        for index, option in enumerate(options):
            own = self.schemas.branches(option)
            for at, other in enumerate(options):
                if at != index and not self.apart(option, other):
                    own = self.schemas.together(own, self.schemas.branches(negated(other)))
            found.update(dict.fromkeys(own))
        return tuple(found)

    def apart(self, one: Expr, other: Expr) -> bool:
        """Whether two sets share no value, as far as it shows."""
        return not self.schemas.filled(all_of(one, other))

    def referred(self, key: str, reference: str) -> Expr:
        from referencing.exceptions import Unresolvable

        if key == "$recursiveRef" and self.schemas.anchors["$recursiveAnchor"]:
            raise NoWordsError("$recursiveRef may have more than one meaning; write $ref")
        try:
            found = self.resolver.lookup(reference)
        except (Unresolvable, ValueError, TypeError) as error:
            raise NoWordsError(f"{key} {reference!r} points at nothing in this document") from error
        schema = found.contents
        if key == "$dynamicRef" and isinstance(schema, dict):
            name = reference.rpartition("#")[2]
            if cast("Schema", schema).get("$dynamicAnchor") == name and self.schemas.anchors[name] > 1:
                raise NoWordsError(f"$dynamicRef {reference!r} may have more than one meaning; write $ref")
        place = reference if reference.startswith("#") else self.pointer
        return self.schemas.expr(schema, found.resolver, place, moved=True)

    def constant(self, value: Any) -> Iterable[Branch]:
        """The branch of one value."""
        if value is None:
            yield Nulls()
        elif isinstance(value, bool):
            yield Booleans(value)
        elif isinstance(value, (int, float)):
            number = _decimal(value)
            yield Numbers(True if isinstance(value, int) else None, number, False, number)
        elif isinstance(value, str):
            yield Strings(listed=(value,))
        elif isinstance(value, list):
            items = tuple(self.schemas.constant(item, self.pointer) for item in cast("Any", value))
            yield Arrays(items, FALSE, len(items), len(items))
        else:
            names = {name: self.schemas.constant(one, self.pointer) for name, one in value.items()}
            layer = Layer(frozenset(names), other=FALSE)
            yield Objects(tuple(names), tuple(names.items()), (layer,), tuple(names))

    # The keywords of each kind.

    def base(self, given: Schema) -> Set:
        types: Any = given.get("type", ["null", "boolean", "number", "string", "array", "object"])
        names = cast("Sequence[str]", [types] if isinstance(types, str) else types)
        names = [name for name in dict.fromkeys(names) if name != "integer" or "number" not in names]
        read: dict[type[Any], Callable[[Schema, Any], Branch | None]] = {
            Numbers: self.numbers, Strings: self.strings, Arrays: self.arrays, Objects: self.objects,
        }  # fmt: skip
        found: list[Branch] = []
        for name in names:
            kind = _KINDS[name]
            branch = read[type(kind)](given, kind) if type(kind) in read else kind
            if branch is not None:
                found.append(branch)
        return tuple(found)

    def numbers(self, given: Schema, kind: Numbers) -> Branch | None:
        found: Branch | None = kind
        low, high = given.get("minimum"), given.get("maximum")
        over, under = given.get("exclusiveMinimum"), given.get("exclusiveMaximum")
        bounds = [Numbers(low=_decimal(low), low_open=over is True)] if low is not None else []
        bounds += [Numbers(high=_decimal(high), high_open=under is True)] if high is not None else []
        bounds += (
            [Numbers(low=_decimal(over), low_open=True)] if not isinstance(over, (bool, type(None))) else []
        )
        if not isinstance(under, (bool, type(None))):
            bounds.append(Numbers(high=_decimal(under), high_open=True))
        if "multipleOf" in given:
            bounds.append(Numbers(steps=(abs(_decimal(given["multipleOf"])),)))
        for bound in bounds:
            found = found and meet(found, bound)
        return found

    def strings(self, given: Schema, kind: Strings) -> Branch | None:
        must: list[Any] = []
        if "pattern" in given:
            must.append(read_pattern(given["pattern"]))
        form = given.get("format")
        if form in NO_WORDS:
            raise NoWordsError(f"format {form} cannot be said by a grammar; drop it, or name it otherwise")
        if form in FORMATS:
            must.append(read_pattern(f"^(?:{FORMATS[form]})$"))
        low, high = int(given.get("minLength", 0)), given.get("maxLength")
        if high is not None and low > high:
            return None
        return Strings(Words(tuple(must)), low, None if high is None else int(high))

    def arrays(self, given: Schema, kind: Arrays) -> Branch | None:
        first, rest = given.get("prefixItems"), given.get("items")
        key, tail = "prefixItems", "items"
        if isinstance(rest, list):
            first, rest, key, tail = (
                cast("Any", rest),
                given.get("additionalItems"),
                "items",
                "additionalItems",
            )
        prefix = tuple(self.sub(one, key, at) for at, one in enumerate(first or ()))
        low, high = int(given.get("minItems", 0)), given.get("maxItems")
        if high is not None and low > high:
            return None
        some: tuple[SomeItems, ...] = ()
        if "contains" in given:
            least, most = int(given.get("minContains", 1)), given.get("maxContains")
            if least or most is not None:
                some = (
                    SomeItems(
                        self.sub(given["contains"], "contains"), least, None if most is None else int(most)
                    ),
                )
            if self.schemas.unevaluated and not self.legacy:
                raise NoWordsError("contains in a schema with unevaluated keywords has no words in a grammar")
        seen = None if rest is not None else len(prefix)
        expr = TRUE if rest is None else self.sub(rest, tail)
        unique = given.get("uniqueItems") is True
        return Arrays(prefix, expr, low, None if high is None else int(high), some, unique, seen)

    def objects(self, given: Schema, kind: Objects) -> Branch | None:
        named = {name: self.sub(one, "properties", name) for name, one in given.get("properties", {}).items()}
        patterns = tuple(
            (Words((read_pattern(pattern),)), self.sub(one, "patternProperties", pattern))
            for pattern, one in given.get("patternProperties", {}).items()
        )
        other = self.sub(given.get("additionalProperties", True), "additionalProperties")
        layers = [Layer(frozenset(named), patterns, other)] if patterns or other != TRUE else []
        if "propertyNames" in given:
            layers += self.names(self.sub(given["propertyNames"], "propertyNames"))
        names: Any = given.get("required", ())
        required: tuple[str, ...] = tuple(dict.fromkeys(names))
        low, high = int(given.get("minProperties", 0)), given.get("maxProperties")
        if high is not None and max(low, len(required)) > high:
            return None
        return Objects(
            tuple(named),
            tuple(named.items()),
            tuple(layers),
            required,
            low,
            None if high is None else int(high),
            (),
            None if "additionalProperties" in given else frozenset(named),
            tuple(words for words, _ in patterns),
        )

    def names(self, expr: Expr) -> list[Layer]:
        """What propertyNames asks for: whatever name is none of its strings has no value."""
        options = [branch for branch in self.schemas.branches(expr) if isinstance(branch, Strings)]
        if any(option == Strings() for option in options):
            return []
        words = Words(never=tuple(decoded(option) for option in options))
        return [Layer(patterns=((words, FALSE),))]

    # Conditions.

    def late(self, key: str, value: Any) -> Iterable[Set]:
        match key:
            case "not":
                yield self.schemas.branches(negated(self.sub(value, key)))
            case "if":
                test = self.sub(value, key)
                yes = self.sub(self.schema.get("then", True), "then")
                no = self.sub(self.schema.get("else", True), "else")
                if yes != TRUE or no != TRUE or self.schemas.unevaluated:
                    yield (
                        *self.schemas.branches(all_of(test, yes)),
                        *self.schemas.branches(all_of(negated(test), no)),
                    )
            case _:
                for name, needs in value.items():
                    yield self.dependent(name, needs, key)

    def dependent(self, name: str, needs: Any, key: str) -> Set:
        """Either the name is missing, or what depends on it holds."""
        others = tuple(branch for branch in everything() if not isinstance(branch, Objects))
        missing = Objects(named=((name, FALSE),))
        here = Objects(required=(name,))
        if isinstance(needs, str):
            needs = [needs]
        if isinstance(needs, list):
            wanted: Set = (Objects(required=tuple(dict.fromkeys((name, *cast("list[str]", needs))))),)
        else:
            wanted = self.schemas.together((here,), self.branches(needs, key, name))
        return (*others, missing, *wanted)

    # What no other keyword has looked at.

    def unevaluated(self, branch: Branch, key: str) -> Branch:
        expr = self.sub(self.schema[key], key)
        if key == "unevaluatedItems" and isinstance(branch, Arrays):
            if branch.seen is None:
                return branch
            prefix = tuple(branch.item(at) for at in range(branch.seen))
            more = tuple(all_of(branch.item(at), expr) for at in range(branch.seen, len(branch.prefix)))
            return replace(branch, prefix=prefix + more, rest=all_of(branch.rest, expr), seen=None)
        if key == "unevaluatedProperties" and isinstance(branch, Objects) and branch.seen is not None:
            patterns = tuple((words, TRUE) for words in branch.seen_words)
            layer = Layer(branch.seen, cast("Any", patterns), expr)
            order = tuple(dict.fromkeys((*branch.order, *sorted(branch.seen))))
            return replace(branch, order=order, layers=(*branch.layers, layer), seen=None)
        return branch


def _listed(branches: Iterable[Branch]) -> Set:
    """Strings of an enumeration as one branch."""
    texts: list[str] = []
    others: dict[Branch, None] = {}
    for branch in branches:
        if isinstance(branch, Strings) and branch.listed:
            texts.extend(branch.listed)
        else:
            others.setdefault(branch)
    return (*((Strings(listed=tuple(dict.fromkeys(texts))),) if texts else ()), *others)


def _decimal(value: Any) -> Decimal:
    return Decimal(value) if isinstance(value, int) else Decimal(repr(float(value)))
