"""The toolbox: files, web, programs, arithmetic and memory as tools, each with limits and with approval defaults."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arithmetic import calculator
    from .file_tools import files
    from .human import ask_human
    from .notebook import notes
    from .outside import mark_outside
    from .patching import patch
    from .programs import python, shell
    from .web import fetch
    from .whole import read_output

__all__ = [
    "ask_human",
    "calculator",
    "fetch",
    "files",
    "mark_outside",
    "notes",
    "patch",
    "python",
    "read_output",
    "shell",
]

_HOMES = {
    "ask_human": "human",
    "calculator": "arithmetic",
    "fetch": "web",
    "files": "file_tools",
    "mark_outside": "outside",
    "notes": "notebook",
    "patch": "patching",
    "python": "programs",
    "read_output": "whole",
    "shell": "programs",
}


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        value = getattr(import_module(f".{home}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
