"""Ready grammars: the `.lark` files beside this module, each clean under `check()` for every server."""

from __future__ import annotations

import difflib
from importlib.resources import files

from jigwork.errors import GrammarError

from .grammar import Grammar

__all__ = ["library", "library_names"]


def library_names() -> tuple[str, ...]:
    """The names of the ready grammars."""
    found = (entry.name for entry in files(__package__ or "").iterdir())
    return tuple(sorted(name.removesuffix(".lark") for name in found if name.endswith(".lark")))


def library(name: str) -> Grammar:
    """A ready grammar by name, such as `json`, `cron` or `unified_diff`. Raises GrammarError for another name."""
    names = library_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise GrammarError(f"there is no ready grammar {name!r}; {hint}")
    return Grammar.from_resource(__package__ or "", f"{name}.lark")
