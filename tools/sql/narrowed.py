"""The `query` tool of a large schema: held, turn by turn, to the tables that the conversation is about.

A grammar of a thousand tables is too long for most servers, and for every model that reads it as text. So it covers
what the questions name (`focus`) and what the model has had described; describing a table makes it one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jigwork.grammars.sql.names import names_equal

from ..context import RunContext
from ..definition import Tool
from ..toolset import Toolset

if TYPE_CHECKING:
    from .database import SQLDatabase

__all__ = ["NarrowedQuery"]

_KEPT = 8
"""Grammars that are kept: a run goes on with the one it had, and many runs share the toolset."""
_REMEMBERED = 256
"""Questions whose tables are known."""


class NarrowedQuery(Toolset):
    """Shows one tool, `query`; `options` are those of `SQLDatabase.tool`.

    The history alone decides what it covers, so that a run that is taken up again goes on with the same.
    """

    def __init__(self, database: SQLDatabase, **options: Any) -> None:
        self._database = database
        self._options = options
        self._made: dict[tuple[str, ...], Any] = {}
        # The history is read again at every turn, and asks the same questions.
        self._named = lru_cache(_REMEMBERED)(self._find_named)
        super().__init__(name="query")

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        """Return the tool as it is now."""
        tables = self._about(context.items)
        if tables not in self._made:
            if len(self._made) >= _KEPT:
                self._made.pop(next(iter(self._made)))
            listed = ", ".join(tables)
            self._made[tables] = self._database.tool(
                tables=tables,
                description=f"{self._database.query_description} These tables can be queried now: {listed}. "
                "Find or describe another one (find_schema, describe_tables) to query it too.",
                hint="; have it described first (describe_tables), then query it",
                **self._options,
            )
        return [self._made[tables]]

    def _about(self, items: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return the tables of all questions so far, and those that were described."""
        schema = self._database.schema
        names = {name for question in _questions(items) for name in self._named(question)}
        described = list(_described(items))
        names |= {
            table.name for table in schema.tables if any(names_equal(table.name, name) for name in described)
        }
        if not names:  # a grammar needs a table to begin with
            names = {table.name for table in schema.tables[:1]}
        return tuple(table.name for table in schema.tables if table.name in names)

    def _find_named(self, question: str) -> tuple[str, ...]:
        """Return the tables that a question is about."""
        part = self._database.focused(question)
        if part is self._database.schema:  # it names nothing
            return ()
        return tuple(table.name for table in part.tables)


def _questions(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the person has said, and what the model has looked for."""
    for item in items:
        if item.get("type", "message") == "message" and item.get("role") == "user":
            content: Any = item.get("content")
            parts: Any = [{"text": content}] if isinstance(content, str) else content or ()
            yield " ".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))
    yield from (words for words in _given(items, "find_schema", "words") if isinstance(words, str))


def _described(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names that the model asked to have described."""
    for names in _given(items, "describe_tables", "names"):
        yield from (name.strip('"`') for name in names or () if isinstance(name, str))


def _given(items: Iterable[Mapping[str, Any]], tool: str, argument: str) -> Iterator[Any]:
    """Yield an argument of all calls of a tool; a malformed call asked for nothing, and was told so."""
    for item in items:
        if item.get("type") == "function_call" and item.get("name") == tool:
            try:
                yield json.loads(item.get("arguments") or "{}").get(argument)
            except (ValueError, AttributeError, TypeError):
                continue
