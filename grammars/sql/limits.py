"""What LIMIT and OFFSET say, in whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jigwork.errors import SQLRefused

__all__ = ["row_count", "whole"]

Refuse = Callable[[str, Any], SQLRefused]


def whole(clause: Any, refuse: Refuse) -> int:
    """Return the number of a LIMIT or OFFSET."""
    value = clause.args.get("expression") or clause.args.get("count")
    if type(value).__name__ != "Literal" or not value.name.isdigit() or value.args.get("is_string"):
        raise refuse("a LIMIT or OFFSET that is no whole number", clause)
    return int(value.name)


def row_count(limit: Any, dialect: str, refuse: Refuse) -> int | None:
    """Return the number of a LIMIT, or None for one that limits nothing: ALL, NULL, SQLite's -1, huge numbers."""
    value = limit.args.get("expression")
    kind = type(value).__name__
    if (kind == "Var" and value.name.upper() == "ALL") or kind == "Null":
        return None
    if kind == "Neg" and dialect == "sqlite" and type(value.this).__name__ == "Literal":
        return None
    count = whole(limit, refuse)
    return count if count < 10**9 else None
