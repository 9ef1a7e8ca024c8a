"""Keep of a large schema what a question is about: tables that its words name, and the tables that join them.

A grammar of a thousand tables is too large for a server and for a model. Words of the question are compared with
the names, comments and stored values of tables and columns; a word counts the more, the rarer it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from jigwork.grammars.schema import Schema, Table

__all__ = ["focus"]

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TABLE, _COLUMN, _COMMENT, _VALUE = 3.0, 2.0, 1.0, 2.0


def focus(schema: Schema, question: str, *, tables: int = 12) -> Schema:
    """Return the part of `schema` that `question` needs: at most about `tables` tables, best matches first.

    Tables on the way between chosen ones (along foreign keys) are added, so there may be a few more. A question
    that matches nothing keeps the whole schema.
    """
    if len(schema.tables) <= tables:
        return schema
    asked = set(_words(question))
    weights = {table.name: _weights(table) for table in schema.tables}
    known = Counter(word for words in weights.values() for word in words)
    scores = {
        name: sum(
            weight * math.log(1 + len(schema.tables) / known[word])
            for word, weight in words.items()
            if word in asked
        )
        for name, words in weights.items()
    }
    ranked = sorted((name for name in scores if scores[name] > 0), key=lambda name: (-scores[name], name))
    if not ranked:
        return schema
    links = _links(schema)
    chosen: set[str] = set()
    for name in ranked:
        path = _path(name, chosen, links) if chosen else [name]
        if len(chosen | set(path)) > tables:
            break
        chosen.update(path)
    kept = [
        replace(table, foreign_keys=tuple(key for key in table.foreign_keys if key.table in chosen))
        for table in schema.tables
        if table.name in chosen
    ]
    return replace(schema, tables=tuple(kept))


def _words(text: str) -> Iterable[str]:
    """Split text and names into lower-case words without plural endings."""
    for part in _CAMEL.sub(" ", text).replace("_", " ").split():
        for word in _WORD.findall(part.lower()):
            yield _stem(word)


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _weights(table: Table) -> dict[str, float]:
    """Return what each word says for a table, the strongest of its places."""
    weights: dict[str, float] = {}

    def add(text: str | None, weight: float) -> None:
        for word in _words(text or ""):
            weights[word] = max(weight, weights.get(word, 0.0))

    add(table.name, _TABLE)
    add(table.comment, _COMMENT)
    for column in table.columns:
        add(column.name, _COLUMN)
        add(column.comment, _COMMENT)
        for value in column.values or ():
            add(value, _VALUE)
    return weights


def _links(schema: Schema) -> Mapping[str, set[str]]:
    names = {table.name for table in schema.tables}
    links: dict[str, set[str]] = {name: set() for name in names}
    for table in schema.tables:
        for key in table.foreign_keys:
            if key.table in names:
                links[table.name].add(key.table)
                links[key.table].add(table.name)
    return links


def _path(start: str, goals: set[str], links: Mapping[str, set[str]]) -> list[str]:
    """Return the shortest way along foreign keys to what is chosen; only `start` where there is none."""
    before: dict[str, str] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        if name in goals:
            path = [name]
            while path[-1] != start:
                path.append(before[path[-1]])
            return path
        for other in sorted(links[name]):
            if other not in before and other != start:
                before[other] = name
                queue.append(other)
    return [start]
