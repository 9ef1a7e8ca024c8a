"""Look into JSON that came from outside: an object or an array, empty where the value is something else."""

from __future__ import annotations

from typing import Any

__all__ = ["array_of", "object_of", "objects_of"]


def object_of(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def array_of(value: Any) -> list[Any]:
    """Return the value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def objects_of(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array."""
    return [member for member in array_of(value) if isinstance(member, dict)]
