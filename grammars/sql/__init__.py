"""SQL as a grammar of one schema: canonical, SELECT-only, with nothing in it that the database does not have."""

from __future__ import annotations

from .canonical import Canonical, canonicalize
from .dialects import DIALECTS, FUNCTIONS, Dialect, dialect_of
from .focus import focus
from .grammar import sql_grammar, sql_grammar_text
from .names import quote_name, string_literal, table_aliases
from .slots import mark_slots, with_slots
from .trusted import TrustedQuery, load_trusted, save_trusted

__all__ = [
    "DIALECTS",
    "FUNCTIONS",
    "Canonical",
    "Dialect",
    "TrustedQuery",
    "canonicalize",
    "dialect_of",
    "focus",
    "load_trusted",
    "mark_slots",
    "quote_name",
    "save_trusted",
    "sql_grammar",
    "sql_grammar_text",
    "string_literal",
    "table_aliases",
    "with_slots",
]
