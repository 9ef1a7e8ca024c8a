"""Match the regular expressions of schemas in linear time, so that no pattern can hold up a call.

The Rust engine inside pydantic takes what has no look-around and no back-references, and ECMA's `\\p{L}` and `(?<name>)`;
the rest goes to Python's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["searcher"]

_DIFFERENT = ("&&", "--", "~~", "[[")
"""Operators inside brackets that only Rust has."""


@lru_cache(maxsize=2048)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a test whether a pattern matches somewhere in a text; raise ValueError for what is no pattern."""
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    if not any(part in pattern for part in _DIFFERENT):
        try:
            return SchemaValidator(
                core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
            ).isinstance_python
        except SchemaError:
            pass  # look-around or back-references: Python's engine has them
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern[:100]!r} is not a regular expression: {error}") from None
    return lambda text: found.search(text) is not None
