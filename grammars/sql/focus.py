"""Keep of a large schema what a question is about: tables that its words name, and the tables that join them.

A grammar of a thousand tables is too large for a server and for a model. `jigwork.grammars.linking` compares the
words of the question with names, comments and stored values; this decides what of the schema stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jigwork.grammars.schema import Schema

if TYPE_CHECKING:
    from jigwork.grammars.linking import Linker
    from jigwork.grammars.linking.paths import Keys

__all__ = ["focus"]

_BRIDGES = 0.25
"""The share of the tables that may be there only to join others."""


def focus(schema: Schema, question: str, *, tables: int = 12, linker: Linker | None = None) -> Schema:
    """Return the part of `schema` that `question` needs: at most `tables` tables, best matches first.

    Tables on the way between chosen ones (along foreign keys) are among them; where room is left, so are tables
    that join what was chosen. A question that matches nothing keeps the whole schema. For many questions, build
    the `linker` once.
    """
    from jigwork.grammars.linking import Linker
    from jigwork.grammars.linking.paths import Keys

    if len(schema.tables) <= tables:
        return schema
    linked = (linker or Linker(schema)).link(question)
    if not linked.tables:
        return schema
    return schema.only(_chosen([name for name, _ in linked.tables], tables, Keys(schema)))


def _chosen(ranked: list[str], most: int, keys: Keys) -> set[str]:
    """Take the best tables and what joins each to those before it, as long as there is room."""
    chosen: dict[str, None] = {}
    bridges = max(1, int(most * _BRIDGES))
    for name in ranked:
        if len(chosen) >= most:
            break
        way = (keys.way(name, chosen) if chosen else None) or [name]
        between = [each for each in way if each != name and each not in chosen]
        if len(between) > bridges or len(chosen) + len(between) + (name not in chosen) > most:
            between = []
        bridges -= len(between)
        chosen.update(dict.fromkeys([name, *between]))
    return set(chosen)
