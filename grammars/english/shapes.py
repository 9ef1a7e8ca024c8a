"""Telling JSON-like data apart in a way that type checkers follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

__all__ = ["is_list", "is_mapping"]


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether it is a list."""
    return isinstance(value, list)


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether it is a mapping; its keys are taken to be texts, as those of JSON are."""
    return isinstance(value, Mapping)
