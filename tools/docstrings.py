"""Read docstrings (Google, NumPy, Sphinx) for what a model should know: what a tool does and its parameters."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

__all__ = ["Described", "read_docstring"]

_SILENT = (
    "Args|Arguments|Parameters|Params|Other Parameters|Keyword Args|Keyword Arguments|Attributes|Returns|Return"
    "|Yields|Raises|Warns"
)
_GOOGLE = re.compile(rf"^(?:{_SILENT}):\s*$", re.MULTILINE)
_NUMPY = re.compile(rf"^(?:{_SILENT})\s*\n-{{3,}}\s*$", re.MULTILINE)
_SPHINX = re.compile(
    r"^:(?:param|parameter|arg|argument|key|keyword|type|return|returns|rtype|raise|raises)\b[^:]*:",
    re.MULTILINE,
)
_UNDERLINED = re.compile(r"^(\w[\w ]*)\n-{3,}\s*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Described:
    """A docstring's text for the model, without the sections for the programmer, and its parameters by name."""

    description: str
    parameters: dict[str, str]


def read_docstring(docstring: str | None) -> Described:
    """Split a docstring; one that has no sections is all description. Never fails."""
    text = inspect.cleandoc(docstring or "").strip()
    if _NUMPY.search(text):
        return Described(_without_underlined(text), _parameters(text, "NUMPYDOC"))
    if _SPHINX.search(text):
        return Described(_without(text, _SPHINX), _parameters(text, "REST"))
    if _GOOGLE.search(text):
        return Described(_without(text, _GOOGLE), _parameters(text, "GOOGLE"))
    return Described(text, {})


def _parameters(text: str, style: str) -> dict[str, str]:
    from docstring_parser import DocstringStyle, ParseError, parse

    try:
        parsed = parse(text, DocstringStyle[style])
    except ParseError:
        return {}
    parameters: dict[str, str] = {}
    for parameter in parsed.params:
        for name in parameter.arg_name.split(","):
            described = " ".join((parameter.description or "").split())
            if described:
                parameters.setdefault(name.strip().lstrip("*"), described)
    return parameters


def _without(text: str, begins: re.Pattern[str]) -> str:
    """Drop each part that begins with such a line, with the indented lines below it."""
    kept: list[str] = []
    dropping = False
    for line in text.splitlines():
        if begins.match(line):
            dropping = True
        elif line.strip() and not line[0].isspace():
            dropping = False
        if not dropping:
            kept.append(line)
    return _tidy("\n".join(kept))


def _without_underlined(text: str) -> str:
    """Drop the NumPy sections that are for the programmer; notes and examples stay."""
    pieces = _UNDERLINED.split(text)
    kept = [pieces[0]]
    for title, content in zip(pieces[1::2], pieces[2::2], strict=True):
        if not re.fullmatch(_SILENT, title.strip()):
            kept.append(f"{title.strip()}:\n{content.strip()}\n")
    return _tidy("\n".join(kept))


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip()
