"""Tell decoded JSON apart, in a way that type checkers follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypeIs

__all__ = ["is_array", "is_mapping", "is_object"]


def is_object(value: object) -> TypeIs[dict[str, Any]]:
    """Tell whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeIs[list[Any]]:
    """Tell whether a decoded value is a JSON array."""
    return isinstance(value, list)


def is_mapping(value: object) -> TypeIs[Mapping[str, Any]]:
    """Tell whether a value is a mapping with text keys, such as a schema."""
    return isinstance(value, Mapping)
