"""Stored values that a question mentions, wherever they stand: also in columns with too many values to be listed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from jigwork.grammars.inflection import lands
from jigwork.grammars.linking import COMMON
from jigwork.grammars.schema import Column, Schema
from jigwork.grammars.sql.names import quote_name, string_literal

__all__ = ["Look", "with_mentioned"]

Look = Callable[[str, float], "list[tuple[Any, ...]]"]
"""Runs a short query within some seconds; [] where that is not enough."""

_WORD = re.compile(r"[^\W_]+(?:[-'’.&/][^\W_]+)*")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^']+)'(?!\w)")
_LONGEST = 6
_READ = 4000
_MOST_TEXTS = 250
_PER_COLUMN = 8
_SECONDS = 2.0


def with_mentioned(schema: Schema, question: str, *, sources: Mapping[str, str | None], look: Look) -> Schema:
    """Return `schema` with the values that `question` mentions added to columns whose values are not all known.

    `sources` says what to read each table from; a table that is None there, or is not there, is not looked into.
    Case does not matter; the values come as they are stored. It takes two seconds at most, and what was not looked
    at by then stays as it is.
    """
    texts = mentions(question)
    if not texts:
        return schema
    ends = time.monotonic() + _SECONDS
    tables = list(schema.tables)
    for number, table in enumerate(tables):
        source = sources.get(table.name)
        if source is None:
            continue
        columns: list[Column] = []
        for column in table.columns:
            left = ends - time.monotonic()
            found: list[str] = []
            if column.kind == "text" and column.values is None and left > 0:
                query = _query(column, source, texts, schema.dialect)
                found = [row[0] for row in look(query, min(left, 1.0)) if isinstance(row[0], str)]
            columns.append(replace(column, values=tuple(found)) if found else column)
        if columns != list(table.columns):
            tables[number] = replace(table, columns=tuple(columns))
    return schema if tables == list(schema.tables) else replace(schema, tables=tuple(tables))


def mentions(question: str) -> list[str]:
    """Return the stretches of a question that may be a value, in lower case: what is quoted, and words in a row."""
    question = question[:_READ]
    found: dict[str, None] = {}
    for match in _QUOTED.finditer(question):
        found[next(text for text in match.groups() if text).strip().lower()] = None
    words = list(_WORD.finditer(question))
    for length in range(1, _LONGEST + 1):
        for first, last in zip(words, words[length - 1 :], strict=False):
            edges = {first.group().lower(), last.group().lower()}
            if not edges & COMMON and not (length == 1 and first.group().isdigit()):
                text = question[first.start() : last.end()].lower()
                found[text] = None
                found.update(dict.fromkeys(lands(text) if length == 1 else ()))
    return list(found)[:_MOST_TEXTS]


def _query(column: Column, source: str, texts: Iterable[str], dialect: str) -> str:
    name = quote_name(column.name, dialect)
    literals: list[str] = []
    for text in texts:
        try:
            literals.append(string_literal(text, dialect))
        except ValueError:  # it cannot be written, so it cannot be looked for
            continue
    return f"SELECT DISTINCT {name} FROM {source} WHERE LOWER({name}) IN ({', '.join(literals)}) LIMIT {_PER_COLUMN}"
