"""What a string may be: grammars as values, checked, enforced, explained, parsed and exported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import check_text as check_text
    from .diagnostics import Diagnostic as Diagnostic
    from .edits import Edit as Edit
    from .explain import Explanation as Explanation
    from .explain import Next as Next
    from .export import Export as Export
    from .fixing import Fixed as Fixed
    from .fixing import apply_fixes as apply_fixes
    from .fixing import fix_text as fix_text
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
    "Edit",
    "Explanation",
    "Export",
    "Fixed",
    "ForeignKey",
    "Grammar",
    "Next",
    "Schema",
    "Table",
    "TokenMatcher",
    "apply_fixes",
    "check_text",
    "fix_text",
    "library",
    "library_names",
]

_HOMES = {
    "Column": "schema",
    "Diagnostic": "diagnostics",
    "Edit": "edits",
    "Explanation": "explain",
    "Export": "export",
    "Fixed": "fixing",
    "ForeignKey": "schema",
    "Grammar": "grammar",
    "Next": "explain",
    "Schema": "schema",
    "Table": "schema",
    "TokenMatcher": "masks",
    "apply_fixes": "fixing",
    "check_text": "check",
    "fix_text": "fixing",
    "library": "ready",
    "library_names": "ready",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
