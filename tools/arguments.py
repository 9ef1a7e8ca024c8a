"""Decode what a model wrote for a call: strictly, repaired where it has one reading, otherwise explained.

The text comes from the wire (strict form or plain form); out go plain JSON arguments and validated Python values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SchemaError

from .explain import Problem, explain, problems
from .jsontext import MAX_LENGTH, JSONTextError, dumps, parse_strict
from .jsontypes import is_array, is_object
from .mend import Mender, read_text, takes_nothing
from .pointers import pointer
from .strict import StrictSchema
from .validation import SchemaCheck

if TYPE_CHECKING:
    from .schema import ArgumentsSchema

__all__ = ["Decoded", "Decoder", "ModelCheck", "PlainCheck"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Arguments, ready or refused.

    `value` is the plain JSON form (what a person approves and a journal keeps), None when there is none;
    `arguments` are the validated Python values as the function takes them; `repairs` says what was put right;
    `error` is written for the model and None when `ok`.
    """

    ok: bool
    value: dict[str, Any] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    repairs: tuple[str, ...] = ()
    error: str | None = None


class Check(Protocol):
    """Has the last word about a plain value."""

    @property
    def schema(self) -> SchemaCheck:
        """The plain schema, for repairs and explanations."""
        ...

    def accept(self, value: dict[str, Any], text: str | None) -> Mapping[str, Any] | None:
        """Return the arguments, or None when `value` is not valid. `text` is its JSON where that is at hand."""
        ...

    def refusal(self, value: Any) -> list[Problem]:
        """Say what is wrong with a value that the schema has nothing against."""
        ...


class PlainCheck:
    """Validates with jsonschema; the arguments are the JSON values themselves."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = SchemaCheck(schema)

    def accept(self, value: dict[str, Any], text: str | None) -> Mapping[str, Any] | None:
        """Return the value itself when the schema takes it."""
        return value if self.schema.ok(value) else None

    def refusal(self, value: Any) -> list[Problem]:
        """Say the only thing that remains when the schema found nothing."""
        return [Problem("", "the arguments are nested too deeply")]


class ModelCheck:
    """Validates with pydantic in strict JSON mode: "yes" is no bool, 1 is no date."""

    def __init__(self, made: ArgumentsSchema, *, as_model: bool = False) -> None:
        self.schema = SchemaCheck(made.schema, exact_integers=True)
        self._validate: Any = made.adapter.validator.validate_json
        self._defaults = made.defaults
        self._as_model = as_model
        self._extra = None if made.open else "forbid"

    def accept(self, value: dict[str, Any], text: str | None) -> Mapping[str, Any] | None:
        """Return the validated values; a model instance comes under the key `model`."""
        try:
            made = self._validate(dumps(value) if text is None else text, strict=True, extra=self._extra)
        except ValueError:
            return None
        if self._as_model:
            return {"model": made}
        arguments: dict[str, Any] = made
        for name, default in self._defaults.items():
            if name not in arguments:
                arguments[name] = default()
        return arguments

    def refusal(self, value: Any) -> list[Problem]:
        """Tell what the validators of the types said."""
        from pydantic import ValidationError

        try:
            self._validate(dumps(value), strict=True, extra=self._extra)
        except ValidationError as error:
            return [
                Problem(_place(value, found["loc"]), _said(found))
                for found in error.errors(include_url=False, include_context=True)
            ]
        except ValueError as error:
            return [Problem("", str(error).splitlines()[0][:200])]
        return []


def _place(value: Any, loc: tuple[int | str, ...]) -> str:
    """Keep of pydantic's location what is a place in the value (it also names types and validators)."""
    path: list[str | int] = []
    for part in loc:
        members: dict[Any, Any] = {}
        if is_object(value):
            members = value
        elif is_array(value):
            members = dict(enumerate(value))
        if part in members:
            value = members[part]
            path.append(part)
    return pointer(path)


def _said(found: Mapping[str, Any]) -> str:
    message: str = found["msg"]
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    message = re.sub(r" or (an )?instance of \w+", "", message.replace("Input should be", "expected"))
    return message[:300]


class Decoder:
    """The way from text to arguments for one tool. `name` is the tool's, to recognise a call inside a call."""

    def __init__(self, name: str, check: Check, strict: Callable[[], StrictSchema]) -> None:
        self._name = name
        self._check = check
        self._strict_of = strict
        self._strict: StrictSchema | None = None

    def decode(self, raw: str | bytes | Mapping[str, Any]) -> Decoded:
        """Return arguments or an explanation; never raises for what a model wrote."""
        if not isinstance(raw, str):
            return self._other(raw)
        try:
            value = parse_strict(raw) if len(raw) <= MAX_LENGTH else None
        except JSONTextError:
            return self._careful(raw)
        if not is_object(value):
            return self._careful(raw)
        strict = self._strict = self._strict or self._strict_of()
        if not strict.changes:
            arguments = self._check.accept(value, raw)
        else:
            dropped: list[str] = []
            try:
                plain = strict.undo(value, dropped=dropped.append)
            except SchemaError:
                return self._careful(raw)
            if dropped:
                return self._careful(raw)
            arguments = self._check.accept(plain, raw if plain is value else None)
            value = plain
        return self._careful(raw) if arguments is None else Decoded(True, value, arguments)

    def _other(self, raw: bytes | Mapping[str, Any]) -> Decoded:
        """Take arguments that did not come as text: some servers send bytes or an object."""
        if isinstance(raw, (bytes, bytearray)):
            try:
                return self.decode(raw.decode())
            except UnicodeDecodeError:
                return Decoded(False, error=_refused("the text is not valid UTF-8"))
        try:
            return self.decode(dumps(dict(raw)))
        except (TypeError, ValueError, RecursionError):
            return Decoded(False, error=_refused("the arguments are not JSON data"))

    def _careful(self, raw: str) -> Decoded:
        """Read again, slowly: repair what has one reading, explain the rest."""
        if len(raw) > MAX_LENGTH:
            return Decoded(False, error=_refused(f"the text is longer than {MAX_LENGTH} characters"))
        if not raw.strip():
            if takes_nothing(self._check.schema.schema):
                return self._accept({}, ["read an empty text as no arguments"])
            return Decoded(False, error=_refused("the arguments are empty; send a JSON object"))
        try:
            value, repairs = read_text(raw)
        except JSONTextError as error:
            return Decoded(False, error=_refused(str(error)))
        return self._accept(value, repairs)

    def _accept(self, value: Any, repairs: list[str]) -> Decoded:
        """Validate as it is, then mended; the first that is valid wins."""
        with self._check.schema.remembering():
            return self._settled(value, repairs)

    def _settled(self, value: Any, repairs: list[str]) -> Decoded:
        undone, dropped, problem = self._undone(value)
        if problem:
            return Decoded(False, error=_refused(problem))
        if is_object(undone):
            plain = undone
            arguments = self._check.accept(plain, None)
            if arguments is not None:
                return Decoded(True, plain, arguments, (*repairs, *dropped))
        mender = Mender(self._check.schema, self._name)
        mended = mender.root(undone)
        again, more, problem = self._undone(mended) if mended is not undone else (mended, [], "")
        if is_object(again) and not problem:
            plain = again
            arguments = self._check.accept(plain, None)
            if arguments is not None:
                return Decoded(True, plain, arguments, (*repairs, *dropped, *mender.repairs, *more))
        if not is_object(mended):
            return Decoded(False, error=_refused("the arguments must be one JSON object"))
        found = problems(self._check.schema, mended) or self._check.refusal(mended)
        return Decoded(False, error=explain(found))

    def _undone(self, value: Any) -> tuple[Any, list[str], str]:
        """Return the plain form, the keys that came as null, and what was wrong with the wire form."""
        strict = self._strict = self._strict or self._strict_of()
        dropped: list[str] = []
        try:
            plain = strict.undo(
                value, dropped=lambda name: dropped.append(f"read null for {name!r} as left out")
            )
        except SchemaError as error:
            return value, [], str(error)
        return plain, dropped, ""


def _refused(reason: str) -> str:
    return f"The arguments are not valid; the tool was not called.\n- {reason}"
