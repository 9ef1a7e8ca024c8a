"""Texts of grammars for people: on one line, with nothing in it that a terminal obeys."""

from __future__ import annotations

from .escape import clean

__all__ = ["in_quotes"]


def in_quotes(text: str) -> str:
    """Return a text on one line, in JSON's quotes, with nothing in it that a terminal obeys."""
    from .documents import json_text

    return clean(json_text(text))
