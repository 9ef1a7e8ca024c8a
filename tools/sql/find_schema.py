"""The tool `find_schema`: the tables, columns and stored values that words speak of, and the keys that join them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from jigwork.errors import ToolError
from jigwork.grammars.linking import Link, Linker, join_paths
from jigwork.grammars.linking.paths import Joint
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.names import quote_name, string_literal

from .mentioned import Look, with_mentioned

__all__ = ["SchemaFinder"]

_MOST_TABLES = 8
_MOST_COLUMNS = 6
_LEAST = 0.2
"""What a table must have of the best one's score to be shown."""


class SchemaFinder:
    """Links words to one schema; stored values that are not in the schema are looked up where `sources` says."""

    def __init__(self, schema: Schema, sources: Mapping[str, str | None], look: Look) -> None:
        self._schema = schema
        self._sources = sources
        self._look = look

    @cached_property
    def linker(self) -> Linker:
        """The linker of the schema, kept for many questions."""
        return Linker(self._schema)

    def find_schema(self, words: str) -> str:
        """Find the tables, columns and stored values that a question or some words speak of, best first.

        Each line has a score (higher is better) and the words that were matched; then come the keys that join the tables.

        Args:
            words: The question, or the words to look for.
        """
        if not words.strip():
            raise ToolError("give a question, or words to look for")
        looked = with_mentioned(self._schema, words, sources=self._sources, look=self._look)
        linked = (self.linker if looked is self._schema else Linker(looked)).link(words)
        if not linked.tables:
            return "nothing here is called so; describe_tables lists what there is"
        best = linked.tables[0][1]
        tables = [(name, score) for name, score in linked.tables[:_MOST_TABLES] if score >= best * _LEAST]
        lines: list[str] = []
        for name, score in tables:
            lines.extend(self._table(name, score, linked.of(name)))
        names = [name for name, _ in tables]
        lines.extend(f"join: {self._joint(joint)}" for joint in join_paths(self._schema, names))
        if linked.unknown:
            lines.append(f"not matched: {', '.join(linked.unknown)}")
        return "\n".join(lines)

    def _table(self, name: str, score: float, links: Iterable[Link]) -> list[str]:
        own = [link for link in links if link.kind == "table"]
        head = f"{self._name(name)} {score:.1f}{_because(own[0]) if own else ''}"
        rest = [link for link in links if link.kind != "table"]
        return [head, *(f"  {self._column(link)}" for link in rest[:_MOST_COLUMNS])]

    def _column(self, link: Link) -> str:
        name = self._name(link.column or "")
        if link.value is None:
            return f"{name} {link.score:.1f}{_because(link)}"
        try:
            said = string_literal(link.value, self._schema.dialect)
        except ValueError:
            said = "a value that cannot be written here"
        return f"{name} = {said} {link.score:.1f}{_because(link)}"

    def _joint(self, joint: Joint) -> str:
        pairs = zip(joint.key.columns, joint.key.references, strict=False)
        left, right = self._name(joint.table), self._name(joint.key.table)
        return " AND ".join(f"{left}.{self._name(a)} = {right}.{self._name(b)}" for a, b in pairs)

    def _name(self, name: str) -> str:
        return quote_name(name, self._schema.dialect)


def _because(link: Link) -> str:
    """`(synonym: nation)`; a match of the name itself needs no reason but its words."""
    said = ", ".join(link.words)
    return f" ({said})" if link.how in ("exact", "plural") else f" ({link.how}: {said})"
