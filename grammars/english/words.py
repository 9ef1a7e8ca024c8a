"""Words of questions: nearest spellings, and lists as one says them; the forms of words are in `jigwork.grammars.inflection`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from jigwork.grammars.inflection import Words, is_plural, number_forms, plural, singular, split_name

__all__ = ["Words", "is_plural", "join_and", "nearest", "number_forms", "plural", "singular", "split_name"]


def nearest(word: str, known: Collection[str], *, limit: int = 3) -> list[str]:
    """Return the known spellings nearest to `word`, best first; [] where nothing is near."""
    lowered = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=limit, cutoff=0.72)
    return [lowered[each] for each in found]


def join_and(parts: Iterable[str], word: str = "and") -> str:
    """Join as one says it: `a, b and c`."""
    items = list(parts)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"
