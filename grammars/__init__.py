"""What a string may be: grammars as values, checked, enforced, explained, parsed and exported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagnostics import Diagnostic as Diagnostic
    from .explain import Explanation as Explanation
    from .explain import Next as Next
    from .export import Export as Export
    from .grammar import Grammar as Grammar
    from .masks import TokenMatcher as TokenMatcher
    from .ready import library as library
    from .ready import library_names as library_names
    from .schema import Column as Column
    from .schema import ForeignKey as ForeignKey
    from .schema import Schema as Schema
    from .schema import Table as Table

__all__ = [
    "Column",
    "Diagnostic",
    "Explanation",
    "Export",
    "ForeignKey",
    "Grammar",
    "Next",
    "Schema",
    "Table",
    "TokenMatcher",
    "library",
    "library_names",
]

_HOMES = {
    "Column": "schema",
    "Diagnostic": "diagnostics",
    "Explanation": "explain",
    "Export": "export",
    "ForeignKey": "schema",
    "Grammar": "grammar",
    "Next": "explain",
    "Schema": "schema",
    "Table": "schema",
    "TokenMatcher": "masks",
    "library": "ready",
    "library_names": "ready",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
