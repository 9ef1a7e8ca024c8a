"""Check values against plain JSON schemas (2020-12 and draft-07), with formats, and explain what is wrong.

The schema is a tool's; the value is what a model wrote. Nothing is ever fetched: a `$ref` must stay inside.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from .jsontypes import is_array, is_mapping, is_object
from .patterns import searcher
from .pointers import follow
from .usable import is_draft7, require_usable

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.protocols import Validator

__all__ = ["SchemaCheck", "undeclared"]


_MOST_ERRORS = 200


class SchemaCheck:
    """Validates values against one schema. `exact_integers`: 5.0 is no integer (as in pydantic's strict mode)."""

    def __init__(self, schema: Mapping[str, Any], *, exact_integers: bool = False) -> None:
        self.schema = schema
        self._exact = exact_integers
        self._validator: Validator | None = None
        self._parts: dict[int, tuple[Any, Validator]] = {}

    def require_usable(self) -> None:
        """Raise SchemaError unless the schema is one, describes an object, and refers only to itself."""
        require_usable(self.schema, self._class())

    @contextmanager
    def remembering(self) -> Generator[None]:
        """Keep what is found out about values until the end of the block; they must not change in it."""
        token = _SEEN.set({})
        try:
            yield
        finally:
            _SEEN.reset(token)

    def ok(self, value: Any) -> bool:
        """Tell whether `value` satisfies the whole schema."""
        return self._valid(self._root(), value)

    def part_ok(self, part: Any, value: Any) -> bool:
        """Tell whether `value` satisfies a part of the schema (its references lead into the whole)."""
        if isinstance(part, bool):
            return part
        kept = self._parts.get(id(part))
        if kept is None:
            kept = self._parts[id(part)] = (part, cast("Any", self._root()).evolve(schema=part))
        return self._valid(kept[1], value)

    def takes_null(self, part: Any, depth: int = 0) -> bool:
        """Tell whether a part of the schema takes null; by its structure, which is quick, where that says it."""
        if not is_mapping(part) or depth > 20 or part.keys() & {"not", "if", "$dynamicRef"}:
            return self.part_ok(part, None)
        wanted = [True]
        if "type" in part:
            wanted.append(part["type"] == "null" or (is_array(part["type"]) and "null" in part["type"]))
        if "enum" in part or "const" in part:
            wanted.append(None in part.get("enum", [part.get("const", 0)]))
        if "$ref" in part:
            wanted.append(self.takes_null(follow(self.schema, part["$ref"]), depth + 1))
        for keyword, needed in (("allOf", all), ("anyOf", any), ("oneOf", _exactly_one)):
            if keyword in part:
                wanted.append(needed([self.takes_null(option, depth + 1) for option in part[keyword]]))
        return all(wanted)

    def errors(self, value: Any) -> list[Any]:
        """Return jsonschema's errors in the order of the value."""
        try:
            with self.remembering():
                found: list[Any] = list(islice(self._root().iter_errors(value), _MOST_ERRORS))
        except RecursionError:
            return []
        return sorted(found, key=_place)

    def _valid(self, validator: Validator, value: Any) -> bool:
        try:
            if _SEEN.get() is not None:
                return validator.is_valid(value)
            with self.remembering():
                return validator.is_valid(value)
        except RecursionError:
            return False

    def _class(self) -> type[Validator]:
        return _validator_class(is_draft7(self.schema), self._exact)

    def _root(self) -> Validator:
        if self._validator is None:
            import referencing

            registry = cast("Any", referencing).Registry()  # an empty one: nothing is ever fetched
            make: Any = self._class()
            self._validator = cast(
                "Validator", make(self.schema, registry=registry, format_checker=_formats())
            )
        return self._validator


def _exactly_one(found: list[bool]) -> bool:
    return found.count(True) == 1


def _place(error: Any) -> list[tuple[int, str]]:
    """Order errors by their place: array items by number, keys by name."""
    path: list[str | int] = list(error.absolute_path)
    return [(part, "") if isinstance(part, int) else (0, part) for part in path]


@lru_cache(maxsize=4)
def _validator_class(draft7: bool, exact: bool) -> type[Validator]:
    from jsonschema import Draft7Validator, Draft202012Validator, validators

    base: Any = Draft7Validator if draft7 else Draft202012Validator

    def is_integer(_: Any, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    checker = base.TYPE_CHECKER.redefine("integer", is_integer) if exact else base.TYPE_CHECKER
    own = {
        "multipleOf": _multiple_of,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    made: Any = cast("Any", validators).extend(base, validators=own, type_checker=checker)
    made.descend = _remembered(made.descend)
    return cast("type[Validator]", made)


_SEEN: ContextVar[dict[tuple[int, int], tuple[Any, bool]] | None] = ContextVar("_SEEN", default=None)
"""What is known in this check: by schema and container, the container (which keeps its id its own) and the verdict."""


def _remembered(descend: Any) -> Any:
    """Check each object and array against each schema once: unions inside unions would do it again and again."""
    from jsonschema.exceptions import ValidationError

    def once(self: Any, instance: Any, schema: Any, *args: Any, **options: Any) -> Iterator[Any]:
        seen = _SEEN.get()
        if seen is None or not (is_object(instance) or is_array(instance)):
            yield from descend(self, instance, schema, *args, **options)
            return
        key = (id(schema), id(instance))
        known = seen.get(key)
        if known is not None:
            if not known[1]:
                yield ValidationError("is not valid, as told", validator="", instance=instance, schema=schema)
            return
        valid = True
        for error in descend(self, instance, schema, *args, **options):
            if valid:
                valid, seen[key] = False, (instance, False)
            yield error
        if valid:
            seen[key] = (instance, True)

    return once


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and not searcher(pattern)(value):
        yield ValidationError(f"does not match {pattern}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _schema: Any
) -> Iterator[Any]:
    if is_mapping(value):
        for pattern, part in patterns.items():
            matches = searcher(pattern)
            for key, member in value.items():
                if matches(key):
                    yield from validator.descend(member, part, path=key, schema_path=pattern)


def _additional_properties(_validator: Any, others: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if not is_mapping(value) or others is True:
        return
    extra = undeclared(value, schema)
    if extra and others is False:
        yield ValidationError("has keys that are not declared")
    elif is_mapping(others):
        for key in extra:
            yield from _validator.descend(value[key], others, path=key)


def _unique_items(_validator: Any, wanted: bool, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if wanted and is_array(value) and len({_canonical(item) for item in value}) < len(value):
        yield ValidationError("has the same item twice")


def _canonical(value: Any) -> Any:
    """Return what is the same for JSON values that are equal: 1 and 1.0 are, 1 and true are not."""
    if is_mapping(value):
        return ("object", frozenset((key, _canonical(member)) for key, member in value.items()))
    if is_array(value):
        return ("array", tuple(map(_canonical, value)))
    return ("boolean", value) if isinstance(value, bool) else value


def undeclared(value: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return the keys of `value` that neither `properties` nor `patternProperties` speak of."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    extra = [key for key in value if key not in properties]
    patterns = [searcher(pattern) for pattern in schema.get("patternProperties", ())]
    return [key for key in extra if not any(matches(key) for matches in patterns)] if patterns else extra


def _multiple_of(_validator: Any, factor: Any, value: Any, _schema: Any) -> Iterator[Any]:
    """Decide in decimals: 0.3 is a multiple of 0.1, whatever binary fractions say."""
    from decimal import Decimal

    from jsonschema.exceptions import ValidationError

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        quotient = Decimal(str(value)) / Decimal(str(factor))
        if quotient != quotient.to_integral_value():
            yield ValidationError(f"{value} is not a multiple of {factor}")


_DURATION = re.compile(r"P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)")
_EMAIL = re.compile(r"[^@\s]+@[A-Za-z0-9\[][A-Za-z0-9.:\-\]]*")
_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


def _timestamp(text: str) -> object:
    day, _, hour = text.replace("t", "T").replace(" ", "T").partition("T")
    if not _DATE.fullmatch(day) or not _TIME.fullmatch(hour):
        raise ValueError
    return datetime.fromisoformat(f"{day}T{hour.upper()}")


def _clock(text: str) -> object:
    if not _TIME.fullmatch(text):
        raise ValueError
    return time.fromisoformat(text.upper())


def _day(text: str) -> object:
    if not _DATE.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


def _uuid(text: str) -> object:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ValueError
    return UUID(text)


def _base64(text: str) -> object:
    return base64.b64decode(text, validate=True)


def _matches(pattern: re.Pattern[str]) -> Any:
    def check(text: str) -> object:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return check


_FORMATS: dict[str, Any] = {
    "date-time": _timestamp,
    "date": _day,
    "time": _clock,
    "duration": _matches(_DURATION),
    "email": _matches(_EMAIL),
    "hostname": _matches(_HOST),
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "uuid": _uuid,
    "uri": _matches(_URI),
    "regex": re.compile,
    "byte": _base64,
}


@lru_cache(maxsize=1)
def _formats() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())

    def register(name: str, parse: Any) -> None:
        def check(value: object) -> bool:
            if isinstance(value, str):
                parse(value)
            return True

        checker.checks(name, raises=(ValueError, re.error, binascii.Error))(check)

    for name, parse in _FORMATS.items():
        register(name, parse)
    return checker
