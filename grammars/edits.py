"""Changes to a text as data: which characters go, what comes instead. Findings carry them, `apply_edits` makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Edit", "apply_edits", "moved_back"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """`text` in place of the characters from `start` to before `end`; both are offsets in the text, from 0."""

    start: int
    end: int
    text: str


def apply_edits(text: str, groups: Iterable[Sequence[Edit]]) -> tuple[str, list[Edit], list[int]]:
    """Apply groups of edits, each wholly or not at all; one that touches an earlier group's characters is left out.

    Returns the new text, the edits that were made in the order of the text, and the numbers of their groups.
    """
    made: set[Edit] = set()
    used: list[int] = []
    for number, group in enumerate(groups):
        if not group:
            continue
        together = sorted(made | set(group))
        if not any(_clash(one, other) for one, other in pairwise(together)) and together[-1].end <= len(text):
            made |= set(group)
            used.append(number)
    edits = sorted(made)
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += (text[done : edit.start], edit.text)
        done = edit.end
    return "".join(parts) + text[done:], edits, used


def moved_back(offset: int, edits: Sequence[Edit]) -> int:
    """Where a place in the changed text was before the edits were made; an edit's own text is at its start."""
    shift = 0
    for edit in edits:
        if offset < edit.start + shift:
            break
        if offset < edit.start + shift + len(edit.text):
            return edit.start
        shift += len(edit.text) - (edit.end - edit.start)
    return offset - shift


def _clash(one: Edit, other: Edit) -> bool:
    """Whether two edits, in order, want the same characters, or the same place for different texts."""
    return other.start < one.end or (one.start == other.start and one.end == one.start == other.end)
