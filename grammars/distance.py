"""How far two short texts are apart."""

from __future__ import annotations

__all__ = ["apart", "closeness", "edits"]

_LONGEST = 200  # beyond that the distance is the length: such texts are not typing mistakes


def edits(one: str, other: str) -> int:
    """The least number of characters put in, left out, changed or swapped with their neighbour."""
    if one == other:
        return 0
    if not one or not other or max(len(one), len(other)) > _LONGEST:
        return max(len(one), len(other))
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def closeness(one: str, other: str) -> float:
    """1 for equal texts, 0 for texts with nothing in common; a difference in case counts little."""
    if not one or not other:
        return 0.0
    return max(0.0, 1 - apart(one, other) / max(len(one), len(other)))


def apart(one: str, other: str) -> float:
    """The number of edits, of which those of upper and lower case count a tenth."""
    return 0.9 * edits(one.casefold(), other.casefold()) + 0.1 * edits(one, other)
