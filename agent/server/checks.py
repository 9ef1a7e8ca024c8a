"""Checks of JSON values against what the real API takes: small functions that raise the `ApiError` it would send.

A check is called with the path of a value (as the error names it) and the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from .api_errors import ApiError, invalid, invalid_value, missing, wrong_type
from .json_data import array_of

__all__ = [
    "Check",
    "anything",
    "array",
    "boolean",
    "choice",
    "either",
    "integer",
    "literal",
    "mapping",
    "metadata",
    "name",
    "nullable",
    "number",
    "record",
    "string",
    "tagged",
]

Check: TypeAlias = Callable[[str, Any], None]

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_NAME_PATTERN = "^[a-zA-Z0-9_-]+$"
_NAME_LENGTH = 64


def anything(path: str, value: Any) -> None:
    """Take every value."""


def nullable(check: Check) -> Check:
    """Take null too."""

    def run(path: str, value: Any) -> None:
        if value is not None:
            check(path, value)

    return run


def boolean(path: str, value: Any) -> None:
    """Take true and false."""
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def number(low: float, high: float) -> Check:
    """Take numbers in a range, both ends included."""

    def run(path: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong_type(path, "a decimal", value)
        _bounds(path, value, "decimal", low=low, high=high)

    return run


def integer(low: int, high: int | None = None) -> Check:
    """Take whole numbers in a range, both ends included."""

    def run(path: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(path, "an integer", value)
        _bounds(path, value, "integer", low=low, high=high)

    return run


def _bounds(path: str, value: float, kind: str, *, low: float, high: float | None) -> None:
    for bad, word, sign, bound, code in (
        (value < low, "below minimum", ">=", low, "below_min"),
        (high is not None and value > high, "above maximum", "<=", high, "above_max"),
    ):
        if bad:
            raise invalid(
                f"Invalid '{path}': {kind} {word} value. Expected a value {sign} {bound:g}, "
                f"but got {value:g} instead.",
                path,
                f"{kind}_{code}_value",
            )


def string(limit: int | None = None) -> Check:
    """Take texts up to a length."""

    def run(path: str, value: Any) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if limit is not None and len(value) > limit:
            raise invalid(
                f"Invalid '{path}': string too long. Expected a string with maximum length {limit}, "
                f"but got a string with length {len(value)} instead.",
                path,
                "string_above_max_length",
            )

    return run


def name(path: str, value: Any) -> None:
    """Take the name of a tool or a format: `^[a-zA-Z0-9_-]{1,64}$`."""
    string(_NAME_LENGTH)(path, value)
    if value == "":
        raise invalid(
            f"Invalid '{path}': empty string. Expected a string with minimum length 1, "
            "but got an empty string instead.",
            path,
            "empty_string",
        )
    if not _NAME.fullmatch(value):
        raise invalid(
            f"Invalid '{path}': string does not match pattern. "
            f"Expected a string that matches the pattern '{_NAME_PATTERN}'.",
            path,
            "invalid_value",
        )


def choice(*words: str) -> Check:
    """Take one of these words."""

    def run(path: str, value: Any) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, f"one of {_or(words)}", value)
        if value not in words:
            raise invalid_value(path, value, words)

    return run


def literal(word: str) -> Check:
    """Take this word only."""
    return choice(word)


def mapping(path: str, value: Any) -> None:
    """Take any object."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)


def array(check: Check = anything, *, low: int = 0, high: int | None = None, of: str = "objects") -> Check:
    """Take arrays whose members pass."""

    def run(path: str, value: Any) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, f"an array of {of}", value)
        members = array_of(value)
        if len(members) < low:
            raise invalid(
                f"Invalid '{path}': empty array. Expected an array with minimum length {low}, "
                "but got an empty array instead.",
                path,
                "empty_array",
            )
        if high is not None and len(members) > high:
            raise invalid(
                f"Invalid '{path}': array too long. Expected an array with maximum length {high}, "
                f"but got an array with length {len(members)} instead.",
                path,
                "array_above_max_length",
            )
        for index, member in enumerate(members):
            check(f"{path}[{index}]", member)

    return run


def record(checks: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """Take objects with these keys only."""

    def run(path: str, value: Any) -> None:
        mapping(path, value)
        entries = cast("dict[str, Any]", value)
        for key in required:
            if key not in entries:
                raise missing(f"{path}.{key}")
        for key, member in entries.items():
            if key not in checks:
                raise invalid(f"Unknown parameter: '{path}.{key}'.", f"{path}.{key}", "unknown_parameter")
            checks[key](f"{path}.{key}", member)

    return run


def tagged(kinds: Mapping[str, Check], *, tag: str = "type") -> Check:
    """Take objects whose `type` says which check they must pass."""

    def run(path: str, value: Any) -> None:
        mapping(path, value)
        if tag not in value:
            raise missing(f"{path}.{tag}")
        kind = value[tag]
        if not isinstance(kind, str) or kind not in kinds:
            raise invalid_value(f"{path}.{tag}", kind, kinds)
        kinds[kind](path, value)

    return run


def either(*options: Check, expected: str) -> Check:
    """Take what one of these takes; the error is that of the option whose JSON type fits, if one does."""

    def run(path: str, value: Any) -> None:
        inner: ApiError | None = None
        for option in options:
            try:
                option(path, value)
                return
            except ApiError as error:
                if error.code != "invalid_type" or error.param != path:
                    inner = error
        if inner is not None:
            raise inner
        raise wrong_type(path, f"one of {expected}", value)

    return run


def metadata(path: str, value: Any) -> None:
    """Take up to 16 pairs of texts, keys up to 64 and values up to 512 characters."""
    mapping(path, value)
    pairs = cast("dict[str, Any]", value)
    if len(pairs) > 16:
        raise invalid(
            f"Invalid '{path}': too many properties. Expected an object with at most 16 properties, "
            f"but got an object with {len(pairs)} properties instead.",
            path,
            "object_above_max_properties",
        )
    for key, text in pairs.items():
        string(64)(path, key)
        string(512)(f"{path}.{key}", text)


def _or(words: Sequence[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
