"""Check the grammar of a custom tool: what the server's dialect lacks, then llguidance, which is its engine."""

from __future__ import annotations

import re
from functools import lru_cache

from .api_errors import invalid

__all__ = ["check_grammar"]

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_LOOKAROUND = re.compile(r"\(\?<?[=!]")
_LAZY = re.compile(r"[*+?}]\?")
_LARK_REGEX = re.compile(r"/((?:\\.|[^/\\\n])+)/[imslux]*")
_LARK_TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"i?|//[^\n]*')
_PRIORITY = re.compile(r"^[ \t]*[?!]?[A-Za-z_]\w*\.-?\d+[ \t]*:", re.MULTILINE)
_TEMPLATE = re.compile(r"^[ \t]*[?!]?_?[a-z]\w*\{[^}\d][^}]*\}[ \t]*:", re.MULTILINE)
_DECLARE = re.compile(r"^[ \t]*%declare\b", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*%import[ \t]+(?!common\b)(\S+)", re.MULTILINE)


def check_grammar(syntax: str, definition: str, param: str) -> None:
    """Refuse a `lark` or `regex` definition that cannot be used."""
    problem = _problem(syntax, definition)
    if problem is not None:
        raise invalid(f"Invalid grammar definition: {problem}", param, "invalid_grammar")


@lru_cache(maxsize=1024)
def _problem(syntax: str, definition: str) -> str | None:
    if not definition.strip():
        return "the definition is empty."
    if syntax == "regex":
        if "\n" in definition:
            return "a regex must be on one line."
        return _regex_problem(definition) or _engine_problem("regex", definition)
    return _lark_problem(definition) or _engine_problem("lark", definition)


def _regex_problem(pattern: str) -> str | None:
    plain = _ESCAPED.sub("x", pattern)
    if _LOOKAROUND.search(plain):
        return "lookaround is not supported."
    if _LAZY.search(_CLASS.sub("x", plain)):
        return "lazy quantifiers are not supported."
    return None


def _lark_problem(grammar: str) -> str | None:
    for match in _LARK_REGEX.finditer(_LARK_TEXT.sub('""', grammar)):
        if problem := _regex_problem(match.group(1)):
            return f"{problem[:-1]} (in /{match.group(1)}/)."
    for pattern, what in (
        (_PRIORITY, "priorities are not supported."),
        (_TEMPLATE, "templates are not supported."),
        (_DECLARE, "%declare is not supported."),
        (_IMPORT, "%import is only supported for `common`."),
    ):
        if pattern.search(grammar):
            return what
    return None


def _engine_problem(syntax: str, definition: str) -> str | None:
    """Ask llguidance; a server without it accepts what the static checks let pass."""
    try:
        from llguidance import LLMatcher, grammar_from
    except ImportError:
        return None
    message: str = LLMatcher.validate_grammar(
        grammar_from("lark" if syntax == "lark" else "regex", definition)
    )
    return message.strip().splitlines()[0] if message.strip() else None
